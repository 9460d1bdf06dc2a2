// Charts are SVG drawn here: the few marks this page needs take less code than any chart library would bring.

const TICKS = [0.001, 0.01, 0.1, 1, 5, 10, 60, 600, 3600, 36000, 360000];
const PER_DECADE = 8;

/** A chart with a name and a description for those who do not see it. */
function chart(width, height, title, desc, ...marks) {
	const ids = ["title", "desc"].map((part) => `${part}-${++chart.count}`);
	return s(
		"svg",
		{ viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-labelledby": ids.join(" ") },
		s("title", { id: ids[0] }, title),
		s("desc", { id: ids[1] }, desc),
		...marks,
	);
}
chart.count = 0;

const label = (x, y, text, anchor, kind) => s("text", { x, y, "text-anchor": anchor, class: kind }, text);
const rect = (x, y, width, height, kind) =>
	s("rect", { x, y, width: Math.max(0, width), height: Math.max(0, height), class: kind });
const rule = (x1, y1, x2, y2, kind) => s("line", { x1, y1, x2, y2, class: kind });

/** Width to draw at: pixels of the place, so that text keeps its size. */
const room = (element) => Math.max(280, Math.min(1760, element.clientWidth || 800));

function steps(most, wanted) {
	const all = [
		0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 43200, 86400, 604800,
	];
	const step = all.find((size) => most / size <= wanted) ?? most;
	return Array.from({ length: Math.floor(most / step) + 1 }, (_, at) => at * step);
}

/** Bins of equal width on a log scale, around the 5 s line and all values. */
function logBins(view, values) {
	const bin = (micros) => Math.floor(Math.log10(Math.max(1e3, micros) / 1e6) * PER_DECADE);
	const known = view.rows.filter((row) => !Number.isNaN(values[row]));
	let [first, last] = [bin(1e6), bin(9e6)];
	for (const row of known) {
		first = Math.min(first, bin(values[row]));
		last = Math.max(last, bin(values[row]));
	}
	for (const row of view.rows) {
		if (Number.isNaN(of.slo[row])) continue;
		first = Math.min(first, bin(of.slo[row]));
		last = Math.max(last, bin(of.slo[row]));
	}
	const bins = Array.from({ length: last - first + 1 }, (_, at) => ({
		from: 10 ** ((first + at) / PER_DECADE),
		to: 10 ** ((first + at + 1) / PER_DECADE),
		count: 0,
		rows: [],
	}));
	for (const row of known) {
		const one = bins[bin(values[row]) - first];
		one.count += weight(row);
		one.rows.push(row);
	}
	const x = (seconds) => (Math.log10(seconds) * PER_DECADE - first) / bins.length;
	return { bins, x, ticks: TICKS.filter((tick) => x(tick) >= 0 && x(tick) <= 1), at: (micros) => bin(micros) - first };
}

/** What a phase has beside its colour, over a part of a chart: lines or dots. They keep their size where a chart is stretched. */
function texture(name, x, y, width, height) {
	const kind = phaseWords.get(name)?.texture;
	if (kind !== "lines" && kind !== "dots") return null;
	let d = "";
	for (let at = y + 3; at < y + height - 1; at += 4) d += `M${x} ${at}H${x + width}`;
	return d && s("path", { d, class: `${phaseClass(name)} texture ${kind}` });
}

/** A legend of phases: colour and name, in the order of a start. */
function legend(names) {
	const known = words.phases.filter(({ name }) => names.has(name));
	return h(
		"ul.legend",
		known.map(({ name, label }) => h("li", h("i", { class: phaseClass(name) }), label)),
	);
}

/** Draws anew when the place gets another width. */
const drawn = new Map();
const watcher = new ResizeObserver((entries) => {
	for (const { target } of entries) {
		const known = drawn.get(target);
		if (!target.isConnected) {
			watcher.unobserve(target);
			drawn.delete(target);
		} else if (Math.abs(room(target) - known.width) > 4) {
			known.width = room(target);
			known.draw(known.width);
		}
	}
});

function fitted(element, draw) {
	const width = room(element);
	drawn.set(element, { width, draw });
	draw(width);
	watcher.observe(element);
}
