// The filter bar: it applies to every number except those of metrics and of what was read.

const form = document.getElementById("filter");
const inputs = {};
/** The key that its reader is typing in: what is typed stays as it is. */
let typing = "";
const counted = h("output", { id: "count", "aria-live": "polite", for: KEYS.map((key) => `f-${key}`).join(" ") });
const OPTIONS = 500;

/** Announces to screen readers what happened; the count of startups does so on each filtering. */
function say(words) {
	refill(document.getElementById("announcement"), words);
}

/** Sets one key (or clears it, if it has the value) and shows what passes. */
function setFilter(key, value, replace) {
	state[key] = value;
	writeFragment(replace);
	update();
}

/** A name that filters by itself when clicked. */
function pick(key, value, shownAs) {
	if (value === null) return h("span", shownAs ?? "–");
	const on = state[key] === value;
	const title = `${on ? "Clear the filter" : "Only"} ${key} ${value}`;
	const toggle = () => setFilter(key, on ? "" : value);
	return h(
		"button",
		{ type: "button", class: "pick", "aria-pressed": String(on), title, onclick: toggle },
		shownAs ?? value,
	);
}

function frequent(values) {
	const counts = new Map();
	for (const value of values) if (value !== NONE) counts.set(value, (counts.get(value) ?? 0) + 1);
	return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => text(value));
}

function choice(key, name, options) {
	const all = options.map(([value, shownAs]) => h("option", { value }, shownAs ?? value));
	return field(key, name, h("select", { id: `f-${key}` }, h("option", { value: "" }, "all"), all));
}

function typed(key, name, values) {
	const list = h(
		"datalist",
		{ id: `l-${key}` },
		values.slice(0, OPTIONS).map((value) => h("option", { value })),
	);
	const attributes = {
		id: `f-${key}`,
		list: list.id,
		autocomplete: "off",
		spellcheck: "false",
		placeholder: "all, or a*",
	};
	return field(key, name, h("input", attributes), list);
}

function field(key, name, input, ...others) {
	inputs[key] = input;
	const changed = () => {
		typing = key;
		setFilter(key, fromInput(key, input.value.trim()), key === "q");
		typing = "";
	};
	input.addEventListener(key === "q" ? "input" : "change", changed);
	return h("div.field", h("label", { for: input.id }, name), input, ...others);
}

const isTime = (key) => key === "from" || key === "to";
const fromInput = (key, value) => (isTime(key) && value ? `${value.length === 16 ? `${value}:00` : value}Z` : value);
// The browser drops ":00" by itself; seconds are shown because the step is one second.
const toInput = (key, value) => (isTime(key) && value ? value.slice(0, 19) : (value ?? ""));

function drawFilter() {
	const names = (key) => frequent(of[key]);
	const found = new Set(rows.findings.flatMap((list) => list.map(([cause]) => text(cause))));
	const causes = words.causes.filter(({ id }) => found.has(id)).map(({ id }) => [id]);
	const used = words.phases.filter((_, at) => of.phases[at].some((value) => value > 0));
	const time = (key, name) => field(key, name, h("input", { id: `f-${key}`, type: "datetime-local", step: "1" }));
	const clear = h("button", { type: "button", id: "clear", onclick: clearFilter }, "Clear");
	const search = h("input", { id: "f-q", type: "search", autocomplete: "off", placeholder: "pod, workload, image" });
	const others = h(
		"details",
		{ id: "more", open: matchMedia("(min-width: 60rem)").matches },
		h("summary", "Filters"),
		h(
			"div.fields",
			choice(
				"namespace",
				"Namespace",
				names("namespace")
					.sort()
					.map((name) => [name]),
			),
			typed("node", "Node", names("node")),
			typed("workload", "Workload", names("workload")),
			typed("image", "Image", frequent(images.flat())),
			choice(
				"registry",
				"Registry",
				[...new Set(images.flat().map((image) => registryOf(text(image))))].sort().map((name) => [name]),
			),
			choice(
				"phase",
				"Longest phase",
				used.map(({ name, label }) => [name, label]),
			),
			choice("cause", "Cause", causes),
			time("from", "From (UTC)"),
			time("to", "To (UTC)"),
		),
	);
	const brush = h("div", { id: "brush" });
	const line = h("div.line", field("q", "Search", search), brush, h("div.state", counted, clear));
	refill(form, line, others);
	form.addEventListener("submit", (event) => event.preventDefault());
	fitted(brush, (width) => drawBrush(brush, width));
}

function clearFilter() {
	state = {};
	writeFragment();
	update();
	inputs.q.focus();
}

/** Shows the state in the inputs, the count and the brush. */
function showFilter(found) {
	for (const [key, input] of Object.entries(inputs)) {
		const value = toInput(key, state[key]);
		// A value from the fragment that is no option must show all the same.
		if (value && input.tagName === "SELECT" && ![...input.options].some((option) => option.value === value)) {
			input.append(h("option", { value }, value));
		}
		// Half a date reads as none: to set none takes it away.
		if (key !== typing && (input.value !== value || !value)) input.value = value;
	}
	document.getElementById("clear").disabled = !filtered();
	const sign = found.estimate ? "≈ " : "";
	const all = plural(cut.startups, "startup");
	refill(counted, filtered() ? `${sign}${grouped(found.startups)} of ${all}` : all);
	// Paper shows no filter bar: there this line says what the figures are of.
	const selected = Object.entries(state).map(([key, value]) => `${key} ${value}`);
	refill(
		document.getElementById("selected"),
		selected.length
			? `Only ${selected.join(", ")}: ${sign}${grouped(found.startups)} of ${plural(cut.startups, "startup")}`
			: "",
	);
	const brush = document.getElementById("brush");
	drawBrush(brush, room(brush));
}

/** Startups over time, to drag a window in; the two inputs beside it do the same by keyboard. */
function drawBrush(element, width) {
	const known = of.started.filter((value) => !Number.isNaN(value));
	if (known.length === 0) return refill(element);
	let [first, last] = [Infinity, -Infinity];
	for (const value of known) {
		first = Math.min(first, value);
		last = Math.max(last, value);
	}
	first = Math.floor(first / 1e6) * 1e6;
	if (last < first + 1e6) return refill(element, h("p.quiet", `All started at ${stamp(first).replace("T", " ")}.`));
	last = Math.max(first + 1e6, Math.floor(last / 1e6) * 1e6 + 1e6);
	const height = 34;
	const bins = new Float64Array(Math.min(160, Math.floor(width / 4)));
	const inView = new Float64Array(bins.length);
	const bin = (value) => Math.min(bins.length - 1, Math.floor(((value - first) / (last - first)) * bins.length));
	for (const value of known) bins[bin(value)]++;
	for (const row of passing(["from", "to"])) if (!Number.isNaN(of.started[row])) inView[bin(of.started[row])]++;
	const most = Math.max(...bins);
	const x = (value) => ((value - first) / (last - first)) * width;
	const step = width / bins.length;
	const bars = [...bins].flatMap((value, at) => {
		if (value === 0) return [];
		const tall = (part) => (part > 0 ? Math.max(2, (part / most) * height) : 0);
		const draw = (part, kind) => rect(at * step, height - tall(part), Math.max(1, step - 1), tall(part), kind);
		return [draw(value, "faint"), draw(inView[at], "mark")];
	});
	const [from, to] = [micros(state.from), micros(state.to)];
	const box = rect(0, 0, 0, height, "window");
	const show = (a, b) => {
		box.setAttribute("x", Math.max(0, x(a)));
		box.setAttribute("width", Math.max(2, Math.min(width, x(b)) - Math.max(0, x(a))));
	};
	if (state.from || state.to) show(Number.isNaN(from) ? first : from, Number.isNaN(to) ? last : to);
	const title = "Startups by start time; drag to select a time range";
	const drawing = chart(
		width,
		height,
		title,
		`${stamp(first)} to ${stamp(last)}. With the keyboard, use the From and To fields.`,
		bars,
		box,
	);
	drawing.addEventListener("pointerdown", (event) => {
		const area = drawing.getBoundingClientRect();
		const at = (moved) => first + Math.max(0, Math.min(1, (moved.clientX - area.left) / area.width)) * (last - first);
		const start = at(event);
		drawing.setPointerCapture(event.pointerId);
		const move = (moved) => show(Math.min(start, at(moved)), Math.max(start, at(moved)));
		const up = (moved) => {
			drawing.removeEventListener("pointermove", move);
			const [low, high] = [Math.min(start, at(moved)), Math.max(start, at(moved))];
			// A click without a drag takes the window away. Whole seconds: so the inputs can show them.
			const wide = x(high) - x(low) > 3;
			state.from = wide ? stamp(Math.floor(low / 1e6) * 1e6) : "";
			state.to = wide ? stamp(Math.ceil(high / 1e6) * 1e6) : "";
			writeFragment();
			update();
		};
		drawing.addEventListener("pointermove", move);
		drawing.addEventListener("pointerup", up, { once: true });
	});
	const ends = h(
		"div.ends",
		{ "aria-hidden": "true" },
		h("span", stamp(first).replace("T", " ")),
		h(
			"span",
			stamp(first).slice(0, 10) === stamp(last).slice(0, 10) ? stamp(last).slice(11) : stamp(last).replace("T", " "),
		),
	);
	return refill(element, drawing, ends);
}
