/** Labels with their values, as on the details pages of a console. */

import { el, isolateKeys } from "./dom.js";
import { copyButton, externalLink, statusChip } from "./parts.js";

/** @import { Context, Detail, DetailsTraits } from "./types.js" */

/**
 * @param {Detail} item
 * @returns {HTMLElement}
 */
function shownValue(item) {
	if (item.value === "") return el("span", { class: "llm-note", text: "–" });
	if (item.state) return statusChip(item.state, item.value);
	if (item.href) return externalLink(item.value, item.href);
	return el(item.code ? "code" : "span", { text: item.value });
}

/** @param {Context<DetailsTraits>} context */
function render({ model, el: root }) {
	isolateKeys(root);
	const list = el("dl", { class: "llm-details" });
	root.append(list);

	function draw() {
		const pairs = model.get("items").map((item) => {
			const value = el("dd", {}, shownValue(item));
			if (item.copy && item.value) value.append(copyButton(() => item.value, `Copy ${item.label}`));
			if (item.note) value.append(el("span", { class: "llm-note", text: item.note }));
			const place = item.wide ? "llm-detail llm-detail-wide" : "llm-detail";
			return el("div", { class: place }, el("dt", { text: item.label }), value);
		});
		list.replaceChildren(...pairs);
	}

	model.on("change:items", draw);
	draw();
}

export default { render };
