// The page's data: columns as typed arrays, so that 20,000 startups filter and sum in one pass of some milliseconds.

const data = JSON.parse(document.getElementById("data").textContent);
const { report, words, cut, rows, whole } = data;
const { summary } = report;
const strings = rows.strings;
const listed = rows.pod.length;
const NONE = -1;

/** Numbers of strings; NONE is unknown. */
const column = (name) => Int32Array.from(rows[name], (value) => value ?? NONE);
/** Microseconds; NaN is unknown. */
const times = (list) => Float64Array.from(list, (value) => value ?? Number.NaN);

/** The pulls of a startup, by name: rows have them as lists. */
const pullsOf = (row) =>
	rows.pulls[row].map(([image, wait, pull, took, bytes, failed]) => ({ image, wait, pull, took, bytes, failed }));
const images = rows.pulls.map((list) => [...new Set(list.map(([image]) => image))]);
const began = times(rows.created.map((value, row) => value ?? rows.started[row]));

const of = {
	namespace: column("namespace"),
	node: column("node"),
	workload: column("workload"),
	kubelet: column("kubelet"),
	state: column("state"),
	whole: column("whole"),
	started: began,
	ended: times(rows.lasted).map((value, row) => began[row] + value),
	running: times(rows.running),
	ready: times(rows.ready),
	total: times(rows.total),
	slo: times(rows.slo),
	phases: words.phases.map(({ name }) => times(rows.phases[name] ?? [])),
};

/** Each startup's longest phase, by its place in words.phases. */
const dominant = Int8Array.from({ length: listed }, (_, row) => {
	let most = NONE;
	for (let phase = 0; phase < of.phases.length; phase++) {
		// Nobody waits for the watch.
		if (!words.phases[phase].in_total || !words.phases[phase].delays_pod) continue;
		const value = of.phases[phase][row];
		if (value > 0 && (most === NONE || value > of.phases[most][row])) most = phase;
	}
	return most;
});

/** Whether startups were left out of the page; then some of the listed ones are a sample, each for several. */
const isCut = cut.listed < cut.startups;
const weight = (row) => (rows.sampled?.[row] ? data.weight : 1);
/** Whether every listed startup stands here with its spans. */
const allWhole = cut.whole >= cut.startups;

/** The registry of an image by its name, as container runtimes read it. */
function registryOf(image) {
	const first = image.split("/")[0];
	return image.includes("/") && (/[.:]/.test(first) || first === "localhost") ? first : "docker.io";
}

const text = (number) => (number === NONE || number === null ? null : strings[number]);
const podName = (row) => `${text(of.namespace[row])}/${rows.pod[row]}`;
const wholeOf = (row) => (of.whole[row] === NONE ? null : whole[of.whole[row]]);
const causeWords = new Map(words.causes.map((cause) => [cause.id, cause]));
const phaseWords = new Map(words.phases.map((phase) => [phase.name, phase]));
const phaseLabel = (name) => phaseWords.get(name)?.label ?? name;
// Names of phases become classes of the style: only plain ones.
const phaseClass = (name) => `p-${/^[a-z_]+$/.test(name) ? name : "unattributed"}`;

/** The folders that all sources share, which tell nothing. */
const shared = (() => {
	const paths = report.coverage.sources.map((source) => source.split("/"));
	if (paths.length === 0) return "";
	let same = 0;
	while (paths.every((path) => same < path.length - 1 && path[same] === paths[0][same])) same++;
	return paths[0].slice(0, same).join("/") + (same ? "/" : "");
})();
const bare = (source) => (source.startsWith(shared) ? source.slice(shared.length) : source);
const place = (evidence) => evidence && `${bare(evidence.source)}:${evidence.line}`;

function lineOf(startup, evidence) {
	const same = (line) => line.line === evidence.line && line.source === evidence.source;
	return evidence ? startup.lines.find(same)?.text : undefined;
}

/** A place in the sources and its line, as a cell shows them. */
function evidenceOf(startup, evidence) {
	const said = lineOf(startup, evidence);
	return [h("span.place", { title: evidence.source }, place(evidence)), " ", said && h("code", said)];
}

/** The day on which all startups were created, if it is one: then it need not stand at each. */
const sameDay = (() => {
	const days = new Set(of.started.filter((value) => !Number.isNaN(value)).map((value) => Math.floor(value / 864e8)));
	return days.size === 1 ? stamp([...days][0] * 864e8).slice(0, 10) : null;
})();
const shortStamp = (stamped) => (stamped && sameDay ? stamped.slice(11) : (stamped?.replace("T", " ") ?? "–"));
