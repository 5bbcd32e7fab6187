/**
 * What ipywidgets' Tab lacks: for screen readers, panels with the role `tabpanel`, tied to their
 * tabs; and to be told when the tab that is shown is pressed again. The tab bar itself (roles,
 * arrow keys) is made by ipywidgets.
 */

import { uid } from "./dom.js";

/** @import { Context, TabsSent, TabsTraits } from "./types.js" */

/**
 * The tab that an event is about, if it is the one that is shown.
 *
 * @param {Event} event
 */
const shownTab = ({ target }) =>
	target instanceof Element ? target.closest(".lm-TabBar-tab.lm-mod-current") : null;

/**
 * Call back when the tab that is shown is pressed. Lumino shows a tab when the pointer goes down:
 * by the click that follows, each is the one that is shown.
 *
 * @param {Element} bar
 * @param {() => void} callback
 */
function onAgain(bar, callback) {
	/** @type {Element | null} */
	let pressed = null;
	bar.addEventListener("pointerdown", (event) => (pressed = shownTab(event)), true);
	bar.addEventListener("click", (event) => {
		if (pressed && pressed === shownTab(event)) callback();
	});
	bar.addEventListener(
		"keydown",
		(event) => {
			const isPress = ["Enter", " "].includes(/** @type {KeyboardEvent} */ (event).key);
			if (isPress && shownTab(event)) callback();
		},
		true,
	);
}

/** @param {Context<TabsTraits, TabsSent>} context */
function render({ model, el: root }) {
	root.hidden = true;
	/** @type {MutationObserver | null} */
	let observer = null;

	/** @param {Element} shell */
	function tie(shell) {
		const tabs = [...shell.querySelectorAll(":scope > .lm-TabBar [role='tab']")];
		const panels = [...shell.querySelectorAll(":scope > .widget-tab-contents > *")];
		tabs.forEach((tab, index) => {
			const panel = panels[index];
			if (!panel) return;
			tab.id ||= uid("tab");
			panel.id ||= uid("panel");
			set(tab, "aria-controls", panel.id);
			set(panel, "role", "tabpanel");
			set(panel, "aria-labelledby", tab.id);
		});
		const bar = shell.querySelector(":scope > .lm-TabBar [role='tablist']");
		if (bar) set(bar, "aria-label", model.get("label"));
	}

	/**
	 * Set an attribute. To set one to what it is already would wake the observer for ever.
	 *
	 * @param {Element} node
	 * @param {string} name
	 * @param {string} value
	 */
	function set(node, name, value) {
		if (node.getAttribute(name) !== value) node.setAttribute(name, value);
	}

	function find() {
		const shell = document.querySelector(`.${CSS.escape(model.get("tab_class"))}`);
		if (!shell) {
			frame = requestAnimationFrame(find);
			return;
		}
		tie(shell);
		const bar = shell.querySelector(":scope > .lm-TabBar");
		if (bar) onAgain(bar, () => model.send({ type: "again" }));
		observer = new MutationObserver(() => tie(shell));
		observer.observe(shell, { childList: true, subtree: true });
	}

	let frame = requestAnimationFrame(find);
	return () => {
		cancelAnimationFrame(frame);
		observer?.disconnect();
	};
}

export default { render };
