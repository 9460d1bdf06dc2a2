// Puts the page together: the first screen at once, the other sections when they come near or the browser has time.

/** No filter reaches the section; or it is made of the listed startups, which in a cut page are not all. */
const [FIXED, OF_LISTED] = ["fixed", "of-listed"];

/** What there is to show of metrics alone. */
const OF_METRICS = new Set(["summary", "metrics", "coverage", "glossary"]);

const SECTIONS = [
	["summary", "Summary", drawSummary],
	["slowest", "Slowest startups", drawWaterfall],
	["causes", "Causes", drawCauses],
	["images", "Images and registries", drawImages],
	["groups", "Nodes and workloads", drawGroups],
	["distribution", "Distribution", drawDistribution],
	["timeline", "Timeline", drawTimeline, OF_LISTED],
	["volumes", "Volumes", drawVolumes],
	["startups", "Startups", drawStartups],
	...(report.metrics ? [["metrics", "Metrics", drawMetrics, FIXED]] : []),
	["anomalies", "Anomalies", drawAnomalies],
	["coverage", "What was read", drawCoverage, FIXED],
	["glossary", "Glossary", drawGlossary, FIXED],
]
	.filter(([id]) => summary.startups > 0 || !report.metrics || OF_METRICS.has(id))
	.map(([id, title, draw, kind]) => ({ id, title, draw, kind, stale: true, root: h("div.body") }));

let view;

/** A link to a section. The fragment is the filter's, so it scrolls and moves the focus by itself. */
function link(id, words) {
	return h("a", { href: `#${id}` }, words);
}

function goTo(id) {
	const heading = document.getElementById(`${id}-title`);
	if (!heading) return;
	heading.scrollIntoView({ block: "start" });
	heading.focus({ preventScroll: true });
}

document.addEventListener("click", (event) => {
	const target = event.target.closest("a[href^='#']");
	if (!target) return;
	event.preventDefault();
	goTo(target.getAttribute("href").slice(1));
});

function render(section) {
	if (!section.stale) return;
	section.stale = false;
	section.draw(section.root, view);
	if (isCut && section.kind === OF_LISTED)
		section.root.prepend(
			h("p.quiet", `Covers the ${grouped(cut.listed)} listed of ${plural(cut.startups, "startup")}.`),
		);
}

const later = window.requestIdleCallback ?? ((work) => setTimeout(work, 50));
let waiting = 0;

/** One stale section at a time, while nothing else is to do. */
function renderRest() {
	const next = SECTIONS.find(({ stale }) => stale);
	waiting = 0;
	if (!next) {
		document.documentElement.dataset.ready = "true";
		return;
	}
	render(next);
	waiting = later(renderRest, { timeout: 500 });
}

const unfolded = [];

/** For paper, on which nothing opens: all sections, and the causes open. */
function unfold() {
	SECTIONS.forEach(render);
	for (const one of document.querySelectorAll("details.cause:not([open])")) {
		one.open = true;
		one.show();
		unfolded.push(one);
	}
}

/** Filters, and shows the first screen at once. */
function update() {
	delete document.documentElement.dataset.ready;
	const focus = focused();
	view = { rows: passing() };
	view.found = figures(view);
	for (const section of SECTIONS) section.stale ||= section.kind !== FIXED;
	showFilter(view.found);
	render(SECTIONS[0]);
	for (const section of SECTIONS) if (section.near) render(section);
	refocus(focus);
	if (!waiting) waiting = later(renderRest, { timeout: 500 });
}

/** Where the focus is, as its section and the words there: what is drawn anew must not lose it. */
function focused() {
	const active = document.activeElement;
	const root = active?.closest?.(".body");
	return root && active.matches("button") ? { root, words: active.textContent } : null;
}

function refocus(focus) {
	if (!focus || document.activeElement !== document.body) return;
	const same = [...focus.root.querySelectorAll("button")].find((button) => button.textContent === focus.words);
	(same ?? focus.root.closest("section").querySelector("h2")).focus({ preventScroll: true });
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (theme ? theme === "dark" : dark.matches);

function showTheme() {
	if (theme) document.documentElement.dataset.theme = theme;
	else delete document.documentElement.dataset.theme;
	document.getElementById("theme").textContent = isDark() ? "Light theme" : "Dark theme";
}

function restore() {
	// A link from elsewhere may name a section, which is no filter.
	const id = location.hash.slice(1);
	if (id && !id.includes("=")) {
		writeFragment(true);
		return goTo(id);
	}
	readFragment();
	showTheme();
	return update();
}

function build() {
	const main = document.getElementById("report");
	const near = new IntersectionObserver(
		(entries) => {
			for (const { target, isIntersecting } of entries) {
				const section = SECTIONS.find(({ id }) => id === target.id);
				section.near = isIntersecting;
				if (isIntersecting && view) render(section);
			}
		},
		{ rootMargin: "400px" },
	);
	for (const { id, title, root } of SECTIONS) {
		const element = h(
			"section",
			{ id, "aria-labelledby": `${id}-title` },
			h("h2", { id: `${id}-title`, tabindex: "-1" }, title),
			root,
		);
		main.append(element);
		near.observe(element);
	}
	refill(
		document.getElementById("contents"),
		SECTIONS.map(({ id, title }) => h("li", link(id, title))),
	);
	document.getElementById("theme").addEventListener("click", () => {
		theme = isDark() ? "light" : "dark";
		showTheme();
		writeFragment(true);
	});
	dark.addEventListener("change", showTheme);
	addEventListener("hashchange", restore);
	addEventListener("popstate", restore);
	addEventListener("beforeprint", unfold);
	addEventListener("afterprint", () => {
		for (const one of unfolded.splice(0)) one.open = false;
	});
	readFragment();
	showTheme();
	drawRead();
	drawFilter();
	update();
}

build();
