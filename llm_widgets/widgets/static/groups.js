/** Cards of a form: fields by their groups, some of them folded behind a line that sums them up. */

import { el, setText, uid } from "./dom.js";

/** @import { FormBaseReceived, FormBaseSent, FormBaseTraits, FormField, Model } from "./types.js" */

// What is rarely changed stands behind a line of this name; no group has it.
const ADVANCED = "Advanced";

/**
 * What a form folds.
 *
 * @typedef {object} Folds
 * @property {Set<string>} opened what a person has opened
 * @property {Map<string, HTMLElement>} notes where the line stands that sums a fold up
 * @property {() => Record<string, string>} summaries that line, for each group that is folded
 * @property {() => string} advanced that line, for what is advanced
 */

/**
 * Keep what a form folds, and what of that a person has opened.
 *
 * @param {Model<FormBaseTraits, FormBaseSent, FormBaseReceived>} model
 * @returns {Folds}
 */
export function makeFolds(model) {
	/** @type {Map<string, HTMLElement>} */
	const notes = new Map();
	const summaries = () => model.get("folded") ?? {};
	const advanced = () => model.get("advanced") ?? "";
	model.on("change:folded change:advanced", () => {
		for (const [name, note] of notes)
			setText(note, name === ADVANCED ? advanced() : (summaries()[name] ?? ""));
	});
	return { opened: new Set(), notes, summaries, advanced };
}

/**
 * Put fields on cards by their group, in the order in which the groups first come; the advanced
 * ones are last, behind a line of their own.
 *
 * @param {FormField[]} fields
 * @param {Folds} folds
 * @returns {HTMLElement[]}
 */
export function grouped(fields, folds) {
	folds.notes.clear();
	const basic = fields.filter((field) => !field.spec.is_advanced);
	const rare = fields.filter((field) => field.spec.is_advanced);
	if (!rare.length) return cards(basic, folds, "h2");
	const title = el("h2", { class: "llm-group-title", text: ADVANCED });
	const box = el("div", { class: "llm-fields" }, ...cards(rare, folds, "h3"));
	const fold = folded(ADVANCED, folds.advanced(), title, box, folds);
	fold.classList.add("llm-advanced");
	return [...cards(basic, folds, "h2"), fold];
}

/**
 * Make a card of each group.
 *
 * @param {FormField[]} fields
 * @param {Folds} folds
 * @param {"h2" | "h3"} heading level of their headings
 * @returns {HTMLElement[]}
 */
function cards(fields, folds, heading) {
	/** @type {Map<string, FormField[]>} */
	const groups = new Map();
	for (const field of fields) {
		const { group } = field.spec;
		groups.set(group, [...(groups.get(group) ?? []), field]);
	}
	return [...groups].map(([group, members]) => {
		const box = el("div", { class: "llm-fields" }, ...members.map((field) => field.element));
		if (!group) return box;
		const title = el(heading, { class: "llm-group-title", id: uid("group"), text: group });
		const line = folds.summaries()[group];
		const content = line === undefined ? [title, box] : [folded(group, line, title, box, folds)];
		return el("section", { class: "llm-group", "aria-labelledby": title.id }, ...content);
	});
}

/**
 * Put content behind a line that unfolds it.
 *
 * @param {string} name
 * @param {string} line what it holds
 * @param {HTMLElement} title
 * @param {HTMLElement} box
 * @param {Folds} folds
 * @returns {HTMLElement}
 */
function folded(name, line, title, box, folds) {
	const note = el("span", { class: "llm-note", text: line });
	folds.notes.set(name, note);
	const details = el(
		"details",
		{ class: "llm-fold", open: folds.opened.has(name) },
		el("summary", {}, title, note),
		box,
	);
	details.addEventListener("toggle", () => {
		if (details.open) folds.opened.add(name);
		else folds.opened.delete(name);
	});
	return details;
}

/**
 * Unfold all that a field stands behind.
 *
 * @param {FormField} field
 */
export function reveal(field) {
	let fold = field.element.closest("details");
	while (fold) {
		fold.open = true;
		fold = fold.parentElement?.closest("details") ?? null;
	}
}
