// Pods that never ran: how long, why, and which object it was.

const NEVER = new Set(["starting", "failed", "gone"]);
const STATES = { starting: "still starting", failed: "failed", gone: "deleted before it ran", ended: "ended" };
const NEVER_FIRST = 6;

/** Whether a pod did not get to run. One that came and went may have: of it nothing is known. */
const neverRan = (row) => NEVER.has(text(of.state[row])) && Number.isNaN(of.running[row]);

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

/** How many never ran; of a cut page's own figures the report's. */
function countNever(view) {
	if (isCut && !filtered()) return sum(summary.states.filter(([state]) => NEVER.has(state)).map(([, count]) => count));
	return sum([...view.rows].filter(neverRan).map(weight));
}

function neverCard(view, sign) {
	const stuck = [...view.rows].filter(neverRan).map((row) => ({ row, ...reasonOf(row) }));
	const count = Math.round(countNever(view));
	if (count === 0) return null;
	const state = ({ row }) => STATES[text(of.state[row])];
	const list = table(
		"never",
		"Pods that never ran",
		stuck,
		[
			col("startup", "name", ({ row }) => podName(row)),
			col("state", "name", state),
			col("for", "time", ({ row }) => of.total[row]),
			col("cause", "name", "cause", ({ cause }) => pick("cause", cause)),
			col(
				"object: error",
				"",
				({ object, error }) => [object, error].filter(Boolean).join(": ") || null,
				({ object, error, message }) => [object && h("b", object), h("div.quiet", { title: message }, error ?? "–")],
			),
		],
		{ first: NEVER_FIRST },
	);
	const words = `${sign}${grouped(count)} of ${sign}${plural(Math.round(view.found.startups), "startup")}`;
	return h(
		"section.card",
		{ class: "card never", "aria-labelledby": "h-never" },
		h("h3", { id: "h-never" }, "Never ran: ", h("span", { "data-figure": "never" }, words)),
		stuck.length < count && h("p.quiet", `${grouped(stuck.length)} of them are in this page.`),
		list,
	);
}
