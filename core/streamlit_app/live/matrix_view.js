// The live matrix: cosines from files of rows, coloured onto a sheet, of which the canvas shows a square part.
const PLACES = new Map();   // by key: the part shown; outlives a view
const EDGE = 22;            // room for the names of the two sides, CSS pixels
const LEAST = 6;            // cells in view when zoomed in as far as it goes

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".orrery-matrix");
  if (!root || !data) return;
  const scene = decode(data);
  let view = root.orrery;
  if (!view || view.key !== scene.key) {
    view?.dispose();
    view = root.orrery = new MatrixView(root, scene);
  }
  view.tell = (cell) => setTriggerValue("clicked", cell);
  view.update(scene);
  return () => { if (root.orrery === view) { view.dispose(); root.orrery = undefined; } };
}

function decode(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const at = 4 + length;
  scene.links = new Uint32Array(bytes.slice(at, at + 8 * scene.pairs).buffer);
  return scene;
}

class MatrixView {
  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.cell = null;   // [row, column] pointed at
    this.held = new Map();
    this.frames = 0;
    this.part = PLACES.get(this.key) ?? null;
    this.build();
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.root);
    (window.__orrery_matrix ??= {})[this.key] = {
      project: (row, column) => this.screenOf(row, column), part: () => ({ ...this.part }), frames: () => this.frames,
      cell: () => this.cell, loaded: () => this.loaded, value: (row, column) => this.value(row, column),
      colour: (row, column) => [...this.sheetPen.getImageData(column, row, 1, 1).data],
    };
  }

  build() {
    const add = (tag, className, parent) => {
      const node = document.createElement(tag);
      node.className = className;
      parent.appendChild(node);
      return node;
    };
    this.root.replaceChildren();
    this.titleNode = add("div", "os-title", this.root);
    this.stage = add("div", "os-stage", this.root);
    this.front = add("canvas", "os-front", this.stage);
    this.back = document.createElement("canvas");
    this.front.tabIndex = 0;
    this.front.setAttribute("role", "application");
    this.pen = this.front.getContext("2d");
    this.tip = add("div", "os-tip", this.stage);
    this.tip.setAttribute("role", "status");
    const foot = add("div", "os-foot", this.root);
    this.help = add("div", "os-help", foot);
    this.help.textContent = "click a cell · scroll to zoom · drag to move · double-click for all";
    foot.appendChild(saveButton(this));
    this.legendNode = add("div", "os-legend", this.root);
    this.noteNode = add("div", "os-note", this.root);
    this.sheet = document.createElement("canvas");
    this.sheetPen = this.sheet.getContext("2d", { willReadFrequently: true });
  }

  update(scene) {
    const old = this.scene, k = scene.k;
    this.scene = scene;
    if (!old || old.fingerprint !== scene.fingerprint) {
      this.values = new Int16Array(k * k);
      this.sheet.width = this.sheet.height = k;
      this.known = new Uint8Array(scene.tiles.length);
      this.loaded = 0;
      this.names = [];
      this.matched = new Set();
      for (let i = 0; i < scene.pairs; i++) this.matched.add(scene.links[2 * i] * k + scene.links[2 * i + 1]);
      if (!this.part || old || this.part.k !== k) this.part = { x: 0, y: 0, span: k, k };
      this.point(null);
      this.load(scene);
    }
    if (old?.names !== scene.names || !old) this.loadNames(scene);
    this.theme();
    this.titleNode.textContent = scene.title;
    this.furnish();
    this.front.setAttribute("aria-label", `${scene.title}. ${k} by ${k} cells. Arrow keys point at a cell, Enter picks it, ` +
      "plus and minus zoom, 0 shows all.");
    this.resize();
  }

  async load(scene) {
    const k = scene.k;
    await Promise.all(scene.tiles.map(async (url, i) => {
      const bytes = await fetch(url).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.arrayBuffer(); });
      if (this.scene.fingerprint !== scene.fingerprint) return;
      this.values.set(new Int16Array(bytes), i * scene.rows_a_tile * k);
      this.known[i] = 1;
      this.loaded++;
      this.paint(i);
      this.ask();
    })).catch(() => { this.noteNode.textContent = "Some rows could not be loaded; reload the page to try again."; });
  }

  async loadNames(scene) {
    const names = await fetch(scene.names).then((answer) => answer.json()).catch(() => []);
    if (this.scene.names === scene.names) this.names = names;
  }

  theme() {
    const back = (getComputedStyle(this.root).getPropertyValue("--st-background-color") || "#ffffff").trim();
    const channels = back.startsWith("#") && back.length >= 7 ? [1, 3, 5].map((i) => parseInt(back.slice(i, i + 2), 16))
      : (back.match(/[\d.]+/g) ?? [255, 255, 255]).map(Number);
    this.dark = (0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]) / 255 < 0.4;
    this.colours = this.scene.themes[this.dark ? "dark" : "light"];
    this.ground = back.startsWith("#") && back.length >= 7 ? back.slice(0, 7) : this.colours.background;
    for (const name of ["background", "panel", "text", "muted", "grid"])
      this.root.style.setProperty("--os-" + name, this.colours[name]);
    const look = `${this.dark} ${this.scene.scale} ${this.scene.fingerprint}`;
    if (look === this.look) return;
    this.look = look;
    this.known.forEach((known, i) => { if (known) this.paint(i); });
  }

  block(row, column) {
    const n = this.scene.images;
    return row < n && column < n ? "images" : row >= n && column >= n ? "texts" : "cross";
  }

  paint(tile) {   // the colours of the rows of one file
    const { k, images: n, steps, rows_a_tile: rows, ends } = this.scene;
    const first = tile * rows, last = Math.min(first + rows, k), table = new Uint32Array(256), t = this.colours.table;
    for (let i = 0; i < 256; i++) table[i] = (255 << 24) | (t[3 * i + 2] << 16) | (t[3 * i + 1] << 8) | t[3 * i];
    const picture = this.sheetPen.createImageData(k, last - first), pixels = new Uint32Array(picture.data.buffer);
    for (let row = first; row < last; row++) {
      for (const [from, to] of [[0, n], [n, k]]) {
        if (from === to) continue;
        const [low, high] = ends[this.block(row, from)].map((v) => v * steps), factor = 255 / (high - low);
        for (let column = from, at = row * k + from; column < to; column++, at++)
          pixels[at - first * k] = table[Math.max(0, Math.min(255, Math.round((this.values[at] - low) * factor)))];
      }
    }
    this.sheetPen.putImageData(picture, 0, first);
  }

  furnish() {
    const s = this.scene, t = this.colours.table;
    const stops = Array.from({ length: 12 }, (_, i) => { const c = 3 * Math.round(i * 255 / 11); return `rgb(${t[c]},${t[c + 1]},${t[c + 2]})`; });
    const shown = s.scale === "one" ? [["all blocks", Object.values(s.ends)[0]]] : Object.entries(s.ends).map(([b, e]) => [s.blocks[b], e]);
    this.legendNode.replaceChildren(...shown.map(([name, [low, high]]) => {
      const entry = document.createElement("div"), head = document.createElement("div"), ends = document.createElement("div");
      const ramp = document.createElement("div");
      entry.className = "os-scale";
      head.textContent = `cosine, ${name}`;
      ramp.className = "os-ramp";
      ramp.style.background = `linear-gradient(to right, ${stops.join(",")})`;
      ends.className = "os-ends";
      for (const end of [low, high]) ends.appendChild(document.createElement("span")).textContent = end.toFixed(2);
      entry.append(head, ramp, ends);
      return entry;
    }));
  }

  // ---- places ----
  resize() {
    const width = this.root.clientWidth;
    if (!width || !this.scene) return;
    const side = Math.round(Math.min(this.scene.height, width));
    this.stage.style.width = this.stage.style.height = side + "px";
    this.dpr = Math.min(window.devicePixelRatio || 1, 2);
    this.fit(side);
    this.draw();
  }

  fit(side) {
    this.side = side;
    const size = Math.round(side * this.dpr);
    if (this.front.width !== size) this.front.width = this.front.height = size;
  }

  drawAt(dpr, use) {
    const before = this.dpr;
    for (const [scale, then] of [[dpr, use], [before, () => {}]]) { this.dpr = scale; this.fit(this.side); this.draw(); then(); }
  }

  get room() { return this.side - EDGE; }   // CSS pixels that cells take

  screenOf(row, column) {   // middle of a cell in the browser's window
    const box = this.front.getBoundingClientRect(), p = this.part, size = this.room / p.span;
    return { x: box.left + EDGE + (column + 0.5 - p.x) * size, y: box.top + EDGE + (row + 0.5 - p.y) * size };
  }

  cellAt(e) {
    const box = this.front.getBoundingClientRect(), p = this.part, size = this.room / p.span, k = this.scene.k;
    const x = e.clientX - box.left - EDGE, y = e.clientY - box.top - EDGE;
    const column = Math.floor(p.x + x / size), row = Math.floor(p.y + y / size);
    return x < 0 || y < 0 || row < 0 || column < 0 || row >= k || column >= k || x > this.room || y > this.room ? null : [row, column];
  }

  value(row, column) {
    return this.known[Math.floor(row / this.scene.rows_a_tile)] ? this.values[row * this.scene.k + column] / this.scene.steps : null;
  }

  show(x, y, span) {
    const k = this.scene.k;
    span = Math.max(Math.min(LEAST, k), Math.min(k, span));
    this.part = { x: Math.max(0, Math.min(k - span, x)), y: Math.max(0, Math.min(k - span, y)), span, k };
    PLACES.set(this.key, this.part);
    this.front.style.touchAction = span < k ? "none" : "pan-y";
    this.ask();
  }

  zoomBy(factor, u = 0.5, v = 0.5) {   // u, v: what stays where it is, shares of the square
    const p = this.part, span = Math.max(Math.min(LEAST, p.k), Math.min(p.k, p.span / factor));
    this.show(p.x + u * (p.span - span), p.y + v * (p.span - span), span);
  }

  shares(e) {
    const box = this.front.getBoundingClientRect();
    return [(e.clientX - box.left - EDGE) / this.room, (e.clientY - box.top - EDGE) / this.room].map((v) => Math.max(0, Math.min(1, v)));
  }

  // ---- drawing ----
  ask() { this.asked ??= requestAnimationFrame(() => { this.asked = undefined; this.draw(); }); }

  draw() {
    const s = this.scene, pen = this.pen, d = this.dpr, p = this.part;
    if (!s || !d || !p) return;
    const left = EDGE * d, side = this.room * d, size = side / p.span, c = this.colours;
    pen.clearRect(0, 0, this.front.width, this.front.height);
    pen.fillStyle = c.panel;
    pen.fillRect(left, left, side, side);
    pen.imageSmoothingEnabled = size < 1;
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.sheet, p.x, p.y, p.span, p.span, left, left, side, side);
    this.drawSides(left, side, size);
    pen.save();
    pen.beginPath();
    pen.rect(left - 3 * d, left - 3 * d, side + 6 * d, side + 6 * d);
    pen.clip();
    if (s.picked) this.ring(s.picked, 2.4, left, size);
    if (this.cell) {
      const [row, column] = this.cell, x = left + (column - p.x) * size, y = left + (row - p.y) * size;
      pen.fillStyle = this.dark ? "rgba(255,255,255,0.28)" : "rgba(255,255,255,0.4)";
      pen.fillRect(left, y, side, Math.max(size, d));
      pen.fillRect(x, left, Math.max(size, d), side);
      this.ring(this.cell, 1.4, left, size);
    }
    pen.restore();
    this.frames++;
  }

  drawSides(left, side, size) {
    const s = this.scene, pen = this.pen, d = this.dpr, p = this.part, c = this.colours;
    pen.font = `${12 * d}px ${getComputedStyle(this.root).fontFamily}`;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    const parts = [[0, s.images, "image", c.image], [s.images, s.k, "text", c.text_kind]];
    for (const [from, to, name, colour] of parts) {
      const a = left + Math.max(0, (from - p.x) * size), b = left + Math.min(side, (to - p.x) * size);
      const e = left + Math.max(0, (from - p.y) * size), f = left + Math.min(side, (to - p.y) * size);
      const words = `${(to - from).toLocaleString("en")} ${name}${to - from === 1 ? "" : "s"}`;
      pen.fillStyle = colour;
      if (b > a) pen.fillRect(a, left - 5 * d, b - a, 4 * d);
      if (f > e) pen.fillRect(left - 5 * d, e, 4 * d, f - e);
      const width = pen.measureText(words).width;
      if (b - a > width) pen.fillText(words, (a + b) / 2, left - 8 * d);
      if (f - e > width) {
        pen.save();
        pen.translate(left - 8 * d, (e + f) / 2);
        pen.rotate(-Math.PI / 2);
        pen.fillText(words, 0, 0);
        pen.restore();
      }
    }
    pen.fillStyle = this.ground;
    const x = left + (s.images - p.x) * size, y = left + (s.images - p.y) * size;
    if (x > left && x < left + side) pen.fillRect(x - d / 2, left, d, side);
    if (y > left && y < left + side) pen.fillRect(left, y - d / 2, side, d);
  }

  ring([row, column], width, left, size) {
    const pen = this.pen, d = this.dpr, more = Math.max(0, (5 * d - size) / 2);
    const x = left + (column - this.part.x) * size - more, y = left + (row - this.part.y) * size - more;
    for (const [colour, w] of [["#000000", width + 2], ["#ffffff", width]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = w * d;
      pen.strokeRect(x, y, size + 2 * more, size + 2 * more);
    }
  }

  // ---- pointing ----
  hover() { this.point(null); }

  point(cell) {
    this.cell = cell;
    this.tip.style.display = cell ? "block" : "none";
    if (cell) {
      const [row, column] = cell, cosine = this.value(row, column), box = this.front.getBoundingClientRect(), at = this.screenOf(row, column);
      const pair = this.matched.has(Math.min(row, column) * this.scene.k + Math.max(row, column));
      const lines = [`cosine ${cosine === null ? "…" : cosine.toFixed(3)}${pair ? ", a pair" : row === column ? ", with itself" : ""}`,
        this.named(row), this.named(column)];
      this.tip.replaceChildren(...lines.map((line) => { const node = document.createElement("div"); node.textContent = line; return node; }));
      const right = at.x - box.left, down = at.y - box.top;
      this.tip.style.left = right > box.width / 2 ? "" : right + 14 + "px";
      this.tip.style.right = right > box.width / 2 ? box.width - right + 14 + "px" : "";
      this.tip.style.top = down > box.height / 2 ? "" : down + 14 + "px";
      this.tip.style.bottom = down > box.height / 2 ? box.height - down + 14 + "px" : "";
    }
    this.ask();
  }

  named(place) { return `${place < this.scene.images ? "Image" : "Text"}: ${this.names[place] ?? "…"}`; }

  move(down, right) {   // the cell pointed at, by keys
    const k = this.scene.k, p = this.part, middle = (v) => Math.min(k - 1, Math.floor(v + p.span / 2));
    const [row, column] = this.cell ?? [middle(p.y) - down, middle(p.x) - right];
    const next = [row + down, column + right].map((v) => Math.max(0, Math.min(k - 1, v)));
    const into = (v, from) => (v < from ? v : v + 1 > from + p.span ? v + 1 - p.span : from);
    this.show(into(next[1], p.x), into(next[0], p.y), p.span);
    this.point(next);
  }

  listen() {
    const canvas = this.front;
    canvas.addEventListener("pointerdown", (e) => {
      canvas.setPointerCapture(e.pointerId);
      this.held.set(e.pointerId, e);
      this.start = { x: e.clientX, y: e.clientY, part: { ...this.part }, moved: this.held.size > 1 };
    });
    canvas.addEventListener("pointermove", (e) => {
      if (!this.held.has(e.pointerId)) return this.point(this.cellAt(e));
      const before = [...this.held.values()];
      this.held.set(e.pointerId, e);
      if (this.held.size === 2) return this.pinch(before, [...this.held.values()]);
      const dx = e.clientX - this.start.x, dy = e.clientY - this.start.y;
      if (Math.hypot(dx, dy) > 4) this.start.moved = true;
      if (!this.start.moved) return;
      const p = this.start.part, size = this.room / p.span;
      this.point(null);
      this.show(p.x - dx / size, p.y - dy / size, p.span);
    });
    const release = (e, clicked) => {
      if (!this.held.delete(e.pointerId)) return;
      const cell = this.cellAt(e);
      if (clicked && !this.start.moved && cell) this.tell?.(cell);
      if (this.held.size) this.start = { ...this.start, moved: true, part: { ...this.part } };
    };
    canvas.addEventListener("pointerup", (e) => release(e, true));
    canvas.addEventListener("pointercancel", (e) => release(e, false));
    canvas.addEventListener("pointerleave", () => this.point(null));
    canvas.addEventListener("blur", () => this.point(null));
    canvas.addEventListener("wheel", (e) => {
      if (e.deltaY > 0 && this.part.span >= this.scene.k) return;   // nothing to zoom out of: let the page scroll
      e.preventDefault();
      this.zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), ...this.shares(e));
      this.point(this.cellAt(e));
    }, { passive: false });
    canvas.addEventListener("dblclick", () => this.show(0, 0, this.scene.k));
    canvas.addEventListener("keydown", (e) => {
      const far = e.shiftKey ? 10 : 1, all = () => this.show(0, 0, this.scene.k);
      const around = (factor) => this.zoomBy(factor, ...(this.cell ? [1, 0].map((i) => (this.cell[i] + 0.5 - [this.part.y, this.part.x][i]) / this.part.span) : []));
      const act = { ArrowLeft: () => this.move(0, -far), ArrowRight: () => this.move(0, far), ArrowUp: () => this.move(-far, 0),
        ArrowDown: () => this.move(far, 0), "+": () => around(1.5), "=": () => around(1.5), "-": () => around(1 / 1.5), 0: all, Home: all,
        Enter: () => this.cell && this.tell?.(this.cell), " ": () => this.cell && this.tell?.(this.cell), Escape: () => this.point(null) }[e.key];
      if (act && !e.ctrlKey && !e.metaKey) { e.preventDefault(); act(); }
    });
  }

  pinch([a, b], [c, d]) {
    const far = (p, q) => Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY) || 1;
    this.start.moved = true;
    this.zoomBy(far(c, d) / far(a, b), ...this.shares({ clientX: (c.clientX + d.clientX) / 2, clientY: (c.clientY + d.clientY) / 2 }));
  }

  dispose() {
    this.observer.disconnect();
    cancelAnimationFrame(this.asked);
  }
}
