/** The last cell of a row: what can be done with it, as buttons and behind one that opens a menu. */

import { el } from "./dom.js";
import { icon } from "./parts.js";

/** @import { Action, Row } from "./types.js" */

/**
 * The cell of a row's actions.
 *
 * @param {Row} row
 * @param {Action[]} actions of the table
 * @param {(action: string) => void} choose
 * @param {(opener: HTMLElement, actions: Action[]) => void} openMenu
 */
export function actionsCell(row, actions, choose, openMenu) {
	const td = el("td", { data: { kind: "actions", label: "Actions" } });
	const box = el("div", { class: "llm-actions" });
	const shown = actions.filter((action) => !(row.hidden ?? []).includes(action.key));
	const about = row.name ?? row.id;
	for (const action of shown.filter((each) => !each.overflow)) {
		box.append(actionButton(action, row, about, choose));
	}
	const more = shown.filter((each) => each.overflow);
	if (more.length) {
		const opener = el(
			"button",
			{
				type: "button",
				class: "llm-icon-button",
				title: "More actions",
				"aria-label": `More actions for ${about}`,
				"aria-haspopup": "menu",
				"aria-expanded": "false",
				data: { action: "more" },
			},
			icon("more"),
		);
		opener.addEventListener("click", () => openMenu(opener, more));
		box.append(opener);
	}
	td.append(box);
	return td;
}

/**
 * @param {Action} action
 * @param {Row} row
 * @param {string} about what the row is called
 * @param {(action: string) => void} choose
 */
function actionButton(action, row, about, choose) {
	const reason = row.disabled?.[action.key];
	const button = el("button", {
		type: "button",
		class: `llm-button${action.danger ? " llm-danger-text" : ""}`,
		text: action.label,
		"aria-label": `${action.label} ${about}`,
		data: { action: action.key },
	});
	if (reason) {
		// Not the `disabled` attribute: the button stays reachable, so that its reason can be read.
		button.setAttribute("aria-disabled", "true");
		button.title = reason;
		button.append(el("span", { class: "llm-sr", text: `: ${reason}` }));
		button.setAttribute("aria-label", `${action.label} ${about}: ${reason}`);
	} else button.addEventListener("click", () => choose(action.key));
	return button;
}
