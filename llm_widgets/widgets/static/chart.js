/** One measure as bars, over time or step by step; words and a table say it without the picture. */

import { el, setText } from "./dom.js";

/** @import uPlot from "uplot" */
/** @import { ChartTraits, Context } from "./types.js" */

const HEIGHT = 180; // pixels, of the picture with its axes
const FONT = "12px Roboto, Helvetica, Arial, sans-serif";
const LEFT = 64; // pixels, for the words of the axis
/** Steps between whole numbers on an axis. */
const WHOLE = [...Array(10).keys()].flatMap((zeros) => [1, 2, 5].map((step) => step * 10 ** zeros));

/** Seconds between two times on an axis: minutes, hours and days that a clock has. */
export const TIMES = [
	...[60, 300, 600, 900, 1800],
	...[1, 2, 3, 6, 12, 24, 48].map((hours) => hours * 3600),
];

/** @type {Promise<typeof uPlot> | undefined} */
let loading;

/** Fetch uPlot with the first chart: it is not part of the page's first script. */
function library() {
	loading ??= import("uplot").then((found) => found.default);
	return loading;
}

/**
 * A value in words, in a unit that suits it.
 *
 * @param {number} value
 * @param {string} unit
 * @returns {string}
 */
export function number(value, unit) {
	if (unit === "s" && value < 1) return `${Math.round(value * 1000)} ms`;
	const digits = Number.isInteger(value) || value >= 100 ? 0 : 2;
	return `${value.toFixed(digits)}${unit && unit !== "%" ? " " : ""}${unit}`;
}

/**
 * The words of an axis: all numbers in one unit, with no more digits than they need.
 *
 * @param {number[]} values
 * @param {string} unit
 * @returns {string[]}
 */
export function ticks(values, unit) {
	const isShort = unit === "s" && Math.max(...values) < 1;
	const shown = isShort ? values.map((value) => value * 1000) : values;
	const isExact = (/** @type {number} */ digits) =>
		shown.every((value) => Math.abs(value - Number(value.toFixed(digits))) < 1e-9);
	const digits = [0, 1, 2].find(isExact) ?? 3;
	const behind = isShort ? " ms" : unit && unit !== "%" ? ` ${unit}` : unit;
	return shown.map((value) => value.toFixed(digits) + behind);
}

/**
 * A moment as a person reads it, with its day where the chart has more than one.
 *
 * @param {number} seconds since 1970
 * @param {number} span seconds that the chart has
 */
export function moment(seconds, span) {
	const day = /** @type {const} */ ({ month: "short", day: "numeric" });
	const time = /** @type {const} */ ({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
	return new Intl.DateTimeFormat(undefined, span > 86_400 ? { ...day, ...time } : time).format(
		seconds * 1000,
	);
}

/** @param {Context<ChartTraits>} context */
function render({ model, el: root }) {
	const title = el("div", { class: "llm-chart-title" });
	const words = el("div", { class: "llm-note" });
	const picture = el("div", { class: "llm-chart-picture", "aria-hidden": "true" });
	// A canvas knows no tokens: these have their colours, as they are in the theme of now.
	const [bar, marked, line] = ["bar", "marked", "line"].map((name) =>
		el("span", { class: `llm-chart-${name}`, hidden: true }),
	);
	const summary = el("summary", {}, "Show as table");
	const body = el("tbody");
	const head = el("tr");
	const area = el(
		"div",
		{ tabIndex: 0, role: "region" }, // it scrolls, by the keyboard too
		el("table", {}, el("thead", {}, head), body),
	);
	const table = el("details", { class: "llm-chart-table" }, summary, area);
	root.append(el("div", { class: "llm-chart" }, title, words, picture, table));
	picture.append(...[bar, marked, line].filter((each) => each !== undefined));
	/** @type {uPlot | null} */
	let plot = null;
	let drawings = 0;

	/** @param {Element | undefined} of */
	const colour = (of) => (of ? getComputedStyle(of).color : "");

	/** The words of a place on the horizontal axis. */
	function place(/** @type {number} */ at) {
		const steps = model.get("steps");
		return steps.length ? (steps[at] ?? "") : moment(at, span());
	}

	function span() {
		const points = model.get("points");
		const [since, until] = [model.get("since"), model.get("until")];
		return (until || (points.at(-1)?.[0] ?? 0)) - (since || (points[0]?.[0] ?? 0));
	}

	/** What is said while nothing is pointed at. */
	function told() {
		const points = model.get("points");
		const last = points.at(-1);
		if (!last) return "Nothing measured";
		if (model.get("words")) return model.get("words");
		const unit = model.get("unit");
		const most = Math.max(...points.map(([, value]) => value));
		return `Now ${number(last[1], unit)} · peak ${number(most, unit)}`;
	}

	/** @returns {[number[], (number | null)[], (number | null)[]]} */
	function columns() {
		const points = model.get("points");
		const steps = model.get("steps").length > 0;
		const chosen = model.get("marked");
		const values = points.map(([, value]) => value);
		return [
			points.map(([time], index) => (steps ? index : time)),
			values.map((value, index) => (index === chosen ? null : value)),
			values.map((value, index) => (index === chosen ? value : null)),
		];
	}

	/**
	 * @param {typeof uPlot["paths"]} paths
	 * @returns {uPlot.Options}
	 */
	function options(paths) {
		const steps = model.get("steps").length;
		const unit = model.get("unit");
		const bars = paths.bars?.({ size: steps ? [0.6, 80] : [0.8, 24, 1] });
		const axis = {
			stroke: () => colour(picture),
			font: FONT,
			grid: { stroke: () => colour(line), width: 1 },
			ticks: { show: false },
		};
		return {
			width: Math.max(200, picture.clientWidth),
			height: HEIGHT,
			legend: { show: false },
			cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
			scales: {
				x: { time: false, range: () => edges() },
				// A share of nearly nothing is to look like that.
				y: { range: (_, __, most) => [0, unit === "%" ? 100 : most > 0 ? most * 1.05 : 1] },
			},
			axes: [
				{
					...axis,
					grid: { show: false },
					...(steps ? { splits: () => [...Array(steps).keys()] } : { incrs: TIMES }),
					values: (_, at) => at.map(place),
					space: 72,
				},
				{
					...axis,
					...(isCounted() ? { incrs: WHOLE } : {}),
					size: LEFT,
					space: 36,
					values: (_, at) => ticks(at, unit),
				},
			],
			series: [
				{},
				...[bar, marked].map((each) => ({
					fill: () => colour(each),
					width: 0,
					points: { show: false },
					...(bars ? { paths: bars } : {}),
				})),
			],
			hooks: { setCursor: [point] },
		};
	}

	/** Whether things are counted: there are no halves of them. */
	const isCounted = () =>
		model.get("unit") === "" && model.get("points").every(([, value]) => Number.isInteger(value));

	/** The left and the right edge. @returns {[number, number]} */
	function edges() {
		const steps = model.get("steps").length;
		if (steps) return [-0.5, steps - 0.5];
		const points = model.get("points");
		const begin = model.get("since") || (points[0]?.[0] ?? 0);
		return [begin, Math.max(begin + 1, begin + span())];
	}

	/** Say what is pointed at. */
	function point(/** @type {uPlot} */ at) {
		const found = model.get("points")[at.cursor.idx ?? -1];
		const where = at.data[0][at.cursor.idx ?? -1];
		setText(
			words,
			found && where !== undefined
				? `${place(where)} · ${number(found[1], model.get("unit"))}`
				: told(),
		);
	}

	function fill() {
		if (!table.open) return;
		const unit = model.get("unit");
		const [at] = columns();
		head.replaceChildren(
			el("th", { scope: "col" }, "Time"),
			el("th", { scope: "col" }, model.get("label")),
		);
		body.replaceChildren(
			...model
				.get("points")
				.map(([, value], index) =>
					el("tr", {}, el("td", {}, place(at[index] ?? 0)), el("td", {}, number(value, unit))),
				),
		);
	}

	function draw() {
		setText(title, model.get("label"));
		area.setAttribute("aria-label", model.get("label"));
		setText(words, told());
		plot?.destroy();
		const has = model.get("points").length > 0;
		picture.hidden = !has;
		// Who draws several measures step by step has one table for all of them.
		table.hidden = !has || model.get("steps").length > 0;
		plot = null;
		drawings += 1;
		if (has) drawPicture(drawings);
		fill();
	}

	/** Draw the picture, unless the next drawing has begun meanwhile; the words stand without it. */
	function drawPicture(/** @type {number} */ drawing) {
		library().then(
			(Plot) => {
				if (drawing !== drawings) return;
				plot = new Plot(options(Plot.paths), columns(), picture);
			},
			() => {
				loading = undefined; // the next chart tries again
			},
		);
	}

	const sized = new ResizeObserver(() =>
		plot?.setSize({ width: Math.max(200, picture.clientWidth), height: HEIGHT }),
	);
	const themed = () => plot?.redraw();
	const dark = matchMedia("(prefers-color-scheme: dark)");
	const host = new MutationObserver(themed); // JupyterLab says its theme there
	sized.observe(picture);
	dark.addEventListener("change", themed);
	host.observe(document.body, { attributeFilter: ["data-jp-theme-name"] });
	table.addEventListener("toggle", fill);
	model.on("change", draw);
	draw();
	return () => {
		drawings += 1;
		sized.disconnect();
		dark.removeEventListener("change", themed);
		host.disconnect();
		plot?.destroy();
	};
}

export default { render };
