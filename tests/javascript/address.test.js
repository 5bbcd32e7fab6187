import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import address from "../../llm_widgets/widgets/static/address.js";
import { show, Widget } from "./browser.js";

/** @import { AddressSent, AddressTraits } from "../../llm_widgets/widgets/static/types.js" */

/** @type {[way: string, to: string][]} */
let steps = [];

beforeEach(() => {
	steps = [];
	location.hash = "";
	document.title = "Manager";
	for (const way of /** @type {const} */ (["pushState", "replaceState"])) {
		history[way] = (_, __, to) => {
			steps.push([way, String(to)]);
			location.hash = String(to);
		};
	}
});

/** @param {Partial<AddressTraits>} [more] */
function shown(more) {
	/** @type {Widget<AddressTraits, AddressSent>} */
	const widget = new Widget({
		...{ place: "", title: "", replaces: true, heard: 0, is_used: true },
		...more,
	});
	return { widget, ...show(address, widget) };
}

/** @param {string} to */
function led(to) {
	location.hash = to;
	window.dispatchEvent(new Event("hashchange"));
}

test("the address that the page is opened by is told", () => {
	location.hash = "#/models";
	const { widget, close } = shown();
	assert.deepEqual(widget.sent, [{ type: "went", address: "#/models", number: 1 }]);
	close();
});

test("a place is a step, unless it takes the place of the last one", () => {
	const { widget, close } = shown();
	widget.update({ place: "#/general", title: "General", heard: 1 });
	widget.update({ place: "#/models", title: "Models", replaces: false });
	widget.update({ place: "#/services", title: "Services", replaces: true });
	assert.deepEqual(steps, [
		["replaceState", "#/general"],
		["pushState", "#/models"],
		["replaceState", "#/services"],
	]);
	assert.equal(document.title, "Services - Manager");
	close();
});

test("what Python said before it heard of the last step changes nothing", () => {
	const { widget, close } = shown();
	widget.update({ place: "#/general", heard: 1, replaces: false });
	steps = [];
	led("#/models");
	led("#/services");
	widget.update({ place: "#/models", heard: 2 });
	assert.deepEqual(steps, []);
	widget.update({ place: "#/services", heard: 3 });
	assert.deepEqual(steps, []);
	close();
});

test("in a notebook nothing is told and nothing is changed", () => {
	const { widget, close } = shown({ is_used: false });
	widget.update({ place: "#/models", title: "Models", heard: 9 });
	led("#/elsewhere");
	assert.deepEqual(widget.sent, []);
	assert.deepEqual(steps, []);
	assert.equal(document.title, "Manager");
	close();
});

test("once it is gone it listens no more", () => {
	const { widget, close } = shown();
	close();
	led("#/models");
	assert.equal(widget.sent.length, 1);
});
