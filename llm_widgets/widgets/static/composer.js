/** Where a chat is written: the box, Send or Stop, a new chat, and what goes with each question. */

import { el, isolateKeys, setText, uid } from "./dom.js";
import { icon } from "./parts.js";

/** @import { ChatSettings, ComposerSent, ComposerTraits, Context } from "./types.js" */

/**
 * What a request can say of reasoning.
 *
 * @type {[string, string][]}
 */
const THINKING = [
	["", "The model's default"],
	["on", "On"],
	["off", "Off"],
];

/**
 * Whether a text is empty, or the JSON of a list of objects.
 *
 * @param {string} text
 */
function areTools(text) {
	if (text === "") return true;
	try {
		const found = JSON.parse(text);
		return Array.isArray(found) && found.every((each) => each && typeof each === "object");
	} catch {
		return false;
	}
}

/**
 * What goes with each question, folded.
 *
 * @param {(settings: ChatSettings) => void} changed is given what is valid
 */
function settingsFold(changed) {
	const system = el("textarea", { class: "llm-input", rows: 2, id: uid("system") });
	system.placeholder = "What the model is told before the conversation";
	const temperature = el("input", { class: "llm-input", id: uid("temperature") });
	Object.assign(temperature, { type: "number", min: "0", max: "2", step: "any" });
	const tokens = el("input", { class: "llm-input", id: uid("tokens") });
	Object.assign(tokens, { type: "number", min: "1", max: "1000000", step: "1" });
	const thinking = el("select", { class: "llm-input", id: uid("thinking") });
	for (const [value, label] of THINKING) thinking.append(el("option", { value, text: label }));
	const tools = el("textarea", { class: "llm-input", rows: 2, id: uid("tools") });
	tools.placeholder = '[{"type": "function", "function": {"name": "…"}}]';
	const inputs = [system, temperature, tokens, thinking, tools];
	for (const input of [temperature, tokens]) input.placeholder = "The engine's default";

	/** @param {HTMLInputElement} input */
	const number = (input) => (input.value === "" ? null : Number(input.value));

	/** @param {string} label @param {HTMLElement} input */
	const field = (label, input) =>
		el(
			"div",
			{ class: "llm-field" },
			el("label", { class: "llm-label", for: input.id, text: label }),
			input,
		);

	const thinkingField = field("Thinking", thinking);
	const element = el(
		"details",
		{ class: "llm-fold llm-chat-settings" },
		el("summary", { text: "Settings" }),
		el(
			"div",
			{ class: "llm-fields" },
			field("System prompt", system),
			field("Temperature (0 to 2)", temperature),
			field("Maximum tokens of an answer", tokens),
			thinkingField,
			field("Tools (JSON)", tools),
		),
	);

	/** Whether all is valid; if not, the browser says what is wrong. */
	function check() {
		tools.setCustomValidity(areTools(tools.value.trim()) ? "" : "Enter a JSON list of objects.");
		if (inputs.every((input) => input.checkValidity())) return true;
		element.open = true;
		return inputs.every((input) => input.reportValidity());
	}

	element.addEventListener("change", () => {
		if (!check()) return;
		changed({
			system: system.value.trim(),
			temperature: number(temperature),
			max_tokens: number(tokens),
			thinking: thinking.value,
			tools: tools.value.trim(),
		});
	});

	return {
		element,
		check,
		/** @param {ChatSettings} settings */
		show(settings) {
			system.value = settings.system;
			temperature.value = settings.temperature === null ? "" : String(settings.temperature);
			tokens.value = settings.max_tokens === null ? "" : String(settings.max_tokens);
			thinking.value = settings.thinking;
			tools.value = settings.tools;
		},
		/** @param {boolean} offered */
		offerThinking(offered) {
			thinkingField.hidden = !offered;
		},
	};
}

/**
 * Whether a key press is the Enter that sends: not the one that breaks a line, nor the one that
 * takes what an input method proposes, which old Safari tells by its code alone.
 *
 * @param {KeyboardEvent} event
 */
function sends(event) {
	return event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
}

/**
 * Focus an element as soon as it is seen: a tab draws what it holds when it is shown.
 *
 * @param {HTMLElement} element
 * @returns {() => void} gives it up
 */
function focusOnceSeen(element) {
	const observer = new IntersectionObserver((entries) => {
		if (!entries.some((entry) => entry.isIntersecting)) return;
		observer.disconnect();
		element.focus();
	});
	observer.observe(element);
	return () => observer.disconnect();
}

/** @param {Context<ComposerTraits, ComposerSent>} context */
function render({ model, el: root }) {
	const box = el("textarea", { class: "llm-input llm-prompt", rows: 1, "aria-label": "Prompt" });
	const button = el("button", { type: "button" });
	const fresh = el("button", { type: "button", class: "llm-button", text: "New chat" });
	const settings = settingsFold((chosen) => {
		model.set("settings", chosen);
		model.save_changes();
	});
	isolateKeys(root);
	root.append(
		el(
			"div",
			{ class: "llm-composer" },
			el("div", { class: "llm-composer-line" }, box, button),
			el("div", { class: "llm-composer-foot" }, settings.element, fresh),
		),
	);

	function ask() {
		const text = box.value.trim();
		if (!text || model.get("busy") || !settings.check()) return;
		model.send({ type: "ask", text });
		box.value = "";
		draw();
	}

	function draw() {
		const busy = model.get("busy");
		button.className = `llm-button ${busy ? "llm-outlined" : "llm-primary"}`;
		if (button.textContent !== (busy ? "Stop" : "Send")) {
			setText(button, busy ? "Stop" : "Send");
			button.prepend(icon(busy ? "stop" : "up"));
		}
		button.setAttribute("aria-disabled", String(!busy && box.value.trim() === ""));
		box.placeholder = model.get("placeholder");
	}

	box.addEventListener("input", draw);
	box.addEventListener("keydown", (event) => {
		if (!sends(event)) return;
		event.preventDefault();
		ask();
	});
	button.addEventListener("click", () => {
		if (model.get("busy")) model.send({ type: "stop" });
		else ask();
		box.focus();
	});
	fresh.addEventListener("click", () => {
		model.send({ type: "fresh" });
		box.focus();
	});
	model.on("change:busy change:placeholder", draw);
	model.on("change:settings", () => settings.show(model.get("settings")));
	const offer = () => settings.offerThinking(model.get("thinking"));
	model.on("change:thinking", offer);
	offer();
	settings.show(model.get("settings"));
	draw();

	let giveUp = () => {};
	function comeToWrite() {
		giveUp();
		if (model.get("called")) giveUp = focusOnceSeen(box);
	}
	model.on("change:called", comeToWrite);
	comeToWrite();
	return () => giveUp();
}

export default { render };
