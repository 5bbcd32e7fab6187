// Writes the licences of all packages that are in a bundle: esbuild's list of its inputs says which.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";

// Packages of Jupyter's own projects come without the text of their common licence.
const OF_JUPYTER = /^@(jupyter-widgets|lumino)\//;
const JUPYTERS = "llm_widgets/server/frontend/jupyter_licence.txt";

const [metafile, out] = process.argv.slice(2);
if (!metafile || !out) throw new Error("Usage: licences.js METAFILE OUT");
const { inputs } = JSON.parse(readFileSync(metafile, "utf8"));
const folders = new Set(
	Object.keys(inputs).flatMap((path) => path.match(/^.*node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []),
);
const chapters = [...folders].sort().map((folder) => {
	const about = JSON.parse(readFileSync(`${folder}/package.json`, "utf8"));
	const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying)/i.test(name));
	const found = files.map((name) => `${folder}/${name}`);
	if (!found.length && OF_JUPYTER.test(about.name)) found.push(JUPYTERS);
	if (!found.length) throw new Error(`${about.name} comes without the text of its licence.`);
	const texts = found.map((path) => readFileSync(path, "utf8").trim());
	return [`${about.name} ${about.version} (${about.license})`, ...texts].join("\n\n");
});
writeFileSync(out, `${chapters.join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
