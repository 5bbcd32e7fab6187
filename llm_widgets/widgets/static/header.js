/**
 * The bar at the top: product, project, which cloud. Voilà's page has a place for it above its
 * main part (`data-llm-header`), so that it is a banner for screen readers; elsewhere it is
 * drawn where the widget stands.
 */

import { el, isolateKeys } from "./dom.js";
import { externalLink, icon } from "./parts.js";

/** @import { Context, HeaderSent, HeaderTraits } from "./types.js" */

/** @param {Context<HeaderTraits, HeaderSent>} context */
function render({ model, el: root }) {
	const place = document.querySelector("[data-llm-header]");
	const target = place ?? root;
	const bar = el("div", { class: "llm-header" });
	isolateKeys(bar);
	if (place) {
		root.hidden = true;
		place.replaceChildren(bar);
	} else target.append(bar);

	function draw() {
		const product = el(
			"span",
			{ class: "llm-header-product" },
			icon("cloud"),
			el("span", { text: model.get("product") }),
		);
		const parts = [product];
		if (model.get("project")) {
			parts.push(
				el(
					"button",
					{ type: "button", class: "llm-header-project", title: `Project ${model.get("project")}` },
					el("span", { class: "llm-sr", text: "Project: " }),
					el("span", { class: "llm-ellipsis", text: model.get("project") }),
					icon("expand"),
				),
			);
		}
		if (model.get("mark"))
			parts.push(
				el(
					"span",
					{ class: "llm-header-mark" },
					icon("laptop"),
					el("span", { text: model.get("mark") }),
				),
			);
		parts.push(el("span", { class: "llm-header-space" }));
		if (model.get("docs_url")) parts.push(externalLink("Documentation", model.get("docs_url")));
		if (model.get("user"))
			parts.push(el("span", { class: "llm-header-user llm-ellipsis", text: model.get("user") }));
		bar.replaceChildren(...parts);
	}

	// One listener: the buttons are made anew with each change.
	bar.addEventListener("click", ({ target }) => {
		const isProject = target instanceof Element && target.closest(".llm-header-project");
		if (isProject) model.send({ type: "project" });
	});
	model.on("change", draw);
	draw();
}

export default { render };
