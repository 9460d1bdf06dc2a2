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

function drawImages(root, view) {
	const pulls = listsOf(view, "image_pulls").filter(({ image }) => image !== null);
	const pulling = words.phases.flatMap(({ name }, phase) => (name.startsWith("image_") ? [phase] : []));
	const list = (key, name, title, found, keyOf) => {
		const items = found.map((group) => {
			const own = pulls.filter((pull) => keyOf(pull.image) === group.name);
			const values = (field) => own.map((pull) => seconds(pull[field]));
			const total = (field) => {
				const known = values(field).filter((value) => !Number.isNaN(value));
				return known.length ? sum(known) : Number.NaN;
			};
			return {
				...group,
				pulls: own.length,
				failed: own.filter(({ outcome }) => outcome !== "pulled").length,
				waited: total("wait_s"),
				pulled: total("pull_s"),
				took: quantileOf(values("took_s"), 0.99),
				bytes: quantileOf(
					own.map(({ bytes }) => bytes ?? Number.NaN),
					1,
				),
				pulling: sum(pulling.map((phase) => group.sums[phase])),
			};
		});
		items.sort((a, b) => b.pulling - a.pulling);
		return table(name, title, items, [
			col(key, "name", "name", ({ name }) => pick(key, name)),
			col("startups", "count", "count"),
			col("pulling time", "time", "pulling"),
			col("pulls", "count", "pulls"),
			col("not pulled", "count", "failed"),
			col("waited", "time", "waited"),
			col("pulled", "time", "pulled"),
			col("p99 per pull", "time", "took"),
			col("largest", "size", "bytes"),
		]);
	};
	const images = groups(view, (row) => rows.images[row]);
	const registries = groups(view, (row) => new Set(rows.images[row].map((image) => registryOf(text(image)))));
	refill(
		root,
		partial(view, "Pulls, waits and sizes"),
		list("image", "images", "Images pulled", images, (image) => image),
		list("registry", "registries", "Registries", registries, registryOf),
	);
}

function drawVolumes(root, view) {
	const mounts = listsOf(view, "volume_mounts");
	for (const mount of mounts) mount.took = micros(mount.mounted) - micros(mount.wanted);
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
	const plugins = [...new Set(mounts.map(({ plugin }) => plugin))].map(byPlugin);
	mounts.sort((a, b) => compare(-a.took, -b.took));
	plugins.sort((a, b) => compare(-a.max, -b.max));
	refill(
		root,
		partial(view, "Volumes"),
		table("plugins", "Volumes by plugin", plugins, [
			col("plugin", "name", "plugin"),
			col("mounts", "count", "mounts"),
			col("startups", "count", "pods"),
			col("p50", "time", "p50"),
			col("p99", "time", "p99"),
			col("max", "time", "max"),
			col("retried", "count", "again"),
		]),
		table("volumes", "Volumes", mounts, [
			col("volume", "name", "volume"),
			col("startup", "name", "pod"),
			col("plugin", "name", "plugin"),
			col("wanted → mounted", "time", "took"),
			col("attempts", "count", "attempts"),
			col("last error", "", "error"),
		]),
	);
}
