// The first screen: what was read, how long starts took, the SLO, where the time went, why.

function drawRead() {
	const { window, kubelets } = summary;
	const { coverage } = report;
	const parts = [];
	if (summary.startups > 0) parts.push(`${plural(summary.startups, "pod start")} on ${plural(summary.nodes, "node")}`);
	else if (report.metrics) parts.push(`metrics from ${plural(cut.nodes, "node")}, no logs`);
	if (window) {
		const [from, to] = window.map((time) => time.slice(0, 19).replace("T", " "));
		// A day that both are of stands once.
		parts.push(`${from} – ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to} UTC`);
	}
	if (kubelets?.length) parts.push(`kubelet ${kubelets.map((version) => version.replace(/^v/, "")).join(", ")}`);
	if (coverage.lines) parts.push(`read ${plural(coverage.lines, "line")}, ${grouped(coverage.records)} used`);
	if (coverage.events) parts.push(`read ${plural(coverage.pods, "pod")}, ${plural(coverage.events, "event")}`);
	if (coverage.samples) parts.push(`${plural(coverage.samples, "sample")} of metrics`);
	if (coverage.filters.length)
		parts.push(`filtered by ${coverage.filters.join(", ")}: ${plural(coverage.filtered, "startup")} filtered out`);
	const missing = warnings().slice(0, 3);
	refill(
		document.getElementById("read"),
		h("p", parts.join(" · ")),
		missing.length > 0 && h("p.warn", `Note: ${missing.join("; ")}. `, link("coverage", "What was read")),
		isCut && h("p.warn", cutWords()),
	);
}

function cutWords() {
	const sample = rows.sampled?.filter((sampled) => sampled).length ?? 0;
	return `This page lists ${grouped(cut.listed)} of ${grouped(cut.startups)} startups: the slowest, the worst of each cause and those that did not come up (${grouped(cut.listed - sample)}), and a sample of the others, in which each represents ${data.weight.toFixed(1)}. Without a filter, the summary, the causes and the tables of groups cover all startups; the distribution and filtered figures (≈) are estimates, and the timeline covers the listed ones. ${grouped(cut.whole)} have their spans and log lines here.`;
}

function figure(name, title, value, note) {
	return h("div.figure", h("dt", title), h("dd", { "data-figure": name }, value), note && h("dd.note", note));
}

const titled = (title, ...content) => h("section", { "aria-label": title }, h("h3", title), content);

function drawSummary(root, view) {
	const { found } = view;
	const sign = found.estimate ? "≈ " : "";
	const { running, ready, slo } = found;
	if (found.startups === 0) {
		const none =
			summary.startups > 0
				? "No startup matches the filter."
				: `No startup in the input.${report.metrics ? " The metrics are below." : ""}`;
		return refill(root, h("p.none", { "data-figure": "none" }, none));
	}
	const met = slo.p99 <= 5e6;
	const verdict = slo.count === 0 ? "unknown" : met ? "met" : "missed";
	const without = Math.round(slo.of - slo.count);
	const never = without > 0 && h("span.quiet", ` (${grouped(without)} did not come up)`);
	const counted = countedOf(view, running.count);
	const quick = (name) => figure(name, name, sign + span(running[name]));
	const readyOf = Math.round(found.startups - ready.count) === 0 ? "" : ` of ${grouped(ready.count)} known`;
	return refill(
		root,
		h(
			"div.cards",
			h(
				"section.card",
				{ "aria-labelledby": "h-length" },
				h("h3", { id: "h-length" }, "Created → running", counted && h("span.quiet", counted)),
				h("dl.figures", ["p50", "p95", "p99", "max"].map(quick)),
			),
			ready.count > 0 &&
				h(
					"section.card",
					{ "aria-labelledby": "h-ready" },
					h("h3", { id: "h-ready" }, "Created → ready", readyOf && h("span.quiet", readyOf)),
					h(
						"dl.figures",
						["p50", "p95", "p99", "max"].map((name) => figure(`ready-${name}`, name, sign + span(ready[name]))),
					),
				),
			h(
				"section",
				{ class: `card slo ${verdict.replace(" ", "-")}`, "aria-labelledby": "h-slo" },
				h("h3", { id: "h-slo" }, "SLO: p99 ≤ 5 s without image pull and init, stateless pods", never),
				h(
					"dl.figures",
					figure("slo", "verdict", h("span.verdict", verdict)),
					figure(
						"slo-p99",
						"p99",
						slo.count && slo.p99 === Number.POSITIVE_INFINITY ? "unbounded" : sign + span(slo.p99),
					),
					figure(
						"slo-within",
						"within 5 s",
						slo.count ? sign + share(found.within) : "–",
						`of ${grouped(Math.round(slo.of))}`,
					),
				),
			),
		),
		INCIDENTS.map((kind) => incidentCard(kind, view, sign)),
		h(
			"div.columns",
			titled("Where the time went", phaseTable(found, sign)),
			titled("Top causes, by likely time lost (a pod can have several)", topCauses(found, sign)),
		),
		askedReplays(),
	);
}

/** Of how many startups a length is known, and what the others are. */
function countedOf(view, known) {
	const never = Math.round(countIncidents(view, NEVER));
	const starting = Math.round(countUnran(view)) - never;
	const unknown = Math.round(view.found.startups - known) - never - starting;
	if (never + starting + unknown === 0) return "";
	const others = [
		never > 0 && `${grouped(never)} did not come up`,
		starting > 0 && `${grouped(starting)} still starting`,
		unknown > 0 && `the duration of ${grouped(unknown)} is unknown`,
	];
	return ` of ${grouped(known)} (${others.filter(Boolean).join(", ")})`;
}

/** The certain share of a phase: a lower bound unless it is all. */
const atLeast = (part) => (part >= 0.995 ? share(part) : `≥ ${share(part < 0.01 ? 0 : part)}`);

function phaseTable(found, sign) {
	const lines = found.phases.filter(({ lost }) => lost > 0);
	if (lines.length === 0) return none("No phase has a duration.");
	const delays = ({ phase }) => phaseWords.get(phase)?.delays_pod;
	const most = Math.max(...lines.filter(delays).map(({ lost }) => lost));
	const drawn = (line, ...kind) =>
		delays(line) ? bar(line.lost / most, phaseClass(line.phase), ...kind) : h("span.quiet", "no pod waits for it");
	const cells = lines.map((line) => [
		[
			h("span", { title: phaseWords.get(line.phase)?.meaning }, pick("phase", line.phase, phaseLabel(line.phase))),
			delays(line) && drawn(line, "bar beside"),
		],
		drawn(line),
		h("span", { "data-figure": `phase-${line.phase}`, "data-micros": Math.round(line.lost) }, sign + span(line.lost)),
		phaseWords.get(line.phase)?.in_total ? sign + share(line.share) : "–",
		sign + span(line.p99),
		Number.isFinite(line.certain) ? atLeast(line.certain) : "–",
	]);
	const place = grid(
		"Seconds of each phase over all startups",
		["phase", "", "total", "share", "p99", "certain"],
		cells,
		[2, 3, 4, 5],
	);
	place.classList.add("phases");
	// An empty heading is useless to a screen reader; the bar only repeats the total.
	place.querySelector("thead th:nth-child(2)").replaceWith(h("td"));
	return place;
}

/** What the report has on a cause over all startups, which no filtered selection has. */
const wholeCause = (id) => (!filtered() && summary.causes.find(({ cause }) => cause === id)) || {};

/** The estimate for the advice of a cause; of a filtered selection there is none. */
const estimateOf = (id) => (filtered() ? null : words.estimates[id]);

/** What the startups of a cause waited for, over all startups. */
const partsOf = (id) => (filtered() ? [] : (words.parts[id] ?? []));

/** Estimates that the user asked for; those of causes are shown with them. */
function askedReplays() {
	const asked = (report.what_if ?? []).filter(({ cause }) => cause === null);
	if (filtered() || asked.length === 0) return null;
	const between = (change) => {
		const likely = range(change.likely_low, change.likely_high);
		const outside = range(change.low, change.high);
		return `${span(change.before * 1e6)} → ${likely}${likely === outside ? "" : ` (full range ${outside})`}`;
	};
	const lines = asked.map((estimate) =>
		h(
			"li",
			h("code", estimate.setting),
			estimate.not_estimated_because
				? h("p", `No estimate: ${estimate.not_estimated_because}.`)
				: h(
						"dl.pairs",
						pair("changes", plural(estimate.pods, "pod")),
						["p50", "p95", "p99", "max"].map((name) => pair(name, between(estimate[name]))),
						pair("total", between(estimate.total)),
						pair("bounds", estimate.bounds),
					),
		),
	);
	return titled("What if", h("ul.replays", lines));
}

function topCauses(found, sign) {
	if (found.causes.length === 0) return none("No cause exceeded its threshold.");
	const most = found.causes[0].lost;
	const line = (cause) => {
		const known = causeWords.get(cause.cause);
		const estimate = estimateOf(cause.cause);
		return h(
			"li",
			h(
				"div.row",
				pick("cause", cause.cause),
				h(
					"span.number",
					h(
						"b",
						{ "data-figure": `cause-${cause.cause}`, "data-micros": Math.round(cause.lost) },
						sign + timeLost(cause),
					),
					" · ",
					h("span", { "data-figure": `pods-${cause.cause}` }, sign + plural(Math.round(cause.pods), "pod")),
					cause.nodes > 1 && ` on ${cause.nodes} nodes`,
				),
			),
			bar(cause.lost / most, "plain"),
			h("p", known?.title),
			partsOf(cause.cause).map((part) => h("p.part", part)),
			known && h("p.set", h("b", "change "), known.set),
			estimate && h("p.what-if", h("b", "estimate "), estimate),
			known?.side_effect && h("p.trade-off", h("b", "trade-off "), known.side_effect),
		);
	};
	const rest = found.causes.length - 4;
	return [h("ol.top", found.causes.slice(0, 4).map(line)), rest > 0 && h("p", link("causes", `${rest} more below`))];
}
