// What is drawn above the globe in two dimensions: pictures, marks, rings and labels that never overlap; and the legend.
const SHAPES = ["circle", "diamond", "star"];

function drawOverlay(view, lens) {
  const pen = view.pen, dpr = view.dpr, s = view.scene, m = matrix(view.turn);
  pen.clearRect(0, 0, view.front.width, view.front.height);
  const places = s.marks.map((mark) => view.project(mark.place, m, lens));
  const taken = places.map(([x, y]) => [x - 8 * dpr, y - 8 * dpr, x + 8 * dpr, y + 8 * dpr]);
  const labels = view.labelled = planLabels(view, pen, lens, m, taken);
  drawPictures(view, pen, lens, m, taken);
  for (const [k, mark] of s.marks.entries()) {
    const [x, y, facing] = places[k];
    const colour = view.colours.kinds[mark.kind] ?? view.colours.kinds.plain;
    pen.globalAlpha = facing > 0 ? 1 : 0.35;
    pen.beginPath();
    pen.arc(x, y, 6.5 * dpr, 0, 2 * Math.PI);
    pen.fillStyle = view.ground;
    pen.fill();
    pen.beginPath();
    pen.arc(x, y, 4.6 * dpr, 0, 2 * Math.PI);
    pen.fillStyle = colour;
    pen.fill();
  }
  pen.globalAlpha = 1;
  for (const [i, width] of [[view.picked, 2.6], [view.hovered, 1.6]]) {
    if (i < 0 || i >= s.n) continue;
    const [x, y] = view.project(view.point(i), m, lens), r = view.pointSize() + 4.5 * dpr;
    for (const [colour, w] of [[view.ground, width + 2.4], [view.colours.text, width]]) {
      pen.beginPath();
      pen.arc(x, y, r, 0, 2 * Math.PI);
      pen.lineWidth = w * dpr;
      pen.strokeStyle = colour;
      pen.stroke();
    }
  }
  for (const { text, x, y, colour } of labels) {
    pen.strokeStyle = css(view.ground, 0.92);
    pen.lineWidth = 5 * dpr;
    pen.strokeText(text, x, y);
    pen.fillStyle = colour;
    pen.fillText(text, x, y);
  }
}

function drawPictures(view, pen, lens, m, taken) {
  const dpr = view.dpr, base = Math.max(26, Math.min(54, (lens.radius / dpr / view.zoom) * 0.145)) * dpr * Math.min(1.5, Math.sqrt(view.zoom));
  const tiles = [];
  for (const point of view.scene.shown) {
    const bitmap = view.pictures.get(point)?.bitmap;
    if (!bitmap) continue;
    const [x, y, facing] = view.project(view.point(point), m, lens);
    const near = Math.max(0, Math.min(1, facing / 1.1));
    const size = base * (0.72 + 0.28 * near);
    const box = [x - size / 2 - 2 * dpr, y - size / 2 - 2 * dpr, x + size / 2 + 2 * dpr, y + size / 2 + 2 * dpr];
    const wanted = facing > 0.08 && !(view.scene.flags[point] & 128) && !taken.some((t) => meet(t, box));
    if (wanted) taken.push(box);
    const before = view.opacity.get(point) ?? 0, after = wanted ? Math.min(1, before + 0.2) : Math.max(0, before - 0.34);
    view.opacity.set(point, after);
    if (after !== before) view.ask();
    if (after > 0) tiles.push({ point, bitmap, x: x - size / 2, y: y - size / 2, size, facing, alpha: after });
  }
  tiles.sort((a, b) => a.facing - b.facing);
  for (const t of tiles) {
    const colour = kindColour(view, t.point), r = 5 * dpr;
    pen.save();
    pen.globalAlpha = t.alpha;
    pen.shadowColor = "rgba(10, 18, 32, 0.35)";
    pen.shadowBlur = 7 * dpr;
    pen.shadowOffsetY = 2 * dpr;
    pen.fillStyle = view.ground;
    pen.beginPath();
    pen.roundRect(t.x - 1.6 * dpr, t.y - 1.6 * dpr, t.size + 3.2 * dpr, t.size + 3.2 * dpr, r + 1.6 * dpr);
    pen.fill();
    pen.shadowColor = "transparent";
    pen.beginPath();
    pen.roundRect(t.x, t.y, t.size, t.size, r);
    pen.save();
    pen.clip();
    const scale = t.size / Math.min(t.bitmap.width, t.bitmap.height);
    const w = t.bitmap.width * scale, h = t.bitmap.height * scale;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(t.bitmap, t.x + (t.size - w) / 2, t.y + (t.size - h) / 2, w, h);
    pen.restore();
    pen.lineWidth = 1.6 * dpr;
    pen.strokeStyle = colour;
    pen.stroke();
    pen.restore();
  }
  view.tiles = tiles.filter((t) => t.alpha > 0.5);
}

function kindColour(view, point) {
  const row = view.scene.index[point], t = view.colours.table;
  return `rgb(${t[3 * row]},${t[3 * row + 1]},${t[3 * row + 2]})`;
}

const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];

function planLabels(view, pen, lens, m, taken) {   // where each label fits without touching another
  const dpr = view.dpr, s = view.scene, wanted = [], planned = [];
  for (const mark of s.marks) {
    const [x, y, facing] = view.project(mark.place, m, lens);
    if (facing > 0) wanted.push({ text: mark.label, kind: mark.kind, x, y, clear: 11 });
  }
  for (const arc of s.arcs) {
    const middle = normalise3(arc.start.map((v, c) => v + arc.end[c]));
    const [x, y, facing] = view.project(middle, m, lens);
    if (facing > 0 && arc.label) wanted.push({ text: arc.label, kind: arc.kind, x, y, clear: 8 });
  }
  for (const cap of s.caps) {
    const edge = highest(view, cap, m, lens);
    if (edge && cap.label) wanted.push({ text: cap.label, kind: cap.kind, x: edge[0], y: edge[1], clear: 8 });
  }
  const size = 13 * dpr;
  pen.font = `600 ${size}px ${getComputedStyle(view.root).fontFamily}`;
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  for (const label of wanted) {
    const text = label.text.length > 46 ? label.text.slice(0, 45) + "…" : label.text;
    const w = pen.measureText(text).width, h = size * 1.25, gap = label.clear * dpr;
    const spots = [[label.x - w / 2, label.y - gap - h / 2], [label.x - w / 2, label.y + gap + h / 2],
      [label.x + gap, label.y], [label.x - gap - w, label.y]];
    for (const [x, y] of spots) {
      const box = [x - 3 * dpr, y - h / 2, x + w + 3 * dpr, y + h / 2];
      if (box[0] < 2 || box[1] < 2 || box[2] > view.front.width - 2 || box[3] > view.front.height - 2) continue;
      if (taken.some((t) => meet(t, box))) continue;
      taken.push(box);
      planned.push({ text, x, y, box, colour: view.colours.kinds[label.kind] ?? view.colours.text });
      break;
    }
  }
  return planned;
}

const normalise3 = (v) => { const l = Math.hypot(...v) || 1; return v.map((c) => c / l); };

function highest(view, cap, m, lens) {   // the uppermost point of a cap's edge on the near half, on the screen
  const c = cap.centre, thin = [0, 1, 2].reduce((a, b) => (Math.abs(c[b]) < Math.abs(c[a]) ? b : a), 0);
  const axis = [0, 0, 0];
  axis[thin] = 1;
  const e1 = normalise3(axis.map((v, i) => v - c[thin] * c[i]));
  const e2 = [c[1] * e1[2] - c[2] * e1[1], c[2] * e1[0] - c[0] * e1[2], c[0] * e1[1] - c[1] * e1[0]];
  let best;
  for (let k = 0; k < 48; k++) {
    const t = (k / 48) * 2 * Math.PI, r = Math.sin(cap.radius), along = Math.cos(cap.radius);
    const [x, y, facing] = view.project(c.map((v, i) => along * v + r * (Math.cos(t) * e1[i] + Math.sin(t) * e2[i])), m, lens);
    if (facing > 0 && (!best || y < best[1])) best = [x, y];
  }
  return best;
}

function fillLegend(view) {
  const node = view.legendNode, s = view.scene, l = s.legend, c = view.colours;
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
    if (l.values) node.appendChild(ramp(c.table, 255, l.low, l.high));
    l.names.forEach((name, k) => entry(symbol("circle", rgbOf(c.table, k)), name, l.counts[k]));
    l.kinds.forEach((count, k) => { if (count && l.kinds.filter(Boolean).length > 1) entry(symbol(SHAPES[k], c.muted), titles[k], count); });
  }
  if (l.unselected) entry(symbol("circle", c.unselected), l.others, l.unselected);
  if (s.heat.rows) { heading(s.heat.title); node.appendChild(ramp(c.heat, c.heat.length / 3, 0, 1)); }
  if (s.pairs) entry(symbol("line", c.muted), "pairs", s.pairs);
  for (const arc of s.arcs) if (arc.label) entry(symbol("line", c.kinds[arc.kind] ?? c.kinds.plain), arc.label);
  for (const cap of s.caps) if (cap.label) entry(symbol("ring", c.kinds[cap.kind] ?? c.kinds.plain), cap.label);
}

const rgbOf = (table, k) => `rgb(${table[3 * k]},${table[3 * k + 1]},${table[3 * k + 2]})`;

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

function ramp(table, steps, low, high) {
  const box = document.createElement("div"), bar = document.createElement("div"), ends = document.createElement("div");
  const stops = [...Array(9).keys()].map((k) => rgbOf(table, Math.round((k / 8) * (steps - 1))));
  bar.className = "os-ramp";
  bar.style.background = `linear-gradient(90deg, ${stops.join(",")})`;
  ends.className = "os-ends";
  for (const value of [low, high]) {
    const end = document.createElement("span");
    end.textContent = Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
    ends.appendChild(end);
  }
  box.append(bar, ends);
  return box;
}
