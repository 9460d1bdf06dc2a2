// Pods that did not come up and pods of which a container was started again: how long, why, and which object it was.

const UNRAN = new Set(["starting", "failing", "failed", "gone"]);
const STATES = {
	starting: "still starting",
	failing: "fails to start",
	failed: "refused",
	gone: "deleted before it came up",
	ended: "ended",
	running: "running",
};
const INCIDENTS_FIRST = 6;
const INCIDENTS = [
	{ id: "never", number: 1, title: "Did not come up", caption: "Pods that did not come up", of: "did_not_come_up" },
	{
		id: "restarted",
		number: 2,
		title: "Containers restarted",
		caption: "Pods with restarted containers, besides those that did not come up",
		of: "restarted",
	},
];
const [NEVER] = INCIDENTS;

/** Whether a pod did not get to run. One that came and went may have: of it nothing is known. */
const unran = (row) => UNRAN.has(text(of.state[row])) && Number.isNaN(of.running[row]);
const didNotComeUp = (row) => rows.incident[row] === NEVER.number;

/** Why a startup that is here in full did not run: the cause, the object, and the error. */
function reasonOf(row) {
	const startup = wholeOf(row);
	if (!startup) return { cause: topCause(row), object: null, error: null };
	const finding = startup.findings[0];
	const mount = startup.volume_mounts.findLast(({ error }) => error)?.error;
	const error = finding?.error ?? mount ?? null;
	return {
		cause: finding?.cause ?? null,
		object: finding?.waited_for ?? null,
		error,
		message: lineOf(startup, finding?.evidence) ?? error,
	};
}

/** How many there are of a kind; of a cut page's own figures the report's. */
function countIncidents(view, kind) {
	if (isCut && !filtered()) return summary[kind.of].count;
	return sum([...view.rows].filter((row) => rows.incident[row] === kind.number).map(weight));
}

/** How many did not get to run, whatever the reason. */
function countUnran(view) {
	if (isCut && !filtered()) return sum(summary.states.filter(([state]) => UNRAN.has(state)).map(([, count]) => count));
	return sum([...view.rows].filter(unran).map(weight));
}

function incidentCard(kind, view, sign) {
	const found = [...view.rows].filter((row) => rows.incident[row] === kind.number);
	const here = found.map((row) => ({ row, ...reasonOf(row) }));
	const count = Math.round(countIncidents(view, kind));
	if (count === 0) return null;
	const list = table(
		kind.id,
		kind.caption,
		here,
		[
			col("startup", "name", ({ row }) => podName(row)),
			col("state", "name", ({ row }) => STATES[text(of.state[row])]),
			col("for", "time", ({ row }) => (Number.isNaN(of.running[row]) ? of.total[row] : of.running[row])),
			col("cause", "name", "cause", ({ cause }) => pick("cause", cause)),
			col(
				"object: error",
				"",
				({ object, error }) => [object, error].filter(Boolean).join(": ") || null,
				({ object, error, message }) => [
					object && h("b", object),
					(error || !object) && h("div.quiet", { title: message }, error ?? "–"),
				],
			),
		],
		{ first: INCIDENTS_FIRST },
	);
	const never = kind === NEVER ? 0 : Math.round(countIncidents(view, NEVER));
	const others = plural(Math.round(view.found.startups) - never, "pod");
	const words = `${sign}${grouped(count)} of ${never > 0 ? "the other " : ""}${sign}${others}`;
	const heading = `h-${kind.id}`;
	return h(
		"section.card",
		{ class: `card incidents ${kind.id}`, "aria-labelledby": heading },
		h("h3", { id: heading }, `${kind.title}: `, h("span", { "data-figure": kind.id }, words)),
		here.length < count && h("p.quiet", `${grouped(here.length)} of them are in this page.`),
		list,
	);
}
