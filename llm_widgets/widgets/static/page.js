/** Carries the style sheet of all components; shows nothing. */

function render({ el: root }) {
	root.hidden = true;
}

export default { render };
