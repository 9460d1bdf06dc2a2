// What each node was doing: startups in progress, images waiting for a pull, kubelet restarts.

const NODES_FIRST = 8;

function drawTimeline(root, view) {
	const nodes = new Map();
	let [first, last] = [Infinity, -Infinity];
	for (const row of view.rows) {
		const [from, to] = lifetime(row);
		if (!(to >= from)) continue;
		first = Math.min(first, from);
		last = Math.max(last, to);
		const node = of.node[row];
		if (!nodes.has(node)) nodes.set(node, { node, rows: [] });
		nodes.get(node).rows.push(row);
	}
	if (nodes.size === 0) return refill(root, none("No startup in this selection has timestamps."));
	const all = [...nodes.values()].sort((a, b) => b.rows.length - a.rows.length);
	const unknown = view.rows.filter((row) => !wholeOf(row)).length;
	const note = unknown
		? ` The pull queue covers the ${grouped(view.rows.length - unknown)} startups that this page holds with their spans.`
		: "";
	const place = h("div");
	let visible = NODES_FIRST;
	const draw = () => {
		const shownNow = all.slice(0, visible).map((node) => lanes(node, first, last));
		const more = () => {
			visible += 20;
			draw();
		};
		const rest = all.length - visible;
		refill(
			place,
			shownNow.map(({ element }) => element),
			rest > 0 && h("button", { onclick: more }, `Show more (${plural(rest, "node")})`),
		);
		for (const { chart: element, draw: paint } of shownNow) fitted(element, paint);
	};
	refill(
		root,
		h(
			"p",
			`Solid: startups in progress. Hatched: those of them waiting for an image pull to start. ▼: received by a kubelet that had just restarted.${note}`,
		),
		place,
	);
	draw();
}

const lifetime = (row) => [
	of.started[row],
	Number.isNaN(of.total[row]) ? of.ended[row] || of.started[row] : of.started[row] + of.total[row],
];

/** How many of some intervals lie over each of so many slots of time. */
function overlap(intervals, first, last, slots) {
	const change = new Int32Array(slots + 1);
	const slot = (time) => Math.min(slots - 1, Math.max(0, Math.floor(((time - first) / (last - first || 1)) * slots)));
	for (const [from, to] of intervals) {
		change[slot(from)]++;
		change[slot(to) + 1]--;
	}
	let now = 0;
	return change.subarray(0, slots).map((value) => {
		now += value;
		return now;
	});
}

/** Exactly how many intervals overlap at most: slots would count neighbours together. */
function peak(intervals) {
	const ends = intervals
		.flatMap(([from, to]) => [
			[from, 1],
			[to, -1],
		])
		.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	let [now, most] = [0, 0];
	for (const [, change] of ends) {
		now += change;
		most = Math.max(most, now);
	}
	return most;
}

function lanes({ node, rows: own }, first, last) {
	const lives = own.map(lifetime);
	const waits = [];
	const restarts = [];
	for (const row of own) {
		const startup = wholeOf(row);
		for (const one of startup?.spans ?? [])
			if (one.phase === "image_wait") waits.push([micros(one.from), micros(one.to)]);
		if (startup?.seen && startup.findings.some(({ cause }) => cause === "kubelet-restart"))
			restarts.push(micros(startup.seen));
	}
	const name = text(node) ?? "unknown node";
	const [most, queue] = [peak(lives), peak(waits)];
	const words = `${plural(own.length, "startup")}, at most ${most} at once, ${queue} in the pull queue${restarts.length ? `, ${plural(restarts.length, "startup")} after a kubelet restart` : ""}`;
	const element = h("div.lane", h("h3", pick("node", text(node), name), h("span.quiet", ` ${words}`)));
	const drawing = h("div");
	const slots = 12;
	const [going, waiting] = [overlap(lives, first, last, slots), overlap(waits, first, last, slots)];
	const lines = Array.from({ length: slots }, (_, at) => [
		onAxis(first + ((last - first) * at) / slots, first, last),
		String(going[at]),
		String(waiting[at]),
	]);
	element.append(
		drawing,
		asTable(grid(`${name}: startups over time`, ["from", "in progress", "in the pull queue"], lines, [1, 2])),
	);
	const draw = (width) =>
		refill(drawing, laneChart(width, name, words, [lives, waits, restarts], [first, last, Math.max(1, most)]));
	return { element, chart: drawing, draw };
}

function laneChart(width, name, words, [lives, waits, restarts], [first, last, most]) {
	const [left, top, tall] = [30, 12, 56];
	const wide = width - left - 8;
	const base = top + tall;
	const slots = Math.floor(wide / 2);
	const x = (time) => left + ((time - first) / (last - first || 1)) * wide;
	const area = (intervals, kind) => {
		let path = `M${left} ${base}`;
		overlap(intervals, first, last, slots).forEach((count, at) => {
			const y = base - Math.min(1, count / most) * tall;
			path += `L${(left + (at / slots) * wide).toFixed(1)} ${y.toFixed(1)}L${(left + ((at + 1) / slots) * wide).toFixed(1)} ${y.toFixed(1)}`;
		});
		return s("path", { d: `${path}L${left + wide} ${base}Z`, class: kind });
	};
	const marks = [
		rule(left, base, left + wide, base, "guide"),
		rule(left, top, left + wide, top, "guide"),
		label(left - 6, top + 4, String(most), "end", "quiet"),
		label(left - 6, base, "0", "end", "quiet"),
	];
	marks.push(area(lives, "area"), area(waits, "p-image_wait area"), area(waits, "over"));
	for (const time of new Set(restarts))
		marks.push(rule(x(time), top, x(time), base, "limit"), label(x(time), top - 1, "▼", "middle", "strong"));
	const wanted = Math.max(2, Math.floor(wide / 110));
	for (const seconds of steps((last - first) / 1e6, wanted)) {
		const across = x(first + seconds * 1e6);
		const anchor = across - left < 24 ? "start" : left + wide - across < 24 ? "end" : "middle";
		marks.push(
			rule(across, base, across, base + 4, "guide"),
			label(across, base + 15, onAxis(first + seconds * 1e6, first, last), anchor, "quiet"),
		);
	}
	return chart(width, base + 20, `Startups over time on ${name}`, words, marks);
}
