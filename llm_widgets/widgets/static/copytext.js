/** A command or a piece of code with a copy button. */

import { isolateKeys } from "./dom.js";
import { codeBox } from "./parts.js";

/** @import { Context, CopyTextTraits } from "./types.js" */

/** @param {Context<CopyTextTraits>} context */
function render({ model, el: root }) {
	isolateKeys(root);
	const draw = () => root.replaceChildren(codeBox(model.get("text"), model.get("label")));
	model.on("change:text change:label", draw);
	draw();
}

export default { render };
