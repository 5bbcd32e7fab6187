/** What stands below a field: help, hints, errors. */

import { el, setText, uid } from "./dom.js";

/** @import { FieldSpec, FormField } from "./types.js" */

/**
 * Help, hint and error below a control; they are named in the control's description.
 *
 * @param {FieldSpec} spec
 */
export function messages(spec) {
	const help = el("div", { class: "llm-help", id: uid("help"), text: spec.help });
	const hint = el("div", { class: "llm-hint", id: uid("hint"), role: "status" });
	const error = el("div", { class: "llm-error", id: uid("error"), role: "alert" });
	help.hidden = !spec.help;
	return { help, hint, error, describedBy: `${help.id} ${hint.id} ${error.id}` };
}

/**
 * Give a field its ways to show an error and a hint.
 *
 * @param {Omit<FormField, "setError" | "setHint">} field
 * @param {HTMLElement} control what an error is about, for screen readers
 * @param {{hint: HTMLElement, error: HTMLElement}} notes see `messages`
 * @returns {FormField}
 */
export function withMessages(field, control, { hint, error }) {
	return {
		...field,
		setError(text) {
			setText(error, text);
			control.setAttribute("aria-invalid", String(text !== ""));
		},
		setHint(text) {
			setText(hint, text);
		},
	};
}
