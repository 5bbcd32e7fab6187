import "./browser.js";
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/** @import { Component, LibraryModel } from "../../llm_widgets/widgets/static/types.js" */

const BUILT = new URL("../../llm_widgets/widgets/built/", import.meta.url);

const read = (/** @type {string} */ name) => readFile(new URL(name, BUILT), "utf-8");

/**
 * Load a component's text as anywidget does. Node imports no `blob:` addresses: a data address
 * stands for each.
 */
async function load() {
	const script = (await read("loader.js")).replace("import(", "globalThis.importText(");
	return (await import(`data:text/javascript,${encodeURIComponent(script)}#${Math.random()}`))
		.default;
}

/** @type {Map<string, string>} */
const texts = new Map();
/** @type {string[]} */
const imported = [];
Object.assign(globalThis, {
	Blob: class {
		/** @param {string[]} parts */
		constructor(parts) {
			this.text = parts.join("");
		}
	},
	importText(/** @type {string} */ url) {
		const text = texts.get(url) ?? "";
		imported.push(text);
		return import(`data:text/javascript,${encodeURIComponent(text)}#${imported.length}`);
	},
});
URL.createObjectURL = (blob) => {
	const url = `blob:${texts.size}`;
	texts.set(url, /** @type {{text: string}} */ (/** @type {unknown} */ (blob)).text);
	return url;
};

/**
 * The library of a kernel.
 *
 * @param {string} script
 * @param {string} styles
 * @returns {LibraryModel}
 */
const library = (script, styles) => ({
	get: (name) => ({ script, styles })[name],
});

/**
 * Make a widget of a kernel and show it.
 *
 * @param {Record<string, LibraryModel>} kernel its models by their ids
 * @param {Record<string, unknown>} traits
 */
async function shown(kernel, traits) {
	/** @type {Component} */
	const component = (await load())();
	const el = document.createElement("div");
	const model = {
		get: (/** @type {string} */ name) => traits[name],
		on() {},
		send() {},
		widget_manager: {
			async get_model(/** @type {string} */ id) {
				const found = kernel[id];
				if (!found) throw new Error("widget model not found");
				return found;
			},
		},
	};
	await component.initialize?.(/** @type {never} */ ({ model, el }));
	await component.render(/** @type {never} */ ({ model, el }));
	return el;
}

const styleSheets = () => [...document.querySelectorAll("style")].map((each) => each.textContent);

test("all components of a kernel share one module and one style sheet", async () => {
	const kernel = { one: library(await read("components.js"), "a {}") };
	const of = (/** @type {string} */ module, /** @type {object} */ traits) =>
		shown(kernel, { _module: module, _library: "IPY_MODEL_one", ...traits });
	imported.length = 0;
	const notice = await of("notice", { kind: "info", text: "Hello" });
	const [code, age] = await Promise.all([
		of("copytext", { text: "ls", label: "Command" }),
		of("details", { items: [] }),
	]);
	assert.equal(notice.textContent, "Hello");
	assert.equal(code.querySelector("code")?.textContent, "ls");
	assert.ok(age.classList.contains("llm-component"));
	assert.equal(imported.length, 1);
	assert.deepEqual(styleSheets(), ["a {}"]);
});

test("a component of each widget keeps its own state", async () => {
	const kernel = { one: library(await read("components.js"), "a {}") };
	const traits = { _module: "files", _library: "IPY_MODEL_one", label: "Files" };
	const [first, second] = [await shown(kernel, traits), await shown(kernel, traits)];
	assert.notEqual(first, second);
	assert.equal(first.querySelectorAll("ul").length, 1);
});

test("kernels with different versions don't disturb one another", async () => {
	const version = (/** @type {string} */ name) =>
		library(
			`export const addStyles = () => {};
			 export const make = () => ({ render({ el }) { el.textContent = "${name}"; } });`,
			"",
		);
	const [old, young] = [{ id: version("old") }, { id: version("new") }];
	const traits = { _module: "notice", _library: "IPY_MODEL_id" };
	const all = await Promise.all([old, young, old].map((kernel) => shown(kernel, traits)));
	assert.deepEqual(
		all.map((el) => el.textContent),
		["old", "new", "old"],
	);
});

test("the style sheet that came last holds, and stands in the page once", async () => {
	const script = await read("components.js");
	const traits = { _module: "details", _library: "IPY_MODEL_id", items: [] };
	await shown({ id: library(script, "old {}") }, traits);
	await shown({ id: library(script, "new {}") }, traits);
	assert.deepEqual(styleSheets(), ["new {}"]);
});

test("a library that comes late holds up the view, not the widget", async () => {
	/** @type {(library: LibraryModel) => void} */
	let arrive = () => {};
	/** @type {Promise<LibraryModel>} */
	const arriving = new Promise((resolve) => {
		arrive = resolve;
	});
	/** @type {Component} */
	const component = (await load())();
	const el = document.createElement("div");
	/** @type {Record<string, unknown>} */
	const traits = { _module: "notice", _library: "IPY_MODEL_one", kind: "info", text: "Hello" };
	const model = {
		get: (/** @type {string} */ name) => traits[name],
		on() {},
		widget_manager: { get_model: () => arriving },
	};
	component.initialize?.(/** @type {never} */ ({ model }));
	const drawn = component.render(/** @type {never} */ ({ model, el }));
	assert.equal(el.textContent, "");
	arrive(library(await read("components.js"), ""));
	await drawn;
	assert.equal(el.textContent, "Hello");
});

test("what can't be loaded is said", async () => {
	const kernel = { one: library(await read("components.js"), "") };
	await assert.rejects(shown(kernel, { _module: "nothing", _library: "IPY_MODEL_one" }), {
		message: "There is no component nothing.",
	});
	await assert.rejects(shown({}, { _module: "notice", _library: "IPY_MODEL_one" }), {
		message: "widget model not found",
	});
});
