import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { loadReader, markdownPane } from "../../llm_widgets/widgets/static/markdown.js";
import { find, texts } from "./browser.js";

const early = markdownPane();
early.show("one *two*");
const atFirst = early.element.innerHTML;
await loadReader();

test("what is there before marked is plain text until then", () => {
	assert.equal(atFirst, "one *two*");
	assert.equal(early.element.innerHTML, "<p>one <em>two</em></p>");
});

/** @param {string} text */
function drawn(text) {
	const pane = markdownPane();
	pane.show(text);
	return pane.element;
}

/** What Markdown and its boxes are made of; with these names nothing can be run or loaded. */
const HARMLESS = new Set(
	[
		...["P", "H3", "H4", "H5", "H6", "UL", "OL", "LI", "BLOCKQUOTE", "PRE", "CODE", "HR", "BR"],
		...["STRONG", "EM", "DEL", "A", "SPAN", "DIV", "BUTTON", "TABLE", "THEAD", "TBODY", "TR"],
		...["TH", "TD", "SVG", "PATH"],
	].map((name) => name.toLowerCase()),
);
const ATTRIBUTES = new Set([
	...["class", "role", "tabindex", "aria-label", "aria-hidden", "title", "type", "start"],
	...["href", "target", "rel", "viewBox", "d"],
]);

const PAYLOADS = [
	"<script>window.owned = 1</script>",
	"<img src=x onerror=window.owned=1>",
	"text <img src=x onerror=window.owned=1> text",
	"<svg onload=window.owned=1><circle/></svg>",
	"<iframe src='javascript:window.owned=1'></iframe>",
	"<a href='javascript:window.owned=1'>here</a>",
	"<style>@import 'https://elsewhere.example/x.css';</style>",
	"<form action=https://elsewhere.example><input name=a autofocus onfocus=window.owned=1></form>",
	"<details open ontoggle=window.owned=1>",
	"<!-- --><math><mtext><img src=x onerror=window.owned=1></math>",
	"[here](javascript:window.owned=1)",
	"[here](JaVaScRiPt:window.owned=1 'title')",
	"[here](java\tscript:window.owned=1)",
	"[here](javascript&#58;window.owned=1)",
	"[here](&#x6A;avascript&colon;window.owned=1)",
	"[here](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
	"[here](vbscript:x) <javascript:window.owned=1> [here](//elsewhere.example) [here](file:///etc)",
	"[here][1]\n\n[1]: javascript:window.owned=1",
	"![x](https://elsewhere.example/pixel.png) ![y](data:image/svg+xml,<svg/onload=window.owned=1>)",
	'![x" onerror="window.owned=1](x"onerror="window.owned=1)',
	'[x](https://a.example/"onmouseover="window.owned=1)',
	"```html\n<img src=x onerror=window.owned=1>\n```",
	'```"onmouseover="window.owned=1\ncode\n```',
	"`<img src=x onerror=window.owned=1>`",
	"| <img src=x onerror=window.owned=1> |\n|---|\n| [x](javascript:window.owned=1) |",
	"- [ ] <img src=x onerror=window.owned=1>\n- [x] [x](javascript:window.owned=1)",
	"> <b onclick=window.owned=1>\n>\n> # <img src=x onerror=window.owned=1>",
	"&lt;img src=x onerror=window.owned=1&gt;",
	"<a@javascript:window.owned=1> <mailto:a@b.example> me@b.example",
	"**<img src=x onerror=window.owned=1**>\\<img src=x\\>",
];

for (const [number, payload] of PAYLOADS.entries()) {
	test(`nothing is run or loaded: payload ${number + 1}`, () => {
		const el = drawn(payload);
		document.body.append(el);
		for (const each of el.querySelectorAll("*")) {
			assert.ok(HARMLESS.has(each.tagName.toLowerCase()), each.tagName);
			for (const { name } of each.attributes) assert.ok(ATTRIBUTES.has(name), name);
		}
		for (const link of el.querySelectorAll("a")) {
			assert.match(link.getAttribute("href") ?? "", /^https?:\/\/[^"<>]+$/);
			assert.equal(link.rel, "noopener noreferrer");
			assert.equal(link.target, "_blank");
		}
		assert.equal(Reflect.get(window, "owned"), undefined);
		el.remove();
	});
}

test("tags are shown as they are written", () => {
	assert.equal(drawn("<b>x</b> & <i>").textContent, "<b>x</b> & <i>");
	assert.equal(drawn("<div>\n**x**\n</div>").querySelector("strong")?.textContent, "x");
});

const ANSWER = [
	"# One\n\nA **b** *c* ~~d~~ `e` line\nand another.",
	"1. first\n2. second\n   - inner",
	"> quoted",
	"| a | b |\n|---|---|\n| 1 | 2 |",
	"- [x] done\n- [ ] open",
	"---",
	"```python\nprint(1 < 2)\n```",
].join("\n\n");

test("what models write is drawn", () => {
	const el = drawn(ANSWER);
	assert.deepEqual(texts(el, "h3"), ["One"]);
	assert.deepEqual(texts(el, "strong, em, del, p > code"), ["b", "c", "d", "e"]);
	assert.equal(el.querySelectorAll("p > br").length, 1);
	assert.deepEqual(texts(el, "ol > li > ul > li"), ["inner"]);
	assert.deepEqual(texts(el, "blockquote"), ["quoted"]);
	assert.deepEqual(texts(el, "th, td"), ["a", "b", "1", "2"]);
	assert.deepEqual(texts(el, ".llm-answer-table + ul > li"), ["☑ done", "☐ open"]);
	assert.equal(el.querySelectorAll("hr").length, 1);
	assert.equal(find(el, "pre", HTMLElement).textContent, "print(1 < 2)");
	assert.equal(find(el, "pre", HTMLElement).getAttribute("aria-label"), "Code (python)");
	assert.equal(find(el, "button", HTMLElement).getAttribute("aria-label"), "Copy: Code (python)");
});

test("links to the web open in a new tab, pictures are links to them", () => {
	const el = drawn("[a](https://a.example/?b=1&amp;c=2) https://b.example ![c](http://c.example/)");
	assert.deepEqual(
		[...el.querySelectorAll("a")].map((link) => link.getAttribute("href")),
		["https://a.example/?b=1&c=2", "https://b.example/", "http://c.example/"],
	);
	assert.equal(el.querySelector("img"), null);
	assert.match(el.textContent ?? "", /Image: c/);
});

test("entities are read where models write them, and no others", () => {
	assert.equal(
		drawn("1 &lt; 2 &amp; 3 &#8364; &#x20AC; &copy;").textContent,
		"1 < 2 & 3 € € &copy;",
	);
});

test("an answer that grows keeps the elements of what stays", () => {
	const pane = markdownPane();
	pane.show("# One\n\nfirst\n\nsec");
	const [heading, first] = pane.element.children;
	pane.show("# One\n\nfirst\n\nsecond **bo");
	assert.equal(pane.element.children[0], heading);
	assert.equal(pane.element.children[1], first);
	assert.equal(pane.element.children[2]?.textContent, "second **bo");
	pane.show("# One\n\nfirst");
	assert.equal(pane.element.children.length, 2);
	pane.show("");
	assert.equal(pane.element.textContent, "");
});

test("an answer that came in pieces is the same as one that came whole", () => {
	for (const answer of [
		ANSWER,
		`${ANSWER}\r\n\r\n1. a\n\n   b\n\n2. c\n\n[x]\n\n[x]: https://x.example`,
	]) {
		for (const size of [1, 7]) {
			const pane = markdownPane();
			for (let end = 1; end < answer.length + size; end += size) pane.show(answer.slice(0, end));
			assert.equal(pane.element.innerHTML, drawn(answer).innerHTML);
		}
	}
});

test("a link gets the address that comes after it", () => {
	const pane = markdownPane();
	pane.show("[a][1]\n\ntext\n\n");
	assert.equal(pane.element.querySelector("a"), null);
	pane.show("[a][1]\n\ntext\n\n[1]: https://a.example\n");
	assert.equal(find(pane.element, "a").getAttribute("href"), "https://a.example/");
});

test("what steers the reader's screen is shown as an escape", () => {
	assert.equal(drawn("a\u202eb `c\u202ed`").textContent, "a\\u202eb c\\u202ed");
});

test("what is nested too deep is shown as it is, what is too long is cut", () => {
	const deep = `${"> ".repeat(20_000)}x`;
	assert.equal(drawn(deep).textContent, deep);
	const long = "**word** ".repeat(100_000);
	const beginning = long.slice(0, 300_000);
	assert.equal(drawn(long).textContent, `${beginning}… (cut: too long to be shown)`);
});
