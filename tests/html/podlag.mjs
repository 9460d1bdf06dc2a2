// What the tests in a browser share: the program, the samples, the browser. PODLAG is the program, SAMPLES the folder of samples.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const { PODLAG, SAMPLES, CHROMIUM = "/usr/bin/chromium" } = process.env;
assert.ok(PODLAG && SAMPLES, "set PODLAG (a podlag program) and SAMPLES (the folder of samples)");
assert.ok(
	existsSync(CHROMIUM),
	`no browser at ${CHROMIUM}: install Debian's package chromium (apt-get install chromium)`,
);
const ARGS =
	"--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync";
const run = promisify(execFile);

export const podlag = (...args) => run(PODLAG, args, { maxBuffer: 1 << 30 });
export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: ARGS.split(" ") });
export const samples = readdirSync(SAMPLES).filter((name) => existsSync(join(SAMPLES, name, "in")));
export const inputs = (...names) => names.map((name) => join(SAMPLES, name));

/** The JSON report under this command line. */
export async function json(...args) {
	// 3 is "no startups found", after which the report is there all the same.
	const { stdout } = await podlag(...args, "--format", "json").catch((error) => error);
	return stdout ? JSON.parse(stdout) : null;
}
