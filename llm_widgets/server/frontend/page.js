/**
 * The page in the browser: it draws what Voilà has run, from the state of the widgets that came with
 * the page, and keeps it connected to its kernel.
 */

import { MessageLoop } from "@lumino/messaging";
import { Widget } from "@lumino/widgets";
import { Kernel } from "./kernel.js";
import { sayShown } from "./lazy_tab.js";
import { Manager } from "./manager.js";

const VIEW = "application/vnd.jupyter.widget-view+json";
const STATE = "application/vnd.llm-widgets.state+json";

/** @typedef {{data?: Record<string, any>, text?: string | string[], traceback?: string[]}} Output */

/** @returns {Output[]} */
function outputs() {
	const found = document.querySelectorAll('script[type="application/vnd.voila.cell-output+json"]');
	return [...found].map((each) => JSON.parse(each.textContent ?? "{}"));
}

/**
 * Return what stands in place of an output that is no widget: its text, or the sentence that the
 * server has put in place of a traceback.
 *
 * @param {Output} output
 */
function plain(output) {
	const text = output.traceback ?? output.text ?? output.data?.["text/plain"] ?? "";
	const element = document.createElement("pre");
	element.className = "frame-message";
	element.textContent = [text].flat().join("");
	return element;
}

/**
 * End the kernel with its page, which no other page can take over.
 *
 * @param {Kernel} kernel
 * @param {string} shutdown
 */
function endWithPage(kernel, shutdown) {
	const xsrf = document.cookie.match(/(?:^|; )_xsrf-llm-widgets=([^;]+)/)?.[1];
	window.addEventListener("pagehide", ({ persisted }) => {
		if (persisted) return;
		kernel.leave();
		if (!xsrf) return;
		const form = new FormData();
		form.append("_xsrf", decodeURIComponent(xsrf));
		navigator.sendBeacon(shutdown, form);
	});
}

async function start() {
	const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "null");
	if (!config) return; // the server has said why there is no kernel
	const { baseUrl, kernelId } = config;
	const kernel = new Kernel(baseUrl, kernelId);
	endWithPage(kernel, `${baseUrl}voila/api/shutdown/${kernelId}`);
	kernel.onState = (state) => {
		document.dispatchEvent(new CustomEvent("llm-connection", { detail: state }));
	};
	const manager = new Manager(kernel);
	const shown = outputs();
	await manager.take(shown.map((each) => each.data?.[STATE]).find(Boolean) ?? {});
	const main = /** @type {HTMLElement} */ (document.querySelector("main"));
	/** @type {Widget[]} */
	const drawn = [];
	for (const output of shown) {
		const id = output.data?.[VIEW]?.model_id;
		if (!id) {
			main.append(plain(output));
			continue;
		}
		const { luminoWidget } = await manager.create_view(await manager.get_model(id));
		Widget.attach(luminoWidget, main);
		drawn.push(luminoWidget);
	}
	document.getElementById("loading")?.remove();
	main.hidden = false;
	requestAnimationFrame(() => setTimeout(sayShown));
	window.addEventListener("resize", () => {
		for (const each of drawn) MessageLoop.postMessage(each, Widget.ResizeMessage.UnknownSize);
	});
}

start().catch((error) => console.error(error));
