// Anomalies, what was read, and what the words mean.

function drawAnomalies(root, view) {
	const counts = new Map();
	for (const row of view.rows)
		for (const id of rows.anomalies[row]) counts.set(id, (counts.get(id) ?? 0) + weight(row));
	const all = isCut && !filtered() ? summary.anomalies : [...counts].map(([id, count]) => [text(id), count]);
	const sign = view.found.estimate ? "≈ " : "";
	refill(
		root,
		all.length
			? grid(
					"Anomalies",
					["anomaly", "startups", "meaning"],
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
	);
}

/** Counters whose value may make the figures incomplete. */
const WARNED = new Set([
	"unread_sources",
	"truncated_records",
	"long_lines",
	"undated",
	"evicted_idle",
	"evicted_limit",
	"suppressed_messages",
]);
const counters = words.counters.filter(({ count }) => count > 0);
const counterLabel = (name) => words.counters.find((counter) => counter.name === name)?.label ?? name;

function warnings() {
	const { coverage } = report;
	return [
		...(coverage.partial ? ["interrupted; results are partial"] : []),
		...counters.filter(({ name }) => WARNED.has(name)).map(({ count, label }) => `${grouped(count)} ${label}`),
		...(coverage.zone_assumed ? ["no time zone in the log, assuming UTC"] : []),
	];
}

/** Causes that could not be checked, by the input that would show them. */
function notChecked() {
	const blind = report.not_checked ?? [];
	if (blind.length === 0) return null;
	const lines = blind.map(({ causes, startups, how_to_get: inputs }) => [
		causes.join(", "),
		grouped(startups),
		inputs.join(", or "),
	]);
	return grid("Not checked (add this input)", ["causes", "startups", "input to add"], lines, [1]);
}

function drawCoverage(root) {
	const { coverage } = report;
	const counts = counters.map(({ count, label }) => [label, grouped(count)]);
	const lines = [
		["bytes, decompressed", size(coverage.bytes)],
		["lines", grouped(coverage.lines)],
		["lines used", grouped(coverage.records)],
		["metric samples", grouped(coverage.samples)],
		...counts,
	];
	if (coverage.filters.length)
		lines.push([`filtered out by ${coverage.filters.join(", ")}`, plural(coverage.filtered, "startup")]);
	refill(
		root,
		h("p.quiet", "The filter does not apply to this section."),
		isCut && h("p", cutWords()),
		notChecked(),
		coverage.partial && h("p.warn", "The run was interrupted: all figures are partial."),
		coverage.zone_assumed && h("p.warn", "No time zone in the log, assuming UTC (set --timezone)."),
		coverage.source_errors.length > 0 &&
			h(
				"ul.warn",
				coverage.source_errors.map((trouble) => h("li", trouble)),
			),
		(coverage.unused_sources ?? []).length > 0 &&
			fold(
				`No line used of ${plural(coverage.unused_sources.length, "input")}`,
				h(
					"ul",
					coverage.unused_sources.map((name) => h("li", name)),
				),
			),
		(coverage.unused_lines ?? []).length > 0 &&
			fold(
				"Unused lines, e.g.",
				h(
					"ul",
					coverage.unused_lines.map((place) =>
						h("li", `${counterLabel(place.why)}: `, h("code", `${place.source}:${place.line}`)),
					),
				),
			),
		grid("Read", ["what", "count"], lines, [1]),
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
	["startup", "one pod starting on one node, from its creation until the API server shows all its containers running"],
	["created → running", "from the pod's creation to its containers running, including pulls and init containers"],
	[
		"SLO value",
		"startup time of a stateless pod without image pull and init containers, as the Kubernetes SLO defines it",
	],
	["SLO", "the Kubernetes objective: the 99th percentile of the SLO value is at most 5 s"],
	["p50, p95, p99", "the smallest observed value that 50, 95 or 99 % of the startups do not exceed"],
	["at least", "the part of a phase's or cause's time that is certain, wherever the unlogged boundaries were"],
	...Object.entries(PRECISION),
	[
		"cause",
		"a rule that attributes seconds of a startup, with the log line as evidence; no second is attributed twice",
	],
	["lost", "seconds attributed to a cause"],
];

function drawGlossary(root) {
	const term = ([name, meaning]) => h("div", h("dt", name), h("dd", meaning));
	refill(
		root,
		h("h3", "Phases, in order"),
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
		h("h3", "Terms"),
		h("dl.glossary", GLOSSARY.map(term)),
	);
}
