// The report's figures over any set of startups, as the program computes them: filtered or not, both say the same.

/** Index of a quantile among sorted values: the smallest that so many do not exceed. */
function rank(count, q) {
	const exact = count * q;
	const near = Math.round(exact);
	// 100 · 0.07 is a hair above 7 in binary; that must not round it up.
	const least = Math.abs(exact - near) <= near * 4 * Number.EPSILON ? near : Math.ceil(exact);
	return Math.min(Math.max(least, 1), Math.max(count, 1)) - 1;
}

/** p50, p95, p99, max and count of a column; where startups stand for several, by their weight. */
function quantiles(view, values, wanted) {
	const known = view.rows.filter((row) => !Number.isNaN(values[row]) && (!wanted || wanted(row)));
	const order = known.sort((a, b) => values[a] - values[b]);
	const weighed = isCut && order.some((row) => weight(row) !== 1);
	let sums;
	let count = order.length;
	if (weighed) {
		count = 0;
		sums = Float64Array.from(order, (row) => {
			count += weight(row);
			return count;
		});
	}
	const at = (q) => {
		if (order.length === 0) return Number.NaN;
		if (!weighed) return values[order[rank(order.length, q)]];
		const found = sums.findIndex((sum) => sum >= q * count - 1e-9);
		return values[order[found < 0 ? order.length - 1 : found]];
	};
	return { count, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), order };
}

const seconds = (value) => (value === undefined || value === null ? Number.NaN : value * 1e6);

/** The summary's own quantiles in the page's measure. */
function reported(found) {
	const value = (name) => (found.count ? seconds(found[name]) : Number.NaN);
	return { count: found.count, p50: value("p50"), p95: value("p95"), p99: value("p99"), max: value("max") };
}

function phaseFigures(view) {
	const lines = words.phases.map(({ name }, phase) => {
		const values = of.phases[phase];
		let lost = 0;
		for (const row of view.rows) if (values[row] > 0) lost += values[row] * weight(row);
		return { phase: name, lost, p99: quantiles(view, values).p99 };
	});
	const all = lines.reduce((sum, line) => sum + (phaseWords.get(line.phase).in_total ? line.lost : 0), 0);
	const doubt = doubtful(view);
	lines.forEach((line, phase) => {
		line.share = all > 0 ? line.lost / all : 0;
		line.certain = line.lost > 0 ? Math.max(0, 1 - doubt[phase] / line.lost) : Number.NaN;
	});
	return lines;
}

/** What of each phase is not certain. */
function doubtful(view) {
	const sums = new Float64Array(words.phases.length);
	for (const row of view.rows)
		for (const [phase, least] of rows.least[row])
			sums[phase] += Math.max(0, of.phases[phase][row] - least) * weight(row);
	return sums;
}

function causeFigures(view) {
	const all = new Map();
	for (const row of view.rows) {
		const seen = new Set();
		for (const [cause, lost, certain] of rows.findings[row]) {
			let line = all.get(cause);
			if (!line) {
				line = { cause: text(cause), lost: 0, certain: 0, pods: 0, nodes: new Set(), worst: [] };
				all.set(cause, line);
			}
			line.lost += lost * weight(row);
			line.certain += certain * weight(row);
			line.nodes.add(of.node[row]);
			if (seen.has(cause)) continue;
			seen.add(cause);
			line.pods += weight(row);
			line.worst.push([lost, row]);
		}
	}
	for (const line of all.values()) {
		line.nodes = line.nodes.size;
		// Of equals those that are here in full.
		line.worst.sort((a, b) => b[0] - a[0] || (of.whole[a[1]] < 0) - (of.whole[b[1]] < 0) || a[1] - b[1]);
	}
	// As the report ranks them: by the middle of what is certain and what may be, and last what nobody can act on.
	const middle = ({ lost, certain }) => lost + certain;
	const last = ({ cause }) => cause === words.unexplained;
	return [...all.values()].sort((a, b) => last(a) - last(b) || middle(b) - middle(a) || (a.cause < b.cause ? -1 : 1));
}

/** The states of pods that did not come up. */
const DID_NOT_COME_UP = new Set(["failing", "failed", "gone"]);

/** Counts pods that did not come up as longer than any limit: of how many the SLO is, and its p99. */
function withNever(slo, never) {
	slo.of = slo.count + never;
	if (never === 0) return;
	const wanted = slo.of * 0.99 - 1e-9;
	let passed = 0;
	const at = slo.order.find((row) => {
		passed += weight(row);
		return passed >= wanted;
	});
	slo.p99 = at === undefined ? Number.POSITIVE_INFINITY : of.slo[at];
}

function figures(view) {
	// Of cut data only the program saw all: its own figures stand as long as nothing is filtered.
	const own = isCut && !filtered();
	const slo = quantiles(view, of.slo, (row) => rows.stateful[row] !== true);
	let within = 0;
	for (const row of slo.order) if (of.slo[row] <= 5e6) within += weight(row);
	const ended = (row) => DID_NOT_COME_UP.has(text(of.state[row])) && Number.isNaN(of.slo[row]);
	const never = sum([...view.rows].filter((row) => ended(row) && rows.stateful[row] !== true).map(weight));
	withNever(slo, never);
	const found = {
		estimate: isCut && filtered(),
		startups: view.rows.reduce((sum, row) => sum + weight(row), 0),
		nodes: new Set(view.rows.map((row) => of.node[row])).size,
		running: quantiles(view, of.running),
		ready: quantiles(view, of.ready),
		slo,
		within: slo.of ? within / slo.of : 0,
		phases: phaseFigures(view),
		causes: causeFigures(view),
	};
	if (!filtered()) found.nodes = summary.nodes;
	if (!own) return found;
	found.startups = summary.startups;
	found.running = reported(summary.running);
	found.ready = reported(summary.ready);
	found.slo = reported(summary.slo);
	found.slo.of = summary.slo.count + summary.slo_did_not_come_up;
	found.slo.p99 = summary.slo_p99 === null ? Number.POSITIVE_INFINITY : seconds(summary.slo_p99);
	found.within = summary.slo_within;
	found.phases = summary.phases.map((line) => ({
		phase: line.phase,
		lost: line.lost_s * 1e6,
		share: line.share,
		p99: seconds(line.p99_s),
		certain: line.certain_share,
	}));
	const worst = new Map(found.causes.map((line) => [line.cause, line.worst]));
	found.causes = summary.causes.map((line) => ({
		cause: line.cause,
		lost: line.lost_s * 1e6,
		certain: line.lost_min_s * 1e6,
		pods: line.pods,
		nodes: line.nodes,
		worst: worst.get(line.cause) ?? [],
	}));
	return found;
}
