import assert from "node:assert/strict";
import { test } from "node:test";
import bars from "../../llm_widgets/widgets/static/bars.js";
import chart from "../../llm_widgets/widgets/static/chart.js";
import memory from "../../llm_widgets/widgets/static/memory.js";
import { find, show, texts, Widget } from "./browser.js";

/** @import { BarsTraits, ChartTraits, MemoryTraits } from "../../llm_widgets/widgets/static/types.js" */

const GIB = 2 ** 30;

/** @param {Partial<ChartTraits>} traits */
function drawn(traits) {
	/** @type {Widget<ChartTraits>} */
	const widget = new Widget({
		label: "Requests",
		unit: "",
		points: [],
		since: 0,
		until: 0,
		steps: [],
		marked: -1,
		words: "",
		...traits,
	});
	const { el } = show(chart, widget);
	const rects = () =>
		[...el.querySelectorAll("rect")].map((rect) =>
			["x", "y", "height"].map((name) => Number(rect.getAttribute(name))),
		);
	const marked = () =>
		[...el.querySelectorAll("rect")].map((rect) => rect.classList.contains("llm-chart-marked"));
	const axis = () => texts(el, ".llm-chart-axis span");
	return { widget, rects, marked, axis, words: () => texts(el, ".llm-note") };
}

test("bars stand where their time is and are as high as their value", () => {
	const { rects, words } = drawn({
		points: [
			[100, 0],
			[150, 5],
			[200, 10],
		],
	});
	const width = (300 / 60) * 0.8;
	assert.deepEqual(rects(), [
		[0, 80, 0],
		[(300 - width) / 2, 80 - 39, 39],
		[300 - width, 80 - 78, 78],
	]);
	assert.deepEqual(words(), ["Now 10 · peak 10"]);
});

test("a small share looks small, and a time outside stays within the picture", () => {
	const { rects, words } = drawn({ unit: "%", points: [[50, 2]], since: 100, until: 200 });
	assert.deepEqual(rects(), [[0, 80 - 0.02 * 78, 0.02 * 78]]);
	assert.deepEqual(words(), ["Now 2% · peak 2%"]);
});

test("bars of steps are side by side, each above its own words", () => {
	const { widget, rects, marked, axis, words } = drawn({
		points: [
			[1, 5],
			[2, 10],
			[4, 10],
		],
		steps: ["1", "2", "4"],
		marked: 1,
		words: "10 with 2",
	});
	assert.deepEqual(
		rects().map(([x]) => Math.round(x ?? 0)),
		[20, 120, 220],
	);
	assert.deepEqual(marked(), [false, true, false]);
	assert.deepEqual(axis(), ["1", "2", "4"]);
	assert.deepEqual(words(), ["10 with 2"]);
	widget.update({ points: [[1, 5]], steps: ["1"], marked: -1 });
	assert.deepEqual(axis(), ["1"]);
	assert.deepEqual(marked(), [false]);
});

test("nothing measured is said", () => {
	const { widget, rects, words } = drawn({ points: [[1, 1]] });
	widget.update({ points: [] });
	assert.deepEqual(rects(), []);
	assert.deepEqual(words(), ["Nothing measured"]);
});

test("what does not fit into a memory sticks out", () => {
	/** @type {Widget<MemoryTraits>} */
	const widget = new Widget({
		label: "GPU",
		total: 8 * GIB,
		parts: [
			{ label: "Weights", bytes: 12 * GIB, why: "" },
			{ label: "Cache", bytes: 4 * GIB, why: "" },
		],
	});
	const { el } = show(memory, widget);
	const pieces = [...find(el, ".llm-memory-bar").children].map(
		(each) => /** @type {HTMLElement} */ (each).style,
	);
	assert.deepEqual([pieces[0]?.width, pieces[1]?.width, pieces[2]?.left], ["75%", "25%", "50%"]);
	assert.equal(texts(el, "li").at(-1), "Too much by 8.00 GiB16.0 GiB of 8.00 GiB");
	widget.update({ total: 24 * GIB });
	assert.equal(texts(el, "li").at(-1), "Free 8.00 GiB16.0 GiB of 24.0 GiB");
});

test("bars of a transfer come, move and go", () => {
	const bar = (/** @type {string} */ label, /** @type {number | null} */ share) => ({
		...{ label, share, text: "1 MB/s", state: /** @type {const} */ ("running") },
	});
	/** @type {Widget<BarsTraits>} */
	const widget = new Widget({ bars: [bar("all", 0.5), bar("a", null)] });
	const { el } = show(bars, widget);
	const values = () =>
		[...el.querySelectorAll("progress")].map((each) => each.getAttribute("value"));
	assert.deepEqual(values(), ["0.5", null]);
	const first = find(el, ".llm-bar");
	widget.update({ bars: [bar("all", 0.75)] });
	assert.deepEqual(values(), ["0.75"]);
	assert.equal(find(el, ".llm-bar"), first);
});
