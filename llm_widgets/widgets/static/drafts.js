/**
 * What was typed into a form and not sent, kept for as long as the browser's tab is open: a reload
 * does not lose it. Secrets are never kept: no password, no pair, as it may be a variable, and no
 * words of a command or long text that hold a secret or name one.
 */

/** @import { FormValue, FormValues, PlacedField } from "./types.js" */

const MAX_CHARACTERS = 65536;
const SECRET = ["password", "pairs"];
const FREE = ["rows", "textarea"];

/**
 * Whether a value of a field can be kept.
 *
 * @param {PlacedField} field
 * @param {FormValue} value
 * @param {string} secret regular expression of texts with a secret
 */
export function canBeKept({ spec }, value, secret) {
	if (SECRET.includes(spec.kind)) return false;
	if (!FREE.includes(spec.kind)) return true;
	const text = Array.isArray(value) ? value.join(" ") : String(value);
	return secret !== "" && !new RegExp(secret, "i").test(text);
}

/** @param {string} draft */
const nameOf = (draft) => `llm-widgets.draft.${draft}`;

/**
 * Return what was kept of a form, nothing where the browser keeps nothing.
 *
 * @param {string} draft
 * @returns {Map<string, FormValue>}
 */
export function readDraft(draft) {
	try {
		const kept = JSON.parse(sessionStorage.getItem(nameOf(draft)) ?? "{}");
		return new Map(typeof kept === "object" && kept !== null ? Object.entries(kept) : []);
	} catch {
		return new Map();
	}
}

/**
 * Keep what a form holds.
 *
 * @param {string} draft
 * @param {FormValues} values
 */
export function writeDraft(draft, values) {
	const text = JSON.stringify(values);
	try {
		if (text === "{}" || text.length > MAX_CHARACTERS) sessionStorage.removeItem(nameOf(draft));
		else sessionStorage.setItem(nameOf(draft), text);
	} catch {
		// The browser keeps nothing: a reload loses what was typed.
	}
}
