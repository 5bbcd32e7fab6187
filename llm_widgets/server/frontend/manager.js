/** Keeps the page's widgets: their classes, their models, and the comm of each. */

import * as base from "@jupyter-widgets/base";
import { ManagerBase } from "@jupyter-widgets/base-manager";
import * as controls from "@jupyter-widgets/controls";
import * as components from "./components.js";
import { Comm } from "./kernel.js";
import { LazyTabView } from "./lazy_tab.js";

/** @import { Kernel } from "./kernel.js" */

/** @type {Record<string, Record<string, unknown>>} */
const MODULES = {
	"@jupyter-widgets/base": { ...base },
	"@jupyter-widgets/controls": { ...controls, TabView: LazyTabView },
	anywidget: { ...components },
};

const TARGET = "jupyter.widget";

/** @typedef {{model_name: string, model_module: string, model_module_version: string, state: any}} WidgetState */

export class Manager extends ManagerBase {
	/** @param {Kernel} kernel */
	constructor(kernel) {
		super();
		this.kernel = kernel;
		kernel.onComm = (comm, message) =>
			comm.target_name === TARGET
				? this.handle_comm_open(/** @type {any} */ (comm), /** @type {any} */ (message))
				: undefined;
	}

	/**
	 * @override
	 * @param {string} name
	 * @param {string} module
	 * @returns {Promise<any>}
	 */
	async loadClass(name, module) {
		const found = MODULES[module]?.[name];
		if (!found) throw new Error(`The page has no widget ${name} of ${module}.`);
		return found;
	}

	/**
	 * @override
	 * @param {string} target
	 * @param {string} id
	 * @param {any} [data]
	 * @param {any} [metadata]
	 * @param {any} [buffers]
	 * @returns {Promise<any>}
	 */
	async _create_comm(target, id, data, metadata, buffers) {
		const comm = new Comm(this.kernel, id, target);
		if (data || metadata) comm.open(data, undefined, metadata, buffers);
		return comm;
	}

	/** @override */
	async _get_comm_info() {
		return {};
	}

	/**
	 * Make the models of all widgets from the states that came with the page.
	 *
	 * @param {Record<string, WidgetState>} states
	 */
	async take(states) {
		const made = Object.entries(states).map(([id, { state, ...kind }]) => {
			const comm = /** @type {any} */ (new Comm(this.kernel, id, TARGET));
			return this.new_model({ ...kind, model_id: id, comm }, state);
		});
		await Promise.all(made);
	}
}
