// Pods that never ran: how long, why, and which object it was.

const NEVER = new Set(["starting", "failed", "gone"]);
const STATES = { starting: "still starting", failed: "failed", gone: "deleted before it ran", ended: "ended" };
const NEVER_FIRST = 6;
const ERROR = 160;

/** Whether a pod did not get to run. One that came and went may have: of it nothing is known. */
const neverRan = (row) => NEVER.has(text(of.state[row])) && Number.isNaN(of.running[row]);

/** The message within a line: what a key `err` or `error` has, or what stands behind "Error:"; quotes within it unescaped. */
function messageOf(line) {
	const quoted = line.match(/\b(?:err|error)="((?:[^"\\]|\\.)*)/)?.[1];
	const said = quoted ?? line.match(/\bError: (.*)/)?.[1];
	return said?.replace(/\\+"/g, '"').replace(/\\\\n|\\n/g, " ");
}

/** A message without what the kubelet wraps it in, its end if it is long: there is the reason. */
function shortened(message) {
	const inner = message.match(/^failed to "\w+" for "[^"]*" with (\w+: )"(.*)$/s);
	const all = (inner ? inner[1] + inner[2].replace(/"$/, "") : message).replace(/ pod=\S+_\S+\([-0-9a-f]+\)/, "");
	const parts = all.split(": ");
	let short = parts.pop();
	while (parts.length && short.length + parts.at(-1).length < ERROR) short = `${parts.pop()}: ${short}`;
	return parts.length ? `… ${short}` : short;
}

const OBJECTS = [
	[
		/\b(configmap|secret|persistentvolumeclaim|serviceaccount) "([^"]+)"/i,
		(found) => `${KINDS[found[1].toLowerCase()]} ${found[2]}`,
	],
	[/\bin (ConfigMap|Secret) (\S+)/, (found) => `${found[1]} ${found[2]}`],
	[/\bfor volume "([^"]+)"/, (found) => `volume ${found[1]}`],
	[/^failed to "\w+Container" for "([^"]+)"/, (found) => `container ${found[1]}`],
];
const KINDS = {
	configmap: "ConfigMap",
	secret: "Secret",
	persistentvolumeclaim: "PersistentVolumeClaim",
	serviceaccount: "ServiceAccount",
};

/** Why a startup that is here in full did not run: the cause, the object, and the error. */
function reasonOf(row) {
	const startup = wholeOf(row);
	if (!startup) return { cause: topCause(row), object: null, error: null };
	const finding = startup.findings[0];
	const failed = startup.image_pulls.filter(({ outcome, image }) => outcome !== "pulled" && image);
	const mount = startup.volume_mounts.findLast(({ error }) => error)?.error;
	const lines = [lineOf(startup, finding?.evidence), ...startup.lines.map((line) => line.text).reverse()];
	const message = lines.map((line) => line && messageOf(line)).find(Boolean) ?? mount ?? null;
	const of = (said) => said && OBJECTS.map(([form, name]) => said.match(form) && name(said.match(form))).find(Boolean);
	const images = [...new Set(failed.map(({ image }) => image))].join(", ");
	const pulling = finding?.cause.startsWith("image") || finding === undefined;
	const object = finding?.waited_for ?? ((pulling && images) || of(message) || of(mount) || null);
	return { cause: finding?.cause ?? null, object, error: message && shortened(message), message };
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
				({ object, message }) => [object, message].filter(Boolean).join(": ") || null,
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
