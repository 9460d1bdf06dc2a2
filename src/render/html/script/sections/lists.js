// Tables of startups and of their groups.

const topCause = (row) => (rows.findings[row].length ? text(rows.findings[row][0][0]) : null);
const phaseCell = (phase) => (phase ? pick("phase", phase.name, phase.label) : "–");

/** Which startups a list has, where the page does not hold all. */
function notAll(view) {
	if (!isCut) return null;
	const all = plural(Math.round(view.found.startups), "startup");
	if (!filtered())
		return h(
			"p.quiet",
			`The first ${grouped(cut.top)} by each time; this page lists ${grouped(cut.listed)} of ${all}.`,
		);
	return h(
		"p.quiet",
		`The ${grouped(view.rows.length)} of ≈ ${all} that this page lists; others may stand between them.`,
	);
}

function drawStartups(root, view) {
	const phase = (row) => words.phases[dominant[row]];
	const node = (row) => text(of.node[row]);
	const created = (row) => (Number.isNaN(of.started[row]) ? null : stamp(of.started[row], of.started[row] % 1e6 !== 0));
	const name = (row) => [pick("namespace", text(of.namespace[row])), `/${rows.pod[row]}`];
	const list = table(
		"startups",
		"Startups",
		[...view.rows],
		[
			col("startup", "name", podName, name),
			col("created → running", "time", (row) => of.running[row]),
			col("total", "time", (row) => of.total[row]),
			col("SLO value", "time", (row) => of.slo[row]),
			col(
				"longest phase",
				"name",
				(row) => phase(row)?.label,
				(row) => phaseCell(phase(row)),
			),
			col("top cause", "name", topCause, (row) => pick("cause", topCause(row))),
			col("node", "name", node, (row) => pick("node", node(row))),
			col("state", "name", (row) => text(of.state[row])),
			col(sameDay ? `created (UTC, ${sameDay})` : "created (UTC)", "name", created, (row) => shortStamp(created(row))),
		],
		isCut && !filtered() ? { of: cut.startups, top: cut.top } : {},
	);
	refill(root, notAll(view), list);
}

const sum = (list) => list.reduce((all, value) => all + value, 0);

/** Groups startups by keys (numbers of strings, or texts): one item each, the costliest first. */
function groups(view, keysOf) {
	const all = new Map();
	for (const row of view.rows) {
		for (const key of keysOf(row)) {
			if (!all.has(key)) all.set(key, []);
			all.get(key).push(row);
		}
	}
	const group = ([key, own]) => {
		const sums = of.phases.map((values, phase) =>
			words.phases[phase].in_total ? sum(own.map((row) => (values[row] || 0) * weight(row))) : 0,
		);
		const spent = sum(sums);
		// Nobody waits for the watch.
		const waited = sums.map((time, phase) => (words.phases[phase].delays_pod ? time : 0));
		const phase = spent > 0 ? words.phases[waited.indexOf(Math.max(...waited))] : null;
		const causes = new Map();
		for (const row of own) {
			for (const [cause, lost] of rows.findings[row]) causes.set(cause, (causes.get(cause) ?? 0) + lost * weight(row));
		}
		const [top] = [...causes].sort((a, b) => b[1] - a[1]);
		const cause = top ? text(top[0]) : null;
		const name = typeof key === "string" ? key : text(key);
		const count = Math.round(sum(own.map(weight)));
		return { ...quantiles({ rows: Int32Array.from(own) }, of.running), name, count, spent, sums, phase, cause };
	};
	return [...all].map(group).sort((a, b) => b.spent - a.spent);
}

/** The report's own table over all startups, where the page does not hold them all; none of a filtered view. */
const tableOf = (name) => (isCut && !filtered() ? (data.tables?.[name] ?? null) : null);

/** Whether a table's figures are estimates, since the page has a part of the startups it is about. */
const estimated = (name) => isCut && !tableOf(name);

/** Says that of a table. */
function listedNote(view, ...names) {
	if (!names.some(estimated)) return null;
	const all = Math.round(view.found.startups);
	return h(
		"p.quiet",
		`≈ Estimates: made of ${grouped(view.rows.length)} of ${filtered() ? "≈ " : ""}${plural(all, "startup")}.`,
	);
}

/** Groups as the report has them over all startups, in the page's form. */
const fromReport = (known) =>
	known.rows.map((group) => ({
		...group,
		phase: phaseWords.get(group.phase) ?? null,
		p50: group.p50 ?? Number.NaN,
		p99: group.p99 ?? Number.NaN,
		max: group.max ?? Number.NaN,
	}));

function drawGroups(root, view) {
	const list = (key, title) => {
		const known = tableOf(key);
		const items = known ? fromReport(known) : groups(view, (row) => [of[key][row]]);
		return table(
			`${key}s`,
			title,
			items,
			[
				col(key, "name", "name", ({ name }) => pick(key, name)),
				col("startups", "count", "count"),
				col("p50", "time", "p50"),
				col("p99", "time", "p99"),
				col("max", "time", "max"),
				col("total time", "time", "spent"),
				col(
					"longest phase",
					"name",
					({ phase }) => phase?.label,
					({ phase }) => phaseCell(phase),
				),
				col("top cause", "name", "cause", ({ cause }) => pick("cause", cause)),
			],
			limits(known),
		);
	};
	refill(root, listedNote(view, "node", "workload"), list("node", "Nodes"), list("workload", "Workloads"));
}
