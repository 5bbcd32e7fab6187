/**
 * Progress of many files in one model: Python sends the whole list to a page that asks ("ready")
 * and then only the rows that have changed, four times a second.
 */

import { el, isolateKeys, setText } from "./dom.js";
import { formatBytes, formatPercent } from "./format.js";
import { icon } from "./parts.js";

/** @import { Context, FileRow, FilesReceived, FilesSent, FilesTraits } from "./types.js" */

/**
 * What shows one file.
 *
 * @typedef {object} FileElements
 * @property {HTMLElement} element
 * @property {HTMLElement} symbol
 * @property {HTMLProgressElement} bar
 * @property {HTMLElement} words
 * @property {HTMLElement} error
 */

/**
 * State of a file → its icon and its words.
 *
 * @type {Record<FileRow["state"], [symbol: "off" | "busy" | "ok" | "error", words: string]>}
 */
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
	/** @type {Map<string, FileRow>} */
	const files = new Map();
	/** @type {Set<(isReset: boolean, names: string[]) => void>} */
	const views = new Set();

	/** @param {FilesReceived} message */
	function apply({ type, files: changed }) {
		if (type === "reset") files.clear();
		for (const file of changed) files.set(file.name, file);
		for (const view of views)
			view(
				type === "reset",
				changed.map((file) => file.name),
			);
	}

	/** @param {Context<FilesTraits, FilesSent, FilesReceived>} context */
	function initialize({ model }) {
		model.on("msg:custom", apply);
		model.send({ type: "ready" });
	}

	/** @param {Context<FilesTraits, FilesSent, FilesReceived>} context */
	function render({ model, el: root }) {
		/** @type {Map<string, FileElements>} */
		const rows = new Map();
		const list = el("ul", { class: "llm-files", tabIndex: 0, "aria-label": model.get("label") });
		isolateKeys(root);
		root.append(list);

		/**
		 * @param {string} name
		 * @returns {FileElements}
		 */
		function makeRow(name) {
			const symbol = el("span", { class: "llm-file-state" });
			const bar = el("progress", { max: 1, "aria-label": `Progress of ${name}` });
			const words = el("span", { class: "llm-file-words" });
			const error = el("span", { class: "llm-error" });
			const element = el(
				"li",
				{ class: "llm-file" },
				symbol,
				el("span", { class: "llm-file-name", text: name, title: name }),
				bar,
				words,
				error,
			);
			const row = { symbol, bar, words, error, element };
			list.append(element);
			rows.set(name, row);
			return row;
		}

		/** @param {FileRow} file */
		function draw(file) {
			const row = rows.get(file.name) ?? makeRow(file.name);
			const [symbol, words] = STATES[file.state];
			const share = file.total > 0 ? file.bytes / file.total : Number(symbol === "ok");
			if (row.element.dataset.state !== file.state) row.symbol.replaceChildren(icon(symbol));
			row.element.dataset.state = file.state;
			row.bar.value = share;
			const size =
				symbol === "busy" || file.state === "failed" || file.state === "stopped"
					? `${formatBytes(file.bytes)} of ${formatBytes(file.total)}`
					: formatBytes(file.total);
			setText(row.words, [words || formatPercent(share), size].join(" · "));
			setText(row.error, file.error);
		}

		/**
		 * @param {boolean} isReset
		 * @param {string[]} names
		 */
		function view(isReset, names) {
			if (isReset) {
				rows.clear();
				list.replaceChildren();
			}
			for (const name of names) {
				const file = files.get(name);
				if (file) draw(file);
			}
			list.hidden = files.size === 0;
		}

		views.add(view);
		view(true, [...files.keys()]);
		model.on("change:label", () => list.setAttribute("aria-label", model.get("label")));
		return () => views.delete(view);
	}

	return { initialize, render };
};
