// How long a page takes from its opening to its first contentful paint, in milliseconds: the median of five. Fails where its
// figures or tables are not those of the report.
// Usage: podlag --format ndjson INPUT | node paint.mjs PAGE SUMMARY, where SUMMARY is the JSON report of INPUT, or its summary alone.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { agree, Tables } from "./figures.mjs";

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const [, , file, summary] = process.argv;
const tables = new Tables();
for await (const line of createInterface({ input: process.stdin })) {
	const row = JSON.parse(line);
	if ("pod" in row) tables.add(row);
}
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
	args: [...quiet, "--disable-component-update", "--disable-sync"],
});
const times = [];
for (let round = 0; round < 5; round += 1) {
	const page = await browser.newPage();
	await page.goto(pathToFileURL(file).href);
	const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
	await page.waitForFunction(painted);
	times.push(await page.evaluate(painted));
	if (round === 0) {
		await page.waitForSelector("html[data-ready]");
		await agree(page, JSON.parse(readFileSync(summary, "utf8")));
		await tables.agree(page);
	}
	await page.close();
}
await browser.close();
times.sort((a, b) => a - b);
console.log(Math.round(times[2]));
