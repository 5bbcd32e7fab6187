import assert from "node:assert/strict";
import { mock, test } from "node:test";
import composer from "../../llm_widgets/widgets/static/composer.js";
import { loadReader } from "../../llm_widgets/widgets/static/markdown.js";
import transcript from "../../llm_widgets/widgets/static/transcript.js";
import { find, nextFrame, show, texts, type, Widget } from "./browser.js";

await loadReader();

/** @import { ChatTurn, ComposerSent, ComposerTraits, TranscriptReceived, TranscriptSent, TranscriptTraits } from "../../llm_widgets/widgets/static/types.js" */

/**
 * @param {ChatTurn["role"]} role
 * @param {string} text
 * @param {Partial<ChatTurn>} [more]
 * @returns {ChatTurn}
 */
const turn = (role, text, more) => ({
	...{ role, text, thought: "", note: "", calls: "", image: "" },
	...more,
});

/** @param {Partial<TranscriptTraits>} [more] */
async function conversation(more) {
	/** @type {Widget<TranscriptTraits, TranscriptSent, TranscriptReceived>} */
	const widget = new Widget({
		...{ label: "Conversation", placeholder: "Nothing yet.", busy: false, waiting: "", waited: 0 },
		...{ kept_as: "", secret: "hf_[a-z]{20}" },
		...more,
	});
	const shown = show(transcript, widget);
	await nextFrame();
	return { widget, ...shown, log: find(shown.el, "[role=log]", HTMLElement) };
}

function writing() {
	/** @type {Widget<ComposerTraits, ComposerSent>} */
	const widget = new Widget({
		...{ placeholder: "Ask", busy: false, thinking: true, called: 0 },
		settings: { system: "", temperature: 0.7, max_tokens: null, thinking: "", tools: "" },
	});
	const shown = show(composer, widget);
	const box = find(shown.el, "textarea.llm-prompt", HTMLTextAreaElement);
	const button = find(shown.el, ".llm-composer-line button", HTMLElement);
	/** @param {KeyboardEventInit} [more] */
	const enter = (more) => {
		const event = new KeyboardEvent("keydown", {
			...{ key: "Enter", bubbles: true, cancelable: true },
			...more,
		});
		box.dispatchEvent(event);
		return event;
	};
	return { widget, ...shown, box, button, enter };
}

test("Enter sends what is in the box, which keeps the focus", () => {
	const { widget, box, enter } = writing();
	box.focus();
	type(box, "  Hello\nyou ");
	assert.ok(enter().defaultPrevented);
	assert.deepEqual(widget.sent, [{ type: "ask", text: "Hello\nyou" }]);
	assert.equal(box.value, "");
	assert.equal(document.activeElement, box);
	widget.update({ busy: true });
	widget.update({ busy: false });
	assert.equal(document.activeElement, box);
	enter();
	assert.equal(widget.sent.length, 1); // there is nothing in it
});

test("The box gets the focus each time a person comes to write, and not before", () => {
	const { widget, box } = writing();
	assert.notEqual(document.activeElement, box);
	for (const called of [1, 2]) {
		box.blur();
		widget.update({ called });
		assert.equal(document.activeElement, box);
	}
});

test("Shift+Enter and the Enter of an input method send nothing", () => {
	const { widget, box, enter } = writing();
	type(box, "にほん");
	for (const more of [{ shiftKey: true }, { isComposing: true }, { keyCode: 229 }]) {
		assert.equal(enter(more).defaultPrevented, false);
	}
	assert.deepEqual(widget.sent, []);
	assert.equal(box.value, "にほん");
});

test("Stop stands in the place of Send while an answer comes", () => {
	const { widget, box, button, enter } = writing();
	assert.equal(button.getAttribute("aria-disabled"), "true");
	type(box, "a");
	assert.equal(button.getAttribute("aria-disabled"), "false");
	button.click();
	assert.equal(document.activeElement, box);
	widget.update({ busy: true });
	assert.equal(button.textContent, "Stop");
	type(box, "next");
	enter(); // waits for its turn
	assert.equal(box.value, "next");
	button.click();
	assert.deepEqual(widget.sent, [{ type: "ask", text: "a" }, { type: "stop" }]);
	widget.update({ busy: false });
	assert.equal(button.textContent, "Send");
	assert.equal(document.activeElement, box);
});

test("settings are set when they are valid; what is empty is the engine's", () => {
	const { widget, el, box, enter } = writing();
	const [heat, tokens] = [...el.querySelectorAll("input")];
	assert.ok(heat && tokens);
	assert.deepEqual([heat.value, tokens.value], ["0.7", ""]);
	/** @param {HTMLElement} input */
	const change = (input) => input.dispatchEvent(new Event("change", { bubbles: true }));
	type(heat, "");
	type(tokens, "64");
	type(find(el, ".llm-chat-settings textarea", HTMLTextAreaElement), " Be brief. ");
	change(tokens);
	const tools = find(el, 'textarea[placeholder*="function"]', HTMLTextAreaElement);
	const thinking = /** @type {HTMLSelectElement} */ (el.querySelector("select"));
	thinking.value = "off";
	type(tools, "[{}]");
	change(tools);
	const valid = {
		...{ system: "Be brief.", temperature: null, max_tokens: 64 },
		...{ thinking: "off", tools: "[{}]" },
	};
	assert.deepEqual(widget.traits.settings, valid);
	type(heat, "7");
	change(heat);
	assert.deepEqual(widget.traits.settings, valid);
	assert.ok(find(el, "details", HTMLElement).hasAttribute("open"));
	type(box, "Hello");
	enter();
	assert.deepEqual(widget.sent, []); // not before that is right
	type(heat, "1");
	enter();
	assert.deepEqual(widget.sent, [{ type: "ask", text: "Hello" }]);
});

test("a new chat is asked for, and the box is ready for it", () => {
	const { widget, el, box } = writing();
	const fresh = [...el.querySelectorAll("button")].find((each) => each.textContent === "New chat");
	fresh?.click();
	assert.deepEqual(widget.sent, [{ type: "fresh" }]);
	assert.equal(document.activeElement, box);
});

test("an answer grows, and only it is drawn anew", async () => {
	const { widget, el, log } = await conversation();
	assert.deepEqual(widget.sent, [{ type: "ready", turns: [] }]);
	assert.equal(find(el, ".llm-chat-empty", HTMLElement).textContent, "Nothing yet.");
	widget.deliver({
		...{ type: "turns", from: 0 },
		turns: [turn("user", "**a**"), turn("assistant", "b"), turn("user", "c")],
	});
	widget.deliver({ type: "turns", from: 3, turns: [turn("assistant", "")] });
	widget.update({ busy: true, waiting: "Starting an instance …", waited: 12 });
	await nextFrame();
	const before = [...el.querySelectorAll(".llm-turn")];
	assert.deepEqual(texts(el, ".llm-turn-text"), ["**a**", "c"]);
	assert.equal(log.getAttribute("aria-busy"), "true");
	assert.equal(find(el, ".llm-waiting", HTMLElement).textContent, "Starting an instance … 12 s");
	assert.equal(find(el, ".llm-said", HTMLElement).textContent, "Starting an instance …");
	widget.update({ waiting: "", waited: 0 });
	for (const text of ["**d", "** <i>", "!"]) widget.deliver({ type: "extend", text, thought: "" });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-answer"), ["b", "d <i>!"]);
	assert.equal(el.querySelector("i"), null);
	assert.deepEqual([...el.querySelectorAll(".llm-turn")], before);
	assert.equal(find(el, ".llm-waiting", HTMLElement).hidden, true);
});

test("the page draws once a frame, however many pieces there are", async () => {
	const { widget, el } = await conversation();
	widget.deliver({ type: "turns", from: 0, turns: [turn("assistant", "")] });
	await nextFrame();
	let changes = 0;
	const observer = new MutationObserver((records) => {
		changes += records.length;
	});
	observer.observe(find(el, ".llm-answer", HTMLElement), { childList: true });
	for (let number = 0; number < 500; number += 1) {
		widget.deliver({ type: "extend", text: "word ", thought: "" });
	}
	assert.equal(find(el, ".llm-answer", HTMLElement).textContent, "");
	await nextFrame();
	await new Promise((resolve) => setTimeout(resolve));
	assert.equal(find(el, ".llm-answer", HTMLElement).textContent, "word ".repeat(500));
	assert.ok(changes <= 2, String(changes));
});

test("thoughts are folded when the answer begins", async () => {
	const { widget, el } = await conversation();
	widget.deliver({ type: "turns", from: 0, turns: [turn("assistant", "")] });
	widget.deliver({ type: "extend", text: "", thought: "Hm, <b>" });
	await nextFrame();
	const fold = find(el, "details", HTMLElement);
	assert.equal(find(fold, ".llm-turn-thought").textContent, "Hm, <b>");
	assert.ok(fold.hasAttribute("open"));
	widget.deliver({ type: "extend", text: "So.", thought: "" });
	await nextFrame();
	assert.equal(fold.hasAttribute("open"), false);
	assert.deepEqual(texts(el, ".llm-answer"), ["So."]);
});

test("the last answer can be had again, each can be copied", async () => {
	const { widget, el, log } = await conversation();
	const turns = [turn("user", "a"), turn("assistant", "b"), turn("user", "c")];
	widget.deliver({ type: "turns", from: 0, turns });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-again"), ["Ask again"]);
	widget.deliver({ type: "turns", from: 3, turns: [turn("assistant", "d", { note: "1 token" })] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-again"), ["Regenerate"]);
	assert.deepEqual(texts(el, ".llm-turn .llm-note"), ["", "", "", "1 token"]);
	assert.equal(el.querySelectorAll("[aria-label='Copy the answer']").length, 2);
	find(el, ".llm-again", HTMLElement).click();
	assert.deepEqual(widget.sent.at(-1), { type: "regenerate" });
	assert.equal(document.activeElement, log);
	widget.update({ busy: true });
	widget.deliver({ type: "turns", from: 3, turns: [turn("assistant", "")] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-again"), []);
	widget.deliver({ type: "turns", from: 0, turns: [] });
	await nextFrame();
	assert.equal(el.querySelectorAll(".llm-turn").length, 0);
	assert.equal(find(el, ".llm-chat-empty", HTMLElement).hidden, false);
});

test("a second view shows the same", async () => {
	const { widget, component } = await conversation();
	widget.deliver({ type: "turns", from: 0, turns: [turn("assistant", "a")] });
	const el = document.createElement("div");
	component.render(/** @type {never} */ ({ model: widget.model, el }));
	widget.deliver({ type: "extend", text: "b", thought: "" });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-answer"), ["ab"]);
});

test("calls of tools and a picture are shown, and nothing is loaded from elsewhere", async () => {
	const { widget, el } = await conversation();
	const own = "data:image/png;base64,iVBORw0KGgo=";
	const turns = [
		turn("user", "What is it?", { image: own }),
		turn("assistant", "", { calls: 'look({"at": "it"})' }),
		turn("user", "And that?", { image: "https://example.com/spy.png" }),
	];
	widget.deliver({ type: "turns", from: 0, turns });
	await nextFrame();
	const pictures = [...el.querySelectorAll("img")];
	assert.deepEqual(
		pictures.map((each) => each.getAttribute("src")),
		[own, null, null],
	);
	assert.deepEqual(
		pictures.map((each) => each.hidden),
		[false, true, true],
	);
	const calls = [...el.querySelectorAll(".llm-turn-calls")];
	assert.deepEqual(
		calls.map((each) => /** @type {HTMLElement} */ (each).hidden),
		[true, false, true],
	);
	assert.ok(calls[1]?.textContent?.includes('look({"at": "it"})'));
});

test("a chat is kept over a reload, without its pictures", async () => {
	sessionStorage.clear();
	mock.timers.enable({ apis: ["setTimeout"] });
	const first = await conversation({ kept_as: "services/chat" });
	assert.deepEqual(first.widget.sent, [{ type: "ready", turns: [] }]);
	assert.deepEqual(texts(first.el, ".llm-kept"), [""]);
	const asked = turn("user", "What is it?", { image: "data:image/png;base64,iVBORw0KGgo=" });
	first.widget.deliver({ type: "turns", from: 0, turns: [asked, turn("assistant", "A ")] });
	first.widget.deliver({ type: "extend", text: "cat", thought: "" });
	mock.timers.tick(300);
	mock.timers.reset();
	await nextFrame();
	assert.deepEqual(texts(first.el, ".llm-kept"), [
		"Kept until you start a new chat or close this browser tab.",
	]);
	first.close();

	const bare = { ...asked, image: "", note: "The picture was not kept." };
	const kept = [{ type: "ready", turns: [bare, turn("assistant", "A cat")] }];
	const second = await conversation({ kept_as: "services/chat" });
	assert.deepEqual(second.widget.sent, kept);
	const other = await conversation({ kept_as: "services/other" });
	assert.deepEqual(other.widget.sent, [{ type: "ready", turns: [] }]);
	second.widget.deliver({ type: "turns", from: 0, turns: [] });
	assert.equal(sessionStorage.length, 0);
});

test("a chat with a secret, or a very long one, is not kept, and says so", async () => {
	sessionStorage.clear();
	const { widget, el } = await conversation({ kept_as: "services/chat" });
	widget.deliver({ type: "turns", from: 0, turns: [turn("user", "hello")] });
	assert.equal(sessionStorage.length, 1);
	widget.deliver({ type: "turns", from: 0, turns: [turn("user", `hf_${"a".repeat(20)}`)] });
	assert.equal(sessionStorage.length, 0);
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-kept"), [
		"A reload of the page loses this chat: it holds what looks like a secret.",
	]);
	widget.deliver({ type: "turns", from: 0, turns: [turn("user", "a".repeat(1_000_001))] });
	await nextFrame();
	assert.deepEqual(texts(el, ".llm-kept"), [
		"A reload of the page loses this chat: it is too long.",
	]);
	assert.equal(sessionStorage.length, 0);
});

test("a chat without a name is not kept", async () => {
	sessionStorage.clear();
	const { widget, el } = await conversation();
	widget.deliver({ type: "turns", from: 0, turns: [turn("user", "hello")] });
	await nextFrame();
	assert.equal(sessionStorage.length, 0);
	assert.equal(find(el, ".llm-kept", HTMLElement).hidden, true);
});
