/** Menu: what else can be done with a row, opened beside the button that was pressed. */

import { el, safeHref, uid } from "./dom.js";
import { icon } from "./parts.js";

/** @import { Action, Row } from "./types.js" */

/**
 * The menu of further actions; one for the whole table.
 *
 * @param {(action: string, row: string) => void} choose
 */
export function rowMenu(choose) {
	const element = el("div", { class: "llm-menu", role: "menu", popover: "auto", id: uid("menu") });
	/** @type {HTMLElement | null} */
	let opener = null;

	function items() {
		return [
			.../** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll('[role="menuitem"]')),
		];
	}

	/**
	 * Show the menu beside the button that was pressed.
	 *
	 * @param {HTMLElement} button
	 * @param {Action[]} actions
	 * @param {Row} row
	 */
	function open(button, actions, row) {
		opener = button;
		const about = row.name ?? row.id;
		element.setAttribute("aria-label", `Actions for ${about}`);
		element.replaceChildren(
			...actions.map((action) => {
				const reason = row.disabled?.[action.key];
				const href = safeHref(row.links?.[action.key]);
				/** @type {{role: string, tabIndex: number, class: string, title: string | undefined}} */
				const shared = {
					role: "menuitem",
					tabIndex: -1,
					class: `llm-menu-item${action.danger ? " llm-danger-text" : ""}`,
					title: reason,
				};
				const item = href
					? el("a", { ...shared, href, target: "_blank", rel: "noopener noreferrer" })
					: el("button", { ...shared, type: "button" });
				item.append(el("span", { text: action.label }));
				if (href) {
					item.append(
						icon("external"),
						el("span", { class: "llm-sr", text: " (opens in a new tab)" }),
					);
					item.addEventListener("click", () => element.hidePopover());
				} else if (reason) {
					item.setAttribute("aria-disabled", "true");
					item.append(el("span", { class: "llm-note", text: reason }));
				} else {
					item.addEventListener("click", () => {
						element.hidePopover();
						choose(action.key, row.id);
					});
				}
				return item;
			}),
		);
		element.showPopover();
		const box = button.getBoundingClientRect();
		const left = Math.max(
			8,
			Math.min(box.right - element.offsetWidth, innerWidth - element.offsetWidth - 8),
		);
		const below = box.bottom + 4;
		const fits = below + element.offsetHeight < innerHeight;
		element.style.left = `${left}px`;
		element.style.top = `${fits ? below : Math.max(8, box.top - element.offsetHeight - 4)}px`;
		items()[0]?.focus();
	}

	element.addEventListener("keydown", (event) => {
		const all = items();
		const at = all.indexOf(/** @type {HTMLElement} */ (document.activeElement));
		/** @type {Record<string, HTMLElement | undefined>} */
		const targets = {
			ArrowDown: all[(at + 1) % all.length],
			ArrowUp: all[(at - 1 + all.length) % all.length],
			Home: all[0],
			End: all[all.length - 1],
		};
		const target = targets[event.key];
		if (target) {
			event.preventDefault();
			target.focus();
		} else if (event.key === "Tab") element.hidePopover();
	});
	element.addEventListener("toggle", (event) => {
		const isOpen = "newState" in event && event.newState === "open";
		opener?.setAttribute("aria-expanded", String(isOpen));
		if (
			!isOpen &&
			(element.contains(document.activeElement) || document.activeElement === document.body)
		)
			opener?.focus();
	});
	return { element, open };
}
