// Takes the pictures of the page that README.md and docs/page.md show: npm run pictures, with PODLAG and SAMPLES set.
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inputs, launch, podlag } from "./podlag.mjs";

const page = join(await mkdtemp(join(tmpdir(), "podlag-")), "report.html");
await podlag(...inputs("s02-pull-serial"), "-o", page);
const browser = await launch();
for (const [name, colorScheme, height, heading] of [
	["summary-light", "light", 880, null],
	["waterfall-dark", "dark", 860, "Slowest startups"],
]) {
	const tab = await browser.newPage({ colorScheme, viewport: { width: 1280, height } });
	await tab.goto(pathToFileURL(page).href);
	if (heading) {
		await tab.getByRole("heading", { name: heading, level: 2 }).scrollIntoViewIfNeeded();
		await tab.evaluate((text) => {
			const found = [...document.querySelectorAll("h2")].find((line) => line.textContent === text);
			scrollTo(
				0,
				found.getBoundingClientRect().top + scrollY - document.querySelector("form, [role=search]").offsetHeight,
			);
		}, heading);
	}
	await tab.screenshot({ path: `../../samples/pages/${name}.png` });
}
await browser.close();
