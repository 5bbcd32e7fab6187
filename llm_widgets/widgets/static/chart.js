/** One measure as bars, over time or step by step; the words say it without the picture. */

import { el, setText } from "./dom.js";

/** @import { ChartTraits, Context } from "./types.js" */

const WIDTH = 300;
const HEIGHT = 80;
const NS = "http://www.w3.org/2000/svg";

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

/** @param {Context<ChartTraits>} context */
function render({ model, el: root }) {
	const title = el("div", { class: "llm-chart-title" });
	const words = el("div", { class: "llm-note" });
	const picture = document.createElementNS(NS, "svg");
	picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
	picture.setAttribute("aria-hidden", "true");
	picture.setAttribute("preserveAspectRatio", "none");
	const axis = el("div", { class: "llm-chart-axis", "aria-hidden": "true" });
	root.append(el("div", { class: "llm-chart" }, title, words, picture, axis));

	function draw() {
		const points = model.get("points");
		const [first, last] = [points[0], points.at(-1)];
		const unit = model.get("unit");
		setText(title, model.get("label"));
		const steps = model.get("steps");
		picture.replaceChildren();
		axis.replaceChildren(...steps.map((step) => el("span", {}, step)));
		if (!first || !last) {
			setText(words, "Nothing measured");
			return;
		}
		const values = points.map(([, value]) => value);
		const most = Math.max(...values);
		const told = `Now ${number(last[1], unit)} · peak ${number(most, unit)}`;
		setText(words, model.get("words") || told);
		const top = unit === "%" ? 100 : most; // a share of nearly nothing is to look like that
		const begin = model.get("since") || first[0];
		const span = Math.max(1, (model.get("until") || last[0]) - begin);
		const room = WIDTH / (steps.length || Math.max(points.length, 60));
		const width = room * (steps.length ? 0.6 : 0.8);
		for (const [index, [time, value]] of points.entries()) {
			const height = top > 0 ? Math.min(1, value / top) * (HEIGHT - 2) : 0;
			const bar = document.createElementNS(NS, "rect");
			const place = Math.min(1, Math.max(0, (time - begin) / span));
			const left = steps.length ? (index + 0.2) * room : place * (WIDTH - width);
			bar.classList.toggle("llm-chart-marked", index === model.get("marked"));
			bar.setAttribute("x", String(left));
			bar.setAttribute("y", String(HEIGHT - height));
			bar.setAttribute("width", String(width));
			bar.setAttribute("height", String(height));
			picture.append(bar);
		}
	}

	model.on("change", draw);
	draw();
}

export default { render };
