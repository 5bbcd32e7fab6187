/**
 * Building blocks for elements. Text only ever goes in through `textContent` or `append`,
 * so nothing that comes from a cloud or from a person is read as markup.
 */

/** @typedef {keyof HTMLElementTagNameMap} Tag */

/**
 * What is no property of elements: `class`, `text`, and `data` for `dataset`.
 *
 * @typedef {{ class?: string, text?: string, data?: Record<string, string | number> }} OwnProps
 */

/**
 * What an element is made with. Values that are missing are left out.
 *
 * @template {Tag} T
 * @typedef {OwnProps & { for?: string, [attribute: `aria-${string}`]: string }
 *   & { [Name in keyof HTMLElementTagNameMap[T]]?: HTMLElementTagNameMap[T][Name] | null | undefined }} Props
 */

/**
 * What steers a terminal, or turns text round so that it reads as something else: controls but tab
 * and line breaks, and bidi controls. `html.py` has the same.
 */
const STEERING =
	// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
	/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** More characters of one text than this are not shown: drawing them would keep the page busy. */
export const LONGEST = 300_000;

/** The same for what stands in a field: nobody reads or changes as much there. */
export const LONGEST_FIELD = 10_000;

/** What stands at the end of a text that is cut. */
const CUT = "… (cut: too long to be shown)";

/**
 * A text cut to a length that can be shown, with a mark where it was cut.
 *
 * @param {string} text
 * @param {number} [most] characters
 * @returns {string}
 */
export function cut(text, most = LONGEST) {
	return text.length <= most ? text : `${text.slice(0, most)}${CUT}`;
}

/**
 * A text as it is shown: what steers stands there as an escape, and what is too long is cut.
 *
 * @param {string} text
 * @param {number} [most] characters
 * @returns {string}
 */
export function shown(text, most = LONGEST) {
	return cut(String(text), most).replace(STEERING, (found) => {
		const code = found.charCodeAt(0).toString(16);
		return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
	});
}

/**
 * Replace the text of a node.
 *
 * @param {Node} node
 * @param {string} text from wherever it comes
 */
export function setText(node, text) {
	node.textContent = shown(text);
}

/** Names without a dash that are attributes and no properties. */
const ATTRIBUTES = ["role", "for", "popover"];

/**
 * Create an element.
 *
 * @template {Tag} T
 * @param {T} tag element name
 * @param {Props<T>} [props] names with a dash and those in `ATTRIBUTES` become attributes
 * @param {...(Node | string | null | undefined)} children empty values are left out
 * @returns {HTMLElementTagNameMap[T]}
 */
export function el(tag, props, ...children) {
	const node = document.createElement(tag);
	/** @type {OwnProps & Record<string, unknown>} */
	const given = { ...props };
	const { class: names, text, data, ...rest } = given;
	if (names !== undefined) node.className = names;
	if (text !== undefined && text !== null) setText(node, text);
	for (const [name, value] of Object.entries(data ?? {})) node.dataset[name] = String(value);
	for (const [name, value] of Object.entries(rest)) {
		if (value === undefined || value === null) continue;
		if (name.includes("-") || ATTRIBUTES.includes(name)) node.setAttribute(name, String(value));
		else Reflect.set(node, name, name === "title" ? shown(String(value)) : value);
	}
	for (const child of children) {
		if (child !== undefined && child !== null) {
			node.append(typeof child === "string" ? shown(child) : child);
		}
	}
	return node;
}

/**
 * An id that no other element of the page has.
 *
 * @param {string} purpose readable part of the id
 * @returns {string}
 */
export function uid(purpose) {
	return `llm-${purpose}-${Math.random().toString(36).slice(2, 10)}`;
}

/**
 * Keep key presses inside a component: JupyterLab takes Enter and single letters as commands.
 *
 * @param {HTMLElement} root
 */
export function isolateKeys(root) {
	root.dataset.lmSuppressShortcuts = "true";
	for (const type of ["keydown", "keypress", "keyup"]) {
		root.addEventListener(type, (event) => event.stopPropagation());
	}
}

/**
 * The address if a link may lead there, else `null` (no `javascript:` and the like).
 *
 * @param {unknown} address
 * @returns {string | null}
 */
export function safeHref(address) {
	if (typeof address !== "string" || address === "") return null;
	try {
		const url = new URL(address, document.baseURI);
		return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
	} catch {
		return null;
	}
}

/**
 * Run a function once the calls have paused.
 *
 * @param {number} ms length of the pause in milliseconds
 * @param {() => void} fn
 * @returns {{call: () => void, cancel: () => void}}
 */
export function debounce(ms, fn) {
	/** @type {ReturnType<typeof setTimeout> | undefined} */
	let timer;
	return {
		call() {
			clearTimeout(timer);
			timer = setTimeout(fn, ms);
		},
		cancel() {
			clearTimeout(timer);
		},
	};
}
