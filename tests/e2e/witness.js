// Keeps every text that the page shows, also what is gone again before a test can look.
(() => {
	const seen = new Set();
	const keep = (node) => {
		if (node.nodeType === Node.TEXT_NODE) {
			const text = node.parentElement?.textContent ?? node.data;
			if (text.length < 1000) seen.add(text);
		} else {
			for (const child of node.childNodes) keep(child);
		}
	};
	new MutationObserver((changes) => {
		for (const change of changes) {
			for (const node of change.addedNodes) keep(node);
			if (change.type === "characterData") keep(change.target);
		}
	}).observe(document, { childList: true, characterData: true, subtree: true });
	window.forgetShown = () => seen.clear();
	window.hasShown = (text) => [...seen].some((each) => each.includes(text));
})();
