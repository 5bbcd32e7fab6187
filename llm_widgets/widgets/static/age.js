/** How old something is that the page shows: "Checked 2 minutes ago". */

import { el, setText } from "./dom.js";
import { formatAgo } from "./format.js";

/** @import { AgeTraits, Context } from "./types.js" */

const AGE_MS = 10000;

/** @param {Context<AgeTraits>} context */
function render({ model, el: root }) {
	const age = el("span", { class: "llm-note" });
	root.append(age);

	function draw() {
		const at = model.get("at");
		const text = at ? `${model.get("word")} ${formatAgo(at * 1000)}` : "";
		if (age.textContent !== text) setText(age, text);
	}

	model.on("change", draw);
	draw();
	const timer = setInterval(draw, AGE_MS);
	return () => clearInterval(timer);
}

export default { render };
