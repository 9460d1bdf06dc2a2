// The distribution of startup times, and where startups of each duration spend their time.

function drawDistribution(root, view) {
	const { bins, x, ticks, at } = logBins(view, of.running);
	if (bins.every(({ count }) => count === 0))
		return refill(root, none("No startup in this selection reached running."));
	const slo = bins.map(() => 0);
	for (const row of view.rows) {
		const value = of.slo[row];
		if (!Number.isNaN(value) && rows.stateful[row] !== true && slo[at(value)] !== undefined)
			slo[at(value)] += weight(row);
	}
	for (const one of bins) {
		one.phases = words.phases.map(({ in_total }, phase) =>
			in_total ? one.rows.reduce((sum, row) => sum + (of.phases[phase][row] || 0) * weight(row), 0) : 0,
		);
		one.all = one.phases.reduce((sum, value) => sum + value, 0);
	}
	const used = new Set(
		words.phases.filter((_, phase) => bins.some((one) => one.phases[phase] > 0)).map(({ name }) => name),
	);
	const drawing = h("div");
	refill(
		root,
		isCut && h("p.quiet", `≈ Estimated from the ${grouped(view.rows.length)} startups that this page lists.`),
		h(
			"p",
			"Bars: created → running. Line: the SLO value, without image pull and init. Below: where startups of that duration spent their time.",
		),
		drawing,
		legend(used),
		asTable(
			grid(
				"Startups by duration",
				["created → running", "startups", "share", "SLO value", "longest phase"],
				bins.flatMap((one, bin) => {
					if (one.count + slo[bin] === 0) return [];
					const phase = one.phases.indexOf(Math.max(...one.phases));
					const most = one.all > 0 ? `${words.phases[phase].label} ${share(one.phases[phase] / one.all)}` : "–";
					return [
						[
							range(one.from, one.to),
							grouped(one.count),
							share(one.count / view.found.running.count),
							grouped(slo[bin]),
							most,
						],
					];
				}),
				[1, 2, 3],
			),
		),
	);
	fitted(drawing, (width) => refill(drawing, distributionChart(width, bins, slo, x, ticks)));
}

function distributionChart(width, bins, slo, x, ticks) {
	const [left, top, tall, gap, below] = [44, 14, 150, 24, 70];
	const wide = width - left - 8;
	const base = top + tall;
	const most = Math.max(...bins.map(({ count }) => count), ...slo);
	const y = (count) => base - (count / most) * tall;
	const step = wide / bins.length;
	const marks = [];
	for (const count of new Set([0, Math.round(most / 2), Math.round(most)])) {
		marks.push(
			rule(left, y(count), width - 8, y(count), "guide"),
			label(left - 6, y(count) + 4, grouped(count), "end", "quiet"),
		);
	}
	let line = "";
	bins.forEach((one, at) => {
		const from = left + at * step;
		const column = rect(from + 1, y(one.count), step - 2, base - y(one.count), "mark");
		put(column, [s("title", {}, `${range(one.from, one.to)}: ${plural(Math.round(one.count), "startup")}`)]);
		marks.push(column);
		line += `${at ? "L" : "M"}${from} ${y(slo[at])}L${from + step} ${y(slo[at])}`;
		let down = base + gap;
		one.phases.forEach((value, phase) => {
			const size = one.all > 0 ? (value / one.all) * below : 0;
			if (size > 0) {
				const part = rect(from + 1, down, step - 2, size, phaseClass(words.phases[phase].name));
				put(part, [
					s("title", {}, `${words.phases[phase].label} ${share(value / one.all)} of ${range(one.from, one.to)}`),
				]);
				marks.push(part, texture(words.phases[phase].name, from + 1, down, step - 2, size));
			}
			down += size;
		});
	});
	marks.push(s("path", { d: line, class: "outline" }));
	for (const tick of ticks) {
		const across = left + x(tick) * wide;
		marks.push(rule(across, top, across, base + 4, tick === 5 ? "limit" : "guide"));
		const crowded = tick !== 5 && Math.abs(across - (left + x(5) * wide)) < 34;
		if (!crowded)
			marks.push(
				label(
					across,
					base + 16,
					length(tick).replace(" 00s", "").replace(".0 s", " s"),
					across > width - 20 ? "end" : "middle",
					tick === 5 ? "strong" : "quiet",
				),
			);
	}
	marks.push(
		label(left - 6, base + gap + 12, "100 %", "end", "quiet"),
		label(left - 6, base + gap + below, "0 %", "end", "quiet"),
	);
	const desc = `${plural(
		bins.reduce((sum, { count }) => sum + count, 0),
		"startup",
	)} from ${length(bins[0].from)} to ${length(bins.at(-1).to)} on a logarithmic scale with a line at 5 s. The table below has the numbers.`;
	return chart(width, base + gap + below + 4, "Distribution of startup times", desc, marks);
}
