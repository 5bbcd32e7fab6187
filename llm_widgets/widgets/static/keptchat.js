/**
 * A chat, kept for as long as the browser's tab is open: a reload does not lose it. What holds a
 * secret is not kept, and no picture is.
 */

/** @import { ChatTurn } from "./types.js" */

const MAX_CHARACTERS = 1_000_000;

/** @param {string} name */
const keyOf = (name) => `llm-widgets.chat.${name}`;

/**
 * Return what was kept of a chat, nothing where the browser keeps nothing.
 *
 * @param {string} name
 * @returns {ChatTurn[]} Python checks them
 */
export function readChat(name) {
	try {
		const kept = JSON.parse(sessionStorage.getItem(keyOf(name)) ?? "[]");
		return Array.isArray(kept) ? kept : [];
	} catch {
		return [];
	}
}

/**
 * Keep a chat, or forget it where it is empty or can't be kept.
 *
 * @param {string} name
 * @param {ChatTurn[]} turns
 * @param {string} secret regular expression of texts with a secret
 * @returns {string} what is to be said of it
 */
export function writeChat(name, turns, secret) {
	const bare = turns.map((turn) =>
		turn.image ? { ...turn, image: "", note: "The picture was not kept." } : turn,
	);
	const text = JSON.stringify(bare);
	const isSecret = new RegExp(secret, "i");
	const why =
		(bare.some((turn) => Object.values(turn).some((each) => isSecret.test(each))) &&
			"it holds what looks like a secret") ||
		(text.length > MAX_CHARACTERS && "it is too long");
	try {
		if (why || !turns.length) sessionStorage.removeItem(keyOf(name));
		else sessionStorage.setItem(keyOf(name), text);
	} catch {
		return "A reload of the page loses this chat: the browser does not keep it.";
	}
	if (why) return `A reload of the page loses this chat: ${why}.`;
	return turns.length ? "Kept until you start a new chat or close this browser tab." : "";
}
