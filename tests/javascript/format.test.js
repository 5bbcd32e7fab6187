import "./browser.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import { number } from "../../llm_widgets/widgets/static/chart.js";
import { safeHref } from "../../llm_widgets/widgets/static/dom.js";
import { formatAgo, formatBytes, formatPercent } from "../../llm_widgets/widgets/static/format.js";
import { gib } from "../../llm_widgets/widgets/static/memory.js";

test("bytes in decimal units, never four digits", () => {
	const shown = [0, 999, 1000, 99_949, 99_950, 999_499, 999_500, 1.5e9, 2e18].map(formatBytes);
	assert.deepEqual(shown, [
		...["0 B", "999 B", "1.0 kB", "99.9 kB", "100 kB", "999 kB", "1.0 MB", "1.5 GB", "2000 PB"],
	]);
});

test("how long ago something was", () => {
	const now = Date.UTC(2026, 0, 10);
	const ago = (/** @type {number} */ seconds) => formatAgo(now - seconds * 1000, now);
	assert.deepEqual([0, 59, 60, 3599, 3600, 86_399, 86_400, 3 * 86_400, -120].map(ago), [
		...["just now", "just now", "1 minute ago", "59 minutes ago", "1 hour ago", "23 hours ago"],
		...["yesterday", "3 days ago", "in 2 minutes"],
	]);
});

test("a share is never rounded up to the whole, and never leaves its bounds", () => {
	assert.deepEqual([0, 0.999, 1, 1.7, -1, Number.NaN].map(formatPercent), [
		...["0%", "99%", "100%", "100%", "0%", "0%"],
	]);
});

test("sizes of memories in binary units", () => {
	assert.deepEqual([0, 100 * 2 ** 20, 1.5 * 2 ** 30, 24 * 2 ** 30].map(gib), [
		...["0 MiB", "100 MiB", "1.50 GiB", "24.0 GiB"],
	]);
});

test("measures in units that suit them", () => {
	assert.equal(number(0.25, "s"), "250 ms");
	assert.equal(number(1.234, "s"), "1.23 s");
	assert.equal(number(120.7, "%"), "121%");
	assert.equal(number(3, ""), "3");
});

test("only addresses of pages and of mail are links", () => {
	assert.equal(safeHref("https://example.com/a"), "https://example.com/a");
	assert.equal(safeHref("/docs"), "http://localhost/docs");
	assert.equal(safeHref("mailto:a@b.c"), "mailto:a@b.c");
	for (const each of [
		"javascript:alert(1)",
		" JAVASCRIPT:alert(1)",
		"data:text/html,x",
		"",
		null,
		7,
	])
		assert.equal(safeHref(each), null);
});
