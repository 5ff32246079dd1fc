// The strip of pictures below a player: as many frames as fit, cuts between them, the current one ringed.
const STRIP_HEIGHT = 58;   // at most, CSS pixels
const STRIP_NARROW = 44;   // where the page is narrow
const STRIP_GAP = 5;

class Strip {
  constructor(owner, parent) {
    this.owner = owner;
    this.canvas = add("canvas", "of-strip", parent);
    this.canvas.setAttribute("role", "img");
    this.tip = add("div", "of-strip-tip", parent);
    this.pen = this.canvas.getContext("2d");
    this.frames = [];   // those shown
    this.ratio = 1;     // width to height of a picture
    const over = (e) => this.shownAt(e.clientX - this.canvas.getBoundingClientRect().left);
    this.canvas.addEventListener("pointermove", (e) => this.hover(over(e)));
    this.canvas.addEventListener("pointerleave", () => this.hover(-1));
    this.canvas.addEventListener("click", (e) => { const k = over(e); if (k >= 0) owner.goToFrame(this.frames[k]); });
  }

  lay(path, width) {   // CSS pixels
    this.path = path;
    this.width = width;
    const wished = (width < 560 ? STRIP_NARROW : STRIP_HEIGHT) * this.ratio, fit = Math.max(1, Math.ceil((width + STRIP_GAP) / (wished + STRIP_GAP)));
    const count = Math.min(fit, path.count);
    this.frames = Array.from({ length: count }, (_, k) => (count === 1 ? 0 : Math.round((k * (path.count - 1)) / (count - 1))));
    this.side = Math.min(wished, (width - (fit - 1) * STRIP_GAP) / fit);
    this.height = this.side / this.ratio;
    this.hover(-1);
    this.canvas.setAttribute("aria-label", `${count} of ${path.count} frames of ${path.name}; click one to go there`);
  }

  box(k) { return [k * (this.side + STRIP_GAP), 2, this.side, this.height]; }

  shownAt(x) {
    const k = Math.floor(x / (this.side + STRIP_GAP));
    return k >= 0 && k < this.frames.length ? k : -1;
  }

  hover(k) {
    this.hovered = k;
    this.tip.style.display = k >= 0 ? "block" : "none";
    if (k < 0) return;
    const frame = this.frames[k], [x, , side] = this.box(k);
    this.tip.textContent = `${clockOf(this.path.times[frame])}, frame ${frame + 1} of ${this.path.count}`;
    this.tip.style.left = Math.max(0, Math.min(this.width - this.tip.offsetWidth, x + side / 2 - this.tip.offsetWidth / 2)) + "px";
  }

  current(time) {   // which of those shown is next to the frame of now
    const frame = this.path.frameAt(time), far = this.frames.map((shown) => Math.abs(shown - frame));
    return far.indexOf(Math.min(...far));
  }

  draw(time, bitmapOf, look, dpr) {
    const canvas = this.canvas, pen = this.pen, [width, height] = [this.width, this.height + 4].map((v) => Math.round(v * dpr));
    const known = this.frames.map((frame) => bitmapOf(frame)), first = known.find(Boolean);
    const ratio = first ? Math.max(0.5, Math.min(2.4, first.width / first.height)) : this.ratio;
    if (Math.abs(ratio - this.ratio) > 0.01) {
      this.ratio = ratio;
      this.lay(this.path, this.width);
      this.owner.asked();
      return;
    }
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    canvas.style.height = this.height + 4 + "px";
    pen.setTransform(dpr, 0, 0, dpr, 0, 0);
    pen.clearRect(0, 0, this.width, this.height + 4);
    const here = this.current(time);
    for (const [k, frame] of this.frames.entries()) {
      const [x, y, w, h] = this.box(k);
      pen.fillStyle = look.colours.grid;
      pen.fillRect(x, y, w, h);
      if (known[k]) {
        const scale = Math.max(w / known[k].width, h / known[k].height), a = w / scale, b = h / scale;
        pen.drawImage(known[k], (known[k].width - a) / 2, (known[k].height - b) / 2, a, b, x, y, w, h);
      }
      pen.strokeStyle = look.colours.grid;   // a white picture on a white page has an edge
      pen.lineWidth = 1;
      pen.strokeRect(x + 0.5, y + 0.5, w - 1, h - 1);
      const next = this.frames[k + 1];
      if (next !== undefined && this.path.starts.some((start) => start > frame && start <= next)) {
        pen.fillStyle = look.colours.kinds.text;
        pen.fillRect(x + w + STRIP_GAP / 2 - 1, 0, 2, this.height + 4);
      }
      if (k !== here) continue;
      for (const [colour, line] of [[look.ground, 5], [look.colours.kinds.image, 3]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = line;
        pen.strokeRect(x + 1.5, y, w - 3, h);
      }
    }
  }
}
