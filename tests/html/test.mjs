// Uses the report's page as a reader would, in a browser.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { agree, Tables, words } from "./figures.mjs";
import { inputs, json, launch, podlag, samples } from "./podlag.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
let folder;
before(async () => {
	folder = mkdtempSync(join(tmpdir(), "podlag-page-"));
	browser = await launch();
});
after(async () => {
	await browser?.close();
	rmSync(folder, { recursive: true, force: true });
});

const SERIAL = inputs("s02-pull-serial");
const MANY = inputs("s02-pull-serial", "s07-pull-backoff", "s09-crashloop", "s10-static-restart", "s12-burst").map(
	(path) => join(path, "in"),
);

let pages = 0;
async function made(args) {
	const file = join(folder, `page-${++pages}.html`);
	await podlag(...args, "-o", file).catch(() => {});
	assert.ok(existsSync(file), `no page of ${args.join(" ")}`);
	return file;
}

/** Opens a page; whatever it says to the console, asks of a network or runs from data fails the test. */
async function open(file, options = {}, fragment = "") {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
	const page = await context.newPage();
	page.faults = [];
	page.on("console", (message) => page.faults.push(`${message.type()}: ${message.text()}`));
	page.on("pageerror", (error) => page.faults.push(`error: ${error.message}`));
	page.on("dialog", (dialog) => page.faults.push(`dialog: ${dialog.message()}`));
	await page.route("**/*", (route) => {
		if (route.request().url().startsWith(pathToFileURL(folder).href)) return route.continue();
		page.faults.push(`asked for ${route.request().url()}`);
		return route.abort();
	});
	await page.addInitScript(() => {
		Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => (window.copied = text) } });
	});
	await page.goto(pathToFileURL(file).href + fragment);
	await ready(page);
	return page;
}

const ready = (page) => page.waitForSelector("html[data-ready]", { timeout: 20_000 });

async function close(page) {
	assert.deepEqual(page.faults, []);
	await page.context().close();
}

describe("every sample", { concurrency: 4 }, () => {
	for (const name of samples) {
		test(name, async () => {
			const args = inputs(name);
			const report = await json(...args);
			const page = await open(await made(args));
			await agree(page, report);
			const pwned = await page.evaluate(() => Object.keys(window).filter((key) => /pwned/i.test(key)));
			assert.deepEqual(pwned, []);
			assert.equal(
				await page.locator("main script, main img, main iframe, [style*=url], [onclick], [onerror]").count(),
				0,
			);
			await close(page);
		});
	}

	test("hostile text is shown, not run nor obeyed", async () => {
		const page = await open(await made(inputs("hostile")));
		const text = await page.locator("main").textContent();
		assert.ok(text.includes("<script>alert(1)</script>"));
		assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/);
		await close(page);
	});

	test("data that try to run", async () => {
		const file = await made(SERIAL);
		const evil = '<img src=x onerror="window.pwned=1"><script>window.pwned=2</script>{{script}}$&';
		const text = JSON.stringify(evil).slice(1, -1).replaceAll("<", "\\u003c");
		writeFileSync(
			file,
			readFileSync(file, "utf8").replaceAll("app-16", () => text),
		);
		const page = await open(file);
		assert.equal(await page.evaluate(() => window.pwned), undefined);
		assert.ok((await page.locator("main").textContent()).includes("onerror"));
		await close(page);
	});
});

test("what a reader looks for first comes first", async () => {
	const page = await open(await made(MANY));
	const order = await page.locator("main > section").evaluateAll((all) => all.map(({ id }) => id));
	const wanted = ["summary", "slowest", "causes", "images", "groups", "distribution", "timeline", "volumes"];
	assert.deepEqual(order.slice(0, wanted.length), wanted);
	assert.deepEqual(order.slice(-2), ["coverage", "glossary"]);
	await close(page);
});

test("pods that did not come up stand in the summary with their cause and the object", async () => {
	const args = inputs("s09-crashloop");
	const { summary } = await json(...args);
	const page = await open(await made(args));
	for (const [name, incidents] of [
		["never", summary.did_not_come_up],
		["restarted", summary.restarted],
	]) {
		const lines = page.locator(`#summary .${name} tbody tr`);
		const more = page.locator(`#summary .${name}`).getByRole("button", { name: "Show more" });
		if ((await more.count()) > 0) await more.click();
		assert.equal(await lines.count(), incidents.count, name);
		for (const { pod, cause } of incidents.of) {
			assert.ok((await lines.filter({ hasText: pod }).textContent()).includes(cause), pod);
		}
	}
	const lines = page.locator("#summary .never tbody tr");
	const command = await lines.filter({ hasText: "nosuchcmd-0" }).textContent();
	assert.match(command, /app/);
	assert.match(command, /exec: "\/bin\/no-such-command": stat \/bin\/no-such-command: no such file or directory/);
	assert.match(await page.locator("#slowest .why").first().textContent(), /^did not come up: crash-loop/);
	const whys = await page.locator("#slowest .why").allTextContents();
	assert.ok(whys.some((why) => why.startsWith("did not come up: container-start-error")));
	await close(page);
});

test("a duration that is unknown is no pod that did not come up", async () => {
	const { stdout } = await podlag(...inputs("s09-crashloop"), "--format", "ndjson");
	const rows = stdout
		.split("\n")
		.filter((line) => line.includes('"uid"'))
		.map((line) => JSON.parse(line));
	const ran = rows.find((row) => row.state === "running" && row.running_s);
	const unknown = { ...ran, pod: "unknown-0", uid: "00000000-0000-4000-8000-000000000001", running_s: null };
	const file = join(folder, "unknown.ndjson");
	writeFileSync(file, [...rows, { ...unknown, running_min_s: null }].map((row) => JSON.stringify(row)).join("\n"));
	const page = await open(await made([file]));
	const { summary } = await json(...inputs("s09-crashloop"));
	const never = summary.did_not_come_up.count;
	const starting = rows.filter(({ state }) => state !== "running").length - never;
	const others = [
		`${never} did not come up`,
		starting > 0 && `${starting} still starting`,
		"the duration of 1 is unknown",
	];
	const words = `of ${rows.length - never - starting} (${others.filter(Boolean).join(", ")})`;
	assert.match(await page.locator("#h-length").textContent(), new RegExp(words.replace(/[()]/g, ".")));
	assert.doesNotMatch(await page.locator(".never").textContent(), /unknown-0/);
	await close(page);
});

test("a cause opens, stays open under a filter, and is open on paper", async () => {
	const page = await open(await made(MANY));
	const first = page.locator("details.cause").first();
	assert.equal(await first.locator(".inside").count(), 0);
	await first.locator("summary").click();
	await first.locator(".inside .worst").waitFor({ timeout: 5000 });
	await first.getByRole("button", { name: "Show only startups with this cause" }).click();
	await ready(page);
	assert.equal(await page.locator("details.cause[open]").count(), 1);
	const open_ = async (event) => {
		await page.evaluate((name) => dispatchEvent(new Event(name)), event);
		return page.locator("details.cause[open]").count();
	};
	assert.equal(await open_("beforeprint"), await page.locator("details.cause").count());
	assert.equal(await open_("afterprint"), 1);
	await close(page);
});

describe("filters", () => {
	let file;
	let whole;
	before(async () => {
		file = await made(MANY);
		whole = await json(...MANY);
	});

	const set = async (page, key, value) => {
		const input = page.locator(`#f-${key}`);
		if ((await input.evaluate((element) => element.tagName)) === "SELECT") await input.selectOption(value);
		else await input.fill(value);
		if (key !== "q") await input.blur();
		await page.waitForFunction((key) => location.hash.includes(`${key}=`), key);
		await ready(page);
	};

	test("say what podlag says under the same filter", async () => {
		const page = await open(file);
		const node = whole.startups.find((row) => row.node)?.node;
		const image = whole.startups.find((row) => row.image_pulls.length).image_pulls[0].image;
		const { workload } = whole.startups.find((row) => row.running_s);
		const cases = [
			["namespace", "shop"],
			["cause", "image-pull-queued"],
			["node", node],
			["image", image],
			["workload", workload],
		];
		for (const [key, value] of cases) {
			await set(page, key, value);
			await agree(page, await json(...MANY, `--${key}`, value));
			await page.locator("#clear").click();
			await ready(page);
		}
		await set(page, "namespace", "shop");
		await set(page, "cause", "image-pull-queued");
		await agree(page, await json(...MANY, "--namespace", "shop", "--cause", "image-pull-queued"));
		await page.locator("#clear").click();
		await set(page, "q", "burst-1");
		await agree(page, await json(...MANY, "--pod", "*burst-1*"));
		await close(page);
	});

	test("stand in the address, come back by it, and are cleared", async () => {
		const page = await open(file);
		await set(page, "namespace", "billing");
		await set(page, "q", "app");
		const shown = await words(page, "p50");
		const count = await page.locator("#count").textContent();
		await page.reload();
		await ready(page);
		assert.equal(await page.locator("#f-namespace").inputValue(), "billing");
		assert.equal(await page.locator("#f-q").inputValue(), "app");
		assert.equal(await words(page, "p50"), shown);
		assert.equal(await page.locator("#count").textContent(), count);
		await page.evaluate(() => {
			location.hash = "cause=crash-loop";
		});
		await page.waitForFunction(() => document.querySelector("#f-cause").value === "crash-loop");
		await ready(page);
		await agree(page, await json(...MANY, "--cause", "crash-loop"));
		await page.locator("#clear").click();
		await ready(page);
		await agree(page, whole);
		assert.doesNotMatch(page.url(), /cause=/);
		await close(page);
	});

	test("take a window of time by keyboard and by mouse", async () => {
		const page = await open(file);
		const began = whole.startups.flatMap(({ created }) => (created ? [created] : [])).sort();
		const from = `${began[Math.floor(began.length / 4)].slice(0, 19)}`;
		const to = `${began.at(-1).slice(0, 19)}`;
		await set(page, "from", from);
		await set(page, "to", to);
		await agree(page, await json(...MANY, "--since", `${from}Z`, "--until", `${to}Z`));
		await page.locator("#clear").click();
		const box = await page.locator("#brush svg").boundingBox();
		await page.mouse.move(box.x + box.width * 0.2, box.y + 10);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.4, box.y + 10, { steps: 4 });
		await page.mouse.up();
		await ready(page);
		const dragged = new URLSearchParams(new URL(page.url()).hash.slice(1));
		assert.ok(dragged.get("from") < dragged.get("to"));
		await agree(page, await json(...MANY, "--since", dragged.get("from"), "--until", dragged.get("to")));
		assert.equal(`${await page.locator("#f-from").inputValue()}Z`.slice(0, 16), dragged.get("from").slice(0, 16));
		await close(page);
	});

	test("take a registry that no image names", async () => {
		const bare = join(folder, "bare.html");
		writeFileSync(bare, readFileSync(file, "utf8").replaceAll("registry.example.test/", ""));
		const page = await open(bare);
		const line = page.locator('[data-table="registries"] tbody tr', { hasText: "docker.io" });
		const startups = await line.locator("td").first().textContent();
		assert.ok(Number(startups) > 10);
		await line.locator(".pick").click();
		await ready(page);
		assert.equal(await page.locator("#f-registry").inputValue(), "docker.io");
		assert.match(await page.locator("#count").textContent(), new RegExp(`^${startups} of `));
		await close(page);
	});

	test("go back as they came, also in the input that has the focus", async () => {
		const page = await open(file);
		const input = page.locator("#f-workload");
		await input.fill("shop/*");
		await input.press("Enter");
		await page.waitForFunction(() => location.hash.includes("workload="));
		await page.goBack();
		await page.waitForFunction(() => !location.hash.includes("workload="));
		await ready(page);
		assert.equal(await page.evaluate(() => document.activeElement.id), "f-workload");
		assert.equal(await input.inputValue(), "");
		await agree(page, whole);
		await close(page);
	});

	test("are set by a click on a name", async () => {
		const page = await open(file);
		await page.locator("#summary .top .pick").first().click();
		await ready(page);
		const cause = whole.summary.causes[0].cause;
		assert.equal(await page.locator("#f-cause").inputValue(), cause);
		await agree(page, await json(...MANY, "--cause", cause));
		await close(page);
	});
});

describe("tables", () => {
	let page;
	before(async () => {
		const file = await made(MANY);
		// A pod whose name a spreadsheet would take for a formula.
		writeFileSync(
			file,
			readFileSync(file, "utf8").replaceAll("default/", "=cmd|'/").replaceAll('"default"', `"=cmd|'"`),
		);
		page = await open(file);
	});
	after(() => close(page));
	const place = () => page.locator('[data-table="startups"]');
	const cells = (at) => place().locator(`tbody tr > :nth-child(${at})`).allTextContents();

	test("show more", async () => {
		assert.equal(await place().locator("tbody tr").count(), 25);
		await place().getByRole("button", { name: "Show more" }).click();
		assert.ok((await place().locator("tbody tr").count()) > 100);
	});

	test("sort by click and by Enter, and say so", async () => {
		const head = place().getByRole("columnheader", { name: "startup", exact: true });
		await head.getByRole("button").click();
		assert.equal(await head.getAttribute("aria-sort"), "ascending");
		const names = await cells(1);
		assert.deepEqual(names, [...names].sort());
		await head.getByRole("button").focus();
		await page.keyboard.press("Enter");
		assert.equal(await head.getAttribute("aria-sort"), "descending");
		assert.deepEqual(await cells(1), [...(await cells(1))].sort().reverse());
	});

	test("copy CSV that no spreadsheet runs", async () => {
		await place().getByRole("button", { name: /Copy/ }).click();
		const csv = await page.evaluate(() => window.copied);
		const lines = csv.split("\r\n");
		assert.match(lines[0], /^startup,created → running \(s\),/);
		assert.ok(lines.length > 100);
		assert.ok(lines.some((line) => line.startsWith("'=cmd|'/")));
		for (const line of lines) assert.doesNotMatch(line, /(^|,)"?[=+@\t-]/);
		assert.match(await page.locator("#announcement").textContent(), /Copied/);
		assert.match(await page.locator("#count").textContent(), /^\d+ startups$/, "the count stays");
	});
});

test("a replay stands on the page as the report tells it", async () => {
	const args = [...inputs("s02-pull-serial"), "--what-if", "maxParallelImagePulls=3"];
	const { stdout: text } = await podlag(...args);
	const page = await open(await made(args));
	const shown = await page.locator(".replays").textContent();
	for (const name of ["p50", "p95", "max"]) {
		const figures = text.match(new RegExp(`^ +${name} +(\\d.*?) *(?:full range.*)?$`, "m"))?.[1];
		assert.ok(figures && shown.includes(figures), `${name} ${figures} is not in ${shown}`);
	}
	await close(page);
});

test("copied CSV holds no mark of direction", async () => {
	const page = await open(await made(inputs("hostile")));
	await page.locator('[data-table="startups"]').getByRole("button", { name: /Copy/ }).click();
	const csv = await page.evaluate(() => window.copied);
	assert.match(csv, /evil/);
	assert.doesNotMatch(
		csv,
		/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/,
	);
	await close(page);
});

test("intervals of metrics sort by their numbers", async () => {
	const file = await made(SERIAL);
	const around = /(id="data">)(.*?)(<\/script>)/s;
	const [, before, data, after] = readFileSync(file, "utf8").match(around);
	const all = JSON.parse(data);
	const { nodes } = all.report.metrics;
	const quick = structuredClone(nodes[0]);
	quick.window.node = "quick";
	quick.slo_s.p99_s = { low: 5, high: 8, point: 6 };
	nodes.unshift(quick);
	all.cut.nodes = all.cut.measured = 2;
	const changed = JSON.stringify(all).replaceAll("<", "\\u003c");
	writeFileSync(
		file,
		readFileSync(file, "utf8").replace(around, () => before + changed + after),
	);
	const page = await open(file);
	const place = page.locator('[data-table="metrics-nodes"]');
	await place.getByRole("columnheader", { name: "SLI p99" }).getByRole("button").click();
	assert.deepEqual(await place.locator("tbody tr td:nth-child(4)").allTextContents(), ["20–30 s", "5.0–8.0 s"]);
	await close(page);
});

describe("for everyone", () => {
	let file;
	before(async () => {
		file = await made([...SERIAL, ...inputs("s09-crashloop")]);
	});

	for (const colorScheme of ["light", "dark"]) {
		for (const width of [360, 1280]) {
			test(`axe finds nothing serious, ${colorScheme}, ${width} wide`, async () => {
				const page = await open(file, { colorScheme, viewport: { width, height: 900 } });
				await page.locator(".waterfall details summary").first().click();
				await page.evaluate(AXE);
				const { violations } = await page.evaluate(() => window.axe.run());
				const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
				assert.deepEqual(
					serious.map(
						({ id, nodes }) =>
							`${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 150)} ${node.failureSummary}`)}`,
					),
					[],
				);
				await close(page);
			});
		}
	}

	test("names, dates and numbers stand on one line", async () => {
		for (const one of [file, await made(MANY)]) {
			const page = await open(one);
			const broken = await page.evaluate(() => {
				const line = Number.parseFloat(getComputedStyle(document.body).lineHeight);
				const all = [...document.querySelectorAll(".whole-name, td.number, .figure dd")];
				const height = (cell) => {
					const range = document.createRange();
					range.selectNodeContents(cell);
					return range.getBoundingClientRect().height;
				};
				const tall = all.filter((cell) => height(cell) > line * 1.6).map((cell) => cell.textContent);
				// The figures of a card stand beside each other.
				const tops = (list) => new Set([...list.children].map((child) => child.offsetTop)).size;
				const cards = [...document.querySelectorAll(".figures")].filter((list) => tops(list) > 1);
				return [all.length > 100, ...tall, ...cards.map((list) => list.textContent)];
			});
			assert.deepEqual(broken, [true]);
			await close(page);
		}
	});

	test("a phone shows the bars, and why pods did not come up", async () => {
		const page = await open(file, { viewport: { width: 360, height: 780 } });
		for (const bars of ["#summary .phases .bar i", "#slowest .spans svg", "#causes .bar i"]) {
			const shown = page.locator(bars).filter({ visible: true });
			assert.ok((await shown.count()) > 2, bars);
			const widths = await shown.evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().width));
			assert.ok(Math.max(...widths) > 90, `${bars}: ${widths}`);
		}
		const line = page.locator(".never tbody tr").first();
		for (const cell of ["td:nth-child(4)", "td:nth-child(5)"]) {
			const { x, width } = await line.locator(cell).boundingBox();
			assert.ok(x >= 0 && x + width <= 360, `${cell}: ${x} + ${width}`);
		}
		await close(page);
	});

	test("a day that all share stands once", async () => {
		const page = await open(file);
		const day = /\d{4}-\d\d-\d\d/g;
		const place = page.locator('[data-table="startups"]');
		assert.equal((await place.textContent()).match(day).length, 1);
		assert.equal((await page.locator("#read").textContent()).match(day).length, 1);
		await close(page);
	});

	test("no sideways scrolling", async () => {
		for (const width of [360, 1280, 2560]) {
			for (const one of [file, await made(inputs("hostile"))]) {
				const page = await open(one, { viewport: { width, height: 900 } });
				const wide = await page.evaluate(() => document.documentElement.scrollWidth);
				assert.ok(wide <= width, `${wide} px in a window of ${width}`);
				await close(page);
			}
		}
	});

	test("paper says what it is filtered by", async () => {
		const page = await open(file, {}, "#namespace=shop");
		assert.equal(await page.locator("#selected").isVisible(), false);
		await page.emulateMedia({ media: "print" });
		// biome-ignore lint/performance/useDomNodeTextContent: what is shown is asked for, not what is there
		assert.match(await page.locator("#selected").innerText(), /^Only namespace shop: \d+ of \d+ startups$/);
		await close(page);
	});

	test("on paper all sections are there, the filter is not", async () => {
		const page = await open(file);
		await page.emulateMedia({ media: "print" });
		assert.equal(await page.locator("#filter").isVisible(), false);
		assert.equal((await page.locator("#selected").textContent()).trim(), "");
		const sections = await page.locator("main > section").all();
		assert.ok(sections.length >= 12);
		for (const section of sections) {
			assert.ok(await section.isVisible());
			assert.ok((await section.locator(".body > *").count()) > 0);
		}
		assert.ok((await page.pdf({ format: "A4" })).length > 20_000);
		await close(page);
	});

	test("by keyboard: the skip link, the filter, a startup's steps", async () => {
		const page = await open(file);
		await page.keyboard.press("Tab");
		assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
		await page.keyboard.press("Enter");
		assert.equal(await page.evaluate(() => document.activeElement.id), "summary-title");
		await page.evaluate(() => document.querySelector(".skip").focus());
		for (let at = 0; at < 40 && (await page.evaluate(() => document.activeElement.id)) !== "f-q"; at++) {
			await page.keyboard.press("Tab");
		}
		assert.equal(await page.evaluate(() => document.activeElement.id), "f-q");
		await page.locator(".waterfall summary").first().focus();
		await page.keyboard.press("ArrowRight");
		await page.locator("#tip").waitFor({ timeout: 5000 });
		await page.keyboard.press("Enter");
		await page.locator(".steps table").first().waitFor({ timeout: 5000 });
		await close(page);
	});

	test("the theme stands in the address", async () => {
		const page = await open(file, { colorScheme: "light" });
		const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const light = await back();
		await page.locator("#theme").click();
		assert.notEqual(await back(), light);
		assert.match(page.url(), /theme=dark/);
		await close(page);
	});
});

describe("more startups than a page holds", () => {
	let many;
	let file;
	before(async () => {
		const { stdout } = await podlag(...SERIAL, "--format", "ndjson");
		const rows = stdout
			.split("\n")
			.filter((line) => line.includes('"uid"'))
			.map((line) => JSON.parse(line));
		many = join(folder, "many.ndjson");
		const of = (number) => {
			const row = {
				...rows[number % rows.length],
				spans: [],
				lines: [],
				uid: `${String(number).padStart(8, "0")}-0-4-8-1`,
			};
			// Names far longer than Kubernetes lets them be: the page stays below its bound all the same.
			row.pod = `${row.pod}-${"x".repeat(180)}-${number}`;
			row.running_s = 1 + ((number * 7919) % 10007) / 100;
			return JSON.stringify(row);
		};
		writeFileSync(many, Array.from({ length: 13_000 }, (_, number) => of(number)).join("\n"));
		file = await made([many]);
	});

	test("the first screen is of all, filtered figures are estimates", async () => {
		assert.ok(statSync(file).size < 5_000_000, `${statSync(file).size} bytes`);
		const page = await open(file);
		await agree(page, await json(many));
		const note = (section) => page.locator(`#${section} .body > p`).first().textContent();
		assert.match(await note("timeline"), /^Covers the [\d,]+ listed of 13,000 startups\.$/);
		assert.match(await note("distribution"), /^≈ Estimated from the [\d,]+ startups/);
		assert.match(await note("startups"), /^The first 200 by each time; this page lists [\d,]+ of 13,000 startups\.$/);
		await page.evaluate(() => (location.hash = "#namespace=shop"));
		await page.waitForFunction(() => document.getElementById("count").textContent.startsWith("≈"));
		const shown = Number((await page.locator("#count").textContent()).match(/[\d,]+/)[0].replace(",", ""));
		const { summary } = await json(many, "--namespace", "shop");
		assert.ok(Math.abs(shown / summary.startups - 1) < 0.1, `${shown} of ${summary.startups}`);
		await close(page);
	});

	test("its tables are of all startups, and no order misleads", async () => {
		const page = await open(file);
		const { startups, summary } = await json(many);
		const tables = new Tables();
		for (const row of startups) tables.add(row);
		await tables.agree(page);
		// Columns of which the page has not the first are no buttons.
		assert.deepEqual(await page.locator('[data-table="startups"] thead button').allTextContents(), [
			"created → running",
			"total",
			"SLO value",
		]);
		for (const { phase, lost_s } of summary.phases) {
			if (lost_s === 0) continue;
			const line = page.locator("#summary .phases tr", { has: page.locator(`[data-figure="phase-${phase}"]`) });
			assert.match(await line.locator("td").last().textContent(), /%$/, phase);
		}
		await close(page);
	});

	test("the worst of each cause are there in full", async () => {
		const page = await open(file);
		for (const detail of await page.locator("details.cause").all()) {
			await detail.locator("summary").click();
			await detail.locator(".inside").waitFor({ timeout: 5000 });
			assert.doesNotMatch(await detail.textContent(), /not in this page/);
		}
		await close(page);
	});

	test("a link cannot stop it or mislead", async () => {
		const count = async (fragment) => {
			const page = await open(file, {}, fragment);
			const words = await page.locator("#count").textContent();
			await close(page);
			return words;
		};
		assert.match(await count(`#workload=${"*a".repeat(40)}*!`), /^≈ 0 of /);
		assert.match(await count("#phase=bogus"), /^≈ 0 of /);
		assert.equal(await count("#from=abc"), "13,000 startups");
	});

	test("what is read back is the same page, and no gate judges it", async () => {
		const again = await made([file]);
		assert.ok(readFileSync(file).equals(readFileSync(again)));
		const gate = await podlag("check", "--fail-if", "p50(running_s) > 1h", file).catch((error) => error);
		assert.equal(gate.code, 2);
	});
});
