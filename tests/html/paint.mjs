// How long a page takes from its opening to its first contentful paint, in milliseconds: the median of five.
// Usage: node paint.mjs FILE
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const browser = await chromium.launch({
	executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
	args: [...quiet, "--disable-component-update", "--disable-sync"],
});
const times = [];
for (let round = 0; round < 5; round += 1) {
	const page = await browser.newPage();
	await page.goto(pathToFileURL(process.argv[2]).href);
	const painted = () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
	await page.waitForFunction(painted);
	times.push(await page.evaluate(painted));
	await page.close();
}
await browser.close();
times.sort((a, b) => a - b);
console.log(Math.round(times[2]));
