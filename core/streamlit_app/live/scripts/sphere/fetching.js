// What is fetched when it is needed: labels from files, pictures from the page, a few at a time.
const MOST_FILES = 96;       // of labels that are kept
const MOST_PICTURES = 3000;  // that are kept
const A_REQUEST = 24;        // pictures asked for at once
const PATIENCE = 5000;       // until a request counts as lost, ms

class Labels {
  files = new Map();

  async of(scene, i) {
    const size = scene.labels_a_file, file = await this.file(scene.urls.labels[Math.floor(i / size)]);
    return file[i % size] ?? "";
  }

  file(url) {
    if (this.files.size > MOST_FILES) this.files.delete(this.files.keys().next().value);
    if (!this.files.has(url)) this.files.set(url, fetch(url).then((r) => { if (!r.ok) throw new Error(r.status); return r.json(); })
      .catch((error) => { this.files.delete(url); console.warn("sphere: could not read", url, error); return []; }));
    return this.files.get(url);
  }
}

class Pictures {
  constructor(view) {
    this.view = view;
    this.kept = new Map();      // point -> {blob, url, bitmap}, null where there is none
    this.opacity = new Map();   // of those on the globe
    this.line = lineOf(view.key);
    this.line.hear = this.ear = (answer) => this.hear(answer);
  }

  placed() { return this.view.scene.shown; }   // whose pictures are drawn, the most wanted first

  ask() {   // for the one hovered over, those on the globe, those around the pointer; one request at a time
    const { scene, hovered } = this.view;
    if (this.closed || this.waiting || !this.line.ask) return;
    const missing = (i) => !this.kept.has(i) && pictured(scene, i), points = new Set();
    if (hovered >= 0 && missing(hovered)) {
      points.add(hovered);
      for (const i of picturedAround(scene, hovered, 11)) if (missing(i)) points.add(i);
    }
    for (const i of this.placed()) if (points.size < A_REQUEST && missing(i)) points.add(i);
    if (!points.size) return;
    this.waiting = setTimeout(() => { this.waiting = undefined; this.ask(); }, PATIENCE);
    this.line.ask({ of: scene.pictures, points: [...points], number: Date.now() });
  }

  async hear(answer) {
    const scene = this.view.scene;
    if (this.closed || !scene) return;
    if (answer.of !== scene.pictures || answer.number === this.heard) return this.ask();
    this.heard = answer.number;
    clearTimeout(this.waiting);
    this.waiting = undefined;
    answer.points.forEach((point, k) => this.kept.set(point, answer.blobs[k] && { blob: answer.blobs[k] }));
    const placed = this.placed();
    for (const point of this.kept.keys()) {
      if (this.kept.size <= MOST_PICTURES) break;
      if (!placed.includes(point)) this.forget(point);
    }
    this.view.tip.showPicture();
    this.ask();
    for (const point of placed) {
      const picture = this.kept.get(point);
      if (!picture || picture.bitmap !== undefined) continue;
      picture.bitmap = null;
      try { picture.bitmap = await createImageBitmap(picture.blob); } catch { continue; /* not a picture: its point stays */ }
      this.view.ask();
    }
  }

  urlOf(point) {   // of its picture; null where there is none, undefined where it has not come yet
    const picture = this.kept.get(point);
    return picture && (picture.url ??= URL.createObjectURL(picture.blob));
  }

  forget(point) {
    const picture = this.kept.get(point);
    if (picture?.url) URL.revokeObjectURL(picture.url);
    this.kept.delete(point);
  }

  forgetAll() {
    for (const point of [...this.kept.keys()]) this.forget(point);
    this.opacity.clear();
    clearTimeout(this.waiting);
    this.waiting = undefined;
  }

  close() {
    this.closed = true;
    this.forgetAll();
    if (this.line.hear === this.ear) delete this.line.hear;
  }
}
