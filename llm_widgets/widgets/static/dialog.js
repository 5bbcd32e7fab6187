/**
 * Form in a native <dialog>: the browser gives the focus trap, Escape and the top layer.
 * Values leave once, in the message of the submit. Live values (without passwords) leave
 * 300 ms after the last key, and only if Python asked for them.
 *
 * The dialog hangs on the page's body, made when the page connects: it opens wherever the widget
 * stands, also when that place is on a hidden tab.
 */

import { debounce, el, isolateKeys, uid } from "./dom.js";
import { buildField } from "./fields.js";
import { icon } from "./parts.js";

const LIVE_PAUSE_MS = 300;

/** What a field holds at first: what was typed before, its default, or the first choice. */
function startValue(spec, typed) {
	const offered = (value) => spec.options.some((option) => option.value === value);
	if (!spec.options.length) return typed ?? spec.value;
	return [typed, spec.value].find(offered) ?? spec.options[0].value;
}

function initialize({ model }) {
	const titleId = uid("title");
	const textId = uid("text");
	const title = el("h2", { class: "llm-dialog-title", id: titleId });
	const text = el("p", { class: "llm-dialog-text", id: textId });
	const fieldBox = el("div", { class: "llm-fields" });
	const failure = el("div", { class: "llm-notice", role: "alert", data: { kind: "error" } });
	const progress = el("div", { class: "llm-dialog-busy", role: "status" });
	const cancel = el("button", { type: "button", class: "llm-button", text: "Cancel" });
	const submit = el("button", { type: "submit", class: "llm-button llm-primary" });
	const form = el(
		"form",
		{ class: "llm-form", noValidate: true },
		title,
		text,
		fieldBox,
		failure,
		el("div", { class: "llm-dialog-buttons" }, progress, cancel, submit),
	);
	const dialog = el(
		"dialog",
		{ class: "llm-dialog", "aria-labelledby": titleId, "aria-describedby": textId },
		form,
	);
	isolateKeys(dialog);
	document.body.append(dialog);

	let fields = [];
	let opener = null;
	let submitted = false;

	const shown = () => fields.filter((field) => !field.element.hidden);
	const values = ({ secrets }) => {
		const kept = shown().filter((field) => secrets || field.spec.kind !== "password");
		return Object.fromEntries(kept.map((field) => [field.key, field.read()]));
	};
	const live = debounce(LIVE_PAUSE_MS, () => {
		if (dialog.open) model.send({ type: "input", values: values({ secrets: false }) });
	});

	/** Build the fields; in an open dialog what was typed and the focus are carried over. */
	function buildFields() {
		const typed = new Map(dialog.open ? fields.map((field) => [field.key, field.read()]) : []);
		const focused = fields.find((field) => field.element.contains(document.activeElement))?.key;
		fields = model.get("fields").map(buildField);
		for (const field of fields) field.write(startValue(field.spec, typed.get(field.key)));
		fieldBox.replaceChildren(...fields.map((field) => field.element));
		fields.find((field) => field.key === focused)?.focus();
		showAndHide();
		drawErrors();
		drawHints();
	}

	/** Fields that belong to another choice are not shown, not checked and not sent. */
	function showAndHide() {
		for (const field of fields) {
			const condition = field.spec.show_when;
			const other = condition && fields.find((each) => each.key === condition[0]);
			field.element.hidden = Boolean(other) && other.read() !== condition[1];
		}
	}

	function drawTexts() {
		title.textContent = model.get("title");
		text.textContent = model.get("text");
		text.hidden = model.get("text") === "";
		submit.textContent = model.get("submit_label");
		submit.classList.toggle("llm-danger", model.get("danger"));
		dialog.classList.toggle("llm-dialog-wide", model.get("wide"));
	}

	function drawErrors() {
		const errors = model.get("errors");
		for (const field of fields) field.setError(errors[field.key] ?? "");
		failure.replaceChildren();
		failure.hidden = model.get("error") === "";
		if (!failure.hidden)
			failure.append(
				icon("error"),
				el("div", { class: "llm-notice-text", text: model.get("error") }),
			);
	}

	function drawHints() {
		const hints = model.get("hints");
		for (const field of fields) field.setHint(hints[field.key] ?? "");
	}

	function drawBusy() {
		const busy = model.get("busy");
		form.setAttribute("aria-busy", String(busy !== ""));
		progress.replaceChildren();
		if (busy !== "") progress.append(icon("busy"), el("span", { text: busy }));
		submit.setAttribute("aria-disabled", String(busy !== ""));
	}

	/** Show what the browser itself finds wrong; the first such field gets the focus. */
	function checkFields() {
		const problems = shown().map((field) => [field, field.problem()]);
		for (const [field, problem] of problems) field.setError(problem);
		const first = problems.find(([, problem]) => problem !== "");
		first?.[0].focus();
		return first === undefined;
	}

	form.addEventListener("submit", (event) => {
		event.preventDefault();
		if (model.get("busy") !== "" || !checkFields()) return;
		live.cancel();
		submitted = true;
		model.send({ type: "submit", values: values({ secrets: true }) });
	});

	form.addEventListener("input", (event) => {
		const field = fields.find((each) => each.element.contains(event.target));
		field?.setError("");
		field?.setHint("");
		showAndHide();
		if (model.get("live")) live.call();
	});

	/** Close in the page and say so to Python; the fields are rebuilt, so no value stays behind. */
	function dismiss() {
		live.cancel();
		model.send({ type: "cancel" });
		close();
	}

	function close() {
		if (dialog.open) dialog.close();
		model.set("shown", false);
		model.save_changes();
		buildFields();
		if (opener?.isConnected) opener.focus();
		opener = null;
	}

	cancel.addEventListener("click", dismiss);
	dialog.addEventListener("cancel", (event) => {
		event.preventDefault();
		dismiss();
	});

	function sync() {
		if (model.get("shown") && !dialog.open) {
			opener = document.activeElement;
			buildFields();
			drawBusy();
			dialog.showModal();
			(
				shown()[0] ??
				(model.get("danger") ? { focus: () => cancel.focus() } : { focus: () => submit.focus() })
			).focus();
		} else if (!model.get("shown") && dialog.open) close();
	}

	model.on("change:title change:text change:submit_label change:danger change:wide", drawTexts);
	model.on("change:fields", buildFields);
	model.on("change:errors change:error", () => {
		drawErrors();
		const errors = model.get("errors");
		const wrong = shown().find((field) => errors[field.key]);
		// Only an answer to a submit moves the focus; one that comes while typing must not.
		if (submitted && wrong) {
			wrong.focus();
			submitted = false;
		}
	});
	model.on("change:hints", drawHints);
	model.on("change:busy", drawBusy);
	model.on("change:shown", sync);
	drawTexts();
	buildFields();
	drawBusy();
	sync();
	return () => {
		live.cancel();
		dialog.remove();
	};
}

function render({ el: root }) {
	root.hidden = true;
}

export default { initialize, render };
