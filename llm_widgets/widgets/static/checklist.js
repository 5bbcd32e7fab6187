/**
 * Checklist: a list of rows with a state each. A row whose data has not changed keeps its
 * elements, so focus and what is unfolded survive the answers of other rows.
 */

import { el, isolateKeys, setText } from "./dom.js";
import { formatAgo } from "./format.js";
import { commandBox, externalLink, icon, statusChip } from "./parts.js";

/** @import { CheckRow, ChecklistSent, ChecklistTraits, Context } from "./types.js" */

const AGE_MS = 10000;

/** @param {Context<ChecklistTraits, ChecklistSent>} context */
function render({ model, el: root }) {
	isolateKeys(root);
	const summary = el("span", { role: "status" });
	const age = el("span", { class: "llm-note" });
	const list = el("ul", { class: "llm-checks" });
	root.append(el("div", { class: "llm-checks-head" }, summary, age), list);

	/**
	 * What is shown, by the ids of the rows.
	 *
	 * @type {Map<string, {item: HTMLLIElement, json: string}>}
	 */
	const drawn = new Map();

	/** @param {CheckRow} row */
	function actions(row) {
		if (row.busy)
			return el("span", { class: "llm-check-busy" }, icon("busy"), el("span", { text: row.busy }));
		if (!row.action_label) return null;
		const button = el("button", {
			type: "button",
			class: "llm-button llm-outlined",
			text: row.action_label,
			"aria-label": `${row.action_label}: ${row.title}`,
		});
		button.addEventListener("click", () => model.send({ type: "action", row: row.id }));
		return button;
	}

	/** @param {CheckRow} row */
	function remedy(row) {
		/** @type {HTMLElement[]} */
		const parts = [];
		if (row.problem) parts.push(el("p", { class: "llm-error", role: "alert", text: row.problem }));
		if (row.detail) {
			parts.push(
				el(
					"details",
					{ class: "llm-check-detail" },
					el("summary", { text: "Details" }),
					el("p", { text: row.detail }),
				),
			);
		}
		if (row.advice || row.link_url) {
			const link = row.link_url ? externalLink(row.link_text, row.link_url) : null;
			parts.push(el("p", { class: "llm-check-advice" }, `${row.advice} `, link));
		}
		if (row.command) parts.push(commandBox(row.command, `Command: ${row.title}`));
		if (!parts.length) return null;
		const box = el("div", { class: "llm-check-fix" });
		if (row.state === "ok") {
			// Nothing has to be done: what could be done is folded away.
			box.append(
				el(
					"details",
					{ class: "llm-check-detail" },
					el("summary", { text: "Suggestion" }),
					...parts,
				),
			);
		} else box.append(...parts);
		return box;
	}

	/** @param {CheckRow} row */
	function makeItem(row) {
		return el(
			"li",
			{ class: "llm-check-row", data: { row: row.id, state: row.state } },
			el("div", { class: "llm-check-state" }, statusChip(row.state, row.word)),
			el(
				"div",
				{ class: "llm-check-what" },
				el("div", { class: "llm-check-title", text: row.title }),
				el("div", { class: "llm-note", text: row.purpose }),
			),
			el("div", { class: "llm-check-text", text: row.text }),
			el("div", { class: "llm-check-actions" }, actions(row)),
			remedy(row),
		);
	}

	/**
	 * Replace a row, and put the focus and what is unfolded back where they were in it.
	 *
	 * @param {HTMLLIElement} old
	 * @param {HTMLLIElement} made
	 */
	function keepFocus(old, made) {
		/** @param {HTMLLIElement} item */
		const controls = (item) => [
			.../** @type {NodeListOf<HTMLElement>} */ (
				item.querySelectorAll("button, summary, a, [tabindex]")
			),
		];
		const place = controls(old).indexOf(/** @type {HTMLElement} */ (document.activeElement));
		const onRow = document.activeElement === old;
		const open = old.querySelector("details")?.open;
		old.replaceWith(made);
		const details = made.querySelector("details");
		if (open && details) details.open = true;
		if (place < 0 && !onRow) return;
		const all = controls(made);
		const next = all[Math.min(place, all.length - 1)];
		if (next && !onRow) next.focus();
		else {
			made.tabIndex = -1;
			made.focus();
		}
	}

	function drawRows() {
		const rows = model.get("rows");
		const known = new Set(rows.map((row) => row.id));
		for (const [id, { item }] of drawn) {
			if (known.has(id)) continue;
			item.remove();
			drawn.delete(id);
		}
		rows.forEach((row, index) => {
			const json = JSON.stringify(row);
			const old = drawn.get(row.id);
			const item = old?.json === json ? old.item : makeItem(row);
			if (old && item !== old.item) keepFocus(old.item, item);
			drawn.set(row.id, { item, json });
			if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
		});
	}

	function drawHead() {
		list.setAttribute("aria-label", model.get("label"));
		if (summary.textContent !== model.get("summary")) setText(summary, model.get("summary"));
		const at = model.get("checked_at");
		setText(age, at ? `Checked ${formatAgo(at * 1000)}` : "");
	}

	model.on("change:rows", drawRows);
	model.on("change:summary change:checked_at change:label", drawHead);
	drawRows();
	drawHead();
	const timer = setInterval(drawHead, AGE_MS);
	return () => clearInterval(timer);
}

export default { render };
