/**
 * What every component's `_esm` is: it fetches the component from the library, a widget of the
 * same kernel that carries the module and the style sheet of all components. So their text
 * crosses the wire once for a page, and stands once in a saved notebook. Each library has a
 * module of its own: notebooks with different versions don't disturb one another.
 */

/** @import { Component, LibraryModel, LibraryModule, LoaderContext } from "./types.js" */

/**
 * Load the module of a library and add its style sheet.
 *
 * @param {LibraryModel} library
 * @returns {Promise<LibraryModule>}
 */
async function open(library) {
	const url = URL.createObjectURL(new Blob([library.get("script")], { type: "text/javascript" }));
	/** @type {LibraryModule} */
	const module = await import(url);
	URL.revokeObjectURL(url);
	module.addStyles(library.get("styles"));
	return module;
}

/**
 * Return the component of a widget, once the library is there.
 *
 * @param {LoaderContext} context
 * @returns {Promise<Component>}
 */
async function componentOf({ model }) {
	const id = model.get("_library").replace("IPY_MODEL_", "");
	const library = await model.widget_manager.get_model(id);
	library.componentModule ??= open(library);
	return (await library.componentModule).make(model.get("_module"));
}

export default () => {
	/** @type {Promise<Component>} */
	let loading;
	/** @type {Promise<unknown>} */
	let prepared;

	return {
		// anywidget reports a widget as failed whose `initialize` takes over two seconds, which the
		// library may on a slow line: only `render` waits for it.
		/** @param {LoaderContext} context */
		initialize(context) {
			loading = componentOf(context);
			prepared = loading.then((found) => found.initialize?.(/** @type {never} */ (context)));
			return async () => {
				const tidyUp = await prepared;
				if (typeof tidyUp === "function") tidyUp();
			};
		},

		/** @param {LoaderContext} context */
		async render(context) {
			await prepared;
			return (await loading).render(/** @type {never} */ (context));
		},
	};
};
