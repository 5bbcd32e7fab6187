import assert from "node:assert/strict";
import { mock, test } from "node:test";
import checklist from "../../llm_widgets/widgets/static/checklist.js";
import files from "../../llm_widgets/widgets/static/files.js";
import guard from "../../llm_widgets/widgets/static/guard.js";
import storage from "../../llm_widgets/widgets/static/storage.js";
import stream from "../../llm_widgets/widgets/static/stream.js";
import toasts from "../../llm_widgets/widgets/static/toasts.js";
import { find, isOpen, nextFrame, show, texts, Widget } from "./browser.js";

/** @import { CheckRow, ChecklistSent, ChecklistTraits, ConnectionState, FileRow, FilesReceived, FilesSent, FilesTraits, GuardReceived, GuardSent, GuardTraits, StorageSent, StorageTraits, StreamReceived, StreamSent, StreamTraits, ToastsReceived } from "../../llm_widgets/widgets/static/types.js" */

/** What a guard has besides its heartbeat. */
const NO_CONNECTION = {
	...{ grey_ms: 3, away_ms: 10 },
	...{ away_text: "Away.", ended_text: "Ended.", signed_out_text: "Signed out." },
};

/** @param {number} [max_items] */
function log(max_items = 100) {
	/** @type {Widget<StreamTraits, StreamSent, StreamReceived>} */
	const widget = new Widget({
		...{ label: "Log", placeholder: "Nothing yet." },
		...{ height: "320px", max_items },
	});
	return { widget, ...show(stream, widget) };
}

const item = (/** @type {string} */ text) => ({ text, kind: "", label: "" });

test("a stream asks for what there is, and then grows at both ends", async () => {
	const { widget, el } = log();
	assert.deepEqual(widget.sent, [{ type: "ready" }]);
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-stream"), ["Nothing yet."]);
	widget.deliver({ type: "reset", items: [item("b<i>")] });
	widget.deliver({ type: "append", items: [item("c!")] });
	widget.deliver({ type: "prepend", items: [item("a")] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-stream-item"), ["a", "b<i>", "c!"]);
	assert.equal(el.querySelector("i"), null);
	widget.deliver({ type: "reset", items: [] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-stream"), ["Nothing yet."]);
});

test("a second view of a stream shows the same, each text once", async () => {
	const { widget, component } = log();
	widget.deliver({ type: "reset", items: [item("a")] });
	const el = document.createElement("div");
	component.render(/** @type {never} */ ({ model: widget.model, el }));
	widget.deliver({ type: "append", items: [item("b")] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-stream-item"), ["a", "b"]);
});

test("old lines go", async () => {
	const { widget, el } = log(2);
	widget.deliver({ type: "append", items: [item("a"), item("b"), item("c")] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-stream-item"), ["b", "c"]);
});

test("files are drawn as they change", () => {
	/** @type {Widget<FilesTraits, FilesSent, FilesReceived>} */
	const widget = new Widget({ label: "Files" });
	const { el } = show(files, widget);
	assert.deepEqual(widget.sent, [{ type: "ready" }]);
	const row = (/** @type {Partial<FileRow>} */ more) => ({
		...{ name: "a.bin", total: 1000, bytes: 0, state: /** @type {const} */ ("waiting"), error: "" },
		...more,
	});
	assert.equal(find(el, "ul", HTMLElement).hidden, true);
	widget.deliver({ type: "reset", files: [row({}), row({ name: "b.bin" })] });
	const line = find(el, "li");
	widget.deliver({ type: "change", files: [row({ bytes: 500, state: "active" })] });
	assert.deepEqual(texts(el, ".llm-file-words"), ["50% · 500 B of 1.0 kB", "Waiting · 1.0 kB"]);
	assert.equal(find(el, "li"), line);
	widget.deliver({ type: "change", files: [row({ state: "failed", error: "Gone." })] });
	assert.deepEqual(texts(el, ".llm-error"), ["Gone.", ""]);
	widget.deliver({ type: "reset", files: [row({ state: "done", bytes: 1000 })] });
	assert.deepEqual(texts(el, ".llm-file-words"), ["Done · 1.0 kB"]);
});

test("silence of Python is said, and its answer takes that back", () => {
	let now = 0;
	mock.timers.enable({ apis: ["setInterval"] });
	mock.method(performance, "now", () => now);
	/** @type {Widget<GuardTraits, GuardSent, GuardReceived>} */
	const widget = new Widget({ ...NO_CONNECTION, period_ms: 10, limit_ms: 35, text: "Lost." });
	const { close } = show(guard, widget);
	const pass = (/** @type {number} */ ms) => {
		now += ms;
		mock.timers.tick(ms);
	};
	const banners = () => texts(document, ".llm-guard .llm-toast-text");
	assert.deepEqual(widget.sent, [{ type: "ping" }]);
	pass(30);
	assert.deepEqual(banners(), []);
	pass(10);
	assert.deepEqual(banners(), ["Lost."]);
	assert.ok(isOpen(find(document, ".llm-guard", HTMLElement)));
	pass(10);
	assert.deepEqual(banners(), ["Lost."]);
	widget.deliver({ type: "pong" });
	assert.deepEqual(banners(), []);
	pass(30);
	assert.deepEqual(banners(), []);
	close();
	const count = widget.sent.length;
	pass(100);
	assert.equal(widget.sent.length, count);
	mock.timers.reset();
	mock.restoreAll();
});

test("a page that is cut off is greyed, says so, and takes it back when the line is there", () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	/** @type {Widget<GuardTraits, GuardSent, GuardReceived>} */
	const widget = new Widget({
		...NO_CONNECTION,
		...{ period_ms: 1_000_000, limit_ms: 35, text: "Lost." },
	});
	const { close } = show(guard, widget);
	/** @param {ConnectionState} detail */
	const tell = (detail) => document.dispatchEvent(new CustomEvent("llm-connection", { detail }));
	const banners = () => texts(document, ".llm-guard .llm-toast-text");
	const isGrey = () => document.documentElement.classList.contains("llm-away");
	tell("away");
	mock.timers.tick(2);
	tell("away"); // a try that failed begins nothing anew
	mock.timers.tick(1);
	assert.deepEqual([isGrey(), banners()], [true, []]);
	mock.timers.tick(7);
	assert.deepEqual(banners(), ["Away."]);
	tell("open");
	assert.deepEqual([isGrey(), banners()], [false, []]);
	tell("ended");
	assert.deepEqual([isGrey(), banners()], [true, ["Ended."]]);
	tell("signed-out");
	assert.deepEqual(banners(), ["Signed out."]);
	close();
	assert.deepEqual([isGrey(), banners()], [false, []]);
	mock.timers.reset();
});

test("Python is told when the page is hidden and when it is shown again", () => {
	/** @type {Widget<GuardTraits, GuardSent, GuardReceived>} */
	const widget = new Widget({
		...NO_CONNECTION,
		period_ms: 1_000_000,
		limit_ms: 35,
		text: "Lost.",
	});
	const { close } = show(guard, widget);
	/** @type {DocumentVisibilityState} */
	let state = "hidden";
	mock.getter(document, "visibilityState", () => state);
	document.dispatchEvent(new Event("visibilitychange"));
	state = "visible";
	document.dispatchEvent(new Event("visibilitychange"));
	assert.deepEqual(widget.sent, [{ type: "ping" }, { type: "hidden" }, { type: "shown" }]);
	close();
	document.dispatchEvent(new Event("visibilitychange"));
	assert.equal(widget.sent.length, 3);
	mock.restoreAll();
});

test("nothing is told to Python before the page is drawn", () => {
	for (const component of [guard, storage]) {
		const widget = new Widget({ key: "key", version: 1, period_ms: 1_000_000 });
		assert.ok(typeof component === "function");
		const { initialize, render } = component();
		const context = { model: widget.model, el: document.createElement("div") };
		const end = initialize?.(/** @type {never} */ (context));
		assert.deepEqual(widget.sent, []);
		// A second view, as a notebook may have, tells nothing again.
		for (const _ of [1, 2]) render(/** @type {never} */ (context));
		assert.equal(widget.sent.length, 1);
		if (typeof end === "function") end();
	}
});

test("what the browser keeps is read once and written when Python is ready", () => {
	localStorage.setItem("key.v2", '{"project": "p"}');
	const traits = { key: "key", version: 2, value: {}, ready: false };
	/** @type {Widget<StorageTraits, StorageSent>} */
	const widget = new Widget(traits);
	show(storage, widget);
	assert.deepEqual(widget.sent, [{ type: "saved", value: { project: "p" } }]);
	widget.update({ value: { project: "q" } });
	assert.equal(localStorage.getItem("key.v2"), '{"project": "p"}');
	widget.update({ ready: true });
	assert.equal(localStorage.getItem("key.v2"), '{"project":"q"}');
	for (const text of ["{", `"${"x".repeat(65536)}"`]) {
		localStorage.setItem("key.v2", text);
		/** @type {Widget<StorageTraits, StorageSent>} */
		const other = new Widget(traits);
		show(storage, other);
		assert.deepEqual(other.sent, [{ type: "saved", value: null }]);
	}
});

test("short messages go by themselves, errors stay", () => {
	mock.timers.enable({ apis: ["setTimeout"] });
	/** @type {Widget<Record<never, never>, never, ToastsReceived>} */
	const widget = new Widget({});
	const { close } = show(toasts, widget);
	const list = find(document, ".llm-toasts", HTMLElement);
	widget.deliver({ type: "toast", kind: "success", text: "Saved", link: ["Open", "javascript:x"] });
	widget.deliver({ type: "toast", kind: "error", text: "Failed", link: null });
	assert.deepEqual(texts(list, ".llm-toast-text"), ["Saved", "Failed"]);
	assert.equal(list.querySelector("a"), null);
	assert.ok(isOpen(list));
	mock.timers.tick(7000);
	assert.deepEqual(texts(list, ".llm-toast-text"), ["Failed"]);
	find(list, "button", HTMLElement).click();
	assert.deepEqual(texts(list, ".llm-toast-text"), []);
	close();
	assert.equal(list.isConnected, false);
	mock.timers.reset();
});

test("a check that is drawn anew keeps the focus and what is unfolded", () => {
	const row = (/** @type {Partial<CheckRow>} */ more) => ({
		...{ id: "a", title: "Billing", purpose: "", state: /** @type {const} */ ("error") },
		...{ word: "Missing", text: "", detail: "Why", advice: "", command: "", link_text: "" },
		...{ link_url: "", action_label: "Enable", busy: "", problem: "" },
		...more,
	});
	/** @type {Widget<ChecklistTraits, ChecklistSent>} */
	const widget = new Widget({
		...{ label: "Checks", summary: "1 of 2", checked_at: 0 },
		rows: [row({}), row({ id: "b", title: "API" })],
	});
	const { el, close } = show(checklist, widget);
	const items = () => [...el.querySelectorAll("li")];
	const [first, second] = items();
	find(el, "li button", HTMLElement).focus();
	/** @type {HTMLDetailsElement} */ (find(el, "li details")).open = true;
	widget.update({ rows: [row({ text: "Other" }), row({ id: "b", title: "API" })] });
	assert.notEqual(items()[0], first);
	assert.equal(items()[1], second);
	assert.equal(/** @type {HTMLDetailsElement} */ (find(el, "li details")).open, true);
	const button = find(el, "li button", HTMLElement);
	assert.equal(document.activeElement, button);
	button.click();
	assert.deepEqual(widget.sent, [{ type: "action", row: "a" }]);
	const other = row({ id: "b", title: "API" });
	widget.update({ rows: [row({ link_url: "https://console.cloud.google.com/iam" }), other] });
	assert.deepEqual(texts(el, "li a > span:first-child"), ["Open console.cloud.google.com"]);
	widget.update({ rows: [row({ link_url: "javascript:alert(1)" }), other] });
	assert.deepEqual(texts(el, "li a"), []);
	widget.update({ rows: [row({ id: "b", title: "API" })] });
	assert.deepEqual(items(), [second]);
	close();
});
