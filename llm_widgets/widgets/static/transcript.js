/**
 * What was said in a chat. Python keeps it and sends it whole to a page that asks ("ready"); after
 * that only what is new crosses the wire. It is drawn once a frame, from the first turn that has
 * changed.
 */

import { debounce, el, isolateKeys, setText } from "./dom.js";
import { readChat, writeChat } from "./keptchat.js";
import { markdownPane } from "./markdown.js";
import { copyButton, icon } from "./parts.js";

/** @import { ChatTurn, Context, TranscriptReceived, TranscriptSent, TranscriptTraits } from "./types.js" */

/** As near to its end in pixels, a transcript follows what is added. */
const NEAR = 40;

/** Milliseconds after which what is new is kept: an answer comes in many pieces. */
const KEEP_PAUSE_MS = 300;

/** Addresses that are pictures themselves: nothing else is loaded. */
const PICTURE = /^data:image\/(png|jpeg|webp|gif);base64,/;

/** @param {ChatTurn} first */
function turnView(first) {
	let turn = first;
	const isAnswer = turn.role === "assistant";
	const answer = isAnswer ? markdownPane() : null;
	const text = answer?.element ?? el("div", { class: "llm-turn-text" });
	const thought = el("div", { class: "llm-turn-thought" });
	const thinking = el("details", { open: true }, el("summary", { text: "Thinking" }), thought);
	const picture = el("img", { class: "llm-turn-image", alt: "Picture beside the question" });
	const calls = el("div", { class: "llm-turn-calls" });
	const called = el("div", { class: "llm-code" });
	calls.append(el("div", { class: "llm-turn-called", text: "Tool calls" }), called);
	const note = el("span", { class: "llm-note" });
	const ways = el("div", { class: "llm-turn-ways" });
	if (isAnswer) ways.append(copyButton(() => turn.text, "Copy the answer"));
	const element = el(
		"div",
		{ class: "llm-turn", data: { role: turn.role } },
		el("span", { class: "llm-sr", text: isAnswer ? "The model:" : "You:" }),
		thinking,
		picture,
		text,
		calls,
		el("div", { class: "llm-turn-foot" }, ways, note),
	);
	/** @param {ChatTurn} now */
	function update(now) {
		if (now.text && thinking.open && !turn.text) thinking.open = false;
		turn = { ...now };
		thinking.hidden = !turn.thought;
		setText(thought, turn.thought);
		if (answer) answer.show(turn.text);
		else setText(text, turn.text);
		text.hidden = !turn.text;
		if (PICTURE.test(turn.image) && picture.src !== turn.image) picture.src = turn.image;
		picture.hidden = !picture.src;
		setText(called, turn.calls);
		calls.hidden = !turn.calls;
		setText(note, turn.note);
		element.hidden = !(turn.text || turn.thought || turn.calls || turn.note);
	}
	if (turn.text) thinking.open = false;
	update(turn);
	return { element, ways, update, role: turn.role };
}

/** @typedef {ReturnType<typeof turnView>} TurnView */

export default () => {
	/** @type {ChatTurn[]} */
	let turns = [];
	/** @type {Set<(from: number) => void>} */
	const views = new Set();
	/** Whether the chat is kept over a reload, in words; empty where that is no question. */
	let kept = "";

	/** @param {string} words */
	function tell(words) {
		kept = words;
		for (const view of views) view(turns.length);
	}

	/** @param {TranscriptReceived} change */
	function apply(change) {
		let from = turns.length - 1;
		if (change.type === "turns") {
			from = change.from;
			turns = [...turns.slice(0, from), ...change.turns];
		} else {
			const last = turns.at(-1);
			if (!last) return;
			last.text += change.text;
			last.thought += change.thought;
		}
		for (const view of views) view(from);
	}

	/** @param {Context<TranscriptTraits, TranscriptSent, TranscriptReceived>} context */
	function initialize({ model }) {
		const name = model.get("kept_as");
		const keep = () => tell(writeChat(name, turns, model.get("secret")));
		const soon = debounce(KEEP_PAUSE_MS, keep);
		model.on("msg:custom", (change) => {
			apply(change);
			if (!name) return;
			if (change.type === "turns") keep();
			else soon.call();
		});
		model.send({ type: "ready", turns: name ? readChat(name) : [] });
	}

	/** @param {Context<TranscriptTraits, TranscriptSent, TranscriptReceived>} context */
	function render({ model, el: root }) {
		const list = el("div", { class: "llm-turns" });
		const placeholder = el("p", { class: "llm-chat-empty" });
		const words = el("span");
		const seconds = el("span", { class: "llm-waited" });
		const waiting = el("div", { class: "llm-waiting", "aria-hidden": "true" }, icon("busy"));
		waiting.append(el("span", {}, words, seconds));
		const pane = el(
			"div",
			{ class: "llm-transcript", role: "log", tabIndex: 0, "aria-live": "polite" },
			...[placeholder, list, waiting],
		);
		// Seconds are for the eye: a screen reader hears what is waited for when that changes.
		const said = el("div", { class: "llm-sr llm-said", role: "status" });
		const keeping = el("p", { class: "llm-note llm-kept" });
		const again = el("button", { type: "button", class: "llm-button llm-again" });
		/** @type {TurnView[]} */
		let drawn = [];
		let changed = 0;
		let frame = 0;
		isolateKeys(root);
		root.append(pane, keeping, said);

		again.addEventListener("click", () => {
			model.send({ type: "regenerate" });
			pane.focus(); // the button goes
		});

		function drawTurns() {
			const grows = turns.length > drawn.length;
			for (let index = changed; index < turns.length; index += 1) {
				const turn = /** @type {ChatTurn} */ (turns[index]);
				const view = drawn[index];
				if (view?.role === turn.role) view.update(turn);
				else {
					const made = turnView(turn);
					if (view) view.element.replaceWith(made.element);
					else list.append(made.element);
					drawn[index] = made;
				}
			}
			for (const gone of drawn.slice(turns.length)) gone.element.remove();
			drawn = drawn.slice(0, turns.length);
			changed = turns.length;
			return grows;
		}

		function drawState() {
			const busy = model.get("busy");
			const last = drawn.at(-1);
			pane.setAttribute("aria-label", model.get("label"));
			pane.setAttribute("aria-busy", String(busy));
			setText(placeholder, model.get("placeholder"));
			placeholder.hidden = turns.length > 0;
			setText(keeping, kept);
			keeping.hidden = !kept;
			waiting.hidden = !model.get("waiting");
			setText(words, model.get("waiting"));
			setText(seconds, model.get("waited") ? ` ${model.get("waited")} s` : "");
			if (said.textContent !== words.textContent) setText(said, model.get("waiting"));
			for (const each of drawn) each.ways.hidden = busy && each === last;
			setText(again, last?.role === "assistant" ? "Regenerate" : "Ask again");
			if (!busy && last) last.ways.append(again);
			else again.remove();
		}

		function flush() {
			frame = 0;
			const follows = pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR;
			const grows = drawTurns();
			drawState();
			if (follows || grows) pane.scrollTop = pane.scrollHeight;
		}

		/** @param {number} from the first turn that has changed */
		function view(from) {
			changed = Math.max(0, Math.min(changed, from));
			if (frame === 0) frame = requestAnimationFrame(flush);
		}

		const state = () => view(turns.length);
		model.on("change:label change:placeholder change:busy change:waiting change:waited", state);
		views.add(view);
		flush();
		return () => {
			views.delete(view);
			cancelAnimationFrame(frame);
		};
	}

	return { initialize, render };
};
