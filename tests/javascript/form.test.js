import assert from "node:assert/strict";
import { mock, test } from "node:test";
import dialog from "../../llm_widgets/widgets/static/dialog.js";
import form from "../../llm_widgets/widgets/static/form.js";
import { find, show, texts, type, Widget } from "./browser.js";

/** @import { DialogTraits, FieldSpec, FormBaseReceived, FormBaseSent, FormTraits } from "../../llm_widgets/widgets/static/types.js" */

/**
 * @param {string} key
 * @param {Partial<FieldSpec>} [more]
 * @returns {FieldSpec}
 */
const field = (key, more) => ({
	...{ key, label: key, kind: /** @type {const} */ ("text"), help: "", required: false },
	...{ value: null, options: [], suggestions: [], pattern: "", pattern_help: "" },
	...{ placeholder: "", max_length: 0, minimum: null, maximum: null, step: null, group: "" },
	...{
		show_when: null,
		default: null,
		is_long: false,
		is_advanced: false,
		columns: [],
		add_label: "",
	},
	...more,
});

/** @param {string[]} values */
const options = (...values) => values.map((value) => ({ value, label: value, description: "" }));

/**
 * @param {FieldSpec[]} fields
 * @param {Partial<FormTraits>} [more]
 */
function shown(fields, more) {
	/** @type {Widget<FormTraits, FormBaseSent, FormBaseReceived>} */
	const widget = new Widget({
		fields,
		...{ submit_label: "Send", live: false, busy: "", errors: {}, error: "", hints: {} },
		...{
			label: "Deploy",
			cancel_label: "Cancel",
			check_label: "Check",
			folded: {},
			advanced: "",
			done: "",
		},
		...{ draft: "", starts: 0, secret: "" },
		...more,
	});
	const { el, close } = show(form, widget);
	const element = find(el, "form", HTMLElement);
	return {
		widget,
		el,
		close,
		input: (/** @type {string} */ key) =>
			/** @type {HTMLInputElement} */ (find(el, `[name="${key}"]`)),
		submit: () => element.dispatchEvent(new Event("submit", { cancelable: true })),
	};
}

/**
 * What was sent, but for when.
 *
 * @param {{ sent: FormBaseSent[] }} widget
 */
const sent = (widget) =>
	widget.sent.map((each) => ("values" in each ? { type: each.type, values: each.values } : each));

/**
 * When values were sent.
 *
 * @param {{ sent: FormBaseSent[] }} widget
 */
const times = (widget) => widget.sent.flatMap((each) => ("at" in each ? [each.at] : []));

test("values leave once, stripped, of the fields that are shown", () => {
	const { widget, input, submit } = shown([
		field("name"),
		field("secret", { kind: "password" }),
		field("count", { kind: "number", value: 3 }),
		field("empty", { kind: "number" }),
		field("public", { kind: "checkbox", value: true }),
		field("source", { kind: "select", options: options("hub", "disk"), value: "disk" }),
		field("path", { show_when: ["source", "disk"], value: "/a" }),
		field("repo", { show_when: ["source", "hub"], value: "b" }),
	]);
	type(input("name"), "  my model ");
	type(input("secret"), " s ");
	submit();
	assert.deepEqual(sent(widget), [
		{
			type: "submit",
			values: {
				...{ name: "my model", secret: " s ", count: 3, empty: null },
				...{ public: true, source: "disk", path: "/a" },
			},
		},
	]);
});

test("a field comes and goes with the choice that it belongs to", () => {
	const { input, widget, submit } = shown([
		field("source", { kind: "select", options: options("hub", "disk") }),
		field("path", { show_when: ["source", "disk"], required: true }),
	]);
	const box = input("path").closest(".llm-field");
	assert.equal(/** @type {HTMLElement} */ (box).hidden, true);
	submit();
	assert.deepEqual(sent(widget), [{ type: "submit", values: { source: "hub" } }]);
	type(input("source"), "disk");
	assert.equal(/** @type {HTMLElement} */ (box).hidden, false);
});

test("the first field that the browser refuses gets the focus, and nothing is sent", () => {
	const { widget, el, input, submit } = shown([
		field("name", { label: "Name", required: true }),
		field("count", { label: "Count", kind: "number", minimum: 2, maximum: 9, value: 1 }),
	]);
	submit();
	assert.deepEqual(widget.sent, []);
	assert.deepEqual(texts(el, ".llm-field .llm-error"), [
		...["Name is required.", "Count must be at least 2."],
	]);
	assert.equal(document.activeElement, input("name"));
	assert.equal(input("name").getAttribute("aria-invalid"), "true");
	type(input("name"), "x");
	assert.equal(input("name").getAttribute("aria-invalid"), "false");
});

test("new fields take over what was typed, and not what was only offered", () => {
	const { widget, input } = shown([field("name", { value: "old" }), field("region")]);
	type(input("region"), "europe-west1");
	input("region").focus();
	widget.update({ fields: [field("name", { value: "new" }), field("region"), field("gpu")] });
	assert.equal(input("name").value, "new");
	assert.equal(input("region").value, "europe-west1");
	assert.equal(document.activeElement, input("region"));
});

test("new fields leave those alone that are as before, and what is selected in the others", () => {
	const { widget, input } = shown([
		field("model", { group: "Model" }),
		field("name", { group: "Bucket" }),
		field("bucket", { kind: "select", group: "Bucket", options: options("new") }),
	]);
	type(input("model"), "acme/small");
	const [model, name] = [input("model"), input("name")];
	model.focus();
	model.setSelectionRange(0, 4);
	widget.update({
		fields: [
			field("model", { group: "Model", max_length: 500 }),
			field("name", { group: "Bucket" }),
			field("bucket", { kind: "select", group: "Bucket", options: options("new", "old") }),
		],
	});
	assert.equal(input("name"), name);
	assert.notEqual(input("model"), model);
	assert.equal(document.activeElement, input("model"));
	assert.deepEqual([input("model").selectionStart, input("model").selectionEnd], [0, 4]);
	assert.equal(input("bucket").children.length, 2);
	assert.equal(input("bucket").closest("section"), name.closest("section"));

	widget.update({ fields: [field("model", { group: "Other" }), field("first"), field("name")] });
	assert.equal(input("model").value, "acme/small");
	assert.equal(document.activeElement, input("model"));
	assert.deepEqual([input("model").selectionStart, input("model").selectionEnd], [0, 4]);
});

test("help and suggestions that come later leave the control in its place", () => {
	const suggestions = options("acme/small", "acme/large");
	const { widget, el, input } = shown([field("model"), field("name", { suggestions })]);
	type(input("model"), "acme/");
	const [model, name] = [input("model"), input("name")];
	widget.update({
		fields: [field("model", { help: "For example acme/small.", suggestions }), field("name")],
	});
	assert.equal(input("model"), model);
	assert.equal(input("name"), name);
	assert.equal(model.value, "acme/");
	const list = find(el, `[id="${model.getAttribute("list")}"]`, HTMLElement);
	assert.equal(list.children.length, 2);
	assert.equal(name.getAttribute("list"), null);
	const help = find(el, ".llm-help", HTMLElement);
	assert.deepEqual([help.textContent, help.hidden], ["For example acme/small.", false]);

	widget.update({ fields: [field("model", { value: "acme/large" }), field("name")] });
	assert.notEqual(input("model"), model);
	assert.equal(input("model").value, "acme/");
});

test("a time is asked for with the clock of the browser, which is named, and sent in UTC", () => {
	const zone = process.env.TZ;
	process.env.TZ = "Asia/Kolkata"; // 5 hours and a half before UTC, all year
	try {
		const value = "2026-12-24T18:00:00+00:00";
		const { widget, el, input, submit } = shown([field("time", { kind: "datetime", value })]);
		assert.equal(input("time").type, "datetime-local");
		assert.equal(input("time").value, "2026-12-24T23:30");
		assert.match(find(el, "label", HTMLElement).textContent, /Asia\/(Kolkata|Calcutta)/);
		type(input("time"), "2026-12-25T00:15");
		submit();
		type(input("time"), "");
		submit();
		assert.deepEqual(
			sent(widget).map((each) => ("values" in each ? each.values : {})),
			[{ time: "2026-12-24T18:45:00.000Z" }, { time: "" }],
		);
	} finally {
		if (zone === undefined) delete process.env.TZ;
		else process.env.TZ = zone;
	}
});

test("a choice that is no longer offered falls back to the first", () => {
	const gpus = (/** @type {string[]} */ ...names) => [
		field("gpu", { kind: "select", options: options(...names) }),
	];
	const { widget, input } = shown(gpus("l4", "h100"));
	type(input("gpu"), "h100");
	widget.update({ fields: gpus("l4", "h100", "b200") });
	assert.equal(input("gpu").value, "h100");
	widget.update({ fields: gpus("l4") });
	assert.equal(input("gpu").value, "l4");
});

test("an answer moves the focus only after a submit", () => {
	const { widget, input, submit } = shown([field("a"), field("b")]);
	input("a").focus();
	widget.update({ errors: { b: "taken" } });
	assert.equal(document.activeElement, input("a"));
	submit();
	widget.update({ errors: { b: "still taken" } });
	assert.equal(document.activeElement, input("b"));
});

test("a busy form is not sent again", () => {
	const { widget, el, submit } = shown([field("a")]);
	widget.update({ busy: "Working…" });
	submit();
	assert.deepEqual(widget.sent, []);
	assert.deepEqual(texts(el, ".llm-dialog-busy"), ["Working…"]);
	widget.update({ busy: "", done: "Valid." });
	assert.deepEqual(texts(el, ".llm-dialog-busy"), ["Valid."]);
});

test("live values leave after a pause, without passwords, and not after the form is gone", () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	const { widget, input, close } = shown([field("a"), field("p", { kind: "password" })], {
		live: true,
	});
	type(input("p"), "secret");
	type(input("a"), "x");
	mock.timers.tick(299);
	assert.deepEqual(widget.sent, []);
	mock.timers.tick(1);
	assert.deepEqual(sent(widget), [{ type: "input", values: { a: "x" } }]);
	type(input("a"), "xy");
	close();
	mock.timers.tick(1000);
	assert.equal(widget.sent.length, 1);
	mock.timers.reset();
});

test("what steers or is too long is shown as such, and is sent as it came", () => {
	const [turned, long, path] = ["--a=\u202ecod", "x".repeat(20_000), "/gcs\u0000\u2066/a"];
	const { el, input, widget, submit } = shown([
		field("args", { kind: "rows", value: ["--plain\n\ttwo", turned] }),
		field("env", { kind: "pairs", value: [["A", long]] }),
		field("mount_path", { value: path }),
	]);
	const boxes = [...el.querySelectorAll("textarea")];
	assert.deepEqual(
		boxes.map((box) => box.readOnly),
		[false, true, false, true],
	);
	assert.equal(boxes[1]?.value, "--a=\\u202ecod");
	assert.ok((boxes[3]?.value.length ?? 0) < 10_100);
	assert.equal(input("mount_path").value, "/gcs\\x00\\u2066/a");
	submit();
	assert.deepEqual(sent(widget)[0], {
		type: "submit",
		values: { args: ["--plain\n\ttwo", turned], env: [["A", long]], mount_path: path },
	});
	type(input("mount_path"), " /b ");
	submit();
	assert.match(JSON.stringify(widget.sent.at(-1)), /"mount_path":"\/b"/);
});

test("rows keep what they hold to the letter; a new one that is empty does not count", () => {
	const { widget, el, submit } = shown([
		field("args", { kind: "rows", value: ["--a=b c", ""] }),
		field("env", { kind: "pairs", value: [["KEY", "a\r\nb"]] }),
	]);
	find(el, "fieldset > div > button", HTMLElement).click();
	submit();
	assert.deepEqual(sent(widget), [
		{ type: "submit", values: { args: ["--a=b c", ""], env: [["KEY", "a\r\nb"]] } },
	]);
	find(el, ".llm-rows-row button", HTMLElement).click();
	submit();
	assert.deepEqual(sent(widget)[1], {
		type: "submit",
		values: { args: [""], env: [["KEY", "a\r\nb"]] },
	});
});

test("the default comes back, and its button is there only meanwhile", () => {
	const { el, input } = shown([field("cpu", { value: "4", default: "8" })]);
	const button = find(el, ".llm-restore", HTMLElement);
	assert.equal(button.hidden, false);
	button.click();
	assert.equal(input("cpu").value, "8");
	assert.equal(button.hidden, true);
	assert.equal(document.activeElement, input("cpu"));
	type(input("cpu"), "2");
	assert.equal(button.hidden, false);
});

test("Python fills fields in without asking for an answer, and starts the form over", () => {
	const { widget, input } = shown([field("a", { value: "offered" }), field("b")], { live: true });
	widget.deliver({ type: "fill", known: 0, values: { b: "filled" } });
	assert.equal(input("b").value, "filled");
	assert.equal(input("a").value, "offered");
	type(input("b"), "typed");
	widget.update({ fields: [field("a", { value: "new" }), field("b")], starts: 1 });
	assert.deepEqual([input("a").value, input("b").value], ["new", ""]);
	type(input("b"), "typed");
	widget.update({ fields: [field("a"), field("b")] });
	assert.equal(input("b").value, "typed");
	widget.update({ starts: 2 });
	assert.equal(input("b").value, "");
	assert.deepEqual(widget.sent, []);
});

test("what was typed meanwhile is not filled in, and Python is told", () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	const { widget, input } = shown([field("name", { value: "offered" }), field("gpu")], {
		live: true,
	});
	type(input("name"), "mine");
	widget.deliver({ type: "fill", known: 0, values: { name: "better", gpu: "l4" } });
	assert.deepEqual([input("name").value, input("gpu").value], ["mine", "l4"]);
	mock.timers.tick(300);
	const told = { name: "mine", gpu: "l4" };
	assert.deepEqual(sent(widget), [{ type: "input", values: told }]);
	// On its way while the next one comes, and known by the one after.
	widget.deliver({ type: "fill", known: 0, values: { name: "better" } });
	assert.equal(input("name").value, "mine");
	mock.timers.tick(300);
	assert.deepEqual(sent(widget)[1], { type: "input", values: told });
	widget.deliver({ type: "fill", known: times(widget)[0] ?? 0, values: { name: "followed" } });
	assert.equal(input("name").value, "followed");
	mock.timers.tick(300);
	assert.equal(widget.sent.length, 2);
	mock.timers.reset();
});

test("a field that is filled in loses what was wrong with it, and is kept as if it were typed", () => {
	const { widget, el, input, submit } = shown([field("a", { required: true }), field("b")], {
		draft: "import",
	});
	submit();
	assert.deepEqual(texts(el, ".llm-error").filter(Boolean), ["a is required."]);
	widget.deliver({ type: "fill", known: 0, values: { a: "filled" } });
	assert.deepEqual(texts(el, ".llm-error").filter(Boolean), []);
	assert.equal(input("a").value, "filled");
	assert.equal(sessionStorage.getItem("llm-widgets.draft.import"), '{"a":"filled"}');
	widget.deliver({ type: "forget" });
});

test("an error unfolds the card that its field stands on", () => {
	const { widget, el } = shown([field("a", { group: "Main" }), field("b", { group: "More" })], {
		folded: { More: "nothing changed" },
	});
	const fold = /** @type {HTMLDetailsElement} */ (find(el, "details"));
	assert.deepEqual(texts(el, "details summary .llm-note"), ["nothing changed"]);
	assert.equal(fold.open, false);
	widget.update({ errors: { b: "wrong" } });
	assert.equal(fold.open, true);
	widget.update({ folded: { More: "one changed" } });
	assert.deepEqual(texts(el, "details summary .llm-note"), ["one changed"]);
});

test("what is advanced stands behind a line that says what it holds, and an error unfolds it", () => {
	const advanced = { is_advanced: true };
	const { widget, el } = shown(
		[
			field("b", { group: "More", ...advanced }),
			field("a", { group: "Main" }),
			field("c", { group: "Rare", ...advanced }),
		],
		{ advanced: "More, Rare", folded: { Rare: "as it was" } },
	);
	assert.deepEqual(texts(el, "h2"), ["Main", "Advanced"]);
	assert.deepEqual(texts(el, ".llm-advanced h3"), ["More", "Rare"]);
	assert.deepEqual(texts(el, "summary .llm-note"), ["More, Rare", "as it was"]);
	const folds = /** @type {HTMLDetailsElement[]} */ ([...el.querySelectorAll("details")]);
	widget.update({ errors: { b: "wrong" }, advanced: "Changed: b" });
	assert.deepEqual(
		folds.map((fold) => fold.open),
		[true, false],
	);
	assert.deepEqual(texts(el, "summary .llm-note"), ["Changed: b", "as it was"]);
	widget.update({ errors: { c: "wrong" } });
	assert.deepEqual(
		folds.map((fold) => fold.open),
		[true, true],
	);
});

/** @param {Partial<DialogTraits>} [more] */
function opened(more) {
	/** @type {Widget<DialogTraits, FormBaseSent, FormBaseReceived>} */
	const widget = new Widget({
		fields: [field("name")],
		...{ submit_label: "Create", live: false, busy: "", errors: {}, error: "", hints: {} },
		...{ title: "Create", text: "", changes: [], command: "", danger: false, wide: false },
		...{ shown: false },
		...more,
	});
	const opener = document.createElement("button");
	document.body.append(opener);
	opener.focus();
	const { close } = show(dialog, widget);
	const box = /** @type {HTMLDialogElement} */ ([...document.querySelectorAll("dialog")].at(-1));
	return { widget, opener, box, close };
}

test("a dialog takes the focus and gives it back; what was typed is forgotten", () => {
	const { widget, opener, box, close } = opened();
	assert.equal(box.open, false);
	widget.update({ shown: true });
	const input = () => find(box, "input", HTMLElement);
	assert.equal(box.open, true);
	assert.equal(document.activeElement, input());
	type(/** @type {HTMLInputElement} */ (input()), "typed");
	box.dispatchEvent(new Event("cancel", { cancelable: true }));
	assert.equal(box.open, false);
	assert.equal(widget.traits.shown, false);
	assert.deepEqual(widget.sent, [{ type: "cancel" }]);
	assert.equal(document.activeElement, opener);
	assert.equal(/** @type {HTMLInputElement} */ (input()).value, "");
	close();
	assert.equal(box.isConnected, false);
});

test("a dialog that takes something away offers to leave first", () => {
	const { widget, box, close } = opened({ danger: true, fields: [] });
	widget.update({ shown: true });
	assert.equal(document.activeElement?.textContent, "Cancel");
	assert.ok(find(box, 'button[type="submit"]').classList.contains("llm-danger"));
	widget.update({ shown: false });
	assert.equal(box.open, false);
	close();
});

test("what was typed is put in again after a reload, but no secret, until it is forgotten", () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	sessionStorage.clear();
	const fields = [
		field("name", { value: "chat" }),
		field("token", { kind: "password" }),
		field("env", { kind: "pairs", value: [["HF_TOKEN", "secret"]], columns: ["Name", "Value"] }),
		field("size", { kind: "number", value: 3 }),
	];
	const before = shown(fields, { draft: "deploy b m", live: true });
	type(before.input("name"), "talk");
	type(before.input("token"), "hf_secret");
	before.close();
	assert.deepEqual([...Object.values(sessionStorage)].join().includes("secret"), false);

	const after = shown(fields, { draft: "", live: true });
	assert.equal(after.input("name").value, "chat");
	after.widget.update({ draft: "deploy b m" });
	assert.equal(after.input("name").value, "talk");
	assert.equal(after.input("size").value, "3");
	assert.equal(after.input("token").value, "");
	mock.timers.tick(300);
	const [told] = after.widget.sent;
	assert.ok(told?.type === "input" && told.values.name === "talk");
	after.widget.update({ draft: "deploy b other", starts: 1 });
	assert.equal(after.input("name").value, "chat");

	after.widget.update({ draft: "deploy b m" });
	after.widget.deliver({ type: "forget" });
	after.close();
	const last = shown(fields, { draft: "deploy b m" });
	assert.equal(last.input("name").value, "chat");
	last.close();
	mock.timers.reset();
});

test("words that hold or name a secret are not kept, nor put in where they were", () => {
	sessionStorage.clear();
	const fields = [
		field("name", { value: "chat" }),
		field("args", { kind: "rows", value: ["--port=1"], columns: ["Argument"] }),
	];
	const draft = "deploy b m";
	const kept = () => JSON.parse(sessionStorage.getItem(`llm-widgets.draft.${draft}`) ?? "{}");
	const { el, input, close } = shown(fields, { draft, secret: "api-key|token=" });
	const argument = () => find(el, '[aria-label="args: Argument 1"]', HTMLTextAreaElement);
	type(argument(), "--port=2");
	assert.deepEqual(kept(), { args: ["--port=2"] });
	type(input("name"), "talk");
	type(argument(), "--API-KEY=7");
	assert.deepEqual(kept(), { name: "talk" });
	close();

	sessionStorage.setItem(`llm-widgets.draft.${draft}`, JSON.stringify({ args: ["--api-key"] }));
	const later = shown(fields, { draft, secret: "api-key" });
	assert.equal(
		find(later.el, '[aria-label="args: Argument 1"]', HTMLTextAreaElement).value,
		"--port=1",
	);
	// Without knowing what a secret is none of them is kept.
	later.widget.update({ secret: "" });
	type(later.input("name"), "talk");
	type(find(later.el, '[aria-label="args: Argument 1"]', HTMLTextAreaElement), "--port=3");
	assert.deepEqual(kept(), { name: "talk" });
	later.close();
	sessionStorage.clear();
});

test("what was kept is forgotten also while the form is not shown", () => {
	const name = "llm-widgets.draft.deploy b m";
	sessionStorage.setItem(name, JSON.stringify({ name: "talk" }));
	/** @type {Widget<{draft: string}, FormBaseSent, FormBaseReceived>} */
	const widget = new Widget({ draft: "deploy b m" });
	form.initialize(/** @type {never} */ ({ model: widget.model }));
	widget.deliver({ type: "forget" });
	assert.equal(sessionStorage.getItem(name), null);
});

test("a choice that was kept is made once it is offered", () => {
	sessionStorage.setItem("llm-widgets.draft.import", JSON.stringify({ bucket: "b", gone: "x" }));
	const choice = (/** @type {string[]} */ ...names) =>
		field("bucket", { kind: "select", options: options(...names) });
	const { widget, input, close } = shown([choice("a")], { draft: "import" });
	assert.equal(input("bucket").value, "a");
	widget.update({ fields: [choice("a", "b")] });
	assert.equal(input("bucket").value, "b");
	close();
	sessionStorage.clear();
});
