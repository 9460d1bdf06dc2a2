// Oddities, pods that never ran, what was read, and what the words mean.

function drawOdd(root, view) {
	const counts = new Map();
	for (const row of view.rows)
		for (const id of rows.anomalies[row]) counts.set(id, (counts.get(id) ?? 0) + weight(row));
	const all = isCut && !filtered() ? summary.anomalies : [...counts].map(([id, count]) => [text(id), count]);
	const sign = view.found.estimate ? "≈ " : "";
	const stuck = [...view.rows].filter((row) => text(of.state[row]) !== "running");
	const last = (row) => {
		const spans = wholeOf(row)?.spans;
		return spans?.length ? phaseLabel(spans.at(-1).phase) : null;
	};
	const error = (row) => {
		const startup = wholeOf(row);
		const said = startup?.lines.at(-1)?.text;
		return startup?.volume_mounts.findLast(({ error }) => error)?.error ?? said ?? null;
	};
	refill(
		root,
		all.length
			? grid(
					"Anomalies",
					["anomaly", "startups", "what it means"],
					all
						.sort((a, b) => b[1] - a[1])
						.map(([id, count]) => [
							id,
							sign + grouped(count),
							Object.hasOwn(report.anomaly_meanings, id) ? report.anomaly_meanings[id] : "–",
						]),
					[1],
				)
			: none("No anomaly in this selection."),
		h("h3", "Never started"),
		table("never", "Pods that did not come to run", stuck, [
			col("startup", "", podName),
			col("state", "", (row) => text(of.state[row])),
			col("stuck in", "", last),
			col("for", "time", (row) => of.total[row]),
			col("cause", "", topCause),
			col("last line", "", error, (row) => (error(row) ? h("code", error(row)) : "–")),
		]),
	);
}

const COUNTS = {
	unread_sources: "inputs that could not be read, or not to their end",
	unknown_lines: "lines with a known word that are no known message",
	bad_samples: "lines among metrics that are none",
	cut_records: "records on a cut line",
	long_lines: "lines longer than the limit",
	undated: "records without a time",
	duplicate_records: "records seen twice",
	duplicate_startups: "startups given twice; each counts once",
	existing_pods: "pods older than the log",
	aged: "startups left by age",
	capped: "startups left by the cap",
	dropped_events: "repeated events not kept",
	suppressed_messages: "messages that journald dropped",
};

function troubles() {
	const { coverage } = report;
	const counts = ["unread_sources", "cut_records", "long_lines", "undated", "aged", "capped", "suppressed_messages"];
	return [
		...(coverage.partial ? ["stopped early: partial"] : []),
		...counts.filter((name) => coverage[name] > 0).map((name) => `${COUNTS[name]}: ${grouped(coverage[name])}`),
		...(coverage.zone_assumed ? ["no line tells the zone, UTC assumed"] : []),
	];
}

/** Causes that had no evidence, by what would show them. */
function unjudged() {
	const blind = report.unjudged ?? [];
	if (blind.length === 0) return null;
	const lines = blind.map(({ causes, startups, how_to_get: inputs }) => [
		causes.join(", "),
		grouped(startups),
		inputs.join(", or "),
	]);
	return grid("Not judged, and what would show it", ["causes", "startups", "what would show them"], lines, [1]);
}

function drawCoverage(root) {
	const { coverage } = report;
	const counts = Object.entries(COUNTS)
		.filter(([name]) => coverage[name] > 0)
		.map(([name, words]) => [words, grouped(coverage[name])]);
	const lines = [
		["bytes, unpacked", size(coverage.bytes)],
		["lines", grouped(coverage.lines)],
		["lines that proved something", grouped(coverage.records)],
		["samples of metrics", grouped(coverage.samples)],
		...counts,
	];
	if (coverage.filters.length)
		lines.push([`left out by ${coverage.filters.join(", ")}`, plural(coverage.filtered, "startup")]);
	refill(
		root,
		h("p.quiet", "The filter does not reach this section."),
		isCut && h("p", cutWords()),
		unjudged(),
		coverage.partial && h("p.warn", "The run was stopped before the end of the input: all figures are partial."),
		coverage.zone_assumed && h("p.warn", "No line tells the time zone: UTC was assumed (--timezone)."),
		coverage.source_troubles.length > 0 &&
			h(
				"ul.warn",
				coverage.source_troubles.map((trouble) => h("li", trouble)),
			),
		(coverage.places ?? []).length > 0 &&
			fold(
				"First lines that were not used",
				h(
					"ul",
					coverage.places.map((place) =>
						h("li", `${place.why.replace("_", " ")}: `, h("code", `${place.source}:${place.line}`)),
					),
				),
			),
		grid("Read", ["what", "how many"], lines, [1]),
		fold(
			plural(coverage.sources.length, "source"),
			h(
				"ul",
				coverage.sources.map((source) => h("li", h("code", source))),
			),
		),
		report.run && h("p.quiet", `Run ${report.run}`),
	);
}

const GLOSSARY = [
	["startup", "one pod coming up on one node, from its creation to its last container running and the API knowing"],
	["created → running", "from the pod's creation to its containers running; pulls and init containers included"],
	["SLI value", "the start without image pull and init containers, of stateless pods: what the Kubernetes SLO judges"],
	["SLO", "the Kubernetes objective: the 99th percentile of the SLI value is at most 5 s"],
	["p50, p95, p99", "the smallest value that so many of 100 startups do not exceed; always one that occurred"],
	["certain", "what a phase or cause took at least, whatever the unknown boundaries were"],
	...Object.entries(PRECISION),
	["cause", "a rule that claims seconds of a startup, with the line it stands on; no second is claimed twice"],
	["lost", "seconds a cause claims"],
];

function drawGlossary(root) {
	const term = ([name, meaning]) => h("div", h("dt", name), h("dd", meaning));
	refill(
		root,
		h("h3", "Phases, in the order of a start"),
		h(
			"dl.glossary",
			words.phases.map(({ name, label, group, meaning }) =>
				h(
					"div",
					h("dt", h("i", { class: phaseClass(name) }), label),
					h("dd", `${meaning}${group === label || group === "–" ? "" : ` (${group})`}`),
				),
			),
		),
		h("h3", "Words"),
		h("dl.glossary", GLOSSARY.map(term)),
	);
}
