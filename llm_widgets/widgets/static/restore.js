/** A field's way back to what it was offered with. */

import { el } from "./dom.js";

/** @import { FormField } from "./types.js" */

/**
 * Add a button that restores the default; it is there while the field holds something else.
 *
 * @param {FormField} field
 * @returns {() => void} shows the button or hides it, for what the field holds now
 */
export function addRestore(field) {
	const { spec } = field;
	if (spec.default === null) return () => {};
	const button = el("button", {
		type: "button",
		class: "llm-restore",
		text: "Restore",
		title: "Restore the default",
		"aria-label": `Restore the default of ${spec.label}`,
	});
	const draw = () => {
		button.hidden = JSON.stringify(field.read()) === JSON.stringify(spec.default);
	};
	button.addEventListener("click", () => {
		field.write(spec.default);
		field.focus();
		field.element.dispatchEvent(new Event("input", { bubbles: true }));
	});
	field.element.append(button);
	draw();
	return draw;
}
