/** What fills a memory: a bar, and the same in words. */

import { el } from "./dom.js";

/** @import { Context, MemoryTraits } from "./types.js" */

const GIB = 2 ** 30;

/**
 * A size in binary units, as memories have them.
 *
 * @param {number} bytes
 * @returns {string}
 */
export function gib(bytes) {
	if (bytes < GIB / 10) return `${Math.round(bytes / 2 ** 20)} MiB`;
	return `${(bytes / GIB).toFixed(bytes >= 10 * GIB ? 1 : 2)} GiB`;
}

/** @param {Context<MemoryTraits>} context */
function render({ model, el: root }) {
	const bar = el("div", { class: "llm-memory-bar", "aria-hidden": "true" });
	const list = el("ul", { class: "llm-memory-parts" });
	root.append(bar, list);

	function draw() {
		const parts = model.get("parts");
		const total = model.get("total");
		const used = parts.reduce((sum, part) => sum + part.bytes, 0);
		const whole = Math.max(total, used, 1);
		list.setAttribute("aria-label", model.get("label"));
		bar.replaceChildren(
			...parts.map((part, index) => {
				const piece = el("div", { data: { part: index } });
				piece.style.width = `${(part.bytes / whole) * 100}%`;
				return piece;
			}),
		);
		const mark = el("div", { class: "llm-memory-mark" });
		mark.style.left = `${(total / whole) * 100}%`;
		bar.append(mark);
		list.replaceChildren(
			...parts.map((part, index) =>
				el(
					"li",
					{},
					el("span", { class: "llm-memory-key", data: { part: index } }),
					el("span", { text: `${part.label} ${gib(part.bytes)}` }),
					el("span", { class: "llm-note", text: part.why }),
				),
			),
			el(
				"li",
				{},
				el("span", { class: "llm-memory-key", data: { part: used > total ? "over" : "free" } }),
				el("span", {
					text: used > total ? `Too much by ${gib(used - total)}` : `Free ${gib(total - used)}`,
				}),
				el("span", { class: "llm-note", text: `${gib(used)} of ${gib(total)} used` }),
			),
		);
	}

	model.on("change", draw);
	draw();
}

export default { render };
