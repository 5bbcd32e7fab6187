/** One measure over time as bars; the words beside it say the same without the picture. */

import { el } from "./dom.js";

const WIDTH = 300;
const HEIGHT = 80;
const NS = "http://www.w3.org/2000/svg";

function number(value, unit) {
	if (unit === "s" && value < 1) return `${Math.round(value * 1000)} ms`;
	const digits = Number.isInteger(value) || value >= 100 ? 0 : 2;
	return `${value.toFixed(digits)}${unit ? ` ${unit}` : ""}`;
}

function render({ model, el: root }) {
	const title = el("div", { class: "llm-chart-title" });
	const words = el("div", { class: "llm-note" });
	const picture = document.createElementNS(NS, "svg");
	picture.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
	picture.setAttribute("aria-hidden", "true");
	picture.setAttribute("preserveAspectRatio", "none");
	root.append(el("div", { class: "llm-chart" }, title, words, picture));

	function draw() {
		const points = model.get("points");
		const unit = model.get("unit");
		title.textContent = model.get("label");
		picture.replaceChildren();
		if (!points.length) {
			words.textContent = "Nothing measured";
			return;
		}
		const values = points.map(([, value]) => value);
		const most = Math.max(...values);
		words.textContent = `Last ${number(values.at(-1), unit)} · most ${number(most, unit)}`;
		const top = unit === "%" ? 100 : most; // a share of nearly nothing is to look like that
		const begin = model.get("since") || points[0][0];
		const span = Math.max(1, (model.get("until") || points.at(-1)[0]) - begin);
		const width = (WIDTH / Math.max(points.length, 60)) * 0.8;
		for (const [time, value] of points) {
			const height = top > 0 ? Math.min(1, value / top) * (HEIGHT - 2) : 0;
			const bar = document.createElementNS(NS, "rect");
			const place = Math.min(1, Math.max(0, (time - begin) / span));
			bar.setAttribute("x", place * (WIDTH - width));
			bar.setAttribute("y", HEIGHT - height);
			bar.setAttribute("width", width);
			bar.setAttribute("height", height);
			picture.append(bar);
		}
	}

	model.on("change", draw);
	draw();
}

export default { render };
