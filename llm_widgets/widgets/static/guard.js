/**
 * The line between the page and its kernel. Our own page tells when it is cut off: it is greyed, and
 * a banner says what to do. Elsewhere a heartbeat finds out, when its answers stay away.
 *
 * The first beat comes with the first view. By then all widgets of the page are there; what Python
 * changed of one that is still being made, as an answer to the beat, would be lost.
 */

import { el, isolateKeys } from "./dom.js";
import { icon } from "./parts.js";

/** @import { ConnectionState, Context, GuardReceived, GuardSent, GuardTraits } from "./types.js" */

export default () => {
	let begin = () => {};

	/** @param {Context<GuardTraits, GuardSent, GuardReceived>} context */
	function initialize({ model }) {
		let answered = performance.now();
		/** @type {HTMLElement | null} */
		let banner = null;
		const words = el("span", { class: "llm-toast-text" });
		/** @type {ReturnType<typeof setTimeout>[]} */
		const later = [];

		/** @param {string} text */
		function show(text) {
			if (banner === null) {
				const reload = el("button", {
					type: "button",
					class: "llm-button llm-primary",
					text: "Reload",
				});
				reload.addEventListener("click", () => location.reload());
				banner = el(
					"div",
					{ class: "llm-guard", role: "alert", popover: "manual" },
					icon("warning"),
					words,
					reload,
				);
				isolateKeys(banner);
				document.body.append(banner);
				banner.showPopover();
			}
			words.textContent = text;
		}

		function hide() {
			for (const each of later.splice(0)) clearTimeout(each);
			document.documentElement.classList.remove("llm-away");
			banner?.remove();
			banner = null;
		}

		function grey() {
			document.documentElement.classList.add("llm-away");
		}

		/** @param {Event} event */
		function connected(event) {
			const { detail } = /** @type {CustomEvent<ConnectionState>} */ (event);
			answered = performance.now();
			if (detail === "open") {
				hide();
				tell({ type: "ping" });
			} else if (detail === "away") {
				if (later.length || banner) return;
				later.push(setTimeout(grey, model.get("grey_ms")));
				later.push(setTimeout(() => show(model.get("away_text")), model.get("away_ms")));
			} else {
				hide();
				grey();
				show(model.get(detail === "ended" ? "ended_text" : "signed_out_text"));
			}
		}

		/** @param {GuardSent} message */
		function tell(message) {
			try {
				model.send(message);
			} catch {
				// A closed connection is what this is looking for; silence says it.
			}
		}

		function beat() {
			const silent = performance.now() - answered;
			tell({ type: "ping" });
			if (silent > model.get("limit_ms") && banner === null) show(model.get("text"));
		}

		model.on("msg:custom", (message) => {
			if (message.type !== "pong") return;
			answered = performance.now();
			hide();
		});
		// A laptop that wakes up has been silent for long without being cut off: it gets a new start.
		function seen() {
			const isShown = document.visibilityState === "visible";
			if (isShown) answered = performance.now();
			tell({ type: isShown ? "shown" : "hidden" });
		}
		document.addEventListener("visibilitychange", seen);
		document.addEventListener("llm-connection", connected);
		/** @type {ReturnType<typeof setInterval> | undefined} */
		let timer;
		begin = () => {
			if (timer) return;
			timer = setInterval(beat, model.get("period_ms"));
			beat();
		};
		return () => {
			clearInterval(timer);
			document.removeEventListener("visibilitychange", seen);
			document.removeEventListener("llm-connection", connected);
			hide();
		};
	}

	/** @param {{el: HTMLElement}} context */
	function render({ el: root }) {
		root.hidden = true;
		begin();
	}

	return { initialize, render };
};
