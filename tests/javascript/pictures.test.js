import "./browser.js";
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
	const table = /** @type {HTMLDetailsElement} */ (find(el, "details"));
	const picture = /** @type {HTMLElement} */ (find(el, ".llm-chart-picture"));
	return { widget, el, table, picture, words: () => texts(el, ".llm-note") };
}

test("the newest value and the highest are said, and all of them are in a table", () => {
	const { el, table, words } = drawn({
		unit: "%",
		points: [
			[100, 0],
			[160, 5],
			[220, 2.5],
		],
	});
	assert.deepEqual(words(), ["Now 2.50% · peak 5%"]);
	assert.deepEqual(texts(el, "td"), []); // written when it is asked for
	table.open = true;
	table.dispatchEvent(new Event("toggle"));
	const cells = texts(el, "td");
	assert.deepEqual(
		cells.filter((_, index) => index % 2),
		["0%", "5%", "2.50%"],
	);
	assert.match(cells[0] ?? "", /^\d\d:\d\d/);
	assert.deepEqual(texts(el, "th"), ["Time", "Requests"]);
});

test("nothing measured is said", () => {
	const { widget, table, picture, words } = drawn({ points: [[1, 1]] });
	assert.equal(picture.hidden, false);
	widget.update({ points: [] });
	assert.deepEqual(words(), ["Nothing measured"]);
	assert.ok(picture.hidden && table.hidden);
});

test("steps have words of their own, and their table elsewhere", () => {
	const points = /** @type {[number, number][]} */ ([
		[1, 30],
		[2, 55],
	]);
	const { table, words } = drawn({ points, steps: ["1", "2"], marked: 1, words: "Best at 2" });
	assert.deepEqual(words(), ["Best at 2"]);
	assert.ok(table.hidden);
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
	assert.equal(texts(el, "li").at(-1), "Too much by 8.00 GiB16.0 GiB of 8.00 GiB used");
	widget.update({ total: 24 * GIB });
	assert.equal(texts(el, "li").at(-1), "Free 8.00 GiB16.0 GiB of 24.0 GiB used");
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
