/**
 * What ipywidgets' Tab lacks for screen readers: panels with the role `tabpanel`, tied to their
 * tabs. The tab bar itself (roles, arrow keys) is made by ipywidgets.
 */

import { uid } from "./dom.js";

/** @import { Context, TabsTraits } from "./types.js" */

/** @param {Context<TabsTraits>} context */
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
