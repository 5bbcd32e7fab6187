/**
 * Building blocks for elements. Text only ever goes in through `textContent` or `append`,
 * so nothing that comes from a cloud or from a person is read as markup.
 */

/**
 * Create an element.
 *
 * @param {string} tag element name
 * @param {object} [props] `class`, `text`, `data` (object), `on` (event name to listener);
 *   names with a dash and `role`, `for`, `list`, `popover` become attributes, the rest properties
 * @param {...(Node | string | null | undefined)} children empty values are left out
 * @returns {HTMLElement}
 */
export function el(tag, props = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(props)) {
		if (value === undefined || value === null) continue;
		if (name === "class") node.className = value;
		else if (name === "text") node.textContent = value;
		else if (name === "data") Object.assign(node.dataset, value);
		else if (name === "on") {
			for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
		} else if (name.includes("-") || ["role", "for", "list", "popover"].includes(name)) {
			node.setAttribute(name, value);
		} else node[name] = value;
	}
	node.append(...children.filter((child) => child !== undefined && child !== null));
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
