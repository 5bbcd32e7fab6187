/** Small pieces that several components show: icons, chips, links, copy buttons. */

import { el, safeHref, setText } from "./dom.js";

/** @import { StatusState } from "./types.js" */

/**
 * Outlines on a 24 × 24 grid, drawn with a stroke of 2; a leading "." marks a filled shape.
 */
const SHAPES = {
	ok: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M7.5 12.5l3 3 6-6.5"],
	error: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 7.5v6", "M12 16.4v.2"],
	warning: ["M12 4L2.8 20h18.4z", "M12 10v4.5", "M12 17.2v.2"],
	info: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M12 11v6", "M12 7.4v.2"],
	busy: ["M12 3a9 9 0 1 0 9 9"],
	off: ["M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z", "M8 12h8"],
	unknown: [
		"M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
		"M9.5 9.5a2.5 2.5 0 1 1 2.5 3v1",
		"M12 16.8v.2",
	],
	copy: ["M9 8h10v12H9z", "M5 16V4h10"],
	close: ["M6 6l12 12", "M18 6L6 18"],
	more: [
		".M12 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
		".M12 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
		".M12 16a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
	],
	external: ["M13 4h7v7", "M20 4l-9 9", "M18 14v6H4V6h6"],
	columns: ["M4 5h16v14H4z", "M9.3 5v14", "M14.7 5v14"],
	filter: ["M4 7h16", "M7 12h10", "M10 17h4"],
	stop: [".M7 7h10v10H7z"],
	up: ["M12 19V5", "M6 11l6-6 6 6"],
	down: ["M12 5v14", "M6 13l6 6 6-6"],
	expand: ["M6 9l6 6 6-6"],
	cloud: ["M7 18a4.5 4.5 0 0 1 0-9 5.5 5.5 0 0 1 10.5 1.5A3.8 3.8 0 0 1 17 18z"],
	laptop: ["M5 5h14v10H5z", "M2.5 19h19"],
};

/** @typedef {keyof typeof SHAPES} Shape */

/**
 * A decorative icon; what it means is said in the text beside it.
 *
 * @param {Shape} name
 * @returns {SVGElement}
 */
export function icon(name) {
	const ns = "http://www.w3.org/2000/svg";
	const svg = document.createElementNS(ns, "svg");
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	svg.setAttribute("class", `llm-icon llm-icon-${name}`);
	for (const shape of SHAPES[name]) {
		const path = document.createElementNS(ns, "path");
		const filled = shape.startsWith(".");
		path.setAttribute("d", filled ? shape.slice(1) : shape);
		if (filled) path.setAttribute("class", "llm-icon-fill");
		svg.append(path);
	}
	return svg;
}

/**
 * States that a status may have; each is an icon and a colour.
 *
 * @type {StatusState[]}
 */
const STATES = ["ok", "warning", "error", "busy", "off", "info", "unknown"];

/**
 * A status: icon and words, so that colour is never the only sign.
 *
 * @param {StatusState | undefined} state one of another name counts as unknown
 * @param {string} text
 * @returns {HTMLElement}
 */
export function statusChip(state, text) {
	const known = state !== undefined && STATES.includes(state) ? state : "unknown";
	return el(
		"span",
		{ class: "llm-status", data: { state: known } },
		icon(known),
		el("span", { text }),
	);
}

/**
 * A link that opens in a new tab, or plain text when the address may not be followed.
 *
 * @param {string} words empty for those that tell where the link leads
 * @param {unknown} address
 * @returns {HTMLElement}
 */
export function externalLink(words, address) {
	const href = safeHref(address);
	if (href === null) return el("span", { text: words || String(address) });
	const { host, pathname } = new URL(href);
	const text = words || `Open ${host || pathname}`; // an address of mail has no host
	return el(
		"a",
		{ class: "llm-link", href, target: "_blank", rel: "noopener noreferrer" },
		el("span", { text }),
		icon("external"),
		el("span", { class: "llm-sr", text: " (opens in a new tab)" }),
	);
}

/**
 * A button that copies text; it says so when it has.
 *
 * @param {() => string} text gives the text at the moment of the click
 * @param {string} label what is copied, for example "Copy the command"
 * @returns {HTMLElement}
 */
export function copyButton(text, label) {
	const said = el("span", { class: "llm-sr", role: "status" });
	const button = el(
		"button",
		{ type: "button", class: "llm-icon-button", title: label, "aria-label": label },
		icon("copy"),
	);
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	/**
	 * @param {Shape} symbol
	 * @param {string} words
	 */
	const say = (symbol, words) => {
		button.replaceChildren(icon(symbol));
		setText(said, words);
		clearTimeout(timer);
		timer = setTimeout(() => {
			button.replaceChildren(icon("copy"));
			setText(said, "");
		}, 2000);
	};
	button.addEventListener("click", async () => {
		try {
			await copy(text());
			say("ok", "Copied");
		} catch {
			say("error", "The browser did not allow copying");
		}
	});
	return el("span", { class: "llm-copy-button" }, button, said);
}

/**
 * Put text on the clipboard, also on plain HTTP pages, where the clipboard API is absent.
 *
 * @param {string} text
 */
async function copy(text) {
	if (navigator.clipboard) {
		await navigator.clipboard.writeText(text);
		return;
	}
	const opener = document.activeElement;
	const box = el("textarea", { class: "llm-sr", value: text, "aria-hidden": "true" });
	(opener?.closest("dialog") ?? document.body).append(box);
	box.select();
	const done = document.execCommand("copy");
	box.remove();
	if (opener instanceof HTMLElement) opener.focus();
	if (!done) throw new Error("copying was refused");
}

/**
 * Text in a box of its own with a copy button, for commands and code.
 *
 * @param {string} text
 * @param {string} label what the text is, for example "Command"
 * @param {(string | Node)[]} [shown] the text in pieces, where it is not shown as one
 * @returns {HTMLElement}
 */
export function codeBox(text, label, shown = [text]) {
	return el(
		"div",
		{ class: "llm-code-box" },
		el(
			"pre",
			{ class: "llm-code", tabIndex: 0, role: "group", "aria-label": label },
			el("code", {}, ...shown),
		),
		copyButton(() => text, `Copy: ${label}`),
	);
}

/**
 * Show command lines: long ones go on in a new line, between two words where that is possible.
 *
 * @param {string} text
 * @param {string} label what the text is, for example "Command"
 * @returns {HTMLElement}
 */
export function commandBox(text, label) {
	const words = text
		.split(/( |\n)/)
		.map((word) => (word.trim() ? el("span", { class: "llm-code-word", text: word }) : word));
	const box = codeBox(text, label, words);
	box.classList.add("llm-command");
	return box;
}
