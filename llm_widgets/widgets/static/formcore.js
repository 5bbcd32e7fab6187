/**
 * What a form in the page and one in a dialog share: fields, errors, hints, the busy state.
 * Values leave once, in the message of the submit. Live values (without passwords) leave
 * 300 ms after the last key, and only if Python asked for them.
 */

import { debounce, el, setText } from "./dom.js";
import { canBeKept, readDraft, writeDraft } from "./drafts.js";
import { buildField } from "./fields.js";
import { heldFocus } from "./focus.js";
import { grouped, makeFolds, reveal } from "./groups.js";
import { icon } from "./parts.js";
import { addRestore } from "./restore.js";

/** @import { FieldSpec, FormBaseReceived, FormBaseSent, FormBaseTraits, FormField, FormValue, FormValues, Model, PlacedField } from "./types.js" */

const LIVE_PAUSE_MS = 300;

/**
 * Whether a field offers a value, or takes any.
 *
 * @param {FieldSpec} spec
 * @param {FormValue} value
 */
const takes = (spec, value) =>
	!spec.options.length || spec.options.some((option) => option.value === value);

/**
 * What a field holds that nobody has touched: its value, or the first choice.
 *
 * @param {FieldSpec} spec
 * @returns {FormValue}
 */
const defaultOf = (spec) =>
	takes(spec, spec.value) ? spec.value : (spec.options[0]?.value ?? null);

/**
 * Whether two fields are one: at most its advice is another.
 *
 * @param {FieldSpec} one
 * @param {FieldSpec} other
 */
const isOne = (one, other) =>
	JSON.stringify(withoutAdvice(one)) === JSON.stringify(withoutAdvice(other));

/** @param {FieldSpec} spec */
const withoutAdvice = (spec) => ({ ...spec, help: "", suggestions: [] });

/** @param {FormField} field */
const holds = (field) => JSON.stringify(field.read());

/**
 * What a new field takes over from the one before: what was typed, and any choice.
 *
 * @param {PlacedField} field
 */
function carried(field) {
	return field.spec.options.length || holds(field) !== field.untouched ? field.read() : undefined;
}

/**
 * Make the inner parts of a form and bind them to its model.
 *
 * @param {Model<FormBaseTraits, FormBaseSent, FormBaseReceived>} model
 * @param {object} options
 * @param {() => boolean} options.isOpen whether a person can fill it in now
 * @param {() => void} options.cancelled called when the cancel button is pressed
 * @param {boolean} options.cards whether the groups of fields stand on cards of their own
 */
export function makeForm(model, { isOpen, cancelled, cards }) {
	const fieldBox = el("div", { class: "llm-fields" });
	const failure = el("div", { class: "llm-notice", role: "alert", data: { kind: "error" } });
	const progress = el("div", { class: "llm-dialog-busy", role: "status" });
	const cancel = el("button", { type: "button", class: "llm-button", text: "Cancel" });
	const submit = el("button", { type: "submit", class: "llm-button llm-primary" });
	const buttons = el("div", { class: "llm-dialog-buttons" }, progress, cancel, submit);

	const folds = makeFolds(model);
	/** @type {PlacedField[]} */
	let fields = [];
	let arranged = ""; // how they stand on cards
	let submitted = false;
	/**
	 * What was kept and is not put in yet: a choice may be offered later.
	 *
	 * @type {Map<string, FormValue>}
	 */
	let kept = new Map();
	let starts = model.get("starts") ?? 0;
	/**
	 * When something was typed last, by the key of the field: milliseconds since 1970.
	 *
	 * @type {Map<string, number>}
	 */
	const typed = new Map();

	const shown = () => fields.filter((field) => !field.element.hidden);
	/**
	 * @param {object} options
	 * @param {boolean} options.secrets whether passwords are among them
	 * @returns {FormValues}
	 */
	const values = ({ secrets }) => {
		const kept = shown().filter((field) => secrets || field.spec.kind !== "password");
		return Object.fromEntries(kept.map((field) => [field.key, field.read()]));
	};
	/**
	 * @param {"input" | "submit" | "check"} type
	 * @param {object} options
	 * @param {boolean} options.secrets whether passwords are sent
	 */
	const send = (type, { secrets }) =>
		model.send({ type, at: Date.now(), values: values({ secrets }) });
	const live = debounce(LIVE_PAUSE_MS, () => {
		if (isOpen()) send("input", { secrets: false });
	});

	/**
	 * Build one field, with what an older one of the same key held.
	 *
	 * @param {FieldSpec} spec
	 * @param {FormValue | undefined} before
	 * @returns {PlacedField}
	 */
	function place(spec, before) {
		const field = buildField(spec);
		field.write(defaultOf(spec));
		const untouched = holds(field);
		if (before !== undefined && takes(spec, before)) field.write(before);
		return { ...field, untouched, drawRestore: addRestore(field) };
	}

	/**
	 * Build the fields.
	 *
	 * @param {boolean} keep whether what was typed and the focus are carried over
	 */
	function buildFields(keep) {
		if (!keep) typed.clear();
		const before = keep ? fields : [];
		const known = new Map(before.map((field) => [field.key, field]));
		fields = model.get("fields").map((spec) => {
			const same = known.get(spec.key);
			if (same && JSON.stringify(same.spec) === JSON.stringify(spec)) return same;
			if (same?.advise && isOne(same.spec, spec)) {
				// In place: a new one would end what is being composed there, and what can be undone.
				same.advise(spec);
				return { ...same, spec };
			}
			return place(spec, same && carried(same));
		});
		show(before);
		showAndHide();
		drawErrors();
		drawHints();
		putIn();
	}

	/**
	 * Show the fields in the place of others. One that stays as it is is not moved: a list that is
	 * open, or what is being composed there, would be lost.
	 *
	 * @param {PlacedField[]} before
	 */
	function show(before) {
		const focused = before.find(({ element }) => element.contains(document.activeElement));
		const giveFocus = focused && heldFocus(focused.element);
		const places = fields.map(({ spec }) => [spec.key, spec.group, spec.is_advanced]);
		const planned = JSON.stringify([places, Object.keys(folds.summaries())]);
		if (planned === arranged && before.length) {
			for (const [index, { element }] of fields.entries()) {
				const old = before[index]?.element;
				if (old !== element) old?.replaceWith(element);
			}
		} else {
			fieldBox.replaceChildren(
				...(cards ? grouped(fields, folds) : fields.map((field) => field.element)),
			);
		}
		arranged = planned;
		const after = fields.find(({ key }) => key === focused?.key);
		if (after && !after.element.contains(document.activeElement)) giveFocus?.(after.element);
	}

	/** @type {(field: PlacedField, value: FormValue) => boolean} */
	const mayKeep = (field, value) => canBeKept(field, value, model.get("secret") ?? "");

	/** Put in what was kept where nothing was typed since, as if it were typed now. */
	function putIn() {
		let changes = false;
		for (const field of fields) {
			const value = kept.get(field.key);
			if (value === undefined || !takes(field.spec, value)) continue;
			if (Array.isArray(value) !== Array.isArray(field.read())) continue; // of another version
			kept.delete(field.key);
			if (holds(field) !== field.untouched || !mayKeep(field, value)) continue;
			field.write(value);
			field.drawRestore();
			typed.set(field.key, Date.now());
			changes ||= holds(field) !== field.untouched;
		}
		if (!changes) return;
		showAndHide();
		if (model.get("live")) live.call();
	}

	function takeUp() {
		const draft = model.get("draft") ?? "";
		kept = draft === "" ? new Map() : readDraft(draft);
		putIn();
	}

	function keep() {
		const draft = model.get("draft") ?? "";
		if (draft === "") return;
		const typed = fields.filter(
			(field) => holds(field) !== field.untouched && mayKeep(field, field.read()),
		);
		const values = typed.map((field) => [field.key, field.read()]);
		writeDraft(draft, { ...Object.fromEntries(kept), ...Object.fromEntries(values) });
	}

	/** Fields that belong to another choice are not shown, not checked and not sent. */
	function showAndHide() {
		for (const field of fields) {
			const condition = field.spec.show_when;
			const other = condition && fields.find((each) => each.key === condition[0]);
			field.element.hidden = Boolean(condition && other && other.read() !== condition[1]);
		}
	}

	function drawErrors() {
		const errors = model.get("errors");
		for (const field of fields) {
			const error = errors[field.key] ?? "";
			field.setError(error);
			if (error) reveal(field);
		}
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
		progress.replaceChildren();
		const done = model.get("done") ?? "";
		if (busy !== "") progress.append(icon("busy"), el("span", { text: busy }));
		else if (done !== "") progress.append(icon("ok"), el("span", { text: done }));
		submit.setAttribute("aria-disabled", String(busy !== ""));
		submit.form?.setAttribute("aria-busy", String(busy !== ""));
	}

	/** Show what the browser itself finds wrong; the first such field gets the focus. */
	function checkFields() {
		const problems = shown().map((field) => ({ field, problem: field.problem() }));
		for (const { field, problem } of problems) {
			field.setError(problem || (model.get("errors")[field.key] ?? ""));
		}
		const first = problems.find(({ problem }) => problem !== "");
		if (!first) return true;
		reveal(first.field);
		first.field.focus();
		return false;
	}

	/**
	 * Send what is filled in, once the browser finds nothing wrong.
	 *
	 * @param {"submit" | "check"} type
	 */
	function sendAs(type) {
		if (model.get("busy") !== "" || !checkFields()) return;
		live.cancel();
		submitted = true;
		send(type, { secrets: true });
	}

	/** @param {SubmitEvent} event */
	function onSubmit(event) {
		event.preventDefault();
		sendAs("submit");
	}

	/** @param {Event} event */
	function onInput(event) {
		const { target } = event;
		const field = fields.find(({ element }) => target instanceof Node && element.contains(target));
		if (field) typed.set(field.key, Date.now());
		field?.drawRestore();
		field?.setError("");
		field?.setHint("");
		showAndHide();
		keep();
		if (model.get("live")) live.call();
	}

	function onErrors() {
		drawErrors();
		const errors = model.get("errors");
		const wrong = shown().find((field) => errors[field.key]);
		// Only an answer to a submit moves the focus; one that comes while typing must not.
		if (submitted && wrong) {
			wrong.focus();
			submitted = false;
		}
	}

	/**
	 * Put values into fields, as if they had been typed; Python knows of them already.
	 *
	 * What was typed since the last message that Python had taken stays, and Python is told.
	 *
	 * @param {FormValues} given
	 * @param {number} known when that message was sent
	 */
	function fill(given, known) {
		const isLive = model.get("live");
		for (const field of fields) {
			const value = given[field.key];
			if (value === undefined) continue;
			if (isLive && (typed.get(field.key) ?? 0) > known) {
				live.call();
				continue;
			}
			field.write(value);
			field.drawRestore();
			field.setError("");
		}
		showAndHide();
		keep();
	}

	const drawSubmit = () => {
		const label = model.get("submit_label");
		setText(submit, label);
		submit.hidden = label === "";
	};

	cancel.addEventListener("click", cancelled);
	model.on("change:fields change:starts", () => {
		const isNew = starts !== (model.get("starts") ?? 0);
		starts = model.get("starts") ?? 0;
		buildFields(!isNew && isOpen());
	});
	model.on("change:draft", takeUp);
	model.on("change:errors change:error", onErrors);
	model.on("change:hints", drawHints);
	model.on("change:busy change:done", drawBusy);
	model.on("change:submit_label", drawSubmit);
	model.on("msg:custom", (message) => {
		if (message.type === "fill") fill(message.values, message.known);
		if (message.type === "forget") kept = new Map();
	});
	drawSubmit();

	return {
		fieldBox,
		failure,
		buttons,
		cancel,
		submit,
		shown,
		sendAs,
		buildFields,
		drawBusy,
		/** @param {HTMLFormElement} form */
		listen(form) {
			form.addEventListener("submit", onSubmit);
			form.addEventListener("input", onInput);
			buildFields(false);
			takeUp();
			drawBusy();
		},
		stopLive: () => live.cancel(),
	};
}
