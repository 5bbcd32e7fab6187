/** The components of this product as widgets: anywidget's interface, for code that is here already. */

import { DOMWidgetModel, DOMWidgetView } from "@jupyter-widgets/base";
import { make } from "../../widgets/static/components.js";

/** @import { Component } from "../../widgets/static/types.js" */

/**
 * Return what a component is given of its widget; what it listens to ends with `owner`.
 *
 * @param {DOMWidgetModel} model
 * @param {object} owner
 */
function face(model, owner) {
	return {
		get: model.get.bind(model),
		set: model.set.bind(model),
		save_changes: model.save_changes.bind(model),
		send: model.send.bind(model),
		/** @type {(name: string, callback: (...told: any[]) => void) => void} */
		on: (name, callback) => model.on(name, callback, owner),
		widget_manager: model.widget_manager,
	};
}

export class AnyModel extends DOMWidgetModel {
	/**
	 * @param {any} attributes
	 * @param {any} options
	 */
	initialize(attributes, options) {
		super.initialize(attributes, options);
		/** @type {Component} */
		this.component = make(this.get("_module"));
		const tidyUp = this.component.initialize?.(/** @type {never} */ ({ model: face(this, this) }));
		if (typeof tidyUp === "function") this.once("destroy", () => tidyUp(), this);
	}
}

export class AnyView extends DOMWidgetView {
	render() {
		super.render();
		const { component } = /** @type {AnyModel} */ (this.model);
		const context = { model: face(this.model, this), el: this.el };
		this.tidyUp = component.render(/** @type {never} */ (context));
	}

	remove() {
		if (typeof this.tidyUp === "function") this.tidyUp();
		this.model.off(null, null, this);
		return super.remove();
	}
}
