/**
 * Progress of many files in one model: Python sends the whole list to a page that asks ("ready")
 * and then only the rows that have changed, four times a second.
 */

import { el, isolateKeys } from "./dom.js";
import { formatBytes, formatPercent } from "./format.js";
import { icon } from "./parts.js";

/** State of a file → its icon and its words. */
const STATES = {
	waiting: ["off", "Waiting"],
	active: ["busy", ""],
	verifying: ["busy", "Verifying"],
	stopped: ["off", "Stopped"],
	done: ["ok", "Done"],
	skipped: ["ok", "Already there"],
	failed: ["error", "Failed"],
};

export default () => {
	const files = new Map();
	const views = new Set();

	function apply({ type, files: changed = [] }) {
		if (type === "reset") files.clear();
		for (const file of changed) files.set(file.name, { ...files.get(file.name), ...file });
		for (const view of views)
			view(
				type === "reset",
				changed.map((file) => file.name),
			);
	}

	function initialize({ model }) {
		model.on("msg:custom", apply);
		model.send({ type: "ready" });
	}

	function render({ model, el: root }) {
		const rows = new Map();
		const list = el("ul", { class: "llm-files", tabIndex: 0, "aria-label": model.get("label") });
		isolateKeys(root);
		root.append(list);

		function makeRow(name) {
			const row = {
				symbol: el("span", { class: "llm-file-state" }),
				bar: el("progress", { max: 1, "aria-label": `Progress of ${name}` }),
				words: el("span", { class: "llm-file-words" }),
				error: el("span", { class: "llm-error" }),
			};
			row.element = el(
				"li",
				{ class: "llm-file" },
				row.symbol,
				el("span", { class: "llm-file-name", text: name, title: name }),
				row.bar,
				row.words,
				row.error,
			);
			list.append(row.element);
			rows.set(name, row);
			return row;
		}

		function draw(name) {
			const file = files.get(name);
			const row = rows.get(name) ?? makeRow(name);
			const [symbol, words] = STATES[file.state] ?? STATES.waiting;
			const share = file.total > 0 ? file.bytes / file.total : Number(symbol === "ok");
			if (row.element.dataset.state !== file.state) row.symbol.replaceChildren(icon(symbol));
			row.element.dataset.state = file.state;
			row.bar.value = share;
			const size =
				symbol === "busy" || file.state === "failed" || file.state === "stopped"
					? `${formatBytes(file.bytes)} of ${formatBytes(file.total)}`
					: formatBytes(file.total);
			row.words.textContent = [words || formatPercent(share), size].join(" · ");
			row.error.textContent = file.error ?? "";
		}

		function view(reset, names) {
			if (reset) {
				rows.clear();
				list.replaceChildren();
			}
			for (const name of names) draw(name);
			list.hidden = files.size === 0;
		}

		views.add(view);
		view(true, [...files.keys()]);
		model.on("change:label", () => list.setAttribute("aria-label", model.get("label")));
		return () => views.delete(view);
	}

	return { initialize, render };
};
