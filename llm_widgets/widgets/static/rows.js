/**
 * Fields of several rows: words of a command, names with values. What a row holds is never cut
 * up: quotes, line breaks and "=" stay as they are typed, and a word without a value stays one.
 */

import { el, LONGEST_FIELD, shown } from "./dom.js";
import { messages, withMessages } from "./fieldnotes.js";
import { icon } from "./parts.js";

/** @import { FieldSpec, FormField, FormValue } from "./types.js" */

/**
 * A text box that grows with its lines. `read` gives unchanged text exactly as it came.
 *
 * What is too long or holds what steers is shown as elsewhere, cut and with escapes. It can't be
 * changed then, as nobody sees what it is: it stays as it came, or its row is removed.
 *
 * @param {string} label
 * @param {string} text
 * @param {string} placeholder
 */
function growing(label, text, placeholder) {
	const legible = shown(text, LONGEST_FIELD);
	const isKept = legible !== text;
	const box = el("textarea", {
		class: "llm-input llm-row-input",
		rows: 1,
		value: legible,
		readOnly: isKept,
		title: isKept ? "Kept as it is. Remove it to enter another one." : null,
		placeholder,
		spellcheck: false,
		autocomplete: "off",
		"aria-label": label,
	});
	// The browser writes all line breaks alike; what nobody touched keeps its own.
	const before = box.value;
	const fit = () => {
		box.rows = Math.min(12, box.value.split("\n").length);
	};
	box.addEventListener("input", fit);
	fit();
	return { box, read: () => (box.value === before ? text : box.value) };
}

/**
 * Build a field of rows.
 *
 * @template {string | string[]} Value
 * @param {FieldSpec} spec
 * @param {string[]} columns what each box of a row is called
 * @param {(cells: string[]) => Value} pack a row's texts to its value
 * @param {(value: Value) => string[]} unpack the reverse
 * @returns {FormField}
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
	/** @type {{element: HTMLElement, cells: ReturnType<typeof growing>[], remove: HTMLElement, isNew: boolean}[]} */
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

	/**
	 * @param {string[]} texts what its boxes hold
	 * @param {boolean} isNew whether it counts only once something is typed in it
	 */
	function append(texts, isNew) {
		const cells = columns.map((column, index) => growing(column, texts[index] ?? "", column));
		const remove = el(
			"button",
			{ type: "button", class: "llm-icon-button", title: "Remove" },
			icon("close"),
		);
		const element = el(
			"div",
			{ class: "llm-rows-row", data: { columns: columns.length } },
			...cells.map(({ box }) => box),
			remove,
		);
		const row = { element, cells, remove, isNew };
		remove.addEventListener("click", () => {
			rows = rows.filter((each) => each !== row);
			element.remove();
			number();
			add.focus();
			changed();
		});
		rows.push(row);
		list.append(element);
	}

	add.addEventListener("click", () => {
		append([], true);
		number();
		rows.at(-1)?.cells[0]?.box.focus();
	});

	/** @type {Omit<FormField, "setError" | "setHint">} */
	const field = {
		key: spec.key,
		spec,
		element: set,
		read() {
			const filled = rows
				.map((row) => ({ texts: row.cells.map((cell) => cell.read()), isNew: row.isNew }))
				.filter(({ texts, isNew }) => !isNew || texts.some((text) => text !== ""));
			return /** @type {string[] | string[][]} */ (filled.map(({ texts }) => pack(texts)));
		},
		write(value) {
			rows = [];
			list.replaceChildren();
			for (const each of /** @type {Value[]} */ (value ?? [])) append(unpack(each), false);
			number();
		},
		focus: () => (rows[0]?.cells[0]?.box ?? add).focus(),
		problem: () => "",
	};
	return withMessages(field, set, notes);
}

/**
 * A field of words, one in each row; its value is a list of strings.
 *
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
export function rowsField(spec) {
	return listField(
		spec,
		[spec.columns[0] ?? "Value"],
		([text = ""]) => text,
		(value) => [value],
	);
}

/**
 * A field of names with values; its value is a list of `[name, value]`.
 *
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
export function pairsField(spec) {
	return listField(
		spec,
		[spec.columns[0] ?? "Name", spec.columns[1] ?? "Value"],
		([name = "", value = ""]) => [name.trim(), value],
		(pair) => pair,
	);
}
