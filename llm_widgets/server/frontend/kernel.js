/**
 * The visitor's kernel, over its websocket: comms and nothing else. What is sent while the socket is
 * away waits for it; the server keeps what the kernel says meanwhile, and sends it when the same
 * session is back.
 */

import { decode, encode, PROTOCOL } from "./messages.js";

/** @import { ConnectionState } from "../../widgets/static/types.js" */
/** @import { Message } from "./messages.js" */

/**
 * What ipywidgets wants to be told of the answer to a message.
 *
 * @typedef {{
 *   iopub?: { status?: (message: Message) => void },
 *   shell?: { reply?: (message: Message) => void },
 * }} Callbacks
 */

/** @typedef {{ callbacks?: Callbacks | undefined, metadata?: any, buffers?: any }} Extras */

const FIRST_WAIT = 500; // milliseconds
const LONGEST_WAIT = 5_000;
const VERSION = "5.3"; // of the protocol: https://jupyter-client.readthedocs.io/en/stable/messaging.html

export class Kernel {
	/**
	 * @param {string} baseUrl
	 * @param {string} id
	 */
	constructor(baseUrl, id) {
		this.session = crypto.randomUUID?.() ?? Math.random().toString(36).slice(2);
		this.url = new URL(`${baseUrl}api/kernels/${id}`, location.href);
		/** @type {ArrayBuffer[]} */
		this.waiting = [];
		/** @type {Map<string, Comm>} */
		this.comms = new Map();
		/** @type {Map<string, Callbacks>} */
		this.callbacks = new Map();
		/** @type {(comm: Comm, message: Message) => unknown} */
		this.onComm = () => undefined;
		/** @type {(state: ConnectionState) => void} */
		this.onState = () => undefined;
		this.sent = 0;
		this.failures = 0;
		this.left = false;
		/** @type {Promise<unknown>} */
		this.handled = Promise.resolve();
		/** @type {WebSocket} */
		this.socket = this.connect();
	}

	connect() {
		const url = new URL(`${this.url.href}/channels`);
		url.protocol = url.protocol.replace("http", "ws");
		url.searchParams.set("session_id", this.session);
		const socket = new WebSocket(url, [PROTOCOL]);
		socket.binaryType = "arraybuffer";
		socket.onopen = () => {
			this.failures = 0;
			for (const each of this.waiting.splice(0)) socket.send(each);
			this.onState("open");
		};
		socket.onmessage = ({ data }) => this.receive(decode(data));
		socket.onclose = () => this.comeBack();
		return socket;
	}

	/** Try again, sooner at first; unless the server says that the kernel has gone. */
	async comeBack() {
		if (this.left) return;
		this.onState("away");
		const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures++);
		await new Promise((resolve) => setTimeout(resolve, wait * (0.75 + Math.random() / 2)));
		if (this.left) return;
		const end = await this.whyRefused();
		if (end) this.onState(end);
		else this.socket = this.connect();
	}

	/**
	 * Return why there will be no websocket again; nothing if there may be one. A websocket that is
	 * refused does not say why: an ordinary request does.
	 *
	 * @returns {Promise<ConnectionState | undefined>}
	 */
	async whyRefused() {
		try {
			const answer = await fetch(this.url, { redirect: "manual", cache: "no-store" });
			// Identity-Aware Proxy leads those whose sign-in has ended to Google's page.
			if (answer.type === "opaqueredirect" || answer.status === 401) return "signed-out";
			return answer.status === 403 || answer.status === 404 ? "ended" : undefined;
		} catch {
			return undefined; // the server is away
		}
	}

	/** Stop: the page is being left. */
	leave() {
		this.left = true;
		this.socket.close();
	}

	/**
	 * Send a message to the kernel, or keep it until there is a socket; return its id.
	 *
	 * @param {string} type
	 * @param {Record<string, unknown>} content
	 * @param {Extras} extras
	 */
	send(type, content, { callbacks, metadata = {}, buffers = [] }) {
		const id = `${this.session}_${this.sent++}`;
		if (callbacks) this.callbacks.set(id, callbacks);
		const header = {
			msg_id: id,
			msg_type: type,
			session: this.session,
			username: "",
			version: VERSION,
			date: new Date().toISOString(),
		};
		const message = encode({
			channel: "shell",
			header,
			parent_header: {},
			metadata,
			content,
			buffers: buffers.map(viewOf),
		});
		if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
		else this.waiting.push(message);
		return id;
	}

	/**
	 * Handle messages one after the other: a widget must be there before its updates.
	 *
	 * @param {Message} message
	 */
	receive(message) {
		this.handled = this.handled
			.then(() => this.handle(message))
			.catch((error) => console.error(error));
	}

	/** @param {Message} message */
	handle(message) {
		const { channel, content, header, parent_header } = message;
		const callbacks = this.callbacks.get(parent_header.msg_id ?? "");
		if (channel === "shell") return callbacks?.shell?.reply?.(message);
		if (channel !== "iopub") return undefined;
		switch (header.msg_type) {
			case "status":
				callbacks?.iopub?.status?.(message);
				if (content.execution_state === "idle") this.callbacks.delete(parent_header.msg_id ?? "");
				return undefined;
			case "comm_open":
				return this.onComm(new Comm(this, content.comm_id, content.target_name), message);
			case "comm_msg":
				return this.comms.get(content.comm_id)?.onMessage(message);
			case "comm_close": {
				const comm = this.comms.get(content.comm_id);
				this.comms.delete(content.comm_id);
				return comm?.onClose(message);
			}
			default:
				return undefined;
		}
	}
}

/**
 * Return the bytes of a buffer, whatever kind of array holds them.
 *
 * @param {ArrayBuffer | ArrayBufferView} buffer
 */
function viewOf(buffer) {
	return ArrayBuffer.isView(buffer)
		? new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
		: new DataView(buffer);
}

/** One widget's line to its kernel, as ipywidgets' models use it. */
export class Comm {
	/**
	 * @param {Kernel} kernel
	 * @param {string} id
	 * @param {string} target
	 */
	constructor(kernel, id, target) {
		this.kernel = kernel;
		this.comm_id = id;
		this.target_name = target;
		/** @type {(message: any) => unknown} */
		this.onMessage = () => undefined;
		/** @type {(message: any) => unknown} */
		this.onClose = () => undefined;
		kernel.comms.set(id, this);
	}

	/**
	 * @param {any} data
	 * @param {Callbacks} [callbacks]
	 * @param {any} [metadata]
	 * @param {any} [buffers]
	 */
	open(data, callbacks, metadata, buffers) {
		const content = { comm_id: this.comm_id, target_name: this.target_name, data };
		return this.kernel.send("comm_open", content, { callbacks, metadata, buffers });
	}

	/**
	 * @param {any} data
	 * @param {Callbacks} [callbacks]
	 * @param {any} [metadata]
	 * @param {any} [buffers]
	 */
	send(data, callbacks, metadata, buffers) {
		const content = { comm_id: this.comm_id, data };
		return this.kernel.send("comm_msg", content, { callbacks, metadata, buffers });
	}

	/**
	 * @param {any} [data]
	 * @param {Callbacks} [callbacks]
	 * @param {any} [metadata]
	 * @param {any} [buffers]
	 */
	close(data = {}, callbacks, metadata, buffers) {
		this.kernel.comms.delete(this.comm_id);
		const content = { comm_id: this.comm_id, data };
		return this.kernel.send("comm_close", content, { callbacks, metadata, buffers });
	}

	/** @param {(message: any) => unknown} callback */
	on_msg(callback) {
		this.onMessage = callback;
	}

	/** @param {(message: any) => unknown} callback */
	on_close(callback) {
		this.onClose = callback;
	}
}
