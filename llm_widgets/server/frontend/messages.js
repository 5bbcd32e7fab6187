/**
 * Messages of a kernel's websocket in Jupyter's binary protocol: the number of offsets, the offsets
 * (64 bits each, little-endian), the channel, four parts as JSON, and the buffers.
 *
 * Source: https://jupyter-server.readthedocs.io/en/latest/developers/websocket-protocols.html
 */

export const PROTOCOL = "v1.kernel.websocket.jupyter.org";

/**
 * @typedef {object} Header
 * @property {string} msg_id
 * @property {string} msg_type
 * @property {string} session
 * @property {string} username
 * @property {string} version
 * @property {string} date
 */

/**
 * @typedef {object} Message
 * @property {string} channel
 * @property {Header} header
 * @property {Partial<Header>} parent_header
 * @property {Record<string, unknown>} metadata
 * @property {any} content  What a message says, which depends on its type.
 * @property {DataView[]} buffers
 */

const OFFSET_BYTES = 8;
const PARTS = /** @type {const} */ (["header", "parent_header", "metadata", "content"]);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Return a message as the bytes that are sent.
 *
 * @param {Message} message
 * @returns {ArrayBuffer}
 */
export function encode(message) {
	const frames = [
		encoder.encode(message.channel),
		...PARTS.map((part) => encoder.encode(JSON.stringify(message[part]))),
		...message.buffers.map((each) => new Uint8Array(each.buffer, each.byteOffset, each.byteLength)),
	];
	const offsets = frames.length + 1;
	const start = OFFSET_BYTES * (offsets + 1);
	const size = frames.reduce((sum, each) => sum + each.byteLength, start);
	const bytes = new Uint8Array(size);
	const view = new DataView(bytes.buffer);
	view.setBigUint64(0, BigInt(offsets), true);
	let at = start;
	for (const [index, frame] of frames.entries()) {
		view.setBigUint64(OFFSET_BYTES * (index + 1), BigInt(at), true);
		bytes.set(frame, at);
		at += frame.byteLength;
	}
	view.setBigUint64(OFFSET_BYTES * offsets, BigInt(at), true);
	return bytes.buffer;
}

/**
 * Return the message that bytes hold.
 *
 * @param {ArrayBuffer} data
 * @returns {Message}
 */
export function decode(data) {
	const view = new DataView(data);
	const count = Number(view.getBigUint64(0, true));
	const offsets = Array.from({ length: count }, (_, index) =>
		Number(view.getBigUint64(OFFSET_BYTES * (index + 1), true)),
	);
	/** @param {number} index */
	const frame = (index) => new DataView(data, offsets[index], size(index));
	/** @param {number} index */
	const size = (index) => Number(offsets[index + 1]) - Number(offsets[index]);
	/** @param {number} index */
	const text = (index) => decoder.decode(frame(index));
	return {
		channel: text(0),
		header: JSON.parse(text(1)),
		parent_header: JSON.parse(text(2)),
		metadata: JSON.parse(text(3)),
		content: JSON.parse(text(4)),
		// Copies: a buffer is kept for longer than the message.
		buffers: Array.from(
			{ length: count - 2 - PARTS.length },
			(_, index) => new DataView(data.slice(offsets[index + 5], offsets[index + 6])),
		),
	};
}
