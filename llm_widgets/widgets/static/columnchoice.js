/** Which columns of a table are shown: a list of checkboxes, opened by a button. */

import { el, uid } from "./dom.js";
import { icon } from "./parts.js";

/** @import { Column, Model, TableSent, TableTraits } from "./types.js" */

/**
 * The button and its list. What is hidden is a trait: whoever made the table may keep it.
 *
 * @param {Model<TableTraits, TableSent>} model
 */
export function columnChoice(model) {
	const list = el("fieldset", { class: "llm-columns-list" });
	const menu = el(
		"div",
		{ class: "llm-menu llm-columns-menu", popover: "auto", id: uid("columns") },
		list,
	);
	const button = el(
		"button",
		{ type: "button", class: "llm-button", popoverTargetElement: menu },
		icon("columns"),
		el("span", { text: "Columns" }),
	);
	const element = el("div", { class: "llm-columns" }, button, menu);

	/** @param {Column} column */
	const isHidden = (column) => column.optional && model.get("hidden_columns").includes(column.key);

	function draw() {
		const optional = model.get("columns").filter((column) => column.optional);
		element.hidden = optional.length === 0;
		list.replaceChildren(
			el("legend", { class: "llm-sr", text: "Columns that are shown" }),
			...optional.map((column) => {
				const box = el("input", { type: "checkbox", data: { column: column.key } });
				box.addEventListener("change", () => {
					const others = model.get("hidden_columns").filter((key) => key !== column.key);
					model.set("hidden_columns", box.checked ? others : [...others, column.key]);
					model.save_changes();
				});
				return el("label", { class: "llm-menu-item" }, box, el("span", { text: column.label }));
			}),
		);
		check();
	}

	function check() {
		for (const column of model.get("columns").filter((each) => each.optional)) {
			const box = list.querySelector(`[data-column="${CSS.escape(column.key)}"]`);
			if (box instanceof HTMLInputElement) box.checked = !isHidden(column);
		}
	}

	menu.addEventListener("beforetoggle", () => {
		const box = button.getBoundingClientRect();
		menu.style.top = `${box.bottom + 4}px`;
		menu.style.right = `${Math.max(8, document.documentElement.clientWidth - box.right)}px`;
		menu.style.maxHeight = `calc(100vh - ${box.bottom + 12}px)`;
	});
	model.on("change:hidden_columns", check);
	return { element, draw, isHidden };
}
