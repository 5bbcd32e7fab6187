/** Bars of a transfer, drawn together: the whole first, then the files that are under way. */

import { el } from "./dom.js";

function makeRow() {
	const row = {
		label: el("span", { class: "llm-bar-label" }),
		bar: el("progress", { max: 1 }),
		text: el("span", { class: "llm-bar-text" }),
	};
	row.element = el("div", { class: "llm-bar" }, row.label, row.bar, row.text);
	return row;
}

function render({ model, el: root }) {
	const box = el("div", { class: "llm-transfer" });
	const rows = [];
	root.append(box);

	function draw() {
		const bars = model.get("bars");
		while (rows.length > bars.length) rows.pop().element.remove();
		bars.forEach(({ label, share, text, state }, index) => {
			rows[index] ??= makeRow();
			const row = rows[index];
			if (!row.element.isConnected) box.append(row.element);
			row.element.dataset.state = state;
			row.label.textContent = row.label.title = label;
			row.bar.setAttribute("aria-label", `Progress of ${label}`);
			if (share === null) row.bar.removeAttribute("value");
			else row.bar.value = share;
			row.text.textContent = text;
		});
	}

	model.on("change:bars", draw);
	draw();
}

export default { render };
