// Tables: sorted by their heads, cut with "show more", copied as CSV.

const FIRST = 25;
const MORE = 200;

const unknown = (value) => value === null || value === undefined || Number.isNaN(value);

/** A cell that no spreadsheet runs and that deceives no eye: what begins like a formula gets a quote before it. */
function csvCell(value) {
	const raw = unknown(value) ? "" : plain(value);
	const safe = typeof value === "string" && /^[=+\-@]/.test(raw) ? `'${raw}` : raw;
	return /[",]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const COPY = "Copy CSV";

async function copy(text, button) {
	let done = true;
	try {
		await navigator.clipboard.writeText(text);
	} catch {
		// Without leave for the clipboard, the older way asks nobody.
		const area = h("textarea", { value: text, "aria-hidden": "true" });
		document.body.append(area);
		area.select();
		done = document.execCommand("copy");
		area.remove();
		button.focus();
	}
	const result = done ? "Copied as CSV" : "The browser blocked copying";
	say(result);
	refill(button, result);
	setTimeout(() => refill(button, COPY), 4000);
}

const UNITS = { time: span, count: grouped, size };

/** Shows a value by its kind; the raw one goes to the CSV (times as seconds). */
function shown(kind, value) {
	if (unknown(value)) return "–";
	return UNITS[kind]?.(value) ?? value;
}

function compare(a, b) {
	if (unknown(a) || unknown(b)) return unknown(a) - unknown(b);
	if (typeof a === "string") return a < b ? -1 : a > b ? 1 : 0;
	return a - b;
}

const NUMERIC = new Set(["time", "count", "size", "range"]);
/** How a cell is set: numbers to the right, and they and names on one line. */
const classOf = ({ kind }) => (NUMERIC.has(kind) ? "number" : kind === "name" ? "whole-name" : null);

/** A column: its head, kind ("" is text that may wrap), value by function or by the item's field, how a cell shows it, and by what it sorts. */
function col(label, kind, value, cell, by) {
	const of = typeof value === "string" ? (item) => item[value] : value;
	return { label, kind, of, cell, by: by ?? of };
}

/** How each table is sorted: kept while filters change. */
const sorted = new Map();
const plainOrder = { column: -1, down: false };

/** How a table is cut of which the page has the first by each column: see `table`. */
const limits = (known) => (known?.top ? { of: known.of, top: known.top } : {});

/** A table of items; its first column heads each row. It shows `first` rows, then more. Of a table with `of` rows the page may have only
 * those that are among the `top` first by some column of numbers: then it sorts by these, the largest first, and shows no more. */
function table(name, caption, items, columns, { first = FIRST, of: total = items.length, top } = {}) {
	const place = h("div.table", { "data-table": name });
	if (items.length === 0) {
		refill(place, none(`${caption}: none in this selection.`));
		return place;
	}
	let visible = first;
	const body = h("tbody");
	const note = h("span.quiet");
	const more = h("button", { onclick: () => grow(MORE) }, "Show more");
	/** The order that was chosen, as far as this table has it. */
	const order = () => {
		const chosen = sorted.get(name) ?? plainOrder;
		return top && chosen.column >= 0 && !(chosen.down && NUMERIC.has(columns[chosen.column].kind))
			? plainOrder
			: chosen;
	};
	const ordered = () => {
		const { column, down } = order();
		if (column < 0) return items.slice(0, top);
		const keyed = items.map((item) => [columns[column].by(item), item]);
		// Unknown values stay last whichever way.
		keyed.sort(([a], [b]) => {
			const order = compare(a, b);
			return down && order !== 0 && compare(a, null) && compare(b, null) ? -order : order;
		});
		return keyed.map(([, item]) => item).slice(0, top);
	};
	const cell = (item) => (column, at) => {
		const value = column.cell ? column.cell(item) : shown(column.kind, column.of(item));
		const attributes = { class: classOf(column), title: column.kind === "name" && column.of(item) };
		return at === 0 ? h("th", { scope: "row", ...attributes }, value) : h("td", attributes, value);
	};
	const rowOf = (item) => h("tr", columns.map(cell(item)));
	let all = items;
	const draw = () => {
		all = ordered();
		refill(body, all.slice(0, visible).map(rowOf));
		count();
	};
	const count = () => {
		const cut = visible < all.length;
		const shownNow = Math.min(visible, all.length);
		const what = top ? `; the first ${grouped(top)} by each column are here` : "";
		refill(note, shownNow < total ? `${grouped(shownNow)} of ${plural(total, "row")}${what}` : plural(total, "row"));
		more.hidden = !cut;
	};
	const grow = (by) => {
		const from = visible;
		visible += by;
		put(body, all.slice(from, visible).map(rowOf));
		count();
	};
	const heads = columns.map((column, at) => {
		const sort = () => {
			const before = order();
			const down = top || (before.column === at ? !before.down : NUMERIC.has(column.kind));
			sorted.set(name, { column: at, down });
			draw();
			mark();
		};
		if (top && !NUMERIC.has(column.kind)) return h("th", { scope: "col", class: classOf(column) }, column.label);
		const button = h("button", { onclick: sort }, column.label, h("i", { "aria-hidden": "true" }));
		return h("th", { scope: "col", class: classOf(column) }, button);
	});
	const mark = () => {
		const { column, down } = order();
		heads.forEach((head, at) => {
			if (at === column) head.setAttribute("aria-sort", down ? "descending" : "ascending");
			else head.removeAttribute("aria-sort");
		});
	};
	const csv = () => {
		const value = (column, item) => {
			const raw = column.of(item);
			return column.kind === "time" && Number.isFinite(raw) ? raw / 1e6 : raw;
		};
		const head = columns.map((column) => csvCell(column.kind === "time" ? `${column.label} (s)` : column.label));
		const lines = ordered().map((item) => columns.map((column) => csvCell(value(column, item))));
		return [head, ...lines].map((cells) => cells.join(",")).join("\r\n");
	};
	const button = h("button", { onclick: () => copy(csv(), button), "aria-label": `Copy CSV: ${caption}` }, COPY);
	mark();
	draw();
	refill(place, framed(caption, heads, body), h("p.tools", note, more, button));
	return place;
}

/** A small table without sorting: heads and rows of values or nodes; some columns are numeric. */
function grid(caption, heads, lines, numeric = []) {
	const kind = (at) => ({ class: numeric.includes(at) && "number" });
	const cell = (value, at) => (at === 0 ? h("th", { scope: "row" }, value) : h("td", kind(at), value));
	const head = heads.map((text, at) => h("th", { scope: "col", ...kind(at) }, text));
	const line = (values) => h("tr", values.map(cell));
	return framed(caption, head, h("tbody", lines.map(line)));
}

/** What scrolls must be reachable by keyboard, hence a named region with a tab stop. */
function framed(caption, heads, body) {
	const all = h("table", h("caption", caption), h("thead", h("tr", heads)), body);
	return h("div.scroll", { tabindex: "0", role: "region", "aria-label": `${caption}, scrolls` }, all);
}
