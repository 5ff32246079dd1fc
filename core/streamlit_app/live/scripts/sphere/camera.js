// Where a sphere is looked at from: its turn and zoom, and where a point of it falls on the canvas.
const CAMERAS = new Map();   // by key of the view, with what it looked at; outlives a view: coming back changes nothing
const HALF = 0.43;           // radius of the globe at zoom 1, share of the shorter side
const EYE = 4.2;             // distance of the eye, radii
const ZOOMS = [0.75, 12];

class Camera {
  constructor(key, text) {   // text: of another visit, used where this visit has not been here
    this.key = key;
    Object.assign(this, { zoom: 1, turned: false }, CAMERAS.get(key) ?? readCamera(text));
    this.width = this.height = 0;   // of the canvas, device pixels
    this.dpr = undefined;           // device pixels to a CSS pixel, once there is a canvas
  }

  lookAt({ looking, data }) {   // other data face the viewer, but where a hand has turned the camera it stays
    this.home = lookingFrom(looking);
    if (!this.turn || (!this.turned && this.data !== data)) this.reset();
    this.data = data;
    this.keep();
  }

  keep() { CAMERAS.set(this.key, { ...this.state(), data: this.data }); }

  state() { return { turn: this.turn, zoom: this.zoom, turned: this.turned }; }

  text() { return [...this.turn, this.zoom].map((v) => +v.toFixed(4)).join(","); }

  set({ turn, zoom, turned }) {
    Object.assign(this, { turn, zoom, turned });
    this.keep();
  }

  face(p) { this.turn = lookingFrom(p); }

  rotate(dx, dy, roll = 0) {   // device pixels; what is in the middle follows the hand
    const r = this.lens().focal / (EYE - 1);
    let turn = multiply(around(0, 1, 0, dx / r), around(1, 0, 0, dy / r));
    if (roll) turn = multiply(around(0, 0, 1, roll), turn);
    this.turn = normalise(multiply(turn, this.turn));
    this.turned = true;
  }

  zoomBy(factor) {
    this.zoom = Math.max(ZOOMS[0], Math.min(ZOOMS[1], this.zoom * factor));
    this.turned = true;
  }

  reset() { Object.assign(this, { turn: this.home, zoom: 1, turned: false }); }

  lens() {
    const radius = HALF * Math.min(this.width, this.height) * this.zoom;
    return { x: this.width / 2, y: this.height / 2, focal: radius * Math.sqrt(EYE * EYE - 1), radius };
  }

  projector() {   // of this moment: p -> device pixels, and above 0 where it is on the near half
    const m = matrix(this.turn), l = this.lens();
    return (p) => {
      const x = m[0] * p[0] + m[1] * p[1] + m[2] * p[2], y = m[3] * p[0] + m[4] * p[1] + m[5] * p[2];
      const z = m[6] * p[0] + m[7] * p[1] + m[8] * p[2], f = l.focal / (EYE - z);
      return [l.x + f * x, l.y - f * y, z * EYE - 1];
    };
  }
}

function readCamera(text) {
  const parts = String(text ?? "").split(",").map(Number);
  if (parts.length !== 5 || !parts.every(Number.isFinite) || Math.hypot(...parts.slice(0, 4)) < 0.1) return undefined;
  return { turn: normalise(parts.slice(0, 4)), zoom: Math.max(ZOOMS[0], Math.min(ZOOMS[1], parts[4])), turned: true };
}
