// The kubelets' own histograms; the filter does not apply to them, since they do not hold single startups.

/** What an interval sorts by: its upper end, of which a histogram may know none. */
const high = (value) => (value ? (value.high ?? Number.POSITIVE_INFINITY) : null);

const within = (pair) => {
	if (!pair) return "–";
	const [low, high] = pair.map(share);
	return low === high ? high : `${low.replace(" %", "")}–${high}`;
};

function metricVerdict(spread) {
	if (!spread?.within_5s) return "unknown";
	if (spread.within_5s[0] >= 0.99) return "met";
	return spread.within_5s[1] < 0.99 ? "missed" : "inconclusive";
}

function drawMetrics(root) {
	const { fleet, nodes } = report.metrics;
	const { window } = fleet;
	const facts = [
		`metrics from ${plural(cut.nodes, "node")}`,
		cut.measured < cut.nodes && `the slowest ${grouped(cut.measured)} of them are listed`,
		window.from && window.to && `${stamp(micros(window.from))} – ${stamp(micros(window.to))}`,
		window.scrapes === cut.nodes && "single scrape: totals since kubelet start",
		window.restarts > 0 && plural(window.restarts, "kubelet restart", "kubelet restarts"),
		`${plural(Math.round(fleet.startups), "start")} recorded by the kubelet`,
		fleet.stateful >= 0.5 && `${grouped(fleet.stateful)} of them stateful`,
		fleet.overflowed > 0 &&
			`${grouped(fleet.overflowed)} overflowed value${fleet.overflowed === 1 ? "" : "s"} (known kubelet bug) could be above or below 5 s`,
	];
	refill(
		root,
		h(
			"p.quiet",
			"The filter does not apply to this section: histograms do not hold single startups. A quantile lies between two bucket bounds; the value in parentheses is interpolated.",
		),
		h("p", facts.filter(Boolean).join(" · ")),
		spreads(fleet),
		parts(fleet),
		proofs(report.metrics),
		nodes.length > 1 && nodeMetrics(nodes),
		nodes.map(reconciled),
		window.remarks.map((remark) => h("p", remark)),
	);
}

function spreads(fleet) {
	const lines = [
		["created → observed", fleet.total_s],
		["SLI, without pulls and init", fleet.slo_s],
	].filter(([, spread]) => spread?.count > 0);
	const cell = (value) =>
		value
			? [
					between(value),
					value.point !== null && value.point !== undefined && h("span.quiet", ` (${length(value.point)})`),
				]
			: "–";
	const shownAs = ([name, spread]) => [
		name,
		grouped(spread.count),
		spread.mean_s === null ? "–" : length(spread.mean_s),
		cell(spread.p50_s),
		cell(spread.p95_s),
		cell(spread.p99_s),
		within(spread.within_5s),
	];
	return [
		h(
			"p",
			"SLO by metrics (p99 ≤ 5 s): ",
			h("b", { "data-figure": "metrics-slo" }, metricVerdict(fleet.slo_s)),
			". The metric also counts the watch delay, which no pod waits for.",
		),
		grid(
			"Startup duration, by metrics",
			["measure", "starts", "mean", "p50", "p95", "p99", "within 5 s"],
			lines.map(shownAs),
			[1, 2, 3, 4, 5, 6],
		),
	];
}

function parts(fleet) {
	const all = fleet.components.filter(({ mean_s }) => Math.abs(mean_s) > 0.0005);
	if (all.length === 0) return null;
	const most = Math.max(...all.map(({ mean_s }) => mean_s));
	const lines = all.map((part) => [
		part.component,
		bar(part.mean_s / most, phaseClass(part.phases.length === 1 ? part.phases[0] : "unattributed")),
		length(part.mean_s),
		fleet.mean_s > 0 ? share(Math.max(0, part.mean_s / fleet.mean_s)) : "–",
		part.high_s - part.low_s < 0.0005 ? part.precision : `${part.precision}: ${range(part.low_s, part.high_s)}`,
		(part.remarks ?? []).join("; ") || "–",
	]);
	return grid(
		`Where the time went, by metrics: mean start ${length(fleet.mean_s ?? Number.NaN)}`,
		["part", "size", "mean", "share", "precision", "remarks"],
		lines,
		[2, 3],
	);
}

function proofs({ fleet, nodes }) {
	// Of causes that logs can show the logs decide: they see each start, metrics only means.
	const beside = nodes.every(({ reconciled }) => reconciled);
	const added = fleet.causes.filter(({ cause }) => !(beside && causeWords.get(cause)?.by_logs));
	if (added.length === 0)
		return h("p", beside ? "The metrics add no cause to those of the logs." : "The metrics show no cause.");
	const seconds = ({ low_s, high_s }) => {
		if (high_s <= 0) return "unknown";
		if (high_s - low_s < 0.0005) return length(high_s);
		return low_s <= 0 ? `up to ${length(high_s)}` : range(low_s, high_s);
	};
	const on = (cause) => nodes.filter((node) => node.causes.some((other) => other.cause === cause)).length;
	const lines = added.map((proof) => [
		proof.cause,
		seconds(proof),
		(cut.measured < cut.nodes ? "at least " : "") + on(proof.cause),
		causeWords.get(proof.cause)?.title ?? "–",
		proof.observed,
		causeWords.get(proof.cause)?.set ?? "–",
	]);
	return grid(
		"Causes by mean seconds per start (metrics)",
		["cause", "per start", "nodes", "meaning", "evidence", "change"],
		lines,
		[1, 2],
	);
}

function nodeMetrics(nodes) {
	const largest = (node) => [...node.components].sort((a, b) => b.mean_s - a.mean_s)[0];
	const most = (node) => largest(node)?.mean_s;
	return table("metrics-nodes", "Nodes by metrics", nodes, [
		col("node", "", ({ window }) => window.node),
		col("starts", "count", "startups"),
		col("mean start", "time", ({ mean_s }) => seconds(mean_s)),
		col(
			"SLI p99",
			"range",
			({ slo_s }) => between(slo_s?.p99_s),
			null,
			({ slo_s }) => high(slo_s?.p99_s),
		),
		col(
			"within 5 s",
			"range",
			({ slo_s }) => within(slo_s?.within_5s),
			null,
			({ slo_s }) => slo_s?.within_5s?.[1],
		),
		col("largest part", "", (node) => largest(node)?.component),
		col("its mean", "time", (node) => seconds(most(node))),
		col("kubelet", "", ({ window }) => window.kubelet_versions.join(", ")),
	]);
}

function reconciled({ window, reconciled: found }) {
	if (!found) return null;
	const agree = found.figures.filter((figure) => figure.agree).length;
	const words = { startups: grouped, share, seconds: length };
	const lines = found.figures.map(({ figure, unit, logs, metrics, agree, reason }) => {
		const value = words[unit];
		const [low, high] = metrics ? [value(metrics.low), metrics.high === null ? null : value(metrics.high)] : [];
		const shownAs = !metrics ? "–" : high === null ? `over ${low}` : low === high ? low : `${low}–${high}`;
		return [
			figure,
			logs === null ? "–" : value(logs),
			shownAs,
			agree ? "= agree" : "≠ differ",
			reason ?? (agree ? "–" : "unexplained"),
		];
	});
	return [
		h("h3", `Logs and metrics of ${window.node}: ${agree} of ${found.figures.length} figures agree`),
		found.excluded.length > 0 && h("p", `excluded: ${found.excluded.join("; ")}`),
		fold(
			"Figures",
			grid(`Logs and metrics of ${window.node}`, ["figure", "logs", "metrics", "verdict", "reason"], lines, [1, 2]),
		),
	];
}
