/**
 * Append-only text: a log. Python keeps the history and sends it whole to a
 * page that asks ("ready"); after that only what is added crosses the wire.
 */

import { el, isolateKeys, setText, shown } from "./dom.js";

/** @import { Context, StreamItem, StreamReceived, StreamSent, StreamTraits } from "./types.js" */

export default () => {
	/** @type {StreamItem[]} */
	let items = [];
	/** @type {Set<(change: StreamReceived) => void>} */
	const views = new Set();

	/** @param {StreamReceived} change */
	function apply(change) {
		if (change.type === "reset") items = [...change.items];
		else if (change.type === "append") items.push(...change.items);
		else items.unshift(...change.items);
		for (const view of views) view(change);
	}

	/** @param {Context<StreamTraits, StreamSent, StreamReceived>} context */
	function initialize({ model }) {
		model.on("msg:custom", apply);
		model.send({ type: "ready" });
	}

	/** @param {Context<StreamTraits, StreamSent, StreamReceived>} context */
	function render({ model, el: root }) {
		const pane = el("div", {
			class: "llm-stream",
			role: "log",
			tabIndex: 0,
			"aria-label": model.get("label"),
		});
		const placeholder = el("p", { class: "llm-note", text: model.get("placeholder") });
		isolateKeys(root);
		root.append(pane);
		/** @type {StreamReceived[]} */
		let pending = [];
		let frame = 0;

		/** @param {StreamItem} item */
		function line(item) {
			const text = el("span", { class: "llm-stream-text" });
			text.append(shown(item.text));
			const node = el("div", { class: "llm-stream-item", data: { kind: item.kind } });
			if (item.label) node.append(el("span", { class: "llm-stream-label", text: item.label }));
			node.append(text);
			return node;
		}

		function flush() {
			frame = 0;
			let atBottom = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
			for (const change of pending) {
				if (change.type === "prepend") {
					placeholder.remove();
					const before = pane.scrollHeight;
					pane.prepend(...change.items.map(line));
					// The newest of them stand above what was first until now.
					pane.scrollTop = pane.scrollHeight - before - pane.clientHeight / 2;
					atBottom = false;
				} else {
					if (change.type === "reset") pane.replaceChildren();
					if (change.items.length) placeholder.remove();
					pane.append(...change.items.map(line));
				}
			}
			pending = [];
			const excess = pane.childElementCount - model.get("max_items");
			for (let i = 0; i < excess; i += 1) pane.firstElementChild?.remove();
			if (pane.childElementCount === 0) pane.append(placeholder);
			if (atBottom) pane.scrollTop = pane.scrollHeight;
		}

		/** @param {StreamReceived} change */
		function view(change) {
			// Later additions change the item itself: a copy shows the text as it was then.
			pending.push(structuredClone(change));
			if (frame === 0) frame = requestAnimationFrame(flush);
		}

		function style() {
			pane.setAttribute("aria-label", model.get("label"));
			setText(placeholder, model.get("placeholder"));
			pane.style.height = model.get("height");
		}

		model.on("change:label change:placeholder change:height", style);
		style();
		views.add(view);
		view({ type: "reset", items });
		return () => views.delete(view);
	}

	return { initialize, render };
};
