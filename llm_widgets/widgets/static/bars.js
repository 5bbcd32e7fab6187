/** Bars of a transfer, drawn together: the whole first, then the files that are under way. */

import { el, setText } from "./dom.js";

/** @import { BarsTraits, Context } from "./types.js" */

/** The elements of one bar. */
function makeRow() {
	const label = el("span", { class: "llm-bar-label" });
	const bar = el("progress", { max: 1 });
	const text = el("span", { class: "llm-bar-text" });
	return { label, bar, text, element: el("div", { class: "llm-bar" }, label, bar, text) };
}

/** @param {Context<BarsTraits>} context */
function render({ model, el: root }) {
	const box = el("div", { class: "llm-transfer" });
	/** @type {ReturnType<typeof makeRow>[]} */
	const rows = [];
	root.append(box);

	function draw() {
		const bars = model.get("bars");
		while (rows.length > bars.length) rows.pop()?.element.remove();
		bars.forEach(({ label, share, text, state }, index) => {
			const row = rows[index] ?? makeRow();
			rows[index] = row;
			if (!row.element.isConnected) box.append(row.element);
			row.element.dataset.state = state;
			setText(row.label, label);
			row.label.title = row.label.textContent ?? "";
			row.bar.setAttribute("aria-label", `Progress of ${label}`);
			if (share === null) row.bar.removeAttribute("value");
			else row.bar.value = share;
			setText(row.text, text);
		});
	}

	model.on("change:bars", draw);
	draw();
}

export default { render };
