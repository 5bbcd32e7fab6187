/**
 * Stands in for `sanitize-html`, which ipywidgets cleans descriptions with where they may hold
 * markup: here all of it is text.
 *
 * @param {string} text
 */
export default function asText(text) {
	const node = document.createElement("span");
	node.textContent = text;
	return node.innerHTML;
}
