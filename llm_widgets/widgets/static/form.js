/** A form that stands in the page, its fields on cards by their groups. */

import { el, isolateKeys, setText } from "./dom.js";
import { writeDraft } from "./drafts.js";
import { makeForm } from "./formcore.js";

/** @import { Context, FormBaseReceived, FormBaseSent, FormTraits } from "./types.js" */

/**
 * What was kept is forgotten also where the form is shown no more, as when it has been sent.
 *
 * @param {Context<FormTraits, FormBaseSent, FormBaseReceived>} context
 */
function initialize({ model }) {
	model.on("msg:custom", (message) => {
		if (message.type === "forget") writeDraft(model.get("draft") ?? "", {});
	});
}

/** @param {Context<FormTraits, FormBaseSent, FormBaseReceived>} context */
function render({ model, el: root }) {
	const core = makeForm(model, {
		isOpen: () => true,
		cancelled: () => model.send({ type: "cancel" }),
		cards: true,
	});
	const form = el(
		"form",
		{ class: "llm-form llm-page-form", noValidate: true },
		core.fieldBox,
		el("div", { class: "llm-form-foot" }, core.failure, core.buttons),
	);
	const check = el("button", { type: "button", class: "llm-button llm-outlined" });
	check.addEventListener("click", () => core.sendAs("check"));
	core.submit.before(check);
	const drawLabels = () => {
		form.setAttribute("aria-label", model.get("label"));
		setText(check, model.get("check_label"));
		check.hidden = model.get("check_label") === "";
		setText(core.cancel, model.get("cancel_label"));
		core.cancel.hidden = model.get("cancel_label") === "";
	};
	model.on("change:label change:cancel_label change:check_label", drawLabels);
	isolateKeys(form);
	root.append(form);
	core.listen(form);
	drawLabels();
	return () => core.stopLive();
}

export default { initialize, render };
