/** A place to choose or drop one file. It is sent in pieces: a websocket's messages are limited. */

import { el, isolateKeys, setText, uid } from "./dom.js";
import { formatBytes } from "./format.js";
import { icon } from "./parts.js";

/** @import { Context, PickerSent, PickerTraits } from "./types.js" */

/** Characters of a piece: whole groups of four, far below the 4 MiB of a message. */
const PIECE = 1 << 20;

/**
 * The bytes of a file in base64.
 *
 * @param {File} file
 * @returns {Promise<string>}
 */
function inBase64(file) {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.addEventListener("error", () => reject(reader.error));
		reader.addEventListener("load", () => resolve(String(reader.result).split(",", 2)[1] ?? ""));
		reader.readAsDataURL(file);
	});
}

/** @param {Context<PickerTraits, PickerSent>} context */
function render({ model, el: root }) {
	const input = el("input", { type: "file", class: "llm-sr", id: uid("file"), tabIndex: -1 });
	const choose = el("button", { type: "button", class: "llm-button llm-outlined" });
	const words = el("span");
	choose.append(icon("up"), words);
	const hint = el("span", { class: "llm-note" });
	const name = el("span", { class: "llm-picked" });
	const remove = el("button", { type: "button", class: "llm-button", text: "Remove" });
	const problem = el("p", { class: "llm-error", role: "alert" });
	const zone = el("div", { class: "llm-picker" }, input, choose, name, remove, hint);
	let own = "";
	isolateKeys(root);
	root.append(zone, problem);

	/** @param {File | undefined} file */
	async function take(file) {
		if (!file) return;
		own = "";
		if (!model.get("accept").includes(file.type)) own = "This type of file is not accepted.";
		else if (file.size > model.get("most"))
			own = `This file has ${formatBytes(file.size)}; at most ${formatBytes(model.get("most"))} can be sent.`;
		else {
			try {
				const data = await inBase64(file);
				const count = Math.max(1, Math.ceil(data.length / PIECE));
				for (let index = 0; index < count; index += 1) {
					const piece = data.slice(index * PIECE, (index + 1) * PIECE);
					model.send({ type: "part", name: file.name, kind: file.type, index, count, data: piece });
				}
			} catch {
				own = "This file can't be read.";
			}
		}
		draw();
	}

	function draw() {
		const picked = model.get("picked");
		setText(words, model.get("label"));
		input.accept = model.get("accept").join(",");
		input.setAttribute("aria-label", model.get("label"));
		setText(name, picked);
		remove.hidden = picked === "";
		remove.setAttribute("aria-label", `Remove ${picked}`);
		setText(hint, picked ? "" : `or drop it here, up to ${formatBytes(model.get("most"))}`);
		setText(problem, own || model.get("problem"));
		problem.hidden = problem.textContent === "";
	}

	choose.addEventListener("click", () => input.click());
	input.addEventListener("change", () => {
		take(input.files?.[0]);
		input.value = ""; // the same file can be chosen again
	});
	remove.addEventListener("click", () => {
		model.send({ type: "clear" });
		choose.focus();
	});
	zone.addEventListener("dragover", (event) => {
		event.preventDefault();
		zone.classList.add("llm-over");
	});
	zone.addEventListener("dragleave", () => zone.classList.remove("llm-over"));
	zone.addEventListener("drop", (event) => {
		event.preventDefault();
		zone.classList.remove("llm-over");
		take(event.dataTransfer?.files[0]);
	});
	model.on("change", draw);
	draw();
}

export default { render };
