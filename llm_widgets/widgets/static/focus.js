/** The focus, and what is selected, carried over to a control that takes the place of another. */

const CONTROLS = "input, select, textarea, button";

/**
 * Whether a control has a selection that a script may read; one of a number has not.
 *
 * @param {Element | null | undefined} control
 * @returns {control is HTMLInputElement | HTMLTextAreaElement}
 */
const isText = (control) =>
	control instanceof HTMLTextAreaElement ||
	(control instanceof HTMLInputElement && ["text", "password"].includes(control.type));

/**
 * Remember which control of an element has the focus, and what is selected in it.
 *
 * @param {HTMLElement} element
 * @returns {((after: HTMLElement) => void) | null} gives the focus to the same control of another
 *   element, with the same selection; `null` where no control of this one has it
 */
export function heldFocus(element) {
	const active = document.activeElement;
	const index = active ? [...element.querySelectorAll(CONTROLS)].indexOf(active) : -1;
	if (index < 0) return null;
	const selected = isText(active)
		? { start: active.selectionStart, end: active.selectionEnd }
		: { start: null, end: null };
	return (after) => {
		const control = after.querySelectorAll(CONTROLS)[index];
		if (!(control instanceof HTMLElement)) return;
		control.focus({ preventScroll: true }); // nobody has asked to be led there
		if (isText(control)) control.setSelectionRange(selected.start, selected.end);
	};
}
