/**
 * Form in a native <dialog>: the browser gives the focus trap, Escape and the top layer.
 *
 * The dialog hangs on the page's body, made when the page connects: it opens wherever the widget
 * stands, also when that place is on a hidden tab.
 */

import { el, isolateKeys, setText, uid } from "./dom.js";
import { makeForm } from "./formcore.js";
import { commandBox } from "./parts.js";

/** @import { Context, DialogTraits, FormBaseReceived, FormBaseSent } from "./types.js" */

/** @param {Context<DialogTraits, FormBaseSent, FormBaseReceived>} context */
function initialize({ model }) {
	const titleId = uid("title");
	const textId = uid("text");
	const title = el("h2", { class: "llm-dialog-title", id: titleId });
	const text = el("p", { class: "llm-dialog-text", id: textId });
	const command = el("div", { class: "llm-dialog-command" });
	const dialog = el("dialog", {
		class: "llm-dialog",
		"aria-labelledby": titleId,
		"aria-describedby": textId,
	});
	const changes = el("dl", { class: "llm-changes" });
	const core = makeForm(model, { isOpen: () => dialog.open, cancelled: dismiss, cards: false });
	const form = el(
		"form",
		{ class: "llm-form", noValidate: true },
		title,
		text,
		changes,
		core.fieldBox,
		command,
		core.failure,
		core.buttons,
	);
	dialog.append(form);
	isolateKeys(dialog);
	document.body.append(dialog);

	/** @type {Element | null} */
	let opener = null;

	function drawTexts() {
		setText(title, model.get("title"));
		setText(text, model.get("text"));
		text.hidden = model.get("text") === "";
		core.submit.classList.toggle("llm-danger", model.get("danger"));
		dialog.classList.toggle("llm-dialog-wide", model.get("wide"));
	}

	/** What would change, line by line: those that go, and those that come. */
	function drawChanges() {
		const listed = model.get("changes");
		changes.hidden = listed.length === 0;
		changes.replaceChildren(
			...listed.flatMap(({ label, removed, added }) => [
				el("dt", { text: label }),
				...removed.map((line) => el("dd", {}, el("del", { text: line }))),
				...added.map((line) => el("dd", {}, el("ins", { text: line }))),
			]),
		);
	}

	function drawCommand() {
		const lines = model.get("command");
		command.replaceChildren(...(lines ? [commandBox(lines, "Command")] : []));
	}

	/** Close in the page and say so to Python; the fields are rebuilt, so no value stays behind. */
	function dismiss() {
		core.stopLive();
		model.send({ type: "cancel" });
		close();
	}

	function close() {
		if (dialog.open) dialog.close();
		model.set("shown", false);
		model.save_changes();
		core.buildFields(false);
		if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
		opener = null;
	}

	function sync() {
		if (model.get("shown") && !dialog.open) {
			opener = document.activeElement;
			core.buildFields(false);
			core.drawBusy();
			dialog.showModal();
			const button = model.get("danger") ? core.cancel : core.submit;
			(core.shown()[0] ?? button).focus();
		} else if (!model.get("shown") && dialog.open) close();
	}

	dialog.addEventListener("cancel", (event) => {
		event.preventDefault();
		dismiss();
	});
	model.on("change:title change:text change:danger change:wide", drawTexts);
	model.on("change:changes", drawChanges);
	model.on("change:command", drawCommand);
	model.on("change:shown", sync);
	drawTexts();
	drawChanges();
	drawCommand();
	core.listen(form);
	sync();
	return () => {
		core.stopLive();
		dialog.remove();
	};
}

/** @param {{el: HTMLElement}} context */
function render({ el: root }) {
	root.hidden = true;
}

export default { initialize, render };
