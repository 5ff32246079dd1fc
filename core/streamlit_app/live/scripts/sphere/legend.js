// The legend of a sphere: what colours and shapes mean, and how many there are of each.
const SHAPES = ["circle", "diamond", "star"];

function fillLegend(node, s, c) {   // scene and colours
  const l = s.legend;
  node.replaceChildren();
  const entry = (symbol, text, count) => {
    const row = document.createElement("div"), words = document.createElement("span");
    row.className = "os-entry";
    words.textContent = text;
    words.title = text;
    row.append(symbol, words);
    if (count !== undefined) {
      const number = document.createElement("span");
      number.className = "os-count";
      number.textContent = count.toLocaleString("en");
      row.append(number);
    }
    node.appendChild(row);
  };
  const heading = (text) => {
    if (!text) return;
    const row = document.createElement("div");
    row.className = "os-heading";
    row.textContent = text;
    node.appendChild(row);
  };
  const byKind = !l.title && !l.values;
  const titles = ["images", "texts", "prompts"], kinds = ["image", "text", "prompt"];
  if (byKind) l.kinds.forEach((count, k) => { if (count) entry(symbol(SHAPES[k], c.kinds[kinds[k]]), titles[k], count); });
  else {
    heading(l.title);
    if (l.values) node.appendChild(scale(c.table, 255, l.low, l.high));
    l.names.forEach((name, k) => entry(symbol("circle", rgbOf(c.table, k)), name, l.counts[k]));
    l.kinds.forEach((count, k) => { if (count && l.kinds.filter(Boolean).length > 1) entry(symbol(SHAPES[k], c.muted), titles[k], count); });
  }
  if (l.unselected) entry(symbol("circle", c.unselected), l.others, l.unselected);
  if (s.heat.rows) { heading(s.heat.title); node.appendChild(scale(c.heat, c.heat.length / 3, ...s.heat.range)); }
  if (s.pairs) entry(symbol("line", c.muted), "pairs", s.pairs);
  for (const arc of s.arcs) if (arc.label) entry(symbol("line", c.kinds[arc.kind] ?? c.kinds.plain), arc.label);
  for (const cap of s.caps) if (cap.label) entry(symbol("ring", c.kinds[cap.kind] ?? c.kinds.plain), cap.label);
}

function scale(table, steps, low, high) {
  const box = document.createElement("div"), stops = [...Array(9).keys()].map((k) => rgbOf(table, Math.round((k / 8) * (steps - 1))));
  const words = (value) => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
  box.append(...ramp(stops, [words(low), words(high)]));
  return box;
}

function symbol(shape, colour) {
  const NS = "http://www.w3.org/2000/svg", svg = document.createElementNS(NS, "svg");
  svg.setAttribute("width", 14);
  svg.setAttribute("height", 14);
  svg.setAttribute("viewBox", "-7 -7 14 14");
  const star = [...Array(10).keys()].map((k) => { const r = k % 2 ? 2.8 : 6.4, a = (k * Math.PI) / 5; return `${r * Math.sin(a)},${-r * Math.cos(a)}`; }).join(" ");
  const [tag, attributes] = {
    circle: ["circle", { r: 5, fill: colour }], diamond: ["path", { d: "M0-6 6 0 0 6-6 0Z", fill: colour }],
    star: ["polygon", { points: star, fill: colour }], line: ["path", { d: "M-6 3Q0-6 6 3", stroke: colour, "stroke-width": 2, fill: "none" }],
    ring: ["circle", { r: 5, stroke: colour, "stroke-width": 2, fill: colour, "fill-opacity": 0.15 }],
  }[shape];
  const mark = document.createElementNS(NS, tag);
  for (const [name, value] of Object.entries(attributes)) mark.setAttribute(name, value);
  svg.appendChild(mark);
  return svg;
}
