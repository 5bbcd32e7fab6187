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

export default () => {
	/** @type {Component} */
	let component;

	return {
		/** @param {LoaderContext} context */
		async initialize(context) {
			const { model } = context;
			const id = model.get("_library").replace("IPY_MODEL_", "");
			const library = await model.widget_manager.get_model(id);
			library.componentModule ??= open(library);
			component = (await library.componentModule).make(model.get("_module"));
			return component.initialize?.(/** @type {never} */ (context));
		},

		/** @param {LoaderContext} context */
		render: (context) => component.render(/** @type {never} */ (context)),
	};
};
