import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Comm, Kernel } from "../../llm_widgets/server/frontend/kernel.js";
import { decode, encode } from "../../llm_widgets/server/frontend/messages.js";
import "./browser.js";

/** @import { Message } from "../../llm_widgets/server/frontend/messages.js" */

/** The server's end of a websocket. */
class Socket {
	static OPEN = 1;
	/** @type {Socket[]} */
	static made = [];

	/**
	 * @param {URL} url
	 * @param {string[]} protocols
	 */
	constructor(url, protocols) {
		Object.assign(this, { url: url.href, protocols });
		this.readyState = 0;
		/** @type {Message[]} */
		this.received = [];
		this.onopen = () => {};
		this.onclose = () => {};
		/** @type {(event: { data: ArrayBuffer }) => void} */
		this.onmessage = () => {};
		Socket.made.push(this);
	}

	open() {
		this.readyState = Socket.OPEN;
		this.onopen();
	}

	/** @param {ArrayBuffer} data */
	send(data) {
		this.received.push(decode(data));
	}

	close() {
		this.readyState = 3;
		this.onclose();
	}

	/** @param {Partial<Message> & { type: string }} message */
	say({ type, ...rest }) {
		const header = {
			msg_id: "k",
			msg_type: type,
			session: "k",
			username: "",
			version: "5.3",
			date: "",
		};
		const message = {
			channel: "iopub",
			header,
			parent_header: {},
			metadata: {},
			content: {},
			buffers: [],
		};
		this.onmessage({ data: encode({ ...message, ...rest }) });
	}
}

/** @returns {Socket} */
const latest = () => /** @type {Socket} */ (Socket.made.at(-1));

/** A kernel whose server answers requests as told. */
function kernel() {
	Object.assign(globalThis, { WebSocket: Socket });
	const made = new Kernel("/base/", "some-id");
	/** @type {string[]} */
	const states = [];
	made.onState = (state) => states.push(state);
	return { made, states };
}

/** Let what waits for promises go on. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

test("a message is the same after it has been sent", () => {
	const buffer = new DataView(new Uint8Array([0, 1, 2, 3, 4]).buffer, 1, 3);
	const header = {
		msg_id: "1",
		msg_type: "comm_msg",
		session: "s",
		username: "",
		version: "5.3",
		date: "d",
	};
	const sent = {
		channel: "shell",
		header,
		parent_header: {},
		metadata: { a: 1 },
		content: { data: "ü€😀" },
	};
	const { buffers, ...rest } = decode(encode({ ...sent, buffers: [buffer] }));
	assert.deepEqual(rest, sent);
	assert.deepEqual(
		buffers.map((each) => [...new Uint8Array(each.buffer)]),
		[[1, 2, 3]],
	);
});

test("what is sent before there is a connection waits for it, in order", () => {
	const { made, states } = kernel();
	const comm = new Comm(made, "c", "jupyter.widget");
	comm.send({ n: 1 });
	comm.send({ n: 2 });
	assert.match(
		Reflect.get(latest(), "url"),
		/^ws:.*\/base\/api\/kernels\/some-id\/channels\?session_id=/,
	);
	assert.deepEqual(latest().received, []);
	latest().open();
	comm.send({ n: 3 });
	assert.deepEqual(
		latest().received.map((each) => each.content),
		[1, 2, 3].map((n) => ({ comm_id: "c", data: { n } })),
	);
	assert.deepEqual(states, ["open"]);
});

test("messages reach their comms one after the other", async () => {
	const { made } = kernel();
	latest().open();
	/** @type {unknown[]} */
	const seen = [];
	made.onComm = async (comm) => {
		await settle();
		seen.push(comm.target_name);
		comm.on_msg((message) => seen.push(message.content.data));
		comm.on_close(() => seen.push("closed"));
	};
	latest().say({ type: "comm_open", content: { comm_id: "c", target_name: "t" } });
	latest().say({ type: "comm_msg", content: { comm_id: "c", data: 1 } });
	latest().say({ type: "comm_close", content: { comm_id: "c" } });
	latest().say({ type: "comm_msg", content: { comm_id: "c", data: 2 } });
	await made.handled;
	assert.deepEqual(seen, ["t", 1, "closed"]);
});

test("who sent a message is told when the kernel is done with it", async () => {
	const { made } = kernel();
	latest().open();
	/** @type {string[]} */
	const states = [];
	const iopub = {
		status: (/** @type {Message} */ told) => states.push(told.content.execution_state),
	};
	const msg_id = made.send("comm_msg", {}, { callbacks: { iopub } });
	for (const execution_state of ["busy", "idle", "idle"]) {
		latest().say({ type: "status", parent_header: { msg_id }, content: { execution_state } });
	}
	await made.handled;
	assert.deepEqual(states, ["busy", "idle"]);
});

/** @type {[string, () => Promise<object>, string[], number][]} */
const ENDS = [
	["a server that is away", () => Promise.reject(new TypeError("no line")), ["away"], 2],
	["a kernel that is there", async () => ({ status: 200 }), ["away"], 2],
	["a server that is overloaded", async () => ({ status: 503 }), ["away"], 2],
	["a kernel that has gone", async () => ({ status: 404 }), ["away", "ended"], 1],
	[
		"a visitor who is led to sign in",
		async () => ({ type: "opaqueredirect" }),
		["away", "signed-out"],
		1,
	],
	["a visitor who is not known", async () => ({ status: 401 }), ["away", "signed-out"], 1],
];

for (const [name, fetch, expected, sockets] of ENDS) {
	test(`after the loss of the connection: ${name}`, async () => {
		Socket.made = [];
		mock.timers.enable({ apis: ["setTimeout"] });
		Object.assign(globalThis, { fetch });
		const { made, states } = kernel();
		latest().close();
		mock.timers.tick(5_000);
		await settle();
		assert.deepEqual(states, expected);
		assert.equal(Socket.made.length, sockets);
		mock.timers.reset();
		made.leave();
	});
}

test("a page that is left does not come back", async () => {
	Socket.made = [];
	mock.timers.enable({ apis: ["setTimeout"] });
	const { made, states } = kernel();
	made.leave();
	mock.timers.tick(60_000);
	await settle();
	assert.deepEqual([states, Socket.made.length], [[], 1]);
	mock.timers.reset();
});
