// What the tests in a browser hold against the JSON report: the figures that a page shows first, and the counts of its tables.
import assert from "node:assert/strict";

/** A time as the page and the terminal print it. */
function length(seconds) {
	if (seconds < 0.9995) return `${(seconds * 1000).toFixed(0)} ms`;
	if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
	if (seconds < 59.5) return `${seconds.toFixed(0)} s`;
	const all = Math.round(seconds);
	const two = (number) => String(number).padStart(2, "0");
	const [hours, minutes] = [Math.floor(all / 3600), Math.floor(all / 60) % 60];
	return hours ? `${hours}h ${two(minutes)}m` : `${minutes}m ${two(all % 60)}s`;
}

export const figure = (page, name) => page.locator(`[data-figure="${name}"]`).first();
export const words = async (page, name) => (await figure(page, name).textContent()).trim();

/** What is a hair off a rounding step may print either way: values have nanoseconds, the page microseconds. */
export function same(shown, seconds, what) {
	const near = [seconds, seconds - 1e-6, seconds + 1e-6].map((value) => length(Math.max(0, value)));
	assert.ok(near.includes(shown), `${what}: the page says ${shown}, the report ${near[0]}`);
}

/** What the page shows first is what the report's summary has. */
export async function agree(page, { summary }) {
	if (summary.startups === 0) {
		assert.equal(await page.locator('[data-figure="none"]').count(), 1);
		return;
	}
	for (const name of ["p50", "p95", "p99", "max"]) {
		if (summary.running.count) same(await words(page, name), summary.running[name], name);
		else assert.equal(await words(page, name), "–");
	}
	const met = summary.slo_p99 !== null && summary.slo_p99 <= 5;
	const verdict = summary.slo.count === 0 ? "unknown" : met ? "met" : "missed";
	assert.equal(await words(page, "slo"), verdict);
	if (summary.slo.count) {
		if (summary.slo_p99 === null) assert.equal(await words(page, "slo-p99"), "unbounded");
		else same(await words(page, "slo-p99"), summary.slo_p99, "SLO p99");
		const share = summary.slo_within;
		const shown = share > 0 && share < 0.01 ? "<1 %" : `${(share * 100).toFixed(0)} %`;
		assert.equal(await words(page, "slo-within"), shown);
	}
	const found = await page.evaluate(() =>
		Object.fromEntries(
			[...document.querySelectorAll("[data-micros]")].map((e) => [e.dataset.figure, e.dataset.micros]),
		),
	);
	const wanted = {};
	for (const { phase, lost_s } of summary.phases)
		if (lost_s > 0) wanted[`phase-${phase}`] = String(Math.round(lost_s * 1e6));
	for (const { cause, lost_s } of summary.causes.slice(0, 4))
		wanted[`cause-${cause}`] = String(Math.round(lost_s * 1e6));
	assert.deepEqual(Object.fromEntries(Object.entries(found).sort()), Object.fromEntries(Object.entries(wanted).sort()));
	for (const { cause, pods } of summary.causes.slice(0, 4)) {
		assert.match(await words(page, `pods-${cause}`), new RegExp(`^${pods.toLocaleString("en-US")} pods?$`));
	}
	const all = await page.locator(".cause h3").allTextContents();
	assert.deepEqual(
		all,
		summary.causes.map(({ cause }, at) => `${at + 1}. ${cause}`),
	);
	const never = summary.did_not_come_up.count;
	const others = `${never > 0 ? "the other " : ""}${(summary.startups - never).toLocaleString("en-US")}`;
	for (const [name, { count }, of] of [
		["never", summary.did_not_come_up, summary.startups.toLocaleString("en-US")],
		["restarted", summary.restarted, others],
	]) {
		const said = new RegExp(`^${count} of ${of} pods?$`);
		if (count === 0) assert.equal(await figure(page, name).count(), 0);
		else assert.match(await words(page, name), said);
	}
}

/** The columns by which the table of startups can be sorted on any page, and their headings there. */
const TIMES = { running_s: "created → running", total_s: "total", slo_s: "SLO value" };

/** What the page's tables have to show, made from the startups one by one. */
export class Tables {
	#nodes = new Map();
	#images = new Map();
	#pulls = new Map();
	#times = Object.fromEntries(Object.keys(TIMES).map((column) => [column, []]));

	add(startup) {
		const count = (all, key) => all.set(key, (all.get(key) ?? 0) + 1);
		count(this.#nodes, startup.node);
		const images = startup.image_pulls.map(({ image }) => image).filter(Boolean);
		for (const image of images) count(this.#pulls, image);
		for (const image of new Set(images)) count(this.#images, image);
		for (const column in TIMES) if (startup[column] !== null) this.#times[column].push(startup[column]);
	}

	/** Each line of images and nodes has the count of all startups; sorted by a time, the startups listed are the slowest of all. */
	async agree(page) {
		const number = (text) => Number(text.replaceAll(",", ""));
		const images = await cells(page, "images");
		assert.ok(images.length >= Math.min(11, this.#images.size), `${images.length} images`);
		for (const [image, startups, , pulls] of images) {
			assert.equal(number(startups), this.#images.get(image), image);
			assert.equal(number(pulls), this.#pulls.get(image), image);
		}
		const nodes = await cells(page, "nodes");
		assert.ok(nodes.length >= Math.min(1, this.#nodes.size), `${nodes.length} nodes`);
		for (const [node, startups] of nodes) assert.equal(number(startups), this.#nodes.get(node), node);
		const place = page.locator('[data-table="startups"]');
		const headings = await place.locator("thead th").allTextContents();
		for (const column in TIMES) {
			const at = headings.indexOf(TIMES[column]);
			const heading = place.locator("thead th").nth(at);
			await heading.locator("button").click();
			if ((await heading.getAttribute("aria-sort")) !== "descending") await heading.locator("button").click();
			const times = this.#times[column].sort((a, b) => b - a);
			const shown = await cells(page, "startups");
			assert.ok(shown.length >= Math.min(11, times.length), `${shown.length} startups`);
			for (const [row, line] of shown.entries()) same(line[at], times[row], `${column} ${row}`);
		}
	}
}

/** The texts of a table's cells, line by line. */
const cells = (page, name) =>
	page
		.locator(`[data-table="${name}"] tbody tr`)
		.evaluateAll((lines) => lines.map((line) => [...line.children].map((cell) => cell.textContent)));
