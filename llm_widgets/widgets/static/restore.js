/** A field's way back to what it was offered with. */

import { el } from "./dom.js";

/**
 * Add a button that restores the default; it is there while the field holds something else.
 *
 * @param {object} field a field of fields.js; it gets `drawRestore()`
 */
export function addRestore(field) {
	const { spec } = field;
	if (spec.default === null || spec.default === undefined) {
		field.drawRestore = () => {};
		return;
	}
	const button = el("button", {
		type: "button",
		class: "llm-restore",
		text: "Restore",
		title: "Restore the default",
		"aria-label": `Restore the default of ${spec.label}`,
	});
	field.drawRestore = () => {
		button.hidden = JSON.stringify(field.read()) === JSON.stringify(spec.default);
	};
	button.addEventListener("click", () => {
		field.write(spec.default);
		field.focus();
		field.element.dispatchEvent(new Event("input", { bubbles: true }));
	});
	field.element.append(button);
	field.drawRestore();
}
