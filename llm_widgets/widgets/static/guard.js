/**
 * Heartbeat between the page and its kernel. When answers stay away, a banner says so and
 * offers to load the page anew.
 */

import { el, isolateKeys } from "./dom.js";
import { icon } from "./parts.js";

/** @import { Context, GuardReceived, GuardSent, GuardTraits } from "./types.js" */

/** @param {Context<GuardTraits, GuardSent, GuardReceived>} context */
function initialize({ model }) {
	let answered = performance.now();
	/** @type {HTMLElement | null} */
	let banner = null;

	function show() {
		const reload = el("button", {
			type: "button",
			class: "llm-button llm-primary",
			text: "Reload",
		});
		reload.addEventListener("click", () => location.reload());
		const text = el("span", { class: "llm-toast-text", text: model.get("text") });
		banner = el(
			"div",
			{ class: "llm-guard", role: "alert", popover: "manual" },
			icon("warning"),
			text,
			reload,
		);
		isolateKeys(banner);
		document.body.append(banner);
		banner.showPopover();
	}

	function beat() {
		const silent = performance.now() - answered;
		try {
			model.send({ type: "ping" });
		} catch {
			// A closed connection is what this is looking for; silence says it below.
		}
		if (silent > model.get("limit_ms") && banner === null) show();
	}

	model.on("msg:custom", (message) => {
		if (message.type !== "pong") return;
		answered = performance.now();
		banner?.remove();
		banner = null;
	});
	// A laptop that wakes up has been silent for long without being cut off: it gets a new start.
	document.addEventListener("visibilitychange", () => {
		if (document.visibilityState === "visible") answered = performance.now();
	});
	const timer = setInterval(beat, model.get("period_ms"));
	beat();
	return () => {
		clearInterval(timer);
		banner?.remove();
	};
}

/** @param {{el: HTMLElement}} context */
function render({ el: root }) {
	root.hidden = true;
}

export default { initialize, render };
