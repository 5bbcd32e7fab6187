/** Cards of a form: fields by their groups, some of them folded behind a line that sums them up. */

import { el, setText, uid } from "./dom.js";

/** @import { FormBaseReceived, FormBaseSent, FormBaseTraits, FormField, Model } from "./types.js" */

/**
 * Which groups a form folds.
 *
 * @typedef {object} Folds
 * @property {Set<string>} opened those that a person has opened
 * @property {Map<string, HTMLElement>} notes where the line stands that sums a group up
 * @property {() => Record<string, string>} summaries that line, for each group that is folded
 */

/**
 * Keep which groups a form folds, and which of them a person has opened.
 *
 * @param {Model<FormBaseTraits, FormBaseSent, FormBaseReceived>} model
 * @returns {Folds}
 */
export function makeFolds(model) {
	/** @type {Map<string, HTMLElement>} */
	const notes = new Map();
	model.on("change:folded", () => {
		for (const [group, note] of notes) setText(note, model.get("folded")?.[group] ?? "");
	});
	return { opened: new Set(), notes, summaries: () => model.get("folded") ?? {} };
}

/**
 * Put fields on cards by their group, in the order in which the groups first come.
 *
 * @param {FormField[]} fields
 * @param {Folds} folds
 * @returns {HTMLElement[]}
 */
export function grouped(fields, folds) {
	/** @type {Map<string, FormField[]>} */
	const groups = new Map();
	for (const field of fields) {
		const { group } = field.spec;
		groups.set(group, [...(groups.get(group) ?? []), field]);
	}
	folds.notes.clear();
	return [...groups].map(([group, members]) => {
		const box = el("div", { class: "llm-fields" }, ...members.map((field) => field.element));
		if (!group) return box;
		const title = el("h2", { class: "llm-group-title", id: uid("group"), text: group });
		const isFolded = group in folds.summaries();
		const content = isFolded ? [folded(group, title, box, folds)] : [title, box];
		return el("section", { class: "llm-group", "aria-labelledby": title.id }, ...content);
	});
}

/**
 * A card's content behind a line that unfolds it.
 *
 * @param {string} group
 * @param {HTMLElement} title
 * @param {HTMLElement} box
 * @param {Folds} folds
 * @returns {HTMLElement}
 */
function folded(group, title, box, folds) {
	const note = el("span", { class: "llm-note", text: folds.summaries()[group] ?? "" });
	folds.notes.set(group, note);
	const details = el(
		"details",
		{ class: "llm-fold", open: folds.opened.has(group) },
		el("summary", {}, title, note),
		box,
	);
	details.addEventListener("toggle", () => {
		if (details.open) folds.opened.add(group);
		else folds.opened.delete(group);
	});
	return details;
}

/**
 * Unfold the card that a field stands on.
 *
 * @param {FormField} field
 */
export function reveal(field) {
	const fold = field.element.closest("details");
	if (fold) fold.open = true;
}
