/** Carries the style sheet of all components; and lets a view begin at its top. */

/** A view that takes the place of another is shown from its heading, not from where that was. */
function fromTheTop(records) {
	for (const { addedNodes } of records) {
		for (const node of addedNodes) {
			const heading = node.querySelector?.(".llm-toolbar");
			if (heading && heading.getBoundingClientRect().top < 0) {
				heading.scrollIntoView({ block: "start" });
			}
		}
	}
}

function render({ el: root }) {
	root.hidden = true;
	const observer = new MutationObserver(fromTheTop);
	observer.observe(document.body, { childList: true, subtree: true });
	return () => observer.disconnect();
}

export default { render };
