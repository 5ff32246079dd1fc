// The live sphere: WebGL 2 for the globe and what lies on it; a 2-D canvas above it for pictures, marks and labels.
class SphereView {
  static layers = LAYERS;
  static Pictures = Pictures;

  static read(bytes, more = () => {}) {   // more: takes what follows
    const [scene, take] = unpack(bytes);
    this.takeArrays(scene, take);
    more(scene, take);
    return scene;
  }

  static takeArrays(scene, take) {
    scene.coords = take(Float32Array, 3 * scene.n);
    scene.index = take(Uint8Array, scene.n);
    scene.flags = take(Uint8Array, scene.n);
    scene.links = take(Uint32Array, 2 * scene.pairs);
    scene.heat.values = take(Uint8Array, scene.heat.rows * scene.heat.columns);
  }

  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.hovered = this.lit = this.picked = -1;   // points: under the pointer, under that of a linked view, clicked
    this.held = new Map();                        // pointers that are down, by id
    this.tiles = [];                              // pictures on the globe, as they were drawn last
    this.frames = 0;
    this.pace = new Pace();
    this.camera = new Camera(this.key, scene.camera);
    this.build();
    this.drawing = new Drawing(this.back, this.constructor.layers);
    if (!this.drawing.gl) return this.unsupported();
    this.labels = new Labels();
    this.pictures = new this.constructor.Pictures(this);
    this.tip = new Tip(this);
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    JOINED.add(this);
    this.tellTests();
  }

  build() {
    this.root.replaceChildren();
    this.titleNode = add("div", "os-title", this.root);
    const middle = add("div", "os-middle", this.root);
    middle.style.position = "relative";
    this.legendNode = add("div", "os-legend", middle);
    this.stage = add("div", "os-stage", middle);
    this.back = add("canvas", "os-back", this.stage);
    this.front = add("canvas", "os-front", this.stage);
    this.front.tabIndex = 0;
    this.front.setAttribute("role", "application");
    this.pen = this.front.getContext("2d");
    this.help = add("div", "os-help", this.stage);
    this.help.textContent = "drag to turn · scroll to zoom · double-click to reset";
    this.stage.appendChild(saveButton(this));
    this.noteNode = add("div", "os-note", this.root);
  }

  unsupported() {
    this.stage.className = "os-friendly";
    this.stage.textContent = "This browser has no WebGL 2, which the live sphere needs. A plainer figure is shown instead.";
    this.broken = true;
  }

  listen() {
    listenToHands(this);
    this.back.addEventListener("webglcontextlost", (e) => e.preventDefault());
    this.back.addEventListener("webglcontextrestored", () => {
      this.drawing.make();
      this.drawing.fill(this.scene, this.look);
      this.draw();
    });
  }

  tellTests() {   // what a test in a browser asks of the view
    (window.__orrery_sphere ??= {})[this.key] = {
      project: (i) => this.screenOf(i), camera: () => this.camera.text(), frames: () => this.frames,
      face: (i) => { this.camera.face(this.point(i)); this.draw(); }, count: () => this.scene.n,
      radius: () => this.camera.lens().radius / this.camera.dpr, hovered: () => this.hovered, lit: () => this.lit,
      picked: () => this.picked, labels: () => this.labelled, drawn: () => this.drawn, tiles: () => this.tiles.length,
      pictures: () => [...this.pictures.kept.keys()],
    };
  }

  update(scene) {
    if (this.broken) { this.tell("unsupported", true); return; }
    const before = this.scene;
    this.scene = scene;
    this.linked = scene.linked;
    this.camera.lookAt(scene);
    this.picked = scene.picked ?? -1;
    this.look = lookOf(this.root, scene.themes);
    this.drawing.fill(scene, this.look, before);
    if (before?.fingerprint !== scene.fingerprint) this.hover(-1);
    if (before?.pictures !== scene.pictures) this.pictures.forgetAll();
    this.pictures.ask();
    this.front.setAttribute("aria-label", `${scene.title || "Sphere"}. ${scene.n} points. Arrow keys turn, plus and minus zoom, 0 resets.`);
    this.titleNode.textContent = scene.title;
    this.titleNode.style.display = scene.title ? "" : "none";
    this.noteNode.textContent = scene.note;
    fillLegend(this.legendNode, scene, this.look.colours);
    this.resize();
  }

  get dpr() { return this.camera.dpr; }

  get layers() { return [this.back, this.front]; }   // canvases, from below to above

  point(i) { return this.scene.coords.subarray(3 * i, 3 * i + 3); }

  screenOf(i) {   // in the browser's window, for whoever wants to click a point
    const box = this.front.getBoundingClientRect(), [x, y, facing] = this.camera.projector()(this.point(i));
    return { x: box.left + x / this.dpr, y: box.top + y / this.dpr, front: facing > 0 };
  }

  // ---- what hands do, and what linked views follow ----
  hover(i, x = 0, y = 0) {
    if (i !== this.hovered) {
      this.hovered = i;
      this.ask();
      announce(this, "hovered", i);
    }
    this.tip.show(i, x, y);
    this.front.classList.toggle("os-over", i >= 0);
  }

  under(x, y) { return pick(this, x, y); }

  choose(i) {
    this.picked = i;
    this.ask();
    announce(this, "picked", i);
    this.tell("clicked", i);
  }

  cameraMoved() {
    this.follow("camera", this.camera.state());
    announce(this, "camera", this.camera.state());
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { if (!this.held.size) this.tell("camera", this.camera.text()); }, 350);
  }

  follow(what, value) {
    const act = { camera: () => { this.camera.set(value); this.help.style.opacity = 0; this.pace.turns(() => this.ask()); },
      hovered: () => { this.lit = value; }, picked: () => { this.picked = value; } }[what];
    if (act) { act(); this.ask(); }
  }

  // ---- frames ----
  resize() {
    const width = this.root.clientWidth;
    if (!width) return;
    const height = Math.round(Math.min(this.scene.height, Math.max(width, 260)));
    this.stage.style.height = height + "px";
    this.fit(width, height, Math.min(window.devicePixelRatio || 1, 2));
    this.draw();
  }

  fit(width, height, dpr) {   // CSS pixels
    const camera = this.camera;
    [camera.width, camera.height] = [width, height].map((v) => Math.round(v * dpr));
    camera.dpr = dpr;
    for (const canvas of this.layers)
      if (canvas.width !== camera.width || canvas.height !== camera.height) Object.assign(canvas, { width: camera.width, height: camera.height });
  }

  drawAt(dpr, use) {   // draw at another resolution, for as long as `use` looks at the canvases
    const before = this.camera.dpr, box = [this.front.width / before, this.front.height / before];
    for (const [scale, then] of [[dpr, use], [before, () => {}]]) { this.fit(...box, scale); this.draw(); then(); }
  }

  ask() { this.asked ??= requestAnimationFrame(() => { this.asked = undefined; this.draw(); }); }

  draw() {
    if (!this.scene || !this.camera.dpr || this.drawing.gl.isContextLost()) return;
    if (this.drawing.step(performance.now())) this.ask();
    this.drawn = this.pace.of(this.scene.n);
    this.drawing.draw(this.camera, this.drawn);
    drawOverlay(this);
    this.frames++;
  }

  dispose() {
    if (this.gone) return;
    this.gone = true;
    announce(this, "hovered", -1);
    JOINED.delete(this);
    this.observer?.disconnect();
    clearTimeout(this.telling);
    this.pace.stop();
    this.pictures?.close();
    if (this.asked) cancelAnimationFrame(this.asked);
    if (window.__orrery_sphere) delete window.__orrery_sphere[this.key];
    this.drawing.gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
}
