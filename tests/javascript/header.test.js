import assert from "node:assert/strict";
import { test } from "node:test";
import header from "../../llm_widgets/widgets/static/header.js";
import tabs from "../../llm_widgets/widgets/static/tabs.js";
import { find, show, Widget } from "./browser.js";

/** @import { HeaderSent, HeaderTraits, TabsSent, TabsTraits } from "../../llm_widgets/widgets/static/types.js" */

const TABS = `<div class="one"><div class="lm-TabBar"><ul role="tablist">
	<li role="tab" class="lm-TabBar-tab">General</li>
	<li role="tab" class="lm-TabBar-tab lm-mod-current">Services</li>
</ul></div><div class="widget-tab-contents"><div></div><div></div></div></div>`;

test("the project in the header is a button, also after it has changed", () => {
	/** @type {Widget<HeaderTraits, HeaderSent>} */
	const widget = new Widget({ product: "P", project: "One", mark: "", docs_url: "", user: "" });
	const { el } = show(header, widget);
	find(el, "button", HTMLElement).click();
	widget.update({ project: "Two" });
	find(el, "button", HTMLElement).click();
	assert.match(find(el, "button").textContent, /Two/);
	assert.deepEqual(widget.sent, [{ type: "project" }, { type: "project" }]);
	find(el, ".llm-header-product", HTMLElement).click();
	assert.equal(widget.sent.length, 2);
});

test("without a project there is no button", () => {
	/** @type {Widget<HeaderTraits, HeaderSent>} */
	const widget = new Widget({ product: "P", project: "", mark: "", docs_url: "", user: "" });
	assert.equal(show(header, widget).el.querySelector("button"), null);
});

test("the tab that is shown says so when it is pressed again, by pointer and by keyboard", async () => {
	document.body.insertAdjacentHTML("beforeend", TABS);
	/** @type {Widget<TabsTraits, TabsSent>} */
	const widget = new Widget({ tab_class: "one", label: "Sections" });
	const { close } = show(tabs, widget);
	await new Promise((done) => requestAnimationFrame(done));
	const [general, services] = /** @type {NodeListOf<HTMLElement>} */ (
		document.querySelectorAll(".one [role=tab]")
	);
	assert.ok(general && services);
	const press = (/** @type {HTMLElement} */ tab, /** @type {() => void} */ shown = () => {}) => {
		tab.dispatchEvent(new Event("pointerdown", { bubbles: true }));
		shown();
		tab.click();
	};
	press(services);
	services.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
	assert.equal(widget.sent.length, 2);

	// Lumino shows a tab before its click comes: that is no second press.
	press(general, () => {
		services.classList.remove("lm-mod-current");
		general.classList.add("lm-mod-current");
	});
	services.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
	assert.equal(widget.sent.length, 2);
	press(general);
	assert.deepEqual(widget.sent.at(-1), { type: "again" });
	assert.equal(widget.sent.length, 3);
	close();
});
