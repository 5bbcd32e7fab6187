/**
 * Append-only text: a log or a conversation. Python keeps the history and sends it whole to a
 * page that asks ("ready"); after that only what is added crosses the wire.
 */

import { el, isolateKeys } from "./dom.js";

export default () => {
	let items = [];
	const views = new Set();

	function apply({ type, items: added = [], text = "" }) {
		if (type === "reset") items = [];
		if (type === "reset" || type === "append") items.push(...added);
		if (type === "prepend") items.unshift(...added);
		if (type === "extend" && items.length) items[items.length - 1].text += text;
		for (const view of views) view({ type, added, text });
	}

	function initialize({ model }) {
		model.on("msg:custom", apply);
		model.send({ type: "ready" });
	}

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
		let pending = [];
		let frame = 0;

		function line(item) {
			const text = el("span", { class: "llm-stream-text" });
			text.append(document.createTextNode(item.text));
			const node = el("div", { class: "llm-stream-item", data: { kind: item.kind } });
			if (item.label) node.append(el("span", { class: "llm-stream-label", text: item.label }));
			node.append(text);
			return node;
		}

		function flush() {
			frame = 0;
			let atBottom = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
			for (const { type, added, text } of pending) {
				if (type === "reset") pane.replaceChildren();
				if (type === "prepend") {
					placeholder.remove();
					const before = pane.scrollHeight;
					pane.prepend(...added.map(line));
					// The newest of them stand above what was first until now.
					pane.scrollTop = pane.scrollHeight - before - pane.clientHeight / 2;
					atBottom = false;
				} else if (type === "extend")
					pane.lastElementChild?.querySelector(".llm-stream-text").firstChild.appendData(text);
				else if (added.length) {
					placeholder.remove();
					pane.append(...added.map(line));
				}
			}
			pending = [];
			const excess = pane.childElementCount - model.get("max_items");
			for (let i = 0; i < excess; i += 1) pane.firstElementChild.remove();
			if (pane.childElementCount === 0) pane.append(placeholder);
			if (atBottom) pane.scrollTop = pane.scrollHeight;
		}

		function view(change) {
			// Later additions change the item itself: a copy shows the text as it was then.
			pending.push({ ...change, added: change.added.map((item) => ({ ...item })) });
			if (frame === 0) frame = requestAnimationFrame(flush);
		}

		function style() {
			pane.dataset.style = model.get("kind");
			pane.setAttribute("aria-label", model.get("label"));
			placeholder.textContent = model.get("placeholder");
			pane.style.height = model.get("height");
		}

		model.on("change:kind change:label change:placeholder change:height", style);
		style();
		views.add(view);
		view({ type: "reset", added: items, text: "" });
		return () => views.delete(view);
	}

	return { initialize, render };
};
