/**
 * Short messages in a corner. They are messages and no state: a reload never shows them again.
 * The list is a popover on the page's body, so it lies above everything, in JupyterLab as in Voilà.
 */

import { el, isolateKeys } from "./dom.js";
import { externalLink, icon } from "./parts.js";

/** @import { Context, ToastsReceived, ToastsTraits } from "./types.js" */

const LIFETIME_MS = 7000;

/** @param {Context<ToastsTraits, never, ToastsReceived>} context */
function initialize({ model }) {
	const list = el("div", {
		class: "llm-toasts",
		role: "log",
		"aria-live": "polite",
		"aria-label": "Notifications",
		popover: "manual",
	});
	isolateKeys(list);
	document.body.append(list);

	/** @param {HTMLElement} toast */
	function remove(toast) {
		toast.remove();
		if (!list.childElementCount && list.matches(":popover-open")) list.hidePopover();
	}

	/** @param {ToastsReceived} message */
	function show({ text, kind, link }) {
		const symbol = kind === "success" ? "ok" : kind;
		const close = el(
			"button",
			{ type: "button", class: "llm-icon-button", "aria-label": "Dismiss" },
			icon("close"),
		);
		const toast = el(
			"div",
			{ class: "llm-toast", data: { kind } },
			icon(symbol),
			el("span", { class: "llm-toast-text", text }),
		);
		if (link) toast.append(externalLink(link[0], link[1]));
		toast.append(close);
		close.addEventListener("click", () => remove(toast));
		list.append(toast);
		// Shown anew each time, so that it comes above a dialog opened meanwhile.
		if (list.matches(":popover-open")) list.hidePopover();
		list.showPopover();
		if (kind !== "error") expire(toast, LIFETIME_MS);
	}

	/**
	 * Errors stay until they are closed; the rest waits while the pointer or the focus is on it.
	 *
	 * @param {HTMLElement} toast
	 * @param {number} ms
	 */
	function expire(toast, ms) {
		setTimeout(() => {
			if (toast.matches(":hover, :focus-within")) expire(toast, 1000);
			else remove(toast);
		}, ms);
	}

	model.on("msg:custom", show);
	return () => list.remove();
}

/** @param {{el: HTMLElement}} context */
function render({ el: root }) {
	root.hidden = true;
}

export default { initialize, render };
