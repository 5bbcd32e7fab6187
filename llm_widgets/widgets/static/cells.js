/** What stands in a table's cells: its words, its place in an order, how it is drawn. */

import { el } from "./dom.js";
import { formatAgo, formatBytes, formatPercent } from "./format.js";
import { copyButton, externalLink, statusChip } from "./parts.js";

/** @import { CellKind, CellParts, CellValue, Column } from "./types.js" */

const NUMERIC = ["bytes", "number"];

/**
 * What a cell knows besides its words; a value that is only words or a number has nothing.
 *
 * @param {CellValue} value
 * @returns {CellParts}
 */
export const partsOf = (value) => (typeof value === "object" && value !== null ? value : {});

/** @param {CellValue} value */
const isMissing = (value) => value === null || value === undefined || value === "";

/**
 * The words of a cell, for filtering and sorting.
 *
 * @param {CellValue} value
 * @returns {string}
 */
export function cellText(value) {
	if (value === null || value === undefined) return "";
	if (typeof value === "object") return [value.text, value.note].filter(Boolean).join(" ");
	return String(value);
}

/**
 * A value that can be compared; numbers and times by size, everything else by its words.
 *
 * @param {Pick<Column, "kind">} column
 * @param {CellValue} value
 * @returns {number | string | null}
 */
export function sortValue(column, value) {
	if (isMissing(value)) return null;
	if (NUMERIC.includes(column.kind)) return Number(value);
	if (column.kind === "progress") return Number(partsOf(value).value);
	if (column.kind === "time") return Date.parse(timeOf(value));
	return cellText(value).toLowerCase();
}

/**
 * The moment that a cell shows: the value itself, or that of one with a note.
 *
 * @param {CellValue} value
 * @returns {string} ISO 8601
 */
const timeOf = (value) => partsOf(value).time ?? String(value);

/**
 * Order of two values; what is missing comes last whichever way the table is sorted.
 *
 * @param {number | string | null} a
 * @param {number | string | null} b
 * @param {string} direction
 * @returns {number}
 */
export function compare(a, b, direction) {
	if (a === null || b === null) return Number(a === null) - Number(b === null);
	const order =
		typeof a === "number" && typeof b === "number"
			? a - b
			: String(a).localeCompare(String(b), "en", { numeric: true });
	return direction === "descending" ? -order : order;
}

/**
 * The words of a cell without its note.
 *
 * @param {CellValue} value
 * @returns {string}
 */
export const mainText = (value) => partsOf(value).text ?? cellText(value);

/** @param {CellValue} value */
const drawText = (value) => withNote(el("span", { text: mainText(value) }), value);

/**
 * One drawing function for each kind of column; each takes a value and what it is called.
 *
 * @type {Record<CellKind, (value: CellValue, label: string) => HTMLElement>}
 */
const DRAW = {
	text: drawText,
	word: drawText,
	status: (value) => withNote(statusChip(partsOf(value).state, partsOf(value).text ?? ""), value),
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
		const time = timeOf(value);
		const ago = formatAgo(Date.parse(time));
		const title = new Date(time).toLocaleString("en");
		return withNote(el("time", { dateTime: time, text: ago, title }), value);
	},
	progress: (value, label) => {
		const share = Number(partsOf(value).value) || 0;
		return el(
			"span",
			{ class: "llm-cell-progress" },
			el("progress", { max: 1, value: share, "aria-label": label }),
			el("span", { text: partsOf(value).text ?? formatPercent(share) }),
		);
	},
};

/**
 * A link, with a button that copies its address where one is wanted.
 *
 * @param {CellValue} value
 * @param {string} label
 * @returns {HTMLElement}
 */
function copyable(value, label) {
	const parts = partsOf(value);
	const href = parts.href ?? "";
	const link = externalLink(parts.text ?? href, href);
	if (!parts.copy) return link;
	const copy = copyButton(() => href, `Copy the ${label}`);
	return el("span", { class: "llm-cell-copy" }, link, copy);
}

/**
 * An element with the note of its cell below it.
 *
 * @param {HTMLElement} main
 * @param {CellValue} value
 * @returns {HTMLElement}
 */
export function withNote(main, value) {
	const { note } = partsOf(value);
	if (!note) return main;
	return el(
		"span",
		{ class: "llm-cell-noted" },
		main,
		el("span", { class: "llm-note", text: note }),
	);
}

/**
 * The element that shows a value that is there.
 *
 * @param {CellKind} kind
 * @param {CellValue} value
 * @param {string} label
 * @returns {HTMLElement}
 */
export function drawValue(kind, value, label) {
	return DRAW[kind](value, label);
}
