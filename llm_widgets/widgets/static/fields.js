/**
 * The fields of a form. Each field is {element, control(s), read, write, setError, setHint};
 * what a person types stays in the page until the form is sent.
 */

import { el, LONGEST_FIELD, setText, shown, uid } from "./dom.js";
import { messages, withMessages } from "./fieldnotes.js";
import { pairsField, rowsField } from "./rows.js";

/** @import { FieldSpec, FormField } from "./types.js" */

/** Name of the time zone of the browser, such as Europe/Berlin. */
const timeZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/**
 * A time as the control has it, in UTC; empty for none.
 *
 * @param {string} local
 */
const toUtc = (local) => (local === "" ? "" : new Date(local).toISOString());

/**
 * A time in UTC as the control takes it: with the clock of the browser, in whole minutes.
 *
 * @param {string} utc
 */
function toLocal(utc) {
	const time = new Date(utc);
	if (Number.isNaN(time.getTime())) return "";
	const shifted = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
	return shifted.toISOString().slice(0, 16);
}

/**
 * Build one field.
 *
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
export function buildField(spec) {
	if (spec.kind === "cards") return cardsField(spec);
	if (spec.kind === "checkbox") return checkboxField(spec);
	if (spec.kind === "rows") return rowsField(spec);
	if (spec.kind === "pairs") return pairsField(spec);
	return inputField(spec);
}

/**
 * Why the browser would not accept a control's value, in our words; empty when it does.
 *
 * @param {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} control
 * @param {FieldSpec} spec
 */
function problemOf(control, spec) {
	const state = control.validity;
	if (state.valid) return "";
	if (state.valueMissing) return `${spec.label} is required.`;
	if (state.patternMismatch)
		return spec.pattern_help || `${spec.label} has a form that is not allowed.`;
	if (state.tooLong) return `${spec.label} is too long: at most ${spec.max_length} characters.`;
	if (state.badInput)
		return `${spec.label} must be a ${spec.kind === "datetime" ? "date and a time" : "number"}.`;
	if (state.rangeUnderflow) return `${spec.label} must be at least ${spec.minimum}.`;
	if (state.rangeOverflow) return `${spec.label} must be at most ${spec.maximum}.`;
	if (state.stepMismatch) return `${spec.label} must be a whole number.`;
	return control.validationMessage;
}

/**
 * What a person types or chooses in.
 *
 * @param {FieldSpec} spec
 * @param {string} id
 */
function control(spec, id) {
	/** @type {{id: string, name: string, required: boolean, autocomplete: AutoFill, spellcheck: boolean}} */
	const shared = {
		id,
		name: spec.key,
		required: spec.required,
		autocomplete: spec.kind === "password" ? "new-password" : "off",
		spellcheck: false,
	};
	if (spec.kind === "select") {
		return el(
			"select",
			{ ...shared, class: "llm-input" },
			...spec.options.map((option) => el("option", { value: option.value, text: option.label })),
		);
	}
	if (spec.kind === "textarea")
		return el("textarea", {
			...shared,
			class: "llm-input",
			rows: 4,
			placeholder: spec.placeholder,
		});
	const input = el("input", {
		...shared,
		class: "llm-input",
		type: spec.kind === "datetime" ? "datetime-local" : spec.kind,
		placeholder: spec.placeholder,
	});
	if (spec.pattern) input.pattern = spec.pattern;
	if (spec.max_length) input.maxLength = spec.max_length;
	if (spec.kind === "number") {
		if (spec.minimum !== null) input.min = String(spec.minimum);
		if (spec.maximum !== null) input.max = String(spec.maximum);
		input.step = String(spec.step ?? 1);
	}
	return input;
}

/**
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
function inputField(spec) {
	const id = uid(spec.key);
	const input = control(spec, id);
	const notes = messages(spec);
	input.setAttribute("aria-describedby", notes.describedBy);
	const label = el("label", { for: id, class: "llm-label", text: spec.label });
	if (!spec.required && spec.kind !== "select")
		label.append(el("span", { class: "llm-note", text: " (optional)" }));
	if (spec.kind === "datetime")
		label.append(el("span", { class: "llm-note", text: ` (${timeZone()})` }));
	const element = el(
		"div",
		{ class: spec.is_long ? "llm-field llm-field-long" : "llm-field" },
		label,
		input,
		notes.help,
		notes.hint,
		notes.error,
	);
	const list = el("datalist", { id: uid("list") });
	element.append(list);
	/** @param {FieldSpec} given */
	const advise = ({ help, suggestions }) => {
		setText(notes.help, help);
		notes.help.hidden = !help;
		list.replaceChildren(...suggestions.map(({ value, label }) => el("option", { value, label })));
		if (suggestions.length) input.setAttribute("list", list.id);
		else input.removeAttribute("list");
	};
	advise(spec);
	// What is written here as it came, while it is shown in another way: too long, or steering.
	/** @type {{given: string, shown: string} | null} */
	let kept = null;
	/** @type {Omit<FormField, "setError" | "setHint">} */
	const field = {
		key: spec.key,
		spec,
		element,
		read() {
			if (kept && input.value === kept.shown) return kept.given;
			if (spec.kind === "datetime") return toUtc(input.value);
			if (spec.kind !== "number")
				return spec.kind === "password" ? input.value : input.value.trim();
			return input.value === "" ? null : Number(input.value);
		},
		write(value) {
			const given = spec.kind === "datetime" ? toLocal(String(value ?? "")) : String(value ?? "");
			input.value = spec.kind === "select" ? given : shown(given, LONGEST_FIELD);
			const isKept = spec.kind !== "select" && shown(given, LONGEST_FIELD) !== given;
			kept = isKept ? { given, shown: input.value } : null;
		},
		focus: () => input.focus(),
		problem: () => problemOf(input, spec),
		advise,
	};
	return withMessages(field, input, notes);
}

/**
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
function checkboxField(spec) {
	const id = uid(spec.key);
	const input = el("input", { type: "checkbox", id, name: spec.key, required: spec.required });
	const notes = messages(spec);
	input.setAttribute("aria-describedby", notes.describedBy);
	const line = el("div", { class: "llm-check" }, input, el("label", { for: id, text: spec.label }));
	/** @type {Omit<FormField, "setError" | "setHint">} */
	const field = {
		key: spec.key,
		spec,
		element: el("div", { class: "llm-field" }, line, notes.help, notes.hint, notes.error),
		read: () => input.checked,
		write(value) {
			input.checked = Boolean(value);
		},
		focus: () => input.focus(),
		problem: () => problemOf(input, spec),
	};
	return withMessages(field, input, notes);
}

/**
 * One choice of several, each explained on a card of its own.
 *
 * @param {FieldSpec} spec
 * @returns {FormField}
 */
function cardsField(spec) {
	const name = uid(spec.key);
	const notes = messages(spec);
	const radios = spec.options.map((option, index) => {
		const title = uid("title");
		const text = uid("text");
		const radio = el("input", {
			type: "radio",
			name,
			value: option.value,
			checked: index === 0,
			"aria-labelledby": title,
			"aria-describedby": text,
		});
		const card = el(
			"label",
			{ class: "llm-choice" },
			radio,
			el("span", { class: "llm-choice-title", id: title, text: option.label }),
			el("span", { class: "llm-choice-text", id: text, text: option.description }),
		);
		return { radio, card };
	});
	const set = el(
		"fieldset",
		{ class: "llm-field llm-choices", "aria-describedby": notes.describedBy },
		el("legend", { class: "llm-label", text: spec.label }),
		el("div", { class: "llm-choice-row" }, ...radios.map(({ card }) => card)),
		notes.help,
		notes.hint,
		notes.error,
	);
	/** @type {Omit<FormField, "setError" | "setHint">} */
	const field = {
		key: spec.key,
		spec,
		element: set,
		read: () => radios.find(({ radio }) => radio.checked)?.radio.value ?? "",
		write(value) {
			for (const { radio } of radios) radio.checked = radio.value === value;
		},
		focus: () => (radios.find(({ radio }) => radio.checked) ?? radios[0])?.radio.focus(),
		problem: () => "",
	};
	return withMessages(field, set, notes);
}
