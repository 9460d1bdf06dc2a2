// Opens the trace of every sample in Perfetto, and holds what it read against the report.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { perfetto } from "./perfetto.mjs";
import { inputs, json, launch, podlag, samples } from "./podlag.mjs";

let browser;
let viewer;
let folder;
before(async () => {
	folder = mkdtempSync(join(tmpdir(), "podlag-trace-"));
	browser = await launch();
	viewer = await perfetto(browser);
});
after(async () => {
	await viewer?.close();
	await browser?.close();
	rmSync(folder, { recursive: true, force: true });
});

// Instants are compared as whole microseconds: nanoseconds since 1970 are more than a double holds.
const SLICES = `
	select slice.id, slice.parent_id as parent, slice.name, slice.category, slice.depth, slice.ts / 1000 as ts, slice.dur / 1000 as dur,
		thread.name as thread, utid, process.name as process,
		extract_arg(slice.arg_set_id, 'args.uid') as uid, extract_arg(slice.arg_set_id, 'args.lost_s') as lost
	from slice join thread_track on slice.track_id = thread_track.id join thread using (utid) left join process using (upid)
	order by utid, slice.id`;
const QUERIES = {
	faults: "select name, value from stats where severity != 'info' and value != 0",
	slices: SLICES,
	arrows: `select a.name || '|' || b.name as ends, a.utid = b.utid as own
		from flow join (${SLICES}) a on a.id = slice_out join (${SLICES}) b on b.id = slice_in`,
};

const trace = async (args) => {
	const file = join(folder, "startups.trace.json");
	await podlag(...args, "-o", file).catch(() => {});
	const bytes = readFileSync(file);
	rmSync(file);
	return bytes;
};

const seconds = (row, phase) => (row[`${phase}_s`] ?? 0) * 1e6;
const sum = (list) => list.reduce((all, { dur }) => all + dur, 0);

/** A startup's slices as Perfetto nests them, against its row in the report. */
function agree(own, row, labels) {
	const name = `${row.namespace}/${row.pod}`;
	const [whole, ...inner] = own;
	assert.deepEqual([whole.category, whole.depth, whole.parent], ["startup", 0, null], name);
	assert.equal(whole.name, whole.thread);
	assert.equal(whole.uid, row.uid, name);
	if (row.node) assert.equal(whole.process, row.node, name);
	// One without length begins where the next does, and before it.
	const spans = inner.filter(({ category }) => category === "span").sort((a, b) => a.ts - b.ts || a.dur - b.dur);
	assert.equal(spans.length, row.spans.length, name);
	let reached = whole.ts;
	for (const span of spans) {
		// One without length lies in the span that begins where it does.
		if (span.dur > 0) assert.equal(span.parent, whole.id, `${name}: ${span.name} lies in the startup`);
		assert.equal(span.ts, reached, `${name}: ${span.name} begins where the one before it ended`);
		reached = span.ts + span.dur;
	}
	assert.equal(sum(spans), spans.length ? whole.dur : 0, name);
	if (row.total_s !== null) assert.ok(Math.abs(whole.dur - row.total_s * 1e6) <= 1, `${name}: ${whole.dur}`);
	for (const [phase, label] of Object.entries(labels)) {
		const mine = spans.filter((span) => span.name === label);
		// Both ends of a span are cut to whole microseconds.
		const off = Math.abs(sum(mine) - seconds(row, phase));
		assert.ok(
			off <= Math.max(1, mine.length),
			`${name}: ${label} is ${sum(mine)} µs, the report's ${seconds(row, phase)}`,
		);
	}
	const lost = (list) => list.map((one) => Math.round(one * 1e6)).sort((a, b) => a - b);
	const causes = inner.filter(({ category }) => category === "cause");
	assert.deepEqual(lost(causes.map((one) => one.lost)), lost(row.findings.map(({ lost_s }) => lost_s)), name);
}

describe("Perfetto reads the trace of", () => {
	let labels;
	before(async () => {
		// The page's data say how phases are called.
		const file = join(folder, "words.html");
		await podlag(...inputs("s01-cached"), "-o", file);
		const data = JSON.parse(readFileSync(file, "utf8").match(/id="data">(.*?)<\/script>/s)[1]);
		// A startup's spans tile its total; the readiness comes after that.
		const phases = data.words.phases.filter(({ in_total }) => in_total);
		labels = Object.fromEntries(phases.map(({ name, label }) => [name, label]));
	});

	for (const name of samples) {
		test(name, async () => {
			const args = inputs(name);
			const { startups } = await json(...args);
			const { faults, slices, arrows } = await viewer.read(await trace(args), QUERIES);
			assert.deepEqual(faults, [], "Perfetto names no fault");
			const threads = [...new Set(slices.map(({ utid }) => utid))];
			const rows = startups.filter((row) => row.created || row.seen || row.spans.length || row.running || row.watched);
			assert.equal(threads.length, rows.length, "a thread a startup");
			rows.forEach((row, at) => {
				const own = slices.filter(({ utid }) => utid === threads[at]);
				agree(own, row, labels);
			});
			// Of an arrow's two slices Perfetto puts that first which began first.
			for (const { ends, own } of arrows) {
				assert.deepEqual(ends.split("|").sort(), [labels.image_pull, labels.image_wait]);
				assert.equal(own, 0, "an arrow leads to another startup");
			}
			if (name === "s02-pull-serial") assert.ok(arrows.length > 10, `${arrows.length} arrows`);
		});
	}
});

test("Perfetto would name a fault", async () => {
	const whole = JSON.parse(await trace(inputs("s02-pull-serial")));
	const broken = structuredClone(whole);
	// A span that outlasts its startup, and an arrow that ends before it begins.
	const events = broken.traceEvents;
	events.find(({ cat }) => cat === "span").dur += 3_600_000_000;
	events.find(({ ph }) => ph === "f").ts = 1;
	const { faults } = await viewer.read(Buffer.from(JSON.stringify(broken)), QUERIES);
	assert.notDeepEqual(faults, []);
});
