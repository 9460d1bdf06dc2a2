// Causes, a line each that opens: the text, the figures, and the log lines that show them.

const WORST = 3;

function drawCauses(root, view) {
	const { found } = view;
	if (found.causes.length === 0) return refill(root, none("No cause exceeded its threshold in this selection."));
	const sign = found.estimate ? "≈ " : "";
	const most = found.causes[0].lost;
	return refill(
		root,
		h(
			"div.folded",
			found.causes.map((line, at) => causeCard(line, at, sign, most)),
		),
	);
}

/** Text under headings: a line without a full stop that stands alone is a heading. */
function headed(text) {
	return text
		.trim()
		.split(/\n\n+/)
		.map((part) => {
			const [first, ...rest] = part.split("\n");
			return rest.length ? [h("h4", first), h("p", coded(rest.join(" ")))] : h("p", coded(first));
		});
}

/** What stands in backticks as code. */
const coded = (text) => text.split("`").map((part, at) => (at % 2 ? h("code", part) : part));

/** What a cause cost, from what is certain to the most it can be: the middle ranks it. */
function timeLost(line) {
	const certain = line.lost > 0 ? line.certain / line.lost : 1;
	if (certain >= 0.995) return span(line.lost);
	return certain < 0.005 ? `up to ${span(line.lost)}` : range(line.certain / 1e6, line.lost / 1e6);
}

const onNodes = (line) => (line.nodes > 1 ? ` on ${line.nodes} nodes` : "");

function causeCard(line, at, sign, most) {
	const known = causeWords.get(line.cause);
	const detail = h(
		"details.cause",
		{ id: `cause-${at}` },
		h(
			"summary",
			h("h3", h("span.rank", `${at + 1}. `), line.cause),
			h("span.title-of", known?.title),
			h("span.size", bar(most > 0 ? line.lost / most : 0, "plain")),
			h(
				"span.number",
				h("b", sign + timeLost(line)),
				` · ${sign}${plural(Math.round(line.pods), "pod")}${onNodes(line)}`,
			),
		),
	);
	// Open causes stay open while filters change.
	detail.open = openCauses.has(line.cause);
	const show = () => detail.childElementCount === 1 && detail.append(causeDetail(line, sign));
	if (detail.open) show();
	// Paper is laid out before the browser tells that it opened.
	detail.show = show;
	detail.addEventListener("toggle", () => {
		if (detail.open) openCauses.add(line.cause);
		else openCauses.delete(line.cause);
		if (detail.open) show();
	});
	return detail;
}

const openCauses = new Set();

function causeDetail(line, sign) {
	const known = causeWords.get(line.cause);
	const { advised: { yaml, already } = {} } = wholeCause(line.cause);
	const estimate = estimateOf(line.cause);
	const certain = line.lost > 0 ? line.certain / line.lost : 0;
	return h(
		"div.inside",
		h("p.hint", pick("cause", line.cause, "Show only startups with this cause")),
		partsOf(line.cause).map((part) => h("p.part", part)),
		h(
			"dl.pairs",
			pair("lost", `${sign}${span(line.lost)}`),
			pair("at least", `${span(line.certain)} (${share(certain)})`),
			pair("startups", `${sign}${grouped(line.pods)}${onNodes(line)}`),
			already?.length > 0 && pair("current", already.join(", ")),
			known && pair("change", known.set),
			yaml?.length > 0 && pair("add", h("code", yaml.join("\n"))),
			estimate && pair("estimate", estimate),
			known?.side_effect && pair("trade-off", known.side_effect),
		),
		known && h("div.prose", headed(known.text)),
		worst(line),
	);
}

const pair = (name, value) => h("div", h("dt", name), h("dd", value));

/** The startups that lost most by it: a list, since a log line is too long for a table cell. */
function worst(line) {
	const items = line.worst.slice(0, WORST).map(([lost, row]) => {
		const startup = wholeOf(row);
		const finding = startup?.findings.find((other) => other.cause === line.cause);
		const missing = startup ? "no single line" : "not in this page: see podlag chain";
		return h(
			"li",
			h("div.row", h("b", podName(row)), h("span", span(lost)), finding?.waited_for && h("span", finding.waited_for)),
			h("p", finding?.evidence ? evidenceOf(startup, finding.evidence) : h("span.quiet", missing)),
		);
	});
	return items.length > 0 && [h("h4", "Examples"), h("ol.worst", items)];
}
