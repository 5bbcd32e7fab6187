import assert from "node:assert/strict";
import { test } from "node:test";
import { cellText, compare, sortValue } from "../../llm_widgets/widgets/static/cells.js";
import table from "../../llm_widgets/widgets/static/table.js";
import { find, show, texts, type, Widget } from "./browser.js";

/** @import { Action, Column, Row, TableSent, TableTraits } from "../../llm_widgets/widgets/static/types.js" */

/**
 * @param {string} key
 * @param {Partial<Column>} [more]
 * @returns {Column}
 */
const column = (key, more) => ({
	...{ key, label: key, kind: /** @type {const} */ ("text"), sortable: true },
	...{ action: "", width: 0, optional: false },
	...more,
});

/**
 * @param {string} key
 * @param {Partial<Action>} [more]
 * @returns {Action}
 */
const action = (key, more) => ({ key, label: key, overflow: false, danger: false, ...more });

/** @type {Row[]} */
const ROWS = [
	{ id: "a", name: "model-10", size: 5_000 },
	{ id: "b", name: "model-9", size: null },
	{ id: "c", name: "Model-2", size: 70_000 },
];

/** @param {Partial<TableTraits>} [more] */
function shown(more) {
	/** @type {Widget<TableTraits, TableSent>} */
	const widget = new Widget({
		caption: "Models",
		columns: [column("name"), column("size", { kind: "bytes" })],
		actions: [action("deploy"), action("delete", { overflow: true, danger: true })],
		bulk: [],
		selected: [],
		hidden_columns: [],
		rows: ROWS,
		empty: "Nothing.",
		empty_action: "",
		loading: false,
		filterable: true,
		...more,
	});
	const { el } = show(table, widget);
	return {
		widget,
		el,
		names: () => texts(el, "tbody td:first-child"),
		head: (/** @type {string} */ key) => find(el, `[data-sort="${key}"]`, HTMLElement),
		button: (/** @type {string} */ row, /** @type {string} */ key) =>
			find(el, `tr[data-row="${row}"] [data-action="${key}"]`, HTMLElement),
	};
}

test("rows stand as Python orders them until a heading is pressed", () => {
	const { names, head, el } = shown();
	assert.deepEqual(names(), ["model-10", "model-9", "Model-2"]);
	head("name").click();
	assert.deepEqual(names(), ["Model-2", "model-9", "model-10"]);
	assert.equal(find(el, "th").getAttribute("aria-sort"), "ascending");
	head("name").click();
	assert.deepEqual(names(), ["model-10", "model-9", "Model-2"]);
	assert.equal(document.activeElement, head("name"));
});

test("what is missing comes last both ways", () => {
	const { names, head } = shown();
	head("size").click();
	assert.deepEqual(names(), ["model-10", "Model-2", "model-9"]);
	head("size").click();
	assert.deepEqual(names(), ["Model-2", "model-10", "model-9"]);
});

test("values are compared by what they are", () => {
	assert.equal(sortValue({ kind: "time" }, { time: "1970-01-01T00:00:01Z", note: "x" }), 1000);
	assert.equal(sortValue({ kind: "time" }, "1970-01-01T00:00:02Z"), 2000);
	assert.equal(sortValue({ kind: "progress" }, { value: 0.5 }), 0.5);
	assert.equal(sortValue({ kind: "text" }, ""), null);
	assert.equal(cellText({ text: "Ready", note: "since today" }), "Ready since today");
	assert.ok(compare(2, 10, "ascending") < 0);
	assert.ok(compare("v2", "v10", "ascending") < 0);
	assert.ok(compare("v2", "v10", "descending") > 0);
	assert.equal(compare(null, null, "descending"), 0);
});

test("the filter wants every word, in any column", () => {
	const { el, names } = shown();
	const box = find(el, "input", HTMLInputElement);
	type(box, "MODEL 70000");
	assert.deepEqual(names(), ["Model-2"]);
	assert.deepEqual(texts(el, ".llm-filter .llm-note"), ["1 of 3"]);
	type(box, "model nowhere");
	assert.deepEqual(texts(el, ".llm-empty p"), ["Nothing matches the filter."]);
	type(box, "");
	assert.equal(names().length, 3);
});

test("a row that has not changed keeps its elements and its focus", () => {
	const { widget, button, el } = shown();
	const before = button("b", "deploy");
	before.focus();
	const first = find(el, 'tr[data-row="a"]');
	widget.update({ rows: [{ id: "new", name: "new", size: 1 }, ...ROWS.slice(1)] });
	assert.equal(button("b", "deploy"), before);
	assert.equal(document.activeElement, before);
	assert.equal(first.isConnected, false);
	assert.equal(el.querySelectorAll("tbody tr").length, 3);
});

test("a cell that is drawn anew gives its focus to the same button", () => {
	const { widget, button } = shown();
	const before = button("a", "deploy");
	before.focus();
	widget.update({ rows: ROWS.map((row) => ({ ...row, disabled: { deploy: "It is running." } })) });
	const after = button("a", "deploy");
	assert.notEqual(after, before);
	assert.equal(document.activeElement, after);
	assert.equal(after.title, "It is running.");
	after.click();
	assert.deepEqual(widget.sent, []);
});

test("actions name their row, those that it lacks are not offered", () => {
	const { widget, button, el } = shown({
		rows: [{ id: "a", name: "model", size: 1, hidden: ["deploy"] }],
	});
	assert.equal(el.querySelector('[data-action="deploy"]'), null);
	button("a", "more").click();
	const item = find(el, '[role="menuitem"]', HTMLElement);
	assert.equal(item.textContent, "delete");
	assert.equal(document.activeElement, item);
	item.click();
	assert.deepEqual(widget.sent, [{ type: "action", action: "delete", row: "a" }]);
});

test("a link of the menu must be one that may be followed", () => {
	const { button, el } = shown({
		rows: [{ id: "a", name: "m", size: 1, links: { delete: "javascript:alert(1)" } }],
	});
	button("a", "more").click();
	assert.equal(find(el, '[role="menuitem"]').tagName, "BUTTON");
});

test("arrows go round in the menu", () => {
	const { button, el } = shown({
		actions: [action("one", { overflow: true }), action("two", { overflow: true })],
	});
	button("a", "more").click();
	const press = (/** @type {string} */ key) => {
		find(el, "[role=menu]").dispatchEvent(new KeyboardEvent("keydown", { key }));
		return document.activeElement?.textContent;
	};
	assert.deepEqual(["ArrowDown", "ArrowDown", "ArrowUp", "Home", "End"].map(press), [
		...["two", "one", "two", "one", "two"],
	]);
});

test("text that looks like markup stays text", () => {
	const { el, names } = shown({ rows: [{ id: "x", name: "<img src=x>", size: null }] });
	assert.deepEqual(names(), ["<img src=x>"]);
	assert.equal(el.querySelector("img"), null);
});

test("rows on their way are told from none", () => {
	const { widget, el } = shown({ rows: [], loading: true, empty_action: "Import" });
	assert.equal(find(el, "table").getAttribute("aria-busy"), "true");
	assert.equal(el.querySelectorAll(".llm-skeleton").length, 9);
	assert.equal(find(el, ".llm-empty", HTMLElement).hidden, true);
	widget.update({ loading: false });
	assert.equal(find(el, ".llm-empty", HTMLElement).hidden, false);
	find(el, ".llm-empty button", HTMLElement).click();
	assert.deepEqual(widget.sent, [{ type: "empty_action" }]);
});

test("what a row opens is a link where it has an address of this page", () => {
	const columns = [column("name", { action: "open" })];
	const rows = [
		{ id: "a", name: "first", places: { open: "#/models/b/first" } },
		{ id: "b", name: "second", places: { open: "javascript:alert(1)" } },
	];
	const { widget, button } = shown({ columns, rows });
	const link = button("a", "open");
	assert.equal(link.getAttribute("href"), "#/models/b/first");
	assert.equal(button("b", "open").tagName, "BUTTON");
	const elsewhere = new MouseEvent("click", { ctrlKey: true, cancelable: true });
	link.dispatchEvent(elsewhere);
	assert.equal(elsewhere.defaultPrevented, false);
	assert.deepEqual(widget.sent, []);
	link.click();
	assert.deepEqual(widget.sent, [{ type: "action", action: "open", row: "a" }]);
});

test("a click on a row opens it; what is a control there stays one", () => {
	const columns = [column("name", { action: "open" }), column("url", { kind: "link" })];
	const url = { href: "https://a.example.org/", text: "a.example.org", copy: true };
	const { widget, button, el } = shown({
		columns,
		rows: [
			{ id: "a", name: "first", url, places: { open: "#/services/r/first" } },
			{ id: "b", name: "", url },
		],
	});
	const row = find(el, 'tr[data-row="a"]', HTMLElement);
	const cell = find(row, 'td[data-kind="link"]', HTMLElement);
	const opened = { type: "action", action: "open", row: "a" };
	cell.click();
	assert.deepEqual(widget.sent, [opened]);
	for (const control of [find(cell, "a", HTMLElement), find(cell, "button", HTMLElement)]) {
		control.addEventListener("click", (event) => event.preventDefault());
		control.click();
	}
	button("a", "more").click();
	cell.dispatchEvent(new MouseEvent("click", { ctrlKey: true, bubbles: true }));
	assert.deepEqual(widget.sent, [opened]);
	button("a", "open").click(); // the link sends what it did before, once
	assert.deepEqual(widget.sent, [opened, opened]);
	// A row without a name leads nowhere, and does not look as if it did.
	const other = find(el, 'tr[data-row="b"]', HTMLElement);
	assert.deepEqual(
		[row, other].map((each) => each.className),
		["llm-opens", ""],
	);
	find(other, "td", HTMLElement).click();
	assert.equal(widget.sent.length, 2);
});

test("selecting text in a row does not open it", () => {
	const { widget, el } = shown({ columns: [column("name", { action: "open" }), column("size")] });
	const [first, second] = ["a", "b"].map((id) =>
		find(el, `tr[data-row="${id}"] td:nth-child(2)`, HTMLElement),
	);
	assert.ok(first && second);
	const opened = (/** @type {string} */ row) => ({ type: "action", action: "open", row });
	document.getSelection()?.selectAllChildren(first);
	first.click();
	second.click();
	assert.deepEqual(widget.sent, [opened("b")]);
	document.getSelection()?.removeAllRanges();
	first.click();
	assert.deepEqual(widget.sent, [opened("b"), opened("a")]);
});

test("rows of a table that opens nothing have no click", () => {
	const { widget, el } = shown();
	find(el, 'tr[data-row="a"] td', HTMLElement).click();
	assert.deepEqual([widget.sent, el.querySelector(".llm-opens")], [[], null]);
});

/** @param {Partial<TableTraits>} [more] */
function selectable(more) {
	const made = shown({ bulk: [action("delete", { danger: true })], ...more });
	const { el } = made;
	const box = (/** @type {string} */ row) =>
		find(el, `tr[data-row="${row}"] [data-kind="select"] input`, HTMLInputElement);
	return {
		...made,
		box,
		all: find(el, 'thead [data-kind="select"] input', HTMLInputElement),
		press: () => find(el, '[data-bulk="delete"]', HTMLElement).click(),
		told: () => find(el, ".llm-selection [role=status]").textContent,
		checked: () => ["a", "b", "c"].filter((row) => box(row).checked),
	};
}

test("rows are chosen one by one or all at once, and named", () => {
	const { widget, box, all, press, told, checked, el } = selectable();
	assert.equal(box("b").getAttribute("aria-label"), "Select model-9");
	assert.equal(find(el, "thead label").textContent, "Select all");
	assert.equal(find(el, "[data-bulk]").closest("[hidden]") !== null, true);
	box("a").click();
	box("c").click();
	assert.deepEqual([told(), all.checked, all.indeterminate], ["2 selected", false, true]);
	assert.deepEqual(widget.traits.selected, ["a", "c"]);
	press();
	const sent = { type: "bulk", action: "delete" };
	assert.deepEqual(widget.sent, [{ ...sent, rows: ["a", "c"] }]);
	all.click();
	assert.deepEqual([checked(), all.checked, all.indeterminate], [["a", "b", "c"], true, false]);
	all.click();
	assert.deepEqual([checked(), told()], [[], ""]);
	// The near miss of a checkbox opens nothing.
	find(el, 'tr[data-row="a"] [data-kind="select"]', HTMLElement).click();
	assert.equal(widget.sent.length, 1);
});

test("what is chosen stays it while the list is read again", () => {
	const { widget, box, press, told, checked } = selectable({ selected: ["a", "b"] });
	assert.equal(told(), "2 selected");
	const before = box("b");
	widget.update({ rows: ROWS.map((row) => ({ ...row, size: 1 })) });
	assert.deepEqual([checked(), box("b")], [["a", "b"], before]);
	// One that is being deleted is not counted; where that fails it is chosen as before.
	const reason = "It is being deleted.";
	const going = ROWS.map((row) =>
		row.id === "a" ? { ...row, disabled: { delete: reason } } : row,
	);
	widget.update({ rows: going });
	assert.deepEqual([checked(), told(), box("a").disabled], [["b"], "1 selected", true]);
	assert.equal(box("a").getAttribute("aria-label"), `Select model-10: ${reason}`);
	press();
	assert.deepEqual(widget.sent, [{ type: "bulk", action: "delete", rows: ["b"] }]);
	widget.update({ rows: ROWS });
	assert.deepEqual([checked(), told()], [["a", "b"], "2 selected"]);
	widget.update({ rows: ROWS.slice(1), selected: ["b"] }); // as Python drops what went away
	assert.equal(told(), "1 selected");
});

test("all of those that the filter shows are chosen, and what it hides is told", () => {
	const { el, all, told, checked } = selectable({ selected: ["a"] });
	const box = find(el, "input[type=search]", HTMLInputElement);
	type(box, "model-9");
	assert.equal(told(), "1 selected, 1 of them not shown");
	all.click();
	assert.equal(told(), "2 selected, 1 of them not shown");
	type(box, "");
	assert.deepEqual([checked(), told()], [["a", "b"], "2 selected"]);
	const clear = [...el.querySelectorAll("button")].find(
		(each) => each.textContent === "Clear selection",
	);
	clear?.click();
	assert.deepEqual([checked(), document.activeElement], [[], all]);
});

test("columns that may be hidden are offered, and the others stay", () => {
	const { widget, el, head, names } = shown({
		columns: [column("name"), column("size", { kind: "bytes", optional: true })],
	});
	assert.deepEqual(texts(el, ".llm-columns label"), ["size"]);
	const box = find(el, ".llm-columns input", HTMLInputElement);
	const hidden = () => [...el.querySelectorAll(".llm-column-hidden")].map((each) => each.tagName);
	assert.deepEqual([box.checked, hidden()], [true, []]);
	head("size").click();
	assert.deepEqual(names(), ["model-10", "Model-2", "model-9"]);
	box.click();
	assert.deepEqual(widget.traits.hidden_columns, ["size"]);
	assert.deepEqual(hidden(), ["COL", "TH", "TD", "TD", "TD"]);
	assert.deepEqual(names(), ["model-10", "model-9", "Model-2"]); // nothing hidden gives an order
	widget.update({ rows: [...ROWS, { id: "d", name: "new", size: 1 }] });
	assert.equal(hidden().length, 6);
	widget.update({ hidden_columns: ["name"] }); // which can't be hidden
	assert.deepEqual([box.checked, hidden()], [true, []]);
	const none = shown();
	assert.equal(find(none.el, ".llm-columns", HTMLElement).hidden, true);
});
