// What Voilà's scripts expect of the page around them, and the end of a page that is left.

// Voilà calls it when its theme is there; until then the page shows its skeleton.
window.voila_finish = () => {
	window.cellLoaded = true;
	if (!window.themeLoaded) {
		return;
	}
	document.getElementById("loading")?.remove();
	const cells = document.getElementById("rendered_cells");
	if (cells) {
		cells.style.display = "";
	}
};
window.display_cells = window.voila_finish;
window.voila_finish();

// Voilà says goodbye too, but only once all of it runs; a page may be left before.
const config = JSON.parse(document.getElementById("jupyter-config-data")?.textContent ?? "{}");
const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)?.[1];
if (config.kernelId && xsrf) {
	window.addEventListener("pagehide", (event) => {
		if (!event.persisted) {
			const form = new FormData();
			form.append("_xsrf", decodeURIComponent(xsrf));
			const end = `${config.baseUrl}voila/api/shutdown/${config.kernelId}`;
			navigator.sendBeacon(end, form);
		}
	});
}
