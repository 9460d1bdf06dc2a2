// Figures as the terminal prints them, and text that is safe to show.

/** `320 ms`, `4.2 s`, `2m 11s`, `3h 50m`. */
function length(seconds) {
	const size = Math.abs(seconds);
	if (!Number.isFinite(size)) return "–";
	if (size < 0.9995) return `${(seconds * 1000).toFixed(0).replace("-0", "0")} ms`;
	if (size < 9.95) return `${seconds.toFixed(1)} s`;
	if (size < 59.5) return `${seconds.toFixed(0)} s`;
	const all = Math.round(size);
	const two = (number) => String(number).padStart(2, "0");
	const [hours, minutes, rest] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
	return (seconds < 0 ? "-" : "") + (hours > 0 ? `${hours}h ${two(minutes)}m` : `${minutes}m ${two(rest)}s`);
}

/** The same of microseconds, in which the page counts; NaN and null are unknown. */
function span(micros) {
	return micros === null ? "–" : length(micros / 1e6);
}

/** `38 %`, `<1 %`. */
function share(part) {
	if (!Number.isFinite(part)) return "–";
	return part > 0 && part < 0.01 ? "<1 %" : `${Math.round(part * 100)} %`;
}

/** Thousands apart: `2,412`. */
function grouped(count) {
	return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ",");
}

function plural(count, one, many) {
	return `${grouped(count)} ${count === 1 ? one : (many ?? `${one}s`)}`;
}

/** From and to, the unit once where both have the same: `20–30 s`. */
function range(low, high) {
	const [a, b] = [length(low), length(high)];
	if (a === b) return b;
	const unit = (text) => text.slice(text.lastIndexOf(" ") + 1);
	if (unit(a) === unit(b) && !/[mh] /.test(a)) return `${a.slice(0, a.lastIndexOf(" "))}–${b}`;
	return a === "0 ms" ? `0–${b}` : `${a}–${b}`;
}

/** A histogram's answer: `4.0–5.0 s`, `over 10 s`. */
function between(value) {
	if (!value) return "–";
	return value.high === null ? `over ${length(value.low)}` : range(value.low, value.high);
}

function size(bytes) {
	const step = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
	return `${(bytes / 1024 ** step).toFixed(step && bytes / 1024 ** step < 9.95 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
}

/** Microseconds since 1970 as RFC 3339, in whole seconds or with the fraction. */
function stamp(micros, exact) {
	if (!Number.isFinite(micros)) return "–";
	const text = new Date(Math.floor(micros / 1000)).toISOString();
	return exact ? text : text.replace(/\.\d+Z$/, "Z");
}

function clock(micros) {
	return Number.isFinite(micros) ? stamp(micros, true).slice(11, 23) : "–";
}

/** An instant on an axis: the time of day, with its date where the axis covers several days. */
function onAxis(micros, first, last) {
	const text = stamp(micros, true);
	const sameDay = stamp(first).slice(0, 10) === stamp(last).slice(0, 10);
	return sameDay ? text.slice(11, 19) : text.slice(5, 16).replace("T", " ");
}

/** RFC 3339 with up to nanoseconds as microseconds since 1970. */
function micros(text) {
	if (!text) return Number.NaN;
	const [seconds, fraction = ""] = text.replace("Z", "").split(".");
	return Date.parse(`${seconds}Z`) * 1000 + Number(`${fraction}000000`.slice(0, 6));
}

// Control characters, bidirectional overrides and invisible ones could make a line say something else than it does.
const CONTROL = /[\u0000-\u001f\u007f]/g;
const DECEIVING = /[\u0080-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const BROKEN = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text of a log as it may be shown: controls as their symbols, what deceives as U+FFFD. */
function plain(text) {
	return String(text)
		.replace(CONTROL, (c) => String.fromCharCode(c === "\u007f" ? 0x2421 : 0x2400 + c.charCodeAt(0)))
		.replace(DECEIVING, "\ufffd")
		.replace(BROKEN, "\ufffd");
}
