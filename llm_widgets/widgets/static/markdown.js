/**
 * What a model says, as elements. marked reads the Markdown; the elements are made here, of its
 * tokens. No HTML is written or read on the way, so that whatever a model says stays text.
 */

import { cut, el, LONGEST, shown } from "./dom.js";
import { codeBox } from "./parts.js";

/** @import { MarkedToken, Token, Tokens } from "marked" */
/** @import { Tag } from "./dom.js" */

/** What an answer has whose links have their addresses with them, as most. */
const NO_LINKS = "{}";

/** How many blocks at the end, blank lines among them, more text may still change. */
const UNSETTLED = 3;

/** Entities that models write; others stay as they are written. */
/** @type {Record<string, string>} */
const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0" };
const ENTITY = /&(?:#(\d{1,7})|#[xX]([\da-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g;

/** Headings of an answer stand below those of the page. */
/** @type {Tag[]} */
const HEADINGS = ["h3", "h4", "h5", "h6"];

/** @typedef {(text: string) => {blocks: Token[], links: string}} Reader */

/** @type {Reader | undefined} */
let reader;
/** @type {Promise<void> | undefined} */
let loading;

/** Fetch marked with the first answer: it is not part of the page's first script. */
export function loadReader() {
	loading ??= import("marked").then(
		({ Lexer, Tokenizer }) => {
			/** Reads no HTML: tags are text like any other. */
			class WithoutHtml extends Tokenizer {
				/** @returns {undefined} */
				html() {
					return undefined;
				}

				/** @returns {undefined} */
				tag() {
					return undefined;
				}
			}
			reader = (text) => {
				const lexer = new Lexer({ gfm: true, breaks: true, tokenizer: new WithoutHtml() });
				const found = lexer.lex(text);
				return { blocks: [...found], links: JSON.stringify(found.links) };
			};
		},
		() => {
			loading = undefined; // answers stay plain text, and the next one tries again
		},
	);
	return loading;
}

/**
 * Read a text as Markdown. What can't be read, nested too deep for example, is one paragraph.
 *
 * @param {string} text
 * @returns {{blocks: Token[], links: string}} the blocks, and what addresses stand apart
 */
function read(text) {
	try {
		// What is cut is shown as it is: the reading would keep the page busy.
		if (text.length > LONGEST) throw new RangeError("too long");
		if (!reader) throw new Error("not there yet");
		return reader(text);
	} catch {
		return { blocks: [{ type: "text", raw: text, text }], links: NO_LINKS };
	}
}

/** @param {string} text */
function decoded(text) {
	return text.replace(ENTITY, (found, decimal, hex, name) => {
		if (name) return ENTITIES[name] ?? found;
		const code = decimal ? Number(decimal) : Number.parseInt(hex, 16);
		return code && code <= 0x10ffff ? String.fromCodePoint(code) : found;
	});
}

/**
 * The address if it is one of the web, in full, else `null`.
 *
 * @param {string} address
 */
function webAddress(address) {
	try {
		const url = new URL(decoded(address));
		return ["http:", "https:"].includes(url.protocol) ? url.href : null;
	} catch {
		return null;
	}
}

/**
 * A link that opens in a new tab, or its text alone where it leads elsewhere than to the web.
 *
 * @param {string} address
 * @param {(Node | string)[]} children
 */
function link(address, children) {
	const href = webAddress(address);
	if (href === null) return el("span", {}, ...children);
	return el(
		"a",
		{ class: "llm-answer-link", href, target: "_blank", rel: "noopener noreferrer", title: href },
		...children,
		el("span", { class: "llm-sr", text: " (opens in a new tab)" }),
	);
}

/** @param {Tokens.List} token */
function list(token) {
	const items = token.items.map((item) =>
		el("li", item.task ? { class: "llm-task" } : {}, ...nodes(item.tokens)),
	);
	if (!token.ordered) return el("ul", {}, ...items);
	return el("ol", { start: Number(token.start) || 1 }, ...items);
}

/** @param {Tokens.Table} token */
function table(token) {
	/**
	 * @param {"th" | "td"} tag
	 * @param {Tokens.TableCell[]} cells
	 */
	const row = (tag, cells) =>
		el("tr", {}, ...cells.map((cell) => el(tag, {}, ...nodes(cell.tokens))));
	return el(
		"div",
		{ class: "llm-answer-table", tabIndex: 0, role: "group", "aria-label": "Table" },
		el(
			"table",
			{},
			el("thead", {}, row("th", token.header)),
			el("tbody", {}, ...token.rows.map((cells) => row("td", cells))),
		),
	);
}

/** @param {Tokens.Code} token */
function code(token) {
	const language = (token.lang ?? "").trim().split(/\s/, 1)[0]?.slice(0, 30);
	return codeBox(token.text, language ? `Code (${language})` : "Code");
}

/** @param {MarkedToken} token */
function node(token) {
	switch (token.type) {
		case "paragraph":
			return el("p", {}, ...nodes(token.tokens));
		case "heading":
			return el(HEADINGS[token.depth - 1] ?? "h6", {}, ...nodes(token.tokens));
		case "blockquote":
			return el("blockquote", {}, ...nodes(token.tokens));
		case "strong":
		case "em":
		case "del":
			return el(token.type, {}, ...nodes(token.tokens));
		case "codespan":
			return el("code", { text: token.text });
		case "code":
			return code(token);
		case "list":
			return list(token);
		case "table":
			return table(token);
		case "hr":
		case "br":
			return el(token.type);
		case "link":
			return link(token.href, nodes(token.tokens));
		case "image":
			// Never loaded: its address would tell a stranger who reads what.
			return link(token.href, [`Image: ${decoded(token.text) || token.href}`]);
		case "checkbox":
			return el("span", { text: token.checked ? "☑ " : "☐ " });
		case "text":
			if (token.tokens) return el("span", {}, ...nodes(token.tokens));
			return document.createTextNode(shown(decoded(token.text)));
		case "space":
		case "def":
			return document.createTextNode("");
		case "escape":
			return document.createTextNode(shown(token.text));
		default:
			return document.createTextNode(shown(token.raw));
	}
}

/**
 * @param {Token[]} tokens
 * @returns {Node[]}
 */
function nodes(tokens) {
	return tokens.map((token) => node(/** @type {MarkedToken} */ (token)));
}

/**
 * A pane with Markdown in it that may grow. A long answer costs no more with each piece than its
 * last blocks: those before them are neither read nor drawn again.
 */
export function markdownPane() {
	const element = el("div", { class: "llm-answer" });
	let source = "";
	/** @type {Token[]} */
	let drawn = [];
	let links = NO_LINKS;
	let isRead = false;

	/** @param {string} text */
	function readOn(text) {
		// An address that stands apart may be that of a link anywhere.
		const grows = text.startsWith(source) && links === NO_LINKS && text.length <= LONGEST;
		const settled = grows ? drawn.slice(0, -UNSETTLED) : [];
		const length = settled.reduce((sum, token) => sum + token.raw.length, 0);
		const found = read(text.slice(length));
		if (settled.length && found.links !== NO_LINKS) return read(text);
		return { blocks: [...settled, ...found.blocks], links: found.links };
	}

	return {
		element,
		/** @param {string} given */
		show(given) {
			const text = cut(given).replace(/\r\n?/g, "\n"); // as marked does
			if (text === source && isRead) return;
			if (!reader) loadReader().then(() => reader && this.show(source));
			const found = isRead ? readOn(text) : read(text);
			let same = 0;
			while (same < drawn.length && drawn[same]?.raw === found.blocks[same]?.raw) same += 1;
			if (links !== found.links || !isRead) same = 0;
			while (element.childNodes.length > same) element.lastChild?.remove();
			element.append(...nodes(found.blocks.slice(same)));
			source = text;
			drawn = found.blocks;
			links = found.links;
			isRead = reader !== undefined;
		},
	};
}
