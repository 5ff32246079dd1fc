// The live sphere: WebGL 2 for the globe, points and arcs; a 2-D canvas above it for pictures, marks and labels.
const VIEWS = new Set();     // those on the page; the linked ones of a name turn together
const CAMERAS = new Map();   // by key; outlives a view, so that leaving a page and coming back changes nothing
const HALF = 0.43;           // radius of the globe at zoom 1, share of the shorter side
const EYE = 4.2;             // distance of the eye, radii
const MOST_FILES = 96;       // of labels that are kept
const MOST_PICTURES = 3000;  // that are kept
const A_REQUEST = 24;        // pictures asked for at once
const PATIENCE = 5000;       // until a request counts as lost, ms
const FLUID = 60;            // a frame of a turning sphere may take, ms; where it takes longer, fewer points are drawn
const FEWEST = 4000;         // points of a turning sphere

export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component;
  const root = parentElement.querySelector(".orrery-sphere");
  if (!root || !data) return;
  const scene = decode(data);
  let view = root.orrery;
  if (!view || view.key !== scene.key) {
    view?.dispose();
    view = root.orrery = new View(root, scene);
  }
  view.tell = (name, value) => (name === "clicked" ? setTriggerValue : setStateValue)(name, value);
  view.update(scene);
  return () => { if (root.orrery === view) { view.dispose(); root.orrery = undefined; } };
}

function decode(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const scene = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const take = (Type, count) => {
    const size = count * Type.BYTES_PER_ELEMENT;
    const array = new Type(bytes.slice(at, at + size).buffer);
    at += size + ((4 - (size % 4)) % 4);
    return array;
  };
  scene.coords = take(Float32Array, 3 * scene.n);
  scene.index = take(Uint8Array, scene.n);
  scene.flags = take(Uint8Array, scene.n);
  scene.links = take(Uint32Array, 2 * scene.pairs);
  scene.heat.values = take(Uint8Array, scene.heat.rows * scene.heat.columns);
  return scene;
}

// ---- quaternions [x, y, z, w] ----
const multiply = (a, b) => [
  a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1], a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
  a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3], a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2]];
const normalise = (q) => { const l = Math.hypot(...q) || 1; return q.map((v) => v / l); };
const around = (x, y, z, angle) => { const s = Math.sin(angle / 2); return [x * s, y * s, z * s, Math.cos(angle / 2)]; };
function matrix([x, y, z, w]) {   // row-major 3 x 3
  return [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
    2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
    2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)];
}
function lookingFrom(p) {   // the turn that brings p to the front with the z axis up
  const longitude = Math.atan2(p[1], p[0]), latitude = Math.asin(Math.max(-1, Math.min(1, p[2])));
  const upright = multiply(around(1, 0, 0, -Math.PI / 2), around(0, 0, 1, -Math.PI / 2 - longitude));
  return normalise(multiply(around(1, 0, 0, latitude), upright));
}
const css = (c, alpha = 1) => `rgba(${parseInt(c.slice(1, 3), 16)},${parseInt(c.slice(3, 5), 16)},${parseInt(c.slice(5, 7), 16)},${alpha})`;
const floats = (c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16) / 255);

class View {
  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.hovered = -1;
    this.files = new Map();
    this.pictures = new Map();   // point -> {blob, url, bitmap}, null where there is none
    this.opacity = new Map();
    this.frames = 0;
    this.share = 1;              // of the points, that are drawn while the sphere turns
    this.home = lookingFrom(scene.looking);
    const saved = CAMERAS.get(this.key) ?? readCamera(scene.camera);
    this.turn = saved ? saved.turn : this.home;
    this.zoom = saved ? saved.zoom : 1;
    if (!CAMERAS.has(this.key)) CAMERAS.set(this.key, { turn: this.turn, zoom: this.zoom });
    this.build();
    this.gl = this.back.getContext("webgl2", { antialias: false, premultipliedAlpha: true, alpha: true });
    if (!this.gl) return this.unsupported();
    this.prepare();
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.stage);
    VIEWS.add(this);
    const lines = (window.__orrery_lines ??= new Map());
    if (!lines.has(this.key)) lines.set(this.key, {});
    this.line = lines.get(this.key);
    this.line.hear = this.ear = (answer) => this.hear(answer);
    (window.__orrery_sphere ??= {})[this.key] = {
      project: (i) => this.screenOf(i), camera: () => this.cameraText(), frames: () => this.frames,
      face: (i) => { this.turn = lookingFrom(this.point(i)); this.draw(); }, count: () => this.scene.n, radius: () => this.lens().radius / this.dpr, hovered: () => this.hovered,
      labels: () => this.labelled, drawn: () => this.drawn, tiles: () => (this.tiles ?? []).length, pictures: () => [...this.pictures.keys()],
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
    this.tip = add("div", "os-tip", this.stage);
    this.tipImage = add("img", "", this.tip);
    this.tipImage.alt = "";
    this.tipText = add("div", "", this.tip);
    this.noteNode = add("div", "os-note", this.root);
  }

  unsupported() {
    this.stage.className = "os-friendly";
    this.stage.textContent = "This browser has no WebGL 2, which the live sphere needs. A plainer figure is shown instead.";
    this.broken = true;
  }

  prepare() {
    const gl = this.gl;
    const program = (vs, fs) => {
      const made = gl.createProgram();
      for (const [kind, text] of [[gl.VERTEX_SHADER, vs], [gl.FRAGMENT_SHADER, fs]]) {
        const shader = gl.createShader(kind);
        gl.shaderSource(shader, text);
        gl.compileShader(shader);
        if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
          throw new Error("sphere shader: " + gl.getShaderInfoLog(shader));
        gl.attachShader(made, shader);
      }
      gl.linkProgram(made);
      const at = new Map();
      made.at = (name) => { if (!at.has(name)) at.set(name, gl.getUniformLocation(made, name)); return at.get(name); };
      return made;
    };
    this.bodyProgram = program(BODY_VS, BODY_FS);
    this.pointProgram = program(POINT_VS, POINT_FS);
    this.arcProgram = program(ARC_VS, ARC_FS);
    this.empty = gl.createVertexArray();
    this.tableTexture = gl.createTexture();
    this.scaleTexture = gl.createTexture();
    this.heatTexture = gl.createTexture();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
  }

  update(scene) {
    if (this.broken) { this.tell("unsupported", true); return; }
    const old = this.scene;
    this.scene = scene;
    this.home = lookingFrom(scene.looking);
    this.picked = scene.picked ?? -1;
    this.theme();
    if (!old || old.fingerprint !== scene.fingerprint) {
      this.upload(old);
      this.hover(-1);
    }
    if (old?.pictures !== scene.pictures) this.forgetPictures();
    this.askPictures();
    this.front.setAttribute("aria-label", `${scene.title || "Sphere"}. ${scene.n} points. Arrow keys turn, plus and minus zoom, 0 resets.`);
    this.furnish();
    this.resize();
  }

  theme() {
    const probe = getComputedStyle(this.root);
    const back = (probe.getPropertyValue("--st-background-color") || "#ffffff").trim();
    const channels = back.startsWith("#") && back.length >= 7 ? floats(back) : (back.match(/[\d.]+/g) ?? [255, 255, 255]).map((v) => v / 255);
    this.dark = 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2] < 0.4;
    this.colours = this.scene.themes[this.dark ? "dark" : "light"];
    this.ground = back.startsWith("#") && back.length >= 7 ? back.slice(0, 7) : this.colours.background;
    for (const name of ["background", "panel", "text", "muted", "grid"])
      this.root.style.setProperty("--os-" + name, this.colours[name]);
    this.paintTable(this.tableTexture, this.colours.table, this.gl.NEAREST);
    this.paintTable(this.scaleTexture, this.colours.heat, this.gl.LINEAR);
    this.paintOverlays();
  }

  paintTable(texture, colours, how) {
    const gl = this.gl, table = new Uint8Array(colours.length ? colours : [128, 128, 128]);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, table.length / 3, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, table);
    this.filter(how, gl.CLAMP_TO_EDGE);
  }

  filter(how, wrap) {
    const gl = this.gl;
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, how);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, how);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
  }

  upload(old) {
    const gl = this.gl, s = this.scene;
    // Points are drawn in a scattered order, so that no kind always lies on top of another.
    const order = scattered(s.n), to = new Float32Array(3 * s.n), from = new Float32Array(3 * s.n);
    const index = new Uint8Array(s.n), flags = new Uint8Array(s.n);
    const same = !old || old.n !== s.n || old.coords.every((v, i) => v === s.coords[i]);
    const before = same ? s.coords : old.coords;
    for (let k = 0; k < s.n; k++) {
      const i = order[k];
      for (let c = 0; c < 3; c++) { to[3 * k + c] = s.coords[3 * i + c]; from[3 * k + c] = before[3 * i + c]; }
      index[k] = s.index[i];
      flags[k] = s.flags[i];
    }
    this.points ??= { array: gl.createVertexArray(), buffers: [0, 1, 2, 3].map(() => gl.createBuffer()) };
    gl.bindVertexArray(this.points.array);
    [[to, 3], [from, 3], [index, 1], [flags, 1]].forEach(([values, size], slot) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.points.buffers[slot]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(slot);
      if (size === 3) gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 0, 0);
      else gl.vertexAttribIPointer(slot, 1, gl.UNSIGNED_BYTE, 0, 0);
    });
    const still = same || matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.moved = still ? 1 : 0;
    this.movedAt = performance.now();
    if (s.heat.rows) {
      gl.bindTexture(gl.TEXTURE_2D, this.heatTexture);
      gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.R8, s.heat.columns, s.heat.rows, 0, gl.RED, gl.UNSIGNED_BYTE, s.heat.values);
      this.filter(gl.LINEAR, gl.REPEAT);
    }
    this.paintOverlays();
  }

  paintOverlays() {   // the ribbons: pairs, named arcs, arrows
    const s = this.scene, kinds = this.colours.kinds;
    const quiet = [...floats(this.colours.muted), Math.max(0.1, Math.min(0.34, 4 / Math.sqrt(s.pairs + 1)))];
    const pairs = new Float32Array(10 * s.pairs);
    for (let k = 0; k < s.pairs; k++) {
      pairs.set(s.coords.subarray(3 * s.links[2 * k], 3 * s.links[2 * k] + 3), 10 * k);
      pairs.set(s.coords.subarray(3 * s.links[2 * k + 1], 3 * s.links[2 * k + 1] + 3), 10 * k + 3);
      pairs.set(quiet, 10 * k + 6);
    }
    const named = s.arcs.flatMap((a) => [...a.start, ...a.end, ...floats(kinds[a.kind] ?? kinds.plain), 0.95]);
    const arrows = s.arrows.flatMap(([a, b]) => [...a, ...b, ...floats(kinds.plain), 0.85]);
    this.ribbons = [this.ribbon("pairs", pairs, 1.1, 0, 1.0), this.ribbon("arcs", new Float32Array(named), 3.4, 0, 1.004),
      this.ribbon("arrows", new Float32Array(arrows), 1.8, 1, 1.004)];
  }

  ribbon(name, values, width, arrow, lift) {
    const gl = this.gl;
    this.ribbonBuffers ??= {};
    const made = (this.ribbonBuffers[name] ??= { array: gl.createVertexArray(), buffer: gl.createBuffer() });
    gl.bindVertexArray(made.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, made.buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    [[3, 0], [3, 12], [4, 24]].forEach(([size, offset], slot) => {
      gl.enableVertexAttribArray(slot);
      gl.vertexAttribPointer(slot, size, gl.FLOAT, false, 40, offset);
      gl.vertexAttribDivisor(slot, 1);
    });
    return { array: made.array, count: values.length / 10, width, arrow, lift };
  }

  furnish() {
    const s = this.scene;
    this.titleNode.textContent = s.title;
    this.titleNode.style.display = s.title ? "" : "none";
    this.noteNode.textContent = s.note;
    fillLegend(this);
  }

  // ---- camera ----
  lens() {
    const side = Math.min(this.front.width, this.front.height), radius = HALF * side * this.zoom;
    return { x: this.front.width / 2, y: this.front.height / 2, focal: radius * Math.sqrt(EYE * EYE - 1), radius };
  }

  project(p, m = matrix(this.turn), l = this.lens()) {   // device pixels, and above 0 where it is on the near half
    const x = m[0] * p[0] + m[1] * p[1] + m[2] * p[2], y = m[3] * p[0] + m[4] * p[1] + m[5] * p[2];
    const z = m[6] * p[0] + m[7] * p[1] + m[8] * p[2], f = l.focal / (EYE - z);
    return [l.x + f * x, l.y - f * y, z * EYE - 1];
  }

  point(i) { return this.scene.coords.subarray(3 * i, 3 * i + 3); }

  screenOf(i) {   // in the browser's window, for whoever wants to click a point
    const box = this.front.getBoundingClientRect(), [x, y, facing] = this.project(this.point(i));
    return { x: box.left + x / this.dpr, y: box.top + y / this.dpr, front: facing > 0 };
  }

  cameraText() { return [...this.turn, this.zoom].map((v) => +v.toFixed(4)).join(","); }

  rotate(dx, dy, roll = 0) {   // device pixels; what is in the middle follows the hand
    const r = this.lens().focal / (EYE - 1);
    let turn = multiply(around(0, 1, 0, dx / r), around(1, 0, 0, dy / r));
    if (roll) turn = multiply(around(0, 0, 1, roll), turn);
    this.turn = normalise(multiply(turn, this.turn));
    this.moved_camera();
  }

  zoomBy(factor) {
    this.zoom = Math.max(0.75, Math.min(12, this.zoom * factor));
    this.moved_camera();
  }

  reset() {
    this.turn = this.home;
    this.zoom = 1;
    this.moved_camera();
  }

  moved_camera() {
    const linked = [...VIEWS].filter((view) => view === this || (view.scene?.linked && view.scene.linked === this.scene.linked));
    for (const view of linked) {
      view.turn = this.turn;
      view.zoom = this.zoom;
      CAMERAS.set(view.key, { turn: this.turn, zoom: this.zoom });
      view.help.style.opacity = 0;
      view.inMotion();
    }
    clearTimeout(this.telling);
    this.telling = setTimeout(() => { if (!this.held?.size) this.tell?.("camera", this.cameraText()); }, 350);
  }

  inMotion() {
    this.turning = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.turning = false; this.drawnAt = undefined; this.ask(); }, 160);
    this.ask();
  }

  pointsNow() {   // all of them, but fewer while the sphere turns where the machine is slow; their order is scattered
    if (!this.turning) return this.scene.n;
    const now = performance.now(), took = this.drawnAt === undefined ? undefined : now - this.drawnAt;
    this.drawnAt = now;
    if (took > FLUID) this.share = Math.max(this.share * Math.max(FLUID / took, 0.25), 1 / 64);
    else if (took < FLUID / 3) this.share = Math.min(1, this.share * 1.15);
    return Math.min(this.scene.n, Math.max(FEWEST, Math.round(this.share * this.scene.n)));
  }

  // ---- drawing ----
  resize() {
    const width = this.root.clientWidth;
    if (!width) return;
    const height = Math.round(Math.min(this.scene.height, Math.max(width, 260)));
    this.stage.style.height = height + "px";
    this.dpr = Math.min(window.devicePixelRatio || 1, 2);
    const w = Math.round(width * this.dpr), h = Math.round(height * this.dpr);
    for (const canvas of [this.back, this.front])
      if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    this.draw();
  }

  drawAt(dpr, use) {   // draw at another resolution, for as long as `use` looks at the canvases
    const before = this.dpr, box = [this.front.width / before, this.front.height / before];
    const size = (scale) => {
      this.dpr = scale;
      for (const canvas of [this.back, this.front]) [canvas.width, canvas.height] = box.map((v) => Math.round(v * scale));
      this.draw();
    };
    size(dpr);
    use();
    size(before);
  }

  ask() { this.asked ??= requestAnimationFrame(() => { this.asked = undefined; this.draw(); }); }

  draw() {
    const gl = this.gl, s = this.scene;
    if (!s || !this.dpr || gl.isContextLost()) return;
    if (this.moved < 1) {
      const t = Math.min(1, (performance.now() - this.movedAt) / 650);
      this.moved = t * t * (3 - 2 * t);
      this.ask();
    }
    const l = this.lens(), m = new Float32Array(matrix(this.turn));
    gl.viewport(0, 0, this.front.width, this.front.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const begin = (program, front) => {
      gl.useProgram(program);
      gl.uniformMatrix3fv(program.at("u_turn"), true, m);
      gl.uniform4f(program.at("u_view"), l.x, l.y, l.focal, EYE);
      gl.uniform2f(program.at("u_size"), this.front.width, this.front.height);
      gl.uniform1f(program.at("u_front"), front);
    };
    const now = this.drawn = this.pointsNow();
    for (const front of [0, 1]) {
      begin(this.bodyProgram, front);
      this.drawBody();
      begin(this.arcProgram, front);
      this.drawRibbon(this.ribbons[0], front);
      if (now) { begin(this.pointProgram, front); this.drawPoints(now); }
      begin(this.arcProgram, front);
      this.drawRibbon(this.ribbons[1], front);
      this.drawRibbon(this.ribbons[2], front);
    }
    drawOverlay(this, l);
    this.frames++;
  }

  drawBody() {
    const gl = this.gl, at = this.bodyProgram.at, s = this.scene, c = this.colours;
    gl.bindVertexArray(this.empty);
    gl.uniform1f(at("u_dpr"), this.dpr);
    gl.uniform1f(at("u_dark"), this.dark ? 1 : 0);
    gl.uniform3fv(at("u_body"), floats(c.sphere));
    gl.uniform3fv(at("u_grid"), floats(this.dark ? "#5b6a82" : "#9aa7b8"));
    gl.uniform1f(at("u_has_heat"), s.heat.rows ? 1 : 0);
    gl.uniform1i(at("u_heat"), 0);
    gl.uniform1i(at("u_scale"), 1);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D, this.scaleTexture);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.heatTexture);
    const caps = s.caps.slice(0, MOST_CAPS);
    gl.uniform1i(at("u_cap_count"), caps.length);
    if (caps.length) {
      gl.uniform4fv(at("u_caps"), caps.flatMap((cap) => [...cap.centre, cap.radius]));
      gl.uniform3fv(at("u_cap_colours"), caps.flatMap((cap) => floats(c.kinds[cap.kind] ?? c.kinds.plain)));
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }

  pointSize() {   // radius in device pixels
    const share = 2.1 / Math.sqrt(this.scene.n + 30);
    return Math.max(1.15, Math.min(6.5, share * (this.lens().radius / this.zoom / this.dpr) * 0.42)) * this.dpr * Math.sqrt(this.zoom);
  }

  drawPoints(count) {
    const gl = this.gl, at = this.pointProgram.at;
    gl.bindVertexArray(this.points.array);
    gl.bindTexture(gl.TEXTURE_2D, this.tableTexture);
    gl.uniform1i(at("u_table"), 0);
    gl.uniform1f(at("u_point"), this.pointSize());
    gl.uniform1f(at("u_moved"), this.moved);
    gl.uniform1f(at("u_dim"), this.scene.heat.rows ? 0.75 : 1);
    gl.uniform3fv(at("u_grey"), floats(this.colours.unselected));
    gl.uniform3fv(at("u_background"), floats(this.ground));
    gl.drawArrays(gl.POINTS, 0, count);
  }

  drawRibbon(r, front) {
    if (!r.count) return;
    const gl = this.gl, at = this.arcProgram.at;
    gl.bindVertexArray(r.array);
    gl.uniform1f(at("u_width"), r.width * this.dpr);
    gl.uniform1f(at("u_arrow"), r.arrow);
    gl.uniform1f(at("u_lift"), r.lift);
    gl.uniform1f(at("u_fade"), 0.3);
    gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 2 * (SEGMENTS + 1), r.count);
  }

  // ---- what lies under the pointer ----
  pick(x, y) {   // CSS pixels in the canvas -> point or -1; the near half first
    const m = matrix(this.turn), l = this.lens(), c = this.scene.coords, px = x * this.dpr, py = y * this.dpr;
    const reach = this.pointSize() + 7 * this.dpr;
    let best = -1, least = reach, behind = -1, least_behind = this.pointSize() + 2 * this.dpr;
    for (let i = 0; i < this.scene.n; i++) {
      const a = c[3 * i], b = c[3 * i + 1], e = c[3 * i + 2];
      const f = l.focal / (EYE - (m[6] * a + m[7] * b + m[8] * e));
      const dx = l.x + f * (m[0] * a + m[1] * b + m[2] * e) - px;
      if (dx > reach || dx < -reach) continue;
      const dy = l.y - f * (m[3] * a + m[4] * b + m[5] * e) - py;
      const d = Math.hypot(dx, dy);
      if ((m[6] * a + m[7] * b + m[8] * e) * EYE > 1) { if (d < least) { least = d; best = i; } }
      else if (d < least_behind) { least_behind = d; behind = i; }
    }
    const tile = (this.tiles ?? []).findLast((t) => px >= t.x && px <= t.x + t.size && py >= t.y && py <= t.y + t.size);
    if (tile && (best < 0 || least > this.pointSize())) return tile.point;
    return best >= 0 ? best : behind;
  }

  hover(i, x = 0, y = 0) {
    if (i !== this.hovered) { this.hovered = i; this.ask(); this.fillTip(i); }
    this.front.classList.toggle("os-over", i >= 0);
    this.tip.style.display = i >= 0 ? "block" : "none";
    if (i >= 0) this.placeTip(x, y);
  }

  placeTip(x, y) {
    this.tipAt = [x, y];
    const width = this.stage.clientWidth, height = this.stage.clientHeight;
    const left = x + 16 + this.tip.offsetWidth > width ? x - 16 - this.tip.offsetWidth : x + 16;
    const top = Math.max(4, Math.min(y + 14, height - this.tip.offsetHeight - 4));
    this.tip.style.left = Math.max(4, left) + "px";
    this.tip.style.top = top + "px";
  }

  fillTip(i) {
    this.tipText.textContent = "";
    this.tipImage.style.display = "none";
    this.tipImage.removeAttribute("src");
    if (i < 0) return;
    this.labels(i).then((text) => { if (this.hovered === i) { this.tipText.textContent = text; this.placeTip(...this.tipAt); } });
    if (!this.pictured(i)) return;
    this.tipImage.style.display = "block";
    this.showInTip();
    clearTimeout(this.dwelling);
    this.dwelling = setTimeout(() => this.askPictures(), 40);
  }

  showInTip() {
    const picture = this.pictures.get(this.hovered);
    if (picture) this.tipImage.src = picture.url ??= URL.createObjectURL(picture.blob);
    else if (picture === null) this.tipImage.style.display = "none";
  }

  async labels(i) {
    const size = this.scene.labels_a_file, file = await this.file("labels", Math.floor(i / size), (r) => r.json());
    return file[i % size] ?? "";
  }

  file(kind, which, read) {
    const url = this.scene.urls[kind][which];
    if (this.files.size > MOST_FILES) this.files.delete(this.files.keys().next().value);
    if (!this.files.has(url)) this.files.set(url, fetch(url).then((r) => { if (!r.ok) throw new Error(r.status); return read(r); })
      .catch((error) => { this.files.delete(url); console.warn("sphere: could not read", url, error); return []; }));
    return this.files.get(url);
  }

  // ---- pictures: asked for when they are needed, a few at a time ----
  pictured(i) { return (this.scene.flags[i] & 64) > 0; }

  askPictures() {   // the one hovered over, those on the globe, those around the pointer; one request at a time
    if (this.gone || this.waiting || !this.line.ask) return;
    const missing = (i) => !this.pictures.has(i) && this.pictured(i), points = new Set();
    if (this.hovered >= 0 && missing(this.hovered)) {
      points.add(this.hovered);
      for (const i of this.around(this.hovered, 11)) if (missing(i)) points.add(i);
    }
    for (const i of this.scene.shown) if (points.size < A_REQUEST && missing(i)) points.add(i);
    if (!points.size) return;
    this.waiting = setTimeout(() => { this.waiting = undefined; this.askPictures(); }, PATIENCE);
    this.line.ask({ of: this.scene.pictures, points: [...points], number: Date.now() });
  }

  around(i, most) {   // points with a picture that are nearest to one, on the map
    const c = this.scene.coords, [x, y, z] = this.point(i), near = [];
    let least = -2;
    for (let k = 0; k < this.scene.n; k++) {
      if (k === i || !(this.scene.flags[k] & 64)) continue;
      const cosine = c[3 * k] * x + c[3 * k + 1] * y + c[3 * k + 2] * z;
      if (cosine <= least) continue;
      near.push([cosine, k]);
      if (near.length < 4 * most) continue;
      near.sort((a, b) => b[0] - a[0]).length = most;
      least = near[most - 1][0];
    }
    return near.sort((a, b) => b[0] - a[0]).slice(0, most).map(([, k]) => k);
  }

  async hear(answer) {
    if (this.gone || !this.scene || answer.of !== this.scene.pictures || answer.number === this.heard) return this.askPictures();
    this.heard = answer.number;
    clearTimeout(this.waiting);
    this.waiting = undefined;
    answer.points.forEach((point, k) => this.pictures.set(point, answer.blobs[k] && { blob: answer.blobs[k] }));
    for (const point of this.pictures.keys()) {
      if (this.pictures.size <= MOST_PICTURES) break;
      if (!this.scene.shown.includes(point)) this.forgetPicture(point);
    }
    this.showInTip();
    this.askPictures();
    for (const point of this.scene.shown) {
      const picture = this.pictures.get(point);
      if (!picture || picture.bitmap !== undefined) continue;
      picture.bitmap = null;
      try { picture.bitmap = await createImageBitmap(picture.blob); } catch { continue; /* not a picture: its point stays */ }
      this.ask();
    }
  }

  forgetPicture(point) {
    const picture = this.pictures.get(point);
    if (picture?.url) URL.revokeObjectURL(picture.url);
    this.pictures.delete(point);
  }

  forgetPictures() {
    for (const point of [...this.pictures.keys()]) this.forgetPicture(point);
    this.opacity.clear();
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  // ---- hands ----
  listen() {
    const canvas = this.front;
    this.held = new Map();
    const place = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
    const spread = () => { const [a, b] = [...this.held.values()]; return [Math.hypot(a[0] - b[0], a[1] - b[1]), Math.atan2(b[1] - a[1], b[0] - a[0])]; };
    canvas.addEventListener("pointerdown", (e) => {
      if (e.button > 0) return;
      canvas.setPointerCapture(e.pointerId);
      this.held.set(e.pointerId, place(e));
      this.travelled = this.held.size > 1 ? Infinity : 0;
      canvas.focus({ preventScroll: true });
    });
    canvas.addEventListener("pointermove", (e) => {
      const now = place(e), before = this.held.get(e.pointerId);
      if (!before) {
        this.at = now;
        this.looking ??= requestAnimationFrame(() => { this.looking = undefined; this.hover(this.pick(...this.at), ...this.at); });
        return;
      }
      const wide = this.held.size === 2 ? spread() : undefined;
      this.held.set(e.pointerId, now);
      this.travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
      if (wide) {
        const [length, angle] = spread();
        this.zoomBy(length / Math.max(wide[0], 1));
        this.rotate(0, 0, wide[1] - angle);
      } else if (this.travelled > 4) {
        canvas.classList.add("os-turning");
        this.hover(-1);
        this.rotate((now[0] - before[0]) * this.dpr, (now[1] - before[1]) * this.dpr);
      }
    });
    const release = (e) => {
      if (!this.held.delete(e.pointerId)) return;
      canvas.classList.remove("os-turning");
      if (e.type === "pointerup" && this.travelled <= 4) {
        const at = place(e), i = this.pick(...at);
        this.hover(i, ...at);   // a finger that taps beside the points closes the tip
        if (i >= 0) { this.picked = i; this.ask(); this.tell?.("clicked", i); }
      } else if (!this.held.size) this.moved_camera();
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", (e) => { if (!this.held.size && e.pointerType === "mouse") this.hover(-1); });
    canvas.addEventListener("wheel", (e) => { e.preventDefault(); this.zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015))); }, { passive: false });
    canvas.addEventListener("dblclick", () => this.reset());
    canvas.addEventListener("keydown", (e) => {
      const step = this.lens().radius * 0.1;
      const act = { ArrowLeft: () => this.rotate(-step, 0), ArrowRight: () => this.rotate(step, 0), ArrowUp: () => this.rotate(0, -step),
        ArrowDown: () => this.rotate(0, step), "+": () => this.zoomBy(1.15), "=": () => this.zoomBy(1.15), "-": () => this.zoomBy(1 / 1.15),
        0: () => this.reset(), Home: () => this.reset(), Escape: () => this.hover(-1) }[e.key];
      if (act && !e.ctrlKey && !e.metaKey) { e.preventDefault(); act(); }
    });
    this.back.addEventListener("webglcontextlost", (e) => e.preventDefault());
    this.back.addEventListener("webglcontextrestored", () => {
      this.points = this.ribbonBuffers = undefined;
      this.prepare(); this.theme(); this.upload(); this.draw();
    });
  }

  dispose() {
    if (this.gone) return;
    this.gone = true;
    VIEWS.delete(this);
    this.observer?.disconnect();
    clearTimeout(this.telling);
    clearTimeout(this.resting);
    this.forgetPictures();
    if (this.line?.hear === this.ear) delete this.line?.hear;
    if (this.asked) cancelAnimationFrame(this.asked);
    if (window.__orrery_sphere) delete window.__orrery_sphere[this.key];
    this.gl?.getExtension("WEBGL_lose_context")?.loseContext();
  }
}

function readCamera(text) {
  const parts = String(text ?? "").split(",").map(Number);
  if (parts.length !== 5 || !parts.every(Number.isFinite) || Math.hypot(...parts.slice(0, 4)) < 0.1) return undefined;
  return { turn: normalise(parts.slice(0, 4)), zoom: Math.max(0.75, Math.min(12, parts[4])) };
}

function scattered(n) {   // the same order each time
  const order = new Uint32Array(n).map((_, i) => i);
  let seed = 20250101;
  for (let i = n - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 4294967296) * (i + 1)), keep = order[i];
    order[i] = order[j];
    order[j] = keep;
  }
  return order;
}
