// The live matrix: cosines from files of rows, coloured onto a sheet, of which the canvas shows a square part.
export default (component) => mount(component, ".orrery-matrix", MatrixView);

class MatrixView {
  static read(bytes) {
    const [scene, take] = unpack(bytes);
    scene.links = take(Uint32Array, 2 * scene.pairs);
    return scene;
  }

  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.cell = null;   // [row, column] pointed at
    this.frames = 0;
    this.sheet = new Sheet();
    this.build();
    this.part = new Part(this.key, this.front);
    listenToHands(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.root);
    (window.__orrery_matrix ??= {})[this.key] = {   // what a test in a browser asks of the view
      project: (row, column) => this.part.screenOf(row, column), part: () => ({ ...this.part.place }), frames: () => this.frames,
      cell: () => this.cell, loaded: () => this.sheet.loaded, value: (row, column) => this.sheet.value(row, column),
      colour: (row, column) => this.sheet.colourOf(row, column),
    };
  }

  build() {
    this.root.replaceChildren();
    this.titleNode = add("div", "os-title", this.root);
    this.stage = add("div", "os-stage", this.root);
    this.front = add("canvas", "os-front", this.stage);
    this.layers = [this.front];
    this.front.tabIndex = 0;
    this.front.setAttribute("role", "application");
    this.pen = this.front.getContext("2d");
    this.tip = add("div", "os-tip", this.stage);
    this.tip.setAttribute("role", "status");
    const foot = add("div", "os-foot", this.root);
    add("div", "os-help", foot).textContent = "click a cell · scroll to zoom · drag to move · double-click for all";
    foot.appendChild(saveButton(this));
    this.legendNode = add("div", "os-legend", this.root);
    this.noteNode = add("div", "os-note", this.root);
  }

  update(scene) {
    const before = this.scene, k = scene.k;
    this.scene = scene;
    this.look = lookOf(this.root, scene.themes);
    if (before?.fingerprint !== scene.fingerprint) {
      this.names = [];
      this.matched = new Set();
      for (let i = 0; i < scene.pairs; i++) this.matched.add(scene.links[2 * i] * k + scene.links[2 * i + 1]);
      if (!this.part.place || before || this.part.place.k !== k) this.part.whole(k);
      this.sheet.load(scene, () => this.ask())
        .catch(() => { this.noteNode.textContent = "Some rows could not be loaded; reload the page to try again."; });
      this.point(null);
    }
    if (before?.names !== scene.names) this.loadNames(scene);
    this.sheet.colour(scene, this.look);
    this.titleNode.textContent = scene.title;
    this.fillLegend();
    this.front.setAttribute("aria-label", `${scene.title}. ${k} by ${k} cells. Arrow keys point at a cell, Enter picks it, ` +
      "plus and minus zoom, 0 shows all.");
    this.resize();
  }

  async loadNames(scene) {
    const names = await fetch(scene.names).then((answer) => answer.json()).catch(() => []);
    if (this.scene.names === scene.names) this.names = names;
  }

  fillLegend() {
    const s = this.scene, stops = Array.from({ length: 12 }, (_, i) => rgbOf(this.look.colours.table, Math.round(i * 255 / 11)));
    const shown = s.scale === "one" ? [["all blocks", Object.values(s.ends)[0]]] : Object.entries(s.ends).map(([b, e]) => [s.blocks[b], e]);
    this.legendNode.replaceChildren();
    for (const [name, ends] of shown) {
      const entry = add("div", "os-scale", this.legendNode);
      add("div", "", entry).textContent = `cosine, ${name}`;
      entry.append(...ramp(stops, ends.map((end) => end.toFixed(2))));
    }
  }

  // ---- pointing ----
  hover() { this.point(null); }

  point(cell) {
    this.cell = cell;
    this.tip.style.display = cell ? "block" : "none";
    if (cell) {
      const [row, column] = cell, cosine = this.sheet.value(row, column), box = this.front.getBoundingClientRect();
      const at = this.part.screenOf(row, column);
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

  // ---- frames ----
  resize() {
    const width = this.root.clientWidth;
    if (!width || !this.scene) return;
    const side = Math.round(Math.min(this.scene.height, width));
    this.stage.style.width = this.stage.style.height = side + "px";
    this.fit(side, Math.min(window.devicePixelRatio || 1, 2));
    this.draw();
  }

  fit(side, dpr) {   // CSS pixels
    this.part.side = side;
    this.dpr = dpr;
    const size = Math.round(side * dpr);
    if (this.front.width !== size) this.front.width = this.front.height = size;
  }

  drawAt(dpr, use) {   // draw at another resolution, for as long as `use` looks at the canvas
    const before = this.dpr;
    for (const [scale, then] of [[dpr, use], [before, () => {}]]) { this.fit(this.part.side, scale); this.draw(); then(); }
  }

  ask() { this.asked ??= requestAnimationFrame(() => { this.asked = undefined; this.draw(); }); }

  draw() {
    if (!this.scene || !this.dpr || !this.part.place) return;
    drawMatrix(this);
    this.frames++;
  }

  dispose() {
    this.observer.disconnect();
    cancelAnimationFrame(this.asked);
  }
}
