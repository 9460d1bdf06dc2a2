// Elements, made one by one: text from logs becomes text nodes only, never markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
	for (const [name, value] of Object.entries(attributes ?? {})) {
		if (value === undefined || value === null || value === false) continue;
		if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
		else if (name === "value") element.value = value;
		else element.setAttribute(name, value === true ? "" : plain(value));
	}
	put(element, children);
	return element;
}

/** No name or log line is longer, and to lay out what is would take the browser minutes. */
const LONGEST = 2000;
const laidOut = (text) => {
	const all = plain(text);
	return all.length > LONGEST ? `${all.slice(0, LONGEST)}…` : all;
};

function put(element, children) {
	for (const child of children.flat(9)) {
		if (child === undefined || child === null || child === false || child === "") continue;
		element.append(child instanceof Node ? child : laidOut(child));
	}
}

/** An element by name or name.class, with attributes (`onclick` listens) if the next is an object, and children. */
function h(name, ...children) {
	const [tag, kind] = name.split(".");
	const attributes = children[0]?.constructor === Object ? children.shift() : null;
	return fill(document.createElement(tag), { class: kind, ...attributes }, children);
}

function s(name, attributes, ...children) {
	return fill(document.createElementNS(SVG, name), attributes, children);
}

function refill(element, ...children) {
	element.replaceChildren();
	put(element, children);
}

/** A bar of a share of its cell. The width is set through the CSSOM, which the page's policy allows. */
function bar(part, kind, place = "bar") {
	const inner = h("i", { class: kind });
	inner.style.setProperty("width", `${Math.max(0, Math.min(1, part)) * 100}%`);
	return h("span", { class: place, "aria-hidden": "true" }, inner);
}

const none = (words) => h("p.none", words);

function fold(title, ...children) {
	return h("details", h("summary", title), ...children);
}

/** A chart's numbers for those who do not see it, or want them; paper leaves them out unless they are open. */
const asTable = (...children) => h("details.chart-table", h("summary", "As a table"), ...children);

const tip = document.getElementById("tip");

/** Shows a text near an element's box; null hides it. */
function showTip(text, box) {
	tip.hidden = text === null;
	if (text === null) return;
	refill(
		tip,
		text.split("\n").map((line) => h("div", line)),
	);
	const left = Math.max(8, Math.min(box.left, innerWidth - tip.offsetWidth - 8));
	const below = box.bottom + 6;
	const top = below + tip.offsetHeight > innerHeight ? Math.max(8, box.top - tip.offsetHeight - 6) : below;
	tip.style.setProperty("left", `${left}px`);
	tip.style.setProperty("top", `${top}px`);
}
