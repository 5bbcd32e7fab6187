import "./browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { el, setText, shown } from "../../llm_widgets/widgets/static/dom.js";

const STEERING = "\u202etxt.exe\u2069 \x1b[31m\x00\x9b \u200f";
const ESCAPED = "\\u202etxt.exe\\u2069 \\x1b[31m\\x00\\x9b \\u200f";

test("what steers a terminal or turns text round is shown as an escape", () => {
	assert.equal(shown(STEERING), ESCAPED);
	for (const kept of ["a\tb\nc", "ä中", "\u{1f469}\u200d\u{1f4bb}"])
		assert.equal(shown(kept), kept);
});

test("every way of text into an element shows it so", () => {
	const node = el("p", { text: STEERING, title: STEERING });
	assert.deepEqual([node.textContent, node.title], [ESCAPED, ESCAPED]);
	assert.equal(el("p", {}, STEERING).textContent, ESCAPED);
	setText(node, STEERING);
	assert.equal(node.textContent, ESCAPED);
});

test("what a person edits stays as it is", () => {
	assert.equal(el("textarea", { value: STEERING }).value, STEERING);
});

test("a text that is too long is cut, wherever it comes into an element", () => {
	const long = "x".repeat(1_000_000);
	for (const node of [el("p", { text: long }), el("p", {}, long)]) {
		assert.ok((node.textContent?.length ?? 0) < 300_100);
		assert.match(node.textContent ?? "", /x… \(cut: too long to be shown\)$/);
	}
});
