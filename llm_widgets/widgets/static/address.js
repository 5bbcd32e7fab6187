/**
 * What stands after `#` in the address of our own page. Python says which place is shown; the browser
 * says where it was led: by its Back, a bookmark, or a link. In a notebook nothing is touched.
 */

/** @import { AddressSent, AddressTraits, Context } from "./types.js" */

/** @param {Context<AddressTraits, AddressSent>} context */
function render({ model, el: root }) {
	root.hidden = true;
	if (!model.get("is_used")) return undefined;
	const product = document.title;
	let sent = 0;

	function tell() {
		sent += 1;
		model.send({ type: "went", address: location.hash, number: sent });
	}

	function draw() {
		const place = model.get("place");
		// What Python said before it heard of the last step is not where the browser is now.
		if (place === "" || model.get("heard") < sent) return;
		if (location.hash !== place) {
			const isFirst = location.hash === "";
			if (isFirst || model.get("replaces")) history.replaceState(null, "", place);
			else history.pushState(null, "", place);
		}
		document.title = [model.get("title"), product].filter(Boolean).join(" - ");
	}

	model.on("change:place change:title change:replaces change:heard", draw);
	window.addEventListener("hashchange", tell);
	tell();
	return () => window.removeEventListener("hashchange", tell);
}

export default { render };
