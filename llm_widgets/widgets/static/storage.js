/**
 * State in the browser's local storage. Shows nothing: what was saved is sent to Python with
 * the first view; Python checks it and answers by setting `value`, which from then on is written
 * back whenever it changes. By then all widgets of the page are there; what Python changed of one
 * that is still being made would be lost.
 */

/** @import { Context, StorageSent, StorageTraits } from "./types.js" */

const MAX_CHARACTERS = 65536;

export default () => {
	let begin = () => {};

	/** @param {Context<StorageTraits, StorageSent>} context */
	function initialize({ model }) {
		const name = `${model.get("key")}.v${model.get("version")}`;

		function read() {
			try {
				const text = localStorage.getItem(name);
				if (text === null || text.length > MAX_CHARACTERS) return null;
				return JSON.parse(text);
			} catch {
				return null; // not JSON, or the browser forbids storage: the same as nothing saved
			}
		}

		function write() {
			if (!model.get("ready")) return;
			try {
				localStorage.setItem(name, JSON.stringify(model.get("value")));
			} catch {
				model.send({ type: "refused" });
			}
		}

		model.on("change:value", write);
		model.on("change:ready", write);
		begin = () => {
			begin = () => {};
			model.send({ type: "saved", value: read() });
		};
	}

	/** @param {{el: HTMLElement}} context */
	function render({ el: root }) {
		root.hidden = true;
		begin();
	}

	return { initialize, render };
};
