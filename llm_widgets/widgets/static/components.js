/**
 * All components by their names, as one module: what `Library` in Python brings to a page. The
 * built file is `../built/components.js`; `make bundle` writes it.
 */

import address from "./address.js";
import age from "./age.js";
import bars from "./bars.js";
import chart from "./chart.js";
import checklist from "./checklist.js";
import composer from "./composer.js";
import copytext from "./copytext.js";
import details from "./details.js";
import dialog from "./dialog.js";
import files from "./files.js";
import form from "./form.js";
import guard from "./guard.js";
import header from "./header.js";
import insight from "./insight.js";
import memory from "./memory.js";
import notice from "./notice.js";
import picker from "./picker.js";
import storage from "./storage.js";
import stream from "./stream.js";
import table from "./table.js";
import tabs from "./tabs.js";
import toasts from "./toasts.js";
import transcript from "./transcript.js";

/** @import { Component, Definition } from "./types.js" */

const STYLE_ID = "llm-widgets-styles";

/** @type {Record<string, Definition>} */
export const components = {
	address,
	age,
	bars,
	chart,
	checklist,
	composer,
	copytext,
	details,
	dialog,
	files,
	form,
	guard,
	header,
	memory,
	notice,
	insight,
	picker,
	storage,
	stream,
	table,
	tabs,
	toasts,
	transcript,
};

/**
 * Put the style sheet of all components into the page. There is one: where notebooks with
 * different versions are open side by side, the one that came last holds for all.
 *
 * @param {string} styles
 */
export function addStyles(styles) {
	let element = document.getElementById(STYLE_ID);
	if (!element) {
		element = document.createElement("style");
		element.id = STYLE_ID;
		document.head.append(element);
	}
	if (element.textContent !== styles) element.textContent = styles;
}

/**
 * Make a component for one widget.
 *
 * @param {string} name
 * @returns {Component}
 */
export function make(name) {
	const found = components[name];
	if (!found) throw new Error(`There is no component ${name}.`);
	const component = typeof found === "function" ? found() : found;
	return {
		...component,
		/** @param {{el: HTMLElement}} context */
		render(context) {
			context.el.classList.add("llm-component");
			return component.render(/** @type {never} */ (context));
		},
	};
}
