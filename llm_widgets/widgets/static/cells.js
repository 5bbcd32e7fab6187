/** What stands in a table's cells: its words, its place in an order, how it is drawn. */

import { el } from "./dom.js";
import { formatAgo, formatBytes, formatPercent } from "./format.js";
import { copyButton, externalLink, statusChip } from "./parts.js";

const NUMERIC = ["bytes", "number"];

/** The words of a cell, for filtering and sorting. */
export function cellText(value) {
	if (value === null || value === undefined) return "";
	if (typeof value === "object") return [value.text, value.note].filter(Boolean).join(" ");
	return String(value);
}

/** A value that can be compared; numbers and times by size, everything else by its words. */
export function sortValue(column, value) {
	if (value === null || value === undefined || value === "") return null;
	if (NUMERIC.includes(column.kind)) return Number(value);
	if (column.kind === "progress") return Number(value.value);
	if (column.kind === "time") return Date.parse(value.time ?? value);
	return cellText(value).toLowerCase();
}

/** Order of two values; what is missing comes last whichever way the table is sorted. */
export function compare(a, b, direction) {
	if (a === null || b === null) return (a === null) - (b === null);
	const order =
		typeof a === "number" && typeof b === "number"
			? a - b
			: String(a).localeCompare(String(b), "en", { numeric: true });
	return direction === "descending" ? -order : order;
}

/** One drawing function for each kind of column; each takes a value and what it is called. */
const DRAW = {
	text: (value) => withNote(el("span", { text: cellText(value?.text ?? value) }), value),
	word: (value) => DRAW.text(value),
	status: (value) => withNote(statusChip(value.state, value.text), value),
	link: (value, label) => withNote(copyable(value, label), value),
	code: (value) =>
		el(
			"span",
			{ class: "llm-cell-code" },
			el("code", { text: String(value), title: String(value) }),
			copyButton(() => String(value), `Copy ${value}`),
		),
	bytes: (value) => el("span", { text: formatBytes(Number(value)), title: `${value} bytes` }),
	number: (value) => el("span", { text: Number(value).toLocaleString("en") }),
	time: (value) => {
		const time = value.time ?? value;
		const ago = formatAgo(Date.parse(time));
		const title = new Date(time).toLocaleString("en");
		return withNote(el("time", { dateTime: time, text: ago, title }), value);
	},
	progress: (value, label) =>
		el(
			"span",
			{ class: "llm-cell-progress" },
			el("progress", { max: 1, value: Number(value.value) || 0, "aria-label": label }),
			el("span", { text: value.text ?? formatPercent(value.value) }),
		),
};

function copyable(value, label) {
	const link = externalLink(value.text ?? value.href, value.href);
	if (!value.copy) return link;
	const copy = copyButton(() => value.href, `Copy the ${label}`);
	return el("span", { class: "llm-cell-copy" }, link, copy);
}

export function withNote(main, value) {
	if (!value?.note) return main;
	return el(
		"span",
		{ class: "llm-cell-noted" },
		main,
		el("span", { class: "llm-note", text: value.note }),
	);
}

/** The element that shows a value that is there. */
export function drawValue(kind, value, label) {
	return (DRAW[kind] ?? DRAW.text)(value, label);
}
