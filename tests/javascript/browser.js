/**
 * A document for the tests, and widgets whose Python side is the test. Import it before what
 * is tested: some modules make elements when they are loaded.
 */

import { Window } from "happy-dom";

/** @import { Definition, Model } from "../../llm_widgets/widgets/static/types.js" */

const window = new Window({ url: "http://localhost/" });

const NAMES = [
	...[
		"window",
		"document",
		"localStorage",
		"sessionStorage",
		"navigator",
		"location",
		"history",
		"innerWidth",
		"innerHeight",
	],
	...[
		"Node",
		"Element",
		"HTMLElement",
		"HTMLInputElement",
		"HTMLTextAreaElement",
		"Text",
		"CustomEvent",
		"Event",
		"KeyboardEvent",
		"MouseEvent",
		"MutationObserver",
		"ResizeObserver",
	],
	...[
		"CSS",
		"matchMedia",
		"devicePixelRatio",
		"getComputedStyle",
		"requestAnimationFrame",
		"cancelAnimationFrame",
	],
];

for (const name of NAMES) {
	const value = name === "window" ? window : Reflect.get(window, name);
	const bound = typeof value === "function" && /^[a-z]/.test(name) ? value.bind(window) : value;
	Object.defineProperty(globalThis, name, { value: bound, configurable: true, writable: true });
}

// This document draws nothing: what is drawn is taken, and not looked at.
const drawing = new Proxy({}, { get: () => () => ({ width: 0 }), set: () => true });
Object.assign(window.HTMLCanvasElement.prototype, { getContext: () => drawing });
Object.assign(globalThis, {
	Path2D: class {
		rect() {}
		moveTo() {}
		lineTo() {}
		closePath() {}
	},
});

/** This document has no layout: what is observed is seen at once. */
class Seen {
	/** @param {(entries: {isIntersecting: boolean}[]) => void} callback */
	constructor(callback) {
		this.callback = callback;
	}

	observe() {
		this.callback([{ isIntersecting: true }]);
	}

	disconnect() {}
}
Object.assign(globalThis, { IntersectionObserver: Seen });

// This document knows no popovers: those that are open are noted here.
/** @type {WeakSet<HTMLElement>} */
const open = new WeakSet();
Object.assign(HTMLElement.prototype, {
	/** @this {HTMLElement} */
	showPopover() {
		open.add(this);
	},
	/** @this {HTMLElement} */
	hidePopover() {
		open.delete(this);
	},
});

/**
 * Whether a popover is shown.
 *
 * @param {HTMLElement} element
 */
export const isOpen = (element) => open.has(element);

/**
 * A widget: what anywidget gives a component, and what Python does with it.
 *
 * @template {object} Traits
 * @template [Sent=never]
 * @template [Received=never]
 */
export class Widget {
	/** @param {Traits} traits */
	constructor(traits) {
		this.traits = { ...traits };
		/**
		 * What the component has sent.
		 *
		 * @type {Sent[]}
		 */
		this.sent = [];
		/** @type {[events: string[], callback: () => void][]} */
		this.watchers = [];
		/** @type {((message: Received) => void)[]} */
		this.receivers = [];
	}

	/**
	 * What the component sees of it.
	 *
	 * @returns {Model<Traits, Sent, Received>}
	 */
	get model() {
		return {
			get: (name) => this.traits[name],
			set: (name, value) => {
				/** @type {Partial<Traits>} */
				const changed = {};
				changed[name] = value;
				if (JSON.stringify(this.traits[name]) !== JSON.stringify(value)) this.update(changed);
			},
			save_changes() {},
			send: (message) => {
				this.sent.push(message);
			},
			/** @type {Model<Traits, Sent, Received>["on"]} */
			on: (/** @type {string} */ events, /** @type {(message: Received) => void} */ callback) => {
				if (events === "msg:custom") this.receivers.push(callback);
				else this.watchers.push([events.split(" "), /** @type {() => void} */ (callback)]);
			},
		};
	}

	/**
	 * Change traits as Python does.
	 *
	 * @param {Partial<Traits>} traits
	 */
	update(traits) {
		Object.assign(this.traits, traits);
		const names = ["change", ...Object.keys(traits).map((name) => `change:${name}`)];
		for (const [events, callback] of this.watchers) {
			if (events.some((event) => names.includes(event))) callback();
		}
	}

	/**
	 * Deliver a message as Python sends it.
	 *
	 * @param {Received} message
	 */
	deliver(message) {
		for (const callback of this.receivers) callback(message);
	}
}

/**
 * Show a widget as anywidget does.
 *
 * @template {object} Traits
 * @template Sent
 * @template Received
 * @param {Definition} definition
 * @param {Widget<Traits, Sent, Received>} widget
 */
export function show(definition, widget) {
	const component = typeof definition === "function" ? definition() : definition;
	const el = document.createElement("div");
	document.body.append(el);
	/** @type {unknown[]} */
	const undo = [];
	/** @type {never} */
	const context = /** @type {never} */ ({ model: widget.model, el });
	undo.push(component.initialize?.(context));
	undo.push(component.render(context));
	return {
		el,
		component,
		/** Take the widget away. */
		close() {
			for (const each of undo) if (typeof each === "function") each();
			el.remove();
		},
	};
}

/**
 * Find an element of a kind; there must be one.
 *
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => Kind} [kind]
 * @returns {Kind}
 */
export function find(root, selector, kind) {
	const found = root.querySelector(selector);
	if (!found) throw new Error(`there is no ${selector}`);
	if (kind && !(found instanceof kind)) throw new Error(`${selector} is another kind of element`);
	return /** @type {Kind} */ (found);
}

/**
 * Type into a control, or choose.
 *
 * @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} control
 * @param {string} value
 */
export function type(control, value) {
	control.value = value;
	control.dispatchEvent(new Event("input", { bubbles: true }));
}

/**
 * The words of all elements that a selector finds.
 *
 * @param {ParentNode} root
 * @param {string} selector
 */
export const texts = (root, selector) =>
	[...root.querySelectorAll(selector)].map((each) => each.textContent);

/** Wait until the page has drawn its next frame. */
export const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve));
