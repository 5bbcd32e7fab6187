/** An inline notice: what is the matter, and what can be done: a button, a command, a link. */

import { el, isolateKeys } from "./dom.js";
import { commandBox, externalLink, icon } from "./parts.js";

/** @import { Context, NoticeSent, NoticeTraits } from "./types.js" */

/** @param {Context<NoticeTraits, NoticeSent>} context */
function render({ model, el: root }) {
	isolateKeys(root);

	function draw() {
		const kind = model.get("kind");
		const text = model.get("text");
		root.hidden = text === "";
		root.replaceChildren();
		if (text === "") return;
		const urgent = kind === "error" || kind === "warning";
		const body = el(
			"div",
			{ class: "llm-notice-body" },
			el("div", { class: "llm-notice-text", text }),
		);
		if (model.get("detail"))
			body.append(el("div", { class: "llm-notice-detail", text: model.get("detail") }));
		if (model.get("command")) body.append(commandBox(model.get("command"), "Command"));
		const ways = el("div", { class: "llm-notice-ways" });
		if (model.get("action_label")) {
			const button = el("button", {
				type: "button",
				class: "llm-button llm-outlined",
				text: model.get("action_label"),
			});
			button.addEventListener("click", () => model.send({ type: "action" }));
			ways.append(button);
		}
		if (model.get("link_url"))
			ways.append(externalLink(model.get("link_text"), model.get("link_url")));
		if (ways.childElementCount) body.append(ways);
		const symbol = kind === "success" ? "ok" : kind;
		root.append(
			el(
				"div",
				{ class: "llm-notice", role: urgent ? "alert" : "status", data: { kind } },
				icon(symbol),
				body,
			),
		);
	}

	model.on("change", draw);
	draw();
}

export default { render };
