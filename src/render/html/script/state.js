// The filter's state, kept in the URL's fragment so that a view can be sent to someone, and what passes it.

const KEYS = ["namespace", "node", "workload", "image", "registry", "phase", "cause", "from", "to", "q"];
let state = {};
let theme = "";

function readFragment() {
	const found = new URLSearchParams(location.hash.slice(1));
	state = {};
	for (const key of KEYS) if (found.get(key)) state[key] = found.get(key);
	// A time that is none would count as a filter that lets all pass.
	for (const key of ["from", "to"]) {
		const time = Date.parse(state[key]);
		if (Number.isNaN(time)) delete state[key];
		else state[key] = new Date(time).toISOString().replace(/\.000Z$/, "Z");
	}
	theme = ["light", "dark"].includes(found.get("theme")) ? found.get("theme") : "";
}

function writeFragment(replace) {
	const all = new URLSearchParams();
	for (const key of KEYS) if (state[key]) all.set(key, state[key]);
	if (theme) all.set("theme", theme);
	const url = `${location.href.split("#")[0]}#${all}`;
	if (url === location.href || (!String(all) && !location.hash)) return;
	if (replace) history.replaceState(null, "", url);
	else history.pushState(null, "", url);
}

const filtered = () => KEYS.some((key) => state[key]);

/** The numbers of the strings that a name means: itself, or with * any of a kind. */
function numbersOf(name) {
	const exact = strings.indexOf(name);
	if (exact >= 0) return new Set([exact]);
	if (!name.includes("*")) return new Set();
	const parts = name.split("*");
	return new Set(strings.flatMap((value, number) => (fits(value, parts) ? [number] : [])));
}

/** Whether a text is these parts with anything between them. Each is taken where it first comes: no link can make it slow. */
function fits(value, parts) {
	const [first, last] = [parts[0], parts[parts.length - 1]];
	if (value.length < first.length + last.length || !value.startsWith(first) || !value.endsWith(last)) return false;
	let at = first.length;
	for (const part of parts.slice(1, -1)) {
		const found = value.indexOf(part, at);
		if (found < 0) return false;
		at = found + part.length;
	}
	return at <= value.length - last.length;
}

let searched;
/** What free text is looked for in, in lower case, made when first asked for. */
function searchText(row) {
	searched ??= new Array(listed);
	searched[row] ??= [podName(row), text(of.workload[row]), ...images[row].map(text)].join("\n").toLowerCase();
	return searched[row];
}

/** A test for each key that is set; a startup must pass all. */
function tests() {
	const list = [];
	for (const key of ["namespace", "node", "workload"]) {
		if (!state[key]) continue;
		const [values, wanted] = [of[key], numbersOf(state[key])];
		list.push((row) => wanted.has(values[row]));
	}
	if (state.image) {
		const wanted = numbersOf(state.image);
		list.push((row) => images[row].some((image) => wanted.has(image)));
	}
	if (state.registry) {
		// An image without a registry in its name is of docker.io: no glob over names tells.
		list.push((row) => images[row].some((image) => registryOf(text(image)) === state.registry));
	}
	if (state.cause) {
		const wanted = numbersOf(state.cause);
		list.push((row) => rows.findings[row].some(([cause]) => wanted.has(cause)));
	}
	if (state.phase) {
		const wanted = words.phases.findIndex(({ name }) => name === state.phase);
		list.push((row) => wanted >= 0 && dominant[row] === wanted);
	}
	const [from, to] = [micros(state.from), micros(state.to)];
	// As --since and --until: the first instant is in, the last is not, and what has no time is out.
	if (!Number.isNaN(from)) list.push((row) => of.started[row] >= from);
	if (!Number.isNaN(to)) list.push((row) => of.started[row] < to);
	if (state.q) {
		const wanted = state.q.toLowerCase();
		list.push((row) => searchText(row).includes(wanted));
	}
	return list;
}

/** The startups that pass, the slowest first. */
function passing(except) {
	const kept = except && state;
	if (except) state = { ...state, ...Object.fromEntries(except.map((key) => [key, ""])) };
	const all = tests();
	if (kept) state = kept;
	const found = new Int32Array(listed);
	let count = 0;
	for (let row = 0; row < listed; row++) {
		if (all.every((test) => test(row))) found[count++] = row;
	}
	return found.subarray(0, count);
}
