/** Brings into sight what a click has led to. */

/** The heading of the view that is shown: other tabs and other views have no size. */
const headingShown = () =>
	[.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".llm-toolbar"))].find(
		(heading) => heading.offsetHeight,
	);

/**
 * Whether something lies above the window, or below the bar that sticks to its top.
 *
 * @param {Element} element
 */
const isCovered = (element) => {
	const bar = Number.parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop);
	return element.getBoundingClientRect().top < (bar || 0);
};

/**
 * A notice that has come with a node: itself, or the first in it.
 *
 * @param {Node} node
 */
const noticeIn = (node) => {
	if (!(node instanceof Element)) return null;
	return node.matches(".llm-notice") ? node : node.querySelector(".llm-notice");
};

/** @param {{el: HTMLElement}} context */
function render({ el: root }) {
	root.hidden = true;
	let shown = headingShown();
	let isWaiting = false;

	/** A view that takes the place of another is shown from its top, not from where that was. */
	function look() {
		isWaiting = false;
		const heading = headingShown();
		if (heading && heading !== shown && isCovered(heading)) {
			(heading.closest(".llm-stack") ?? heading).scrollIntoView({ block: "start" });
		}
		shown = heading;
	}

	const observer = new MutationObserver((records) => {
		for (const answer of records.flatMap(({ addedNodes }) => [...addedNodes].map(noticeIn))) {
			if (answer?.closest(".llm-answer")) answer.scrollIntoView({ block: "nearest" });
		}
		if (isWaiting) return;
		isWaiting = true;
		requestAnimationFrame(look);
	});
	observer.observe(document.body, {
		attributeFilter: ["class"],
		attributes: true,
		childList: true,
		subtree: true,
	});
	return () => observer.disconnect();
}

export default { render };
