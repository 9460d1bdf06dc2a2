// Tables of what startups wait for: images, registries, volumes.

/** A sentence where not all startups stand in the page with everything. */
function partial(view, what) {
	const known = view.rows.filter((row) => wholeOf(row)).length;
	const note = `${what} cover the ${grouped(known)} startups that this page holds in full.`;
	return known < view.rows.length && h("p.quiet", note);
}

/** What the whole startups of a view have in a list of theirs. */
const listsOf = (view, name) =>
	[...view.rows].flatMap((row) => (wholeOf(row)?.[name] ?? []).map((one) => ({ ...one, pod: podName(row) })));

/** A quantile of those values that are known. */
function quantileOf(values, q) {
	const known = values.filter((value) => !Number.isNaN(value)).sort((a, b) => a - b);
	return known.length ? known[rank(known.length, q)] : Number.NaN;
}

/** A time of those that are known; none if none is. */
function totalOf(values) {
	const known = values.filter((value) => !unknown(value));
	return known.length ? sum(known) : Number.NaN;
}

/** The figures of pulls for a group of startups that pulled; where startups stand for several, by their weight. */
function pullFigures(group, pulls) {
	const weighed = (value) => sum(pulls.map((pull) => value(pull) * pull.weight));
	const order = pulls.filter(({ took }) => !unknown(took)).sort((a, b) => a.took - b.took);
	const wanted = sum(order.map((pull) => pull.weight)) * 0.99 - 1e-9;
	let passed = 0;
	const at = order.find((pull) => {
		passed += pull.weight;
		return passed >= wanted;
	});
	const largest = pulls.reduce((most, { bytes }) => Math.max(most, bytes ?? -1), -1);
	return {
		...group,
		pulls: Math.round(weighed(() => 1)),
		failed: Math.round(weighed(({ failed }) => failed)),
		waited: totalOf(pulls.map(({ wait, weight }) => (unknown(wait) ? wait : wait * weight))),
		pulled: totalOf(pulls.map(({ pull, weight }) => (unknown(pull) ? pull : pull * weight))),
		took: at?.took ?? Number.NaN,
		bytes: largest < 0 ? null : largest,
		pulling: sum(PULLING.map((phase) => group.sums[phase])),
	};
}

const PULLING = words.phases.flatMap(({ name }, phase) => (name.startsWith("image_") ? [phase] : []));

function drawImages(root, view) {
	const list = (key, name, title, nameOf) => {
		const known = tableOf(key);
		const made = () => {
			const pulls = new Map();
			for (const row of view.rows) {
				for (const pull of pullsOf(row)) {
					const name = nameOf(pull.image);
					if (!pulls.has(name)) pulls.set(name, []);
					pulls.get(name).push({ ...pull, weight: weight(row) });
				}
			}
			const found = groups(view, (row) => new Set(images[row].map(nameOf)));
			return found.map((group) => pullFigures(group, pulls.get(group.name))).sort((a, b) => b.pulling - a.pulling);
		};
		return table(
			name,
			title,
			known ? fromReport(known) : made(),
			[
				col(key, "name", "name", ({ name }) => pick(key, name)),
				col("startups", "count", "count"),
				col("image phases", "time", "pulling"),
				col("pulls", "count", "pulls"),
				col("not pulled", "count", "failed"),
				col("waited", "time", "waited"),
				col("pulled", "time", "pulled"),
				col("p99 per pull", "time", "took"),
				col("largest", "size", "bytes"),
			],
			limits(known),
		);
	};
	refill(
		root,
		listedNote(view, "image", "registry"),
		list("image", "images", "Images pulled", text),
		list("registry", "registries", "Registries", (image) => registryOf(text(image))),
	);
}

function drawVolumes(root, view) {
	const own = !allWhole && !filtered() ? data.tables : null;
	const mounts = own ? own.volume.rows : listsOf(view, "volume_mounts");
	if (!own) for (const mount of mounts) mount.took = micros(mount.mounted) - micros(mount.wanted);
	const byPlugin = (plugin) => {
		const own = mounts.filter((mount) => mount.plugin === plugin);
		const at = (q) =>
			quantileOf(
				own.map(({ took }) => took),
				q,
			);
		const pods = new Set(own.map(({ pod }) => pod)).size;
		const again = own.filter(({ error, attempts }) => error || attempts > 1).length;
		return { plugin, mounts: own.length, pods, again, p50: at(0.5), p99: at(0.99), max: at(1) };
	};
	const plugins = own ? (own.plugin?.rows ?? []) : [...new Set(mounts.map(({ plugin }) => plugin))].map(byPlugin);
	const negative = (value) => (unknown(value) ? value : -value);
	mounts.sort((a, b) => compare(negative(a.took), negative(b.took)));
	plugins.sort((a, b) => compare(negative(a.max), negative(b.max)));
	refill(
		root,
		!own && partial(view, "Volumes"),
		table(
			"plugins",
			"Volumes by plugin",
			plugins,
			[
				col("plugin", "name", "plugin"),
				col("mounts", "count", "mounts"),
				col("startups", "count", "pods"),
				col("p50", "time", "p50"),
				col("p99", "time", "p99"),
				col("max", "time", "max"),
				col("retried", "count", "again"),
			],
			limits(own?.plugin),
		),
		table(
			"volumes",
			"Volumes",
			mounts,
			[
				col("volume", "name", "volume"),
				col("startup", "name", "pod"),
				col("plugin", "name", "plugin"),
				col("wanted → mounted", "time", "took"),
				col("attempts", "count", "attempts"),
				col("last error", "", "error"),
			],
			limits(own?.volume),
		),
	);
}
