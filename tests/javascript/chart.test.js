import assert from "node:assert/strict";
import { test } from "node:test";
import { moment, TIMES, ticks } from "../../llm_widgets/widgets/static/chart.js";

test("the words of an axis have one unit, and no more digits than they need", () => {
	assert.deepEqual(ticks([0, 20, 40], "s"), ["0 s", "20 s", "40 s"]);
	assert.deepEqual(ticks([0, 2.5, 5], "s"), ["0.0 s", "2.5 s", "5.0 s"]);
	assert.deepEqual(ticks([0, 0.05, 0.1], "s"), ["0 ms", "50 ms", "100 ms"]);
	assert.deepEqual(ticks([0, 50, 100], "%"), ["0%", "50%", "100%"]);
	assert.deepEqual(ticks([0, 1, 2], ""), ["0", "1", "2"]);
	assert.deepEqual(ticks([0, 0.1 + 0.2], "tokens/s"), ["0.0 tokens/s", "0.3 tokens/s"]);
});

test("an axis has times that a clock has, as the logs tell them", () => {
	const day = 86_400;
	for (const step of TIMES) assert.ok(day % step === 0 || step % day === 0, String(step));
	const evening = new Date(2026, 11, 3, 18, 30).getTime() / 1000;
	assert.equal(moment(evening, 3600), "18:30");
	assert.match(moment(evening, 7 * day), /3\D.*18:30/);
});
