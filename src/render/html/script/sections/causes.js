// Causes in full: the text, the figures, and the log lines that show them.

const WORST = 3;

function drawCauses(root, view) {
	const { found } = view;
	if (found.causes.length === 0) return refill(root, none("No cause exceeded its threshold in this selection."));
	return refill(
		root,
		found.causes.map((line, at) => causeCard(line, at, found.estimate ? "≈ " : "")),
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

function causeCard(line, at, sign) {
	const known = causeWords.get(line.cause);
	const { advised: { yaml, already } = {} } = wholeCause(line.cause);
	const estimate = estimateOf(line.cause);
	const certain = line.lost > 0 ? line.certain / line.lost : 0;
	return h(
		"article.cause",
		{ id: `cause-${at}` },
		h("h3", `${at + 1}. `, pick("cause", line.cause)),
		h("p.lead", known?.title),
		h(
			"dl.pairs",
			pair("lost", `${sign}${span(line.lost)}`),
			pair("at least", `${span(line.certain)} (${share(certain)})`),
			pair("startups", `${sign}${grouped(line.pods)}${line.nodes > 1 ? ` on ${line.nodes} nodes` : ""}`),
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
