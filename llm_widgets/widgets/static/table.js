/**
 * Table: a real <table>, redrawn row by row. A row whose data has not changed keeps its elements,
 * so focus, scroll position and open menus survive an update. Sorting and filtering stay here.
 */

import { cellText, compare, drawValue, mainText, sortValue, withNote } from "./cells.js";
import { columnChoice } from "./columnchoice.js";
import { el, isolateKeys, setText } from "./dom.js";
import { rowMenu } from "./menu.js";
import { openByClick, opensElsewhere } from "./openrow.js";
import { icon } from "./parts.js";
import { actionsCell } from "./rowactions.js";
import { rowSelection } from "./selection.js";

/** @import { CellValue, Column, Context, Row, TableSent, TableTraits } from "./types.js" */

/**
 * What is shown of a row.
 *
 * @typedef {object} Drawn
 * @property {HTMLTableRowElement} tr
 * @property {string} json the row as it was drawn
 * @property {Row} row
 * @property {Map<string, {td: HTMLTableCellElement, json: string}>} cells by the columns' keys
 */

/**
 * A row's value in a column.
 *
 * @param {Row} row
 * @param {Column} column
 */
const cellOf = (row, column) => /** @type {CellValue} */ (row[column.key]);

/**
 * Whether a row has nothing to show in a column.
 *
 * @param {Row} row
 * @param {Column} column
 */
const isMissing = (row, column) => ["", null, undefined].some((none) => none === row[column.key]);

/** @param {Context<TableTraits, TableSent>} context */
function render({ model, el: root }) {
	root.classList.add("llm-table-root");
	isolateKeys(root);

	/**
	 * What is shown, by the ids of the rows.
	 *
	 * @type {Map<string, Drawn>}
	 */
	const drawn = new Map();
	/** @type {{key: string | null, direction: "none" | "ascending" | "descending"}} */
	let sort = { key: null, direction: "none" };

	const filter = el("input", {
		type: "search",
		class: "llm-input llm-filter-input",
		autocomplete: "off",
	});
	const count = el("span", { class: "llm-note", role: "status" });
	const filterBar = el(
		"label",
		{ class: "llm-filter" },
		icon("filter"),
		el("span", { text: "Filter" }),
		filter,
		count,
	);
	const caption = el("caption", { class: "llm-sr" });
	const headRow = el("tr");
	const body = el("tbody");
	const widths = el("colgroup");
	const head = el("thead", {}, headRow);
	const table = el("table", { class: "llm-table" }, caption, widths, head, body);
	const scroller = el("div", { class: "llm-table-scroll" }, table);
	const emptyText = el("p");
	const emptyButton = el("button", { type: "button", class: "llm-button llm-primary" });
	const empty = el("div", { class: "llm-empty" }, emptyText, emptyButton);
	const selection = rowSelection(model);
	const choice = columnChoice(model);
	const bar = el("div", { class: "llm-table-bar" }, filterBar, selection.bar, choice.element);
	root.append(bar, scroller, empty);

	const menu = rowMenu((action, row) => send(action, row));

	/**
	 * @param {string} action
	 * @param {string} row
	 */
	function send(action, row) {
		model.send({ type: "action", action, row });
	}

	/**
	 * The column that leads from a row to what it is about.
	 *
	 * @param {Row} row
	 */
	function openerOf(row) {
		return model.get("columns").find((column) => column.action && !isMissing(row, column));
	}

	/**
	 * The class of what stands in a column.
	 *
	 * @param {Column} column
	 */
	const classOf = (column) => (choice.isHidden(column) ? "llm-column-hidden" : "");

	const isSelectable = () => model.get("bulk").length > 0;

	function drawWidths() {
		const columns = model.get("columns");
		table.classList.toggle("llm-selectable", isSelectable());
		table.classList.toggle(
			"llm-fixed",
			columns.some((column) => column.width),
		);
		const cols = columns.map((column) => {
			const col = el("col", { class: classOf(column) });
			if (column.width) col.style.setProperty("--llm-width", `${column.width}%`);
			return col;
		});
		if (isSelectable()) cols.unshift(el("col"));
		widths.replaceChildren(...cols);
	}

	function drawHead() {
		const columns = model.get("columns");
		const heads = columns.map((column) => {
			const th = el("th", {
				scope: "col",
				class: classOf(column),
				data: { kind: column.kind },
			});
			if (!column.sortable) {
				setText(th, column.label);
				return th;
			}
			const direction = sort.key === column.key ? sort.direction : "none";
			th.setAttribute("aria-sort", direction);
			const button = el(
				"button",
				{ type: "button", class: "llm-sort", data: { sort: column.key } },
				el("span", { text: column.label }),
				icon(direction === "descending" ? "down" : "up"),
			);
			button.addEventListener("click", () => {
				sort = {
					key: column.key,
					direction: direction === "ascending" ? "descending" : "ascending",
				};
				drawHead();
				focusIn(headRow, `[data-sort="${CSS.escape(column.key)}"]`);
				arrange();
			});
			th.append(button);
			return th;
		});
		if (isSelectable()) heads.unshift(selection.head());
		if (model.get("actions").length) {
			heads.push(
				el(
					"th",
					{ scope: "col", data: { kind: "actions" } },
					el("span", { class: "llm-sr", text: "Actions" }),
				),
			);
		}
		headRow.replaceChildren(...heads);
	}

	/**
	 * @param {Column} column
	 * @param {Row} row
	 */
	function drawCell(column, row) {
		const value = cellOf(row, column);
		const td = el("td", {
			class: classOf(column),
			data: { kind: column.kind, label: column.label },
		});
		if (isMissing(row, column)) td.append(el("span", { class: "llm-note", text: "–" }));
		else if (column.action) {
			const name = mainText(value);
			const parts = { class: "llm-link", text: name, data: { action: column.action } };
			const place = row.places?.[column.action] ?? "";
			const address = place.startsWith("#/") ? place : "";
			// A real link, where there is an address: to be opened in a tab of its own, or copied.
			const opener = address
				? el("a", { ...parts, href: address })
				: el("button", { ...parts, type: "button" });
			opener.addEventListener("click", (event) => {
				if (address && event instanceof MouseEvent && opensElsewhere(event)) return;
				event.preventDefault();
				send(column.action, row.id);
			});
			td.append(withNote(opener, value));
		} else td.append(drawValue(column.kind, value, `${column.label} of ${row.name ?? row.id}`));
		return td;
	}

	/**
	 * Draw what changed in one row, cell by cell.
	 *
	 * @param {Row} row
	 * @returns {Drawn}
	 */
	function drawRow(row) {
		const json = JSON.stringify(row);
		const before = drawn.get(row.id);
		if (before?.json === json) return before;
		const tr = before?.tr ?? el("tr", { data: { row: row.id } });
		const entry = { tr, json, row, cells: before?.cells ?? new Map() };
		drawn.set(row.id, entry);
		tr.classList.toggle("llm-opens", openerOf(row) !== undefined);
		/**
		 * @param {string} key
		 * @param {string} cellJson all that the cell is drawn from
		 * @param {() => HTMLTableCellElement} make
		 */
		const draw = (key, cellJson, make) => {
			const cell = entry.cells.get(key);
			if (cell?.json === cellJson) return;
			const td = make();
			if (!cell) entry.tr.append(td);
			else replaceKeepingFocus(cell.td, td);
			entry.cells.set(key, { td, json: cellJson });
		};
		if (isSelectable()) {
			const state = JSON.stringify([row.name, row.disabled, row.hidden]);
			draw(":select", state, () => selection.cell(row));
		}
		for (const column of model.get("columns")) {
			draw(column.key, JSON.stringify([row[column.key], row.name, row.places]), () =>
				drawCell(column, row),
			);
		}
		if (model.get("actions").length) {
			const state = JSON.stringify([row.disabled, row.hidden, row.links, row.name]);
			draw(":actions", state, () =>
				actionsCell(
					row,
					model.get("actions"),
					(action) => send(action, row.id),
					(opener, more) => menu.open(opener, more, drawn.get(row.id)?.row ?? row),
				),
			);
		}
		return entry;
	}

	/** Put the rows in order, show those that match the filter, and say how many there are. */
	function arrange() {
		const rows = model.get("rows");
		const words = filter.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
		const columns = model.get("columns");
		/** @param {Row} row */
		const matches = (row) => {
			const text = columns
				.map((column) => cellText(cellOf(row, column)))
				.join(" ")
				.toLowerCase();
			return words.every((word) => text.includes(word));
		};
		const shown = words.length ? rows.filter(matches) : [...rows];
		const column = columns.find((each) => each.key === sort.key && !choice.isHidden(each));
		if (column) {
			const keyed = shown.map((row) => ({ row, value: sortValue(column, cellOf(row, column)) }));
			keyed.sort((a, b) => compare(a.value, b.value, sort.direction));
			shown.splice(0, shown.length, ...keyed.map(({ row }) => row));
		}
		place(shown.map((row) => drawRow(row).tr));
		const loading = model.get("loading") && rows.length === 0;
		table.setAttribute("aria-busy", String(loading));
		if (loading) body.replaceChildren(...skeletonRows(headRow.children));
		selection.update(shown);
		const none = !loading && shown.length === 0;
		empty.hidden = !none;
		const why = words.length ? "Nothing matches the filter." : model.get("empty");
		setText(emptyText, none ? why : "");
		setText(emptyButton, model.get("empty_action"));
		emptyButton.hidden = words.length > 0 || model.get("empty_action") === "";
		setText(count, words.length ? `${shown.length} of ${rows.length}` : "");
		filterBar.hidden = !model.get("filterable");
		const parts = [filterBar, selection.bar, choice.element];
		bar.hidden = rows.length === 0 || parts.every((part) => part.hidden);
	}

	/**
	 * Move only the elements that are in the wrong place: moving an element takes its focus away.
	 *
	 * @param {HTMLTableRowElement[]} wanted
	 */
	function place(wanted) {
		/** @type {Set<Element>} */
		const keep = new Set(wanted);
		for (const child of [...body.children]) if (!keep.has(child)) child.remove();
		let next = body.firstElementChild;
		for (const tr of wanted) {
			if (tr === next) next = tr.nextElementSibling;
			else {
				const active = document.activeElement;
				const held = active instanceof HTMLElement && tr.contains(active) ? active : null;
				body.insertBefore(tr, next);
				held?.focus({ preventScroll: true });
			}
		}
	}

	function drawRows() {
		const ids = new Set(model.get("rows").map((row) => row.id));
		for (const id of drawn.keys()) if (!ids.has(id)) drawn.delete(id);
		arrange();
	}

	/** Draw everything anew: whichever columns there are. */
	function drawColumns() {
		drawn.clear();
		drawWidths();
		drawHead();
		drawRows();
	}

	function drawAll() {
		setText(caption, model.get("caption"));
		filter.setAttribute("aria-label", `Filter ${model.get("caption")}`);
		selection.drawActions();
		choice.draw();
		drawColumns();
	}

	openByClick(body, (id) => {
		const row = drawn.get(id)?.row;
		const opener = row && openerOf(row);
		if (opener) send(opener.action, id);
	});
	filter.addEventListener("input", arrange);
	emptyButton.addEventListener("click", () => model.send({ type: "empty_action" }));
	model.on(
		"change:rows change:loading change:empty change:empty_action change:filterable",
		drawRows,
	);
	model.on("change:columns change:actions change:caption change:bulk", drawAll);
	model.on("change:hidden_columns", drawColumns);
	drawAll();
	root.append(menu.element);
}

/**
 * Replace a cell; if the focus was on a button in it, the same button of the new cell gets it.
 *
 * @param {HTMLElement} before
 * @param {HTMLElement} after
 */
function replaceKeepingFocus(before, after) {
	const active = document.activeElement;
	const action =
		active instanceof HTMLElement && before.contains(active) ? active.dataset.action : undefined;
	before.replaceWith(after);
	if (action) focusIn(after, `[data-action="${CSS.escape(action)}"]`, { preventScroll: true });
}

/**
 * Give the focus to what a selector finds.
 *
 * @param {HTMLElement} root
 * @param {string} selector
 * @param {FocusOptions} [options]
 */
function focusIn(root, selector, options) {
	const found = root.querySelector(selector);
	if (found instanceof HTMLElement) found.focus(options);
}

/**
 * Rows that stand for those on their way.
 *
 * @param {HTMLCollection} heads of the columns
 */
function skeletonRows(heads) {
	/** @param {Element} head */
	const cell = (head) => {
		const kind = (head instanceof HTMLElement && head.dataset.kind) || "";
		const shape = kind === "select" ? null : el("span", { class: "llm-skeleton" });
		return el(
			"td",
			{ class: head.className, data: { kind, label: head.textContent ?? "" } },
			shape,
		);
	};
	return [1, 2, 3].map(() => el("tr", {}, ...[...heads].map(cell)));
}

export default { render };
