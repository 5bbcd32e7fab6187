/** Rows that are chosen, so that the same can be done with all of them. */

import { el, setText } from "./dom.js";

/** @import { Model, Row, TableSent, TableTraits } from "./types.js" */

/**
 * The checkboxes of a table, and the bar that says how many rows are chosen.
 *
 * Python knows which rows are chosen, so that they stay it when the list is read again. A row that
 * nothing can be done with is not counted; once it can be again, it is chosen as it was.
 *
 * @param {Model<TableTraits, TableSent>} model
 */
export function rowSelection(model) {
	const all = el("input", { type: "checkbox" });
	const count = el("span", { role: "status" });
	const buttons = el("span", { class: "llm-selection-actions" });
	const clear = el("button", { type: "button", class: "llm-button", text: "Clear selection" });
	const bar = el("div", { class: "llm-selection" }, count, buttons, clear);
	/** @type {Map<string, HTMLInputElement>} by the ids of the rows */
	const boxes = new Map();
	/** @type {Row[]} */
	let shown = [];

	/**
	 * Why a row can't be chosen; empty if it can.
	 *
	 * @param {Row} row
	 */
	function refusal(row) {
		const reasons = model
			.get("bulk")
			.map(({ key }) => row.disabled?.[key] ?? (row.hidden?.includes(key) ? "Not possible." : ""));
		return reasons.every(Boolean) ? (reasons[0] ?? "") : "";
	}

	function chosen() {
		const ids = model.get("selected");
		return model.get("rows").filter((row) => ids.includes(row.id) && !refusal(row));
	}

	/**
	 * Choose rows, or no longer.
	 *
	 * @param {string[]} ids
	 * @param {boolean} isChosen
	 */
	function choose(ids, isChosen) {
		const others = model.get("selected").filter((id) => !ids.includes(id));
		model.set("selected", isChosen ? [...others, ...ids] : others);
		model.save_changes();
	}

	/** Check what is chosen, and say how many rows that is. */
	function draw() {
		const rows = chosen();
		const ids = new Set(rows.map((row) => row.id));
		for (const [id, box] of boxes) {
			box.checked = ids.has(id);
			box.closest("tr")?.classList.toggle("llm-selected", box.checked);
		}
		const free = shown.filter((row) => !refusal(row));
		const seen = free.filter((row) => ids.has(row.id)).length;
		all.checked = free.length > 0 && seen === free.length;
		all.indeterminate = seen > 0 && !all.checked;
		all.disabled = free.length === 0;
		const unseen = rows.length - seen;
		const hidden = unseen ? `, ${unseen} of them not shown` : "";
		setText(count, rows.length ? `${rows.length} selected${hidden}` : "");
		for (const part of [buttons, clear]) part.hidden = rows.length === 0;
	}

	/** Draw what can be done with the rows that are chosen. */
	function drawActions() {
		bar.hidden = model.get("bulk").length === 0;
		buttons.replaceChildren(
			...model.get("bulk").map(({ key, label, danger }) => {
				const button = el("button", {
					type: "button",
					class: `llm-button${danger ? " llm-danger-text" : ""}`,
					text: label,
					data: { bulk: key },
				});
				button.addEventListener("click", () =>
					model.send({ type: "bulk", action: key, rows: chosen().map((row) => row.id) }),
				);
				return button;
			}),
		);
	}

	function head() {
		const label = el("label", { class: "llm-select" }, all, el("span", { text: "Select all" }));
		return el("th", { scope: "col", data: { kind: "select" } }, label);
	}

	/** @param {Row} row */
	function cell(row) {
		const reason = refusal(row);
		const name = `Select ${row.name ?? row.id}`;
		const box = el("input", {
			type: "checkbox",
			disabled: Boolean(reason),
			title: reason || null,
			"aria-label": reason ? `${name}: ${reason}` : name,
			data: { action: "select" },
		});
		box.addEventListener("change", () => choose([row.id], box.checked));
		boxes.set(row.id, box);
		return el(
			"td",
			{ data: { kind: "select", label: "Select" } },
			el("label", { class: "llm-select" }, box),
		);
	}

	all.addEventListener("change", () =>
		choose(
			shown.filter((row) => !refusal(row)).map((row) => row.id),
			all.checked,
		),
	);
	clear.addEventListener("click", () => {
		choose(model.get("selected"), false);
		all.focus();
	});
	model.on("change:selected", draw);
	return {
		bar,
		head,
		cell,
		drawActions,
		/**
		 * Draw what is chosen of the rows that are there now.
		 *
		 * @param {Row[]} rows those that are shown
		 */
		update(rows) {
			shown = rows;
			const ids = new Set(model.get("rows").map((row) => row.id));
			for (const id of boxes.keys()) if (!ids.has(id)) boxes.delete(id);
			draw();
		},
	};
}
