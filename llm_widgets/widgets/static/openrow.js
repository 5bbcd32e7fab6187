/** A click anywhere on a row does what the link in it does; what is a control there stays one. */

/** What has a meaning of its own in a row. */
const CONTROLS = "a, button, input, select, textarea, label, summary";

/**
 * Whether a click asks the browser for another tab, another window, or a download.
 *
 * @param {MouseEvent} event
 */
export const opensElsewhere = (event) =>
	event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;

/**
 * Whether a click is the end of selecting text there: pressing the button has undone others.
 *
 * @param {Element} row
 */
function endsSelection(row) {
	const selection = document.getSelection();
	return Boolean(
		selection && !selection.isCollapsed && selection.getRangeAt(0).intersectsNode(row),
	);
}

/**
 * Have clicks on rows that can be opened open them.
 *
 * @param {HTMLElement} body what the rows are in; those of class `llm-opens` can be opened
 * @param {(row: string) => void} open called with the id of the row
 */
export function openByClick(body, open) {
	body.addEventListener("click", (event) => {
		const { target } = event;
		if (!(target instanceof Element) || opensElsewhere(event)) return;
		const row = target.closest("tr.llm-opens");
		if (!(row instanceof HTMLElement) || target.closest(CONTROLS) || endsSelection(row)) return;
		open(row.dataset.row ?? "");
	});
}
