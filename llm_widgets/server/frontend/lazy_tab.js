/** ipywidgets' tabs; a panel is drawn when it is first shown, or when the browser has nothing to do. */

import { TabView } from "@jupyter-widgets/controls/lib/widget_selectioncontainer.js";

const LATEST = 3_000; // milliseconds

/** Milliseconds for the first click: drawing what nobody sees would keep it waiting. */
const FIRST_CLICK = 1_000;

/** @param {() => void} draw */
const whenIdle = (draw) =>
	"requestIdleCallback" in globalThis
		? requestIdleCallback(draw, { timeout: LATEST })
		: setTimeout(draw, LATEST); // Safari

export class LazyTabView extends TabView {
	/**
	 * @override
	 * @param {any} model
	 * @param {number} index
	 */
	async addChildView(model, index) {
		if (index === this.model.get("selected_index")) return super.addChildView(model, index);
		/** @type {PromiseWithResolvers<void>} */
		const shown = Promise.withResolvers();
		const create = super.create_child_view;
		// ipywidgets puts an empty panel there at once; only what goes into it waits.
		this.create_child_view = async (/** @type {any} */ child, /** @type {any} */ options) => {
			await shown.promise;
			const view = this.luminoWidget.isDisposed ? null : await create.call(this, child, options);
			if (view && !this.luminoWidget.isDisposed) return view;
			view?.remove();
			return new Promise(() => {}); // the tabs have gone: there is nothing to put it into
		};
		const view = super.addChildView(model, index);
		this.create_child_view = create;
		const look = () => {
			if (index === this.model.get("selected_index")) shown.resolve();
		};
		this.listenTo(this.model, "change:selected_index", look);
		pageShown.then(() => setTimeout(() => whenIdle(shown.resolve), FIRST_CLICK));
		return view;
	}
}

let tell = () => {};
/** Done when the page is shown: no panel is drawn before for nobody. */
const pageShown = new Promise((resolve) => {
	tell = () => resolve(undefined);
});

/** Say that the page is shown. */
export const sayShown = () => tell();
