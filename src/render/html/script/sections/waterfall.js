// The slowest startups, each as its spans: where its time went, how precisely each boundary is known, what it waited for.

const SLOW = 15;
const waterfall = { visible: SLOW, byClock: false };

const PRECISION = {
	exact: "both ends are logged (solid)",
	bounded: "between two bounds (hatched from the shortest possible end, a thin line to the latest possible end)",
	inferred: "derived by a rule that nearly always holds (dashed)",
};

function drawWaterfall(root, view) {
	const known = view.rows.filter((row) => wholeOf(row)?.spans.length);
	if (known.length === 0) return refill(root, none("This page holds no spans for the startups in this selection."));
	const shownNow = [...known.subarray(0, waterfall.visible)];
	const ends = shownNow.map((row) => extent(wholeOf(row)));
	const first = Math.min(...ends.map(([from]) => from));
	const most = waterfall.byClock
		? Math.max(...ends.map(([, to]) => to)) - first
		: Math.max(...ends.map(([from, to]) => to - from));
	const again = (change) => {
		Object.assign(waterfall, change);
		drawWaterfall(root, view);
	};
	const used = new Set(shownNow.flatMap((row) => wholeOf(row).spans.map(({ phase }) => phase)));
	const align = h(
		"label.check",
		h("input", { type: "checkbox", onchange: () => again({ byClock: !waterfall.byClock }) }),
		" align by clock time (otherwise by creation)",
	);
	align.firstChild.checked = waterfall.byClock;
	const scale = h("div.scale", { "aria-hidden": "true" });
	const items = shownNow.map((row, at) => startupLine(row, waterfall.byClock ? ends[at][0] - first : 0, most));
	refill(
		root,
		partial(view, "Waterfalls"),
		h("p.hint", "Open a row for its steps and their log lines; the arrow keys ← → step through its parts."),
		legend(used),
		h(
			"ul.legend",
			Object.entries(PRECISION).map(([name, words]) => h("li", h("i", { class: `edge ${name}` }), `${name}: ${words}`)),
		),
		h("p", align),
		scale,
		h("ol.waterfall", items),
		known.length > waterfall.visible &&
			h(
				"button",
				{ onclick: () => again({ visible: waterfall.visible + 25 }) },
				`Show more (${grouped(known.length - waterfall.visible)} left)`,
			),
	);
	fitted(scale, (width) => refill(scale, scaleMarks(width, most, first)));
}

const extent = ({ spans }) => [micros(spans[0].from), Math.max(...spans.map(({ to }) => micros(to)))];

/** The scale over the bars. Its places are shares of the width, as those of the bars are, so that paper keeps them and the text's size. */
function scaleMarks(width, most, first) {
	return steps(most / 1e6, Math.max(2, Math.floor(width / 90))).map((seconds) => {
		const part = (seconds * 1e6) / (most || 1);
		const words = waterfall.byClock
			? onAxis(first + seconds * 1e6, first, first + most)
			: length(seconds).replace("0 ms", "0").replace(".0 s", " s");
		const side = part * width < 20 ? "start" : part * width > width - 24 ? "end" : "middle";
		const mark = h("span", { class: `tick ${side}` }, words);
		mark.style.setProperty("left", `${part * 100}%`);
		return mark;
	});
}

const stepWords = (one) => `${phaseLabel(one.phase)} ${length((micros(one.to) - micros(one.from)) / 1e6)}`;

function precisionWords(one) {
	if (one.precision !== "bounded") return one.precision;
	return `bounded: ${one.max_s === null ? `at least ${length(one.min_s)}` : range(one.min_s, one.max_s)}`;
}

function tipOf(startup, one) {
	const said = lineOf(startup, one.evidence);
	return [
		`${stepWords(one)} · ${precisionWords(one)}${one.waited_for ? ` · ${one.waited_for}` : ""}`,
		one.evidence && place(one.evidence),
		said?.slice(0, 300),
	]
		.filter(Boolean)
		.join("\n");
}

function startupLine(row, offset, most) {
	const startup = wholeOf(row);
	const [from] = extent(startup);
	const bars = h("div.spans");
	const felt = Number.isNaN(of.running[row]) ? of.total[row] : of.running[row];
	const stuck = unran(row) && (didNotComeUp(row) ? "did not come up" : "still starting");
	const why = [stuck, topCause(row)].filter(Boolean).join(": ");
	const longest = dominant[row] === NONE ? "" : `, longest phase ${words.phases[dominant[row]].label}`;
	const summaryLine = h(
		"summary",
		h("span.name", { title: podName(row) }, podName(row)),
		bars,
		h("span.why", { title: why }, why),
		h("span.number", span(felt), h("span.unseen", longest)),
	);
	const detail = h("details", summaryLine);
	const parts = startup.spans.map((one) => ({ one, mark: s("g", { class: "part" }) }));
	let current = -1;
	const point = (at) => {
		parts[current]?.mark.classList.remove("on");
		current = at;
		parts[at]?.mark.classList.add("on");
		if (at < 0) return showTip(null);
		return showTip(tipOf(startup, parts[at].one), parts[at].mark.getBoundingClientRect());
	};
	parts.forEach(({ mark }, at) => {
		mark.addEventListener("pointerenter", () => point(at));
		mark.addEventListener("pointerleave", () => point(-1));
	});
	summaryLine.addEventListener("keydown", (event) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!step) return point(-1);
		event.preventDefault();
		point(Math.max(0, Math.min(parts.length - 1, current + step)));
		say(tipOf(startup, parts[current].one).split("\n")[0]);
	});
	summaryLine.addEventListener("blur", () => point(-1));
	detail.addEventListener(
		"toggle",
		() => detail.open && detail.childElementCount === 1 && detail.append(stepsOf(row, startup)),
	);
	// A fixed measure stretched to the place: hundreds of bars need no redrawing when the window changes.
	const scaled = (time) => ((time - from + offset) / (most || 1)) * 1000;
	for (const { one, mark } of parts) segment(mark, one, scaled);
	bars.append(
		s(
			"svg",
			{ viewBox: "0 0 1000 22", preserveAspectRatio: "none", "aria-hidden": "true" },
			parts.map(({ mark }) => mark),
		),
	);
	return h("li", detail);
}

function segment(mark, one, x) {
	const [from, to] = [micros(one.from), micros(one.to)];
	const wide = Math.max(0.8, x(to) - x(from));
	const kind = phaseClass(one.phase);
	put(mark, [rect(x(from), 2, wide, 16, `${kind} ${one.precision}`), texture(one.phase, x(from), 2, wide, 16)]);
	if (one.precision === "bounded") {
		const least = Math.min(x(to), x(from + one.min_s * 1e6));
		mark.append(rect(least, 2, Math.max(0.8, x(to) - least), 16, "over"));
		if (one.max_s !== null && one.max_s * 1e6 > to - from)
			mark.append(rule(x(to), 20, Math.min(1000, x(from + one.max_s * 1e6)), 20, "latest"));
	}
}

/** The steps of one startup with their log lines: the drawing as text. */
function stepsOf(row, startup) {
	const [from] = extent(startup);
	const lines = startup.spans.map((one) => {
		return [
			phaseLabel(one.phase),
			`+${length((micros(one.from) - from) / 1e6)}`,
			length((micros(one.to) - micros(one.from)) / 1e6),
			precisionWords(one),
			one.waited_for ?? "–",
			one.evidence ? evidenceOf(startup, one.evidence) : "–",
		];
	});
	const facts = [
		`created ${stamp(of.started[row], true)}`,
		startup.node && `on ${startup.node}`,
		`state ${startup.state}`,
		startup.restarts > 0 && plural(startup.restarts, "restart"),
		startup.pull_failures > 0 && plural(startup.pull_failures, "failed pull"),
		...startup.findings.map((one) => `${one.cause} ${length(one.lost_s)}`),
		...startup.anomalies,
	];
	return h(
		"div.steps",
		h("p", facts.filter(Boolean).join(" · ")),
		grid(`Steps of ${podName(row)}`, ["phase", "from", "took", "precision", "waited for", "evidence"], lines, [1, 2]),
	);
}
