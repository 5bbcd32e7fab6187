/**
 * Fields of several rows: words of a command, names with values. What a row holds is never cut
 * up: quotes, line breaks and "=" stay as they are typed, and a word without a value stays one.
 */

import { el } from "./dom.js";
import { messages, withMessages } from "./fieldnotes.js";
import { icon } from "./parts.js";

/** A text box that grows with its lines. `read` gives unchanged text exactly as it came. */
function growing(label, text, placeholder) {
	const box = el("textarea", {
		class: "llm-input llm-row-input",
		rows: 1,
		value: text,
		placeholder,
		spellcheck: false,
		autocomplete: "off",
		"aria-label": label,
	});
	// The browser writes all line breaks alike; what nobody touched keeps its own.
	const shown = box.value;
	const fit = () => {
		box.rows = Math.min(12, box.value.split("\n").length);
	};
	box.addEventListener("input", fit);
	fit();
	return { box, read: () => (box.value === shown ? text : box.value) };
}

/**
 * Build a field of rows.
 *
 * @param {object} spec see `Field` in form.py
 * @param {string[]} columns what each box of a row is called
 * @param {(cells: string[]) => unknown} pack a row's texts to its value
 * @param {(value: unknown) => string[]} unpack the reverse
 */
function listField(spec, columns, pack, unpack) {
	const notes = messages(spec);
	const list = el("div", { class: "llm-rows" });
	const add = el("button", { type: "button", class: "llm-button", text: spec.add_label || "Add" });
	const set = el(
		"fieldset",
		{ class: "llm-field llm-field-wide", "aria-describedby": notes.describedBy },
		el("legend", { class: "llm-label", text: spec.label }),
		notes.help,
		list,
		el("div", {}, add),
		notes.hint,
		notes.error,
	);
	let rows = [];

	const changed = () => set.dispatchEvent(new Event("input", { bubbles: true }));

	function number() {
		rows.forEach((row, index) => {
			row.cells.forEach((cell, column) => {
				cell.box.setAttribute("aria-label", `${spec.label}: ${columns[column]} ${index + 1}`);
			});
			row.remove.setAttribute("aria-label", `${spec.label}: remove ${index + 1}`);
		});
	}

	function append(texts, isNew) {
		const cells = columns.map((column, index) => growing(column, texts[index] ?? "", column));
		const remove = el(
			"button",
			{ type: "button", class: "llm-icon-button", title: "Remove" },
			icon("close"),
		);
		const row = { cells, remove, isNew };
		row.element = el(
			"div",
			{ class: "llm-rows-row", data: { columns: columns.length } },
			...cells.map(({ box }) => box),
			remove,
		);
		remove.addEventListener("click", () => {
			rows = rows.filter((each) => each !== row);
			row.element.remove();
			number();
			add.focus();
			changed();
		});
		rows.push(row);
		list.append(row.element);
	}

	add.addEventListener("click", () => {
		append([], true);
		number();
		rows.at(-1).cells[0].box.focus();
	});

	const field = {
		key: spec.key,
		spec,
		element: set,
		read() {
			const filled = rows
				.map((row) => ({ texts: row.cells.map((cell) => cell.read()), isNew: row.isNew }))
				.filter(({ texts, isNew }) => !isNew || texts.some((text) => text !== ""));
			return filled.map(({ texts }) => pack(texts));
		},
		write(value) {
			rows = [];
			list.replaceChildren();
			for (const each of value ?? []) append(unpack(each), false);
			number();
		},
		focus: () => (rows[0]?.cells[0].box ?? add).focus(),
		problem: () => "",
	};
	return withMessages(field, set, notes);
}

/** A field of words, one in each row; its value is a list of strings. */
export function rowsField(spec) {
	return listField(
		spec,
		[spec.columns?.[0] ?? "Value"],
		([text]) => text,
		(value) => [value],
	);
}

/** A field of names with values; its value is a list of `[name, value]`. */
export function pairsField(spec) {
	return listField(
		spec,
		[spec.columns?.[0] ?? "Name", spec.columns?.[1] ?? "Value"],
		([name, value]) => [name.trim(), value],
		(pair) => pair,
	);
}
