/** Numbers and times as people read them. */

/**
 * Bytes in decimal units, as hubs and tqdm print them: 1500000000 → "1.5 GB".
 *
 * @param {number} bytes
 * @returns {string}
 */
export function formatBytes(bytes) {
	const units = ["B", "kB", "MB", "GB", "TB", "PB"];
	let value = bytes;
	let unit = 0;
	while (Math.abs(value) >= 999.5 && unit < units.length - 1) {
		value /= 1000;
		unit += 1;
	}
	const digits = unit === 0 || Math.abs(value) >= 99.95 ? 0 : 1;
	return `${value.toFixed(digits)} ${units[unit]}`;
}

/**
 * How long ago a moment was: "just now", "5 minutes ago", "yesterday".
 *
 * @param {number} then milliseconds since the epoch
 * @param {number} [now] milliseconds since the epoch
 * @returns {string}
 */
export function formatAgo(then, now = Date.now()) {
	const seconds = Math.round((then - now) / 1000);
	/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
	const steps = [
		["day", 86400],
		["hour", 3600],
		["minute", 60],
	];
	const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
	for (const [unit, size] of steps) {
		if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
	}
	return "just now";
}

/**
 * A share between 0 and 1 as whole per cent; anything else counts as 0 or 1.
 *
 * @param {number} share
 * @returns {string}
 */
export function formatPercent(share) {
	const bounded = Math.min(1, Math.max(0, Number(share) || 0));
	return `${Math.floor(bounded * 100)}%`;
}
