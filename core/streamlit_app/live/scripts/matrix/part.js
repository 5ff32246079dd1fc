// The square part of a matrix that is shown: where a cell is in the window, and which cell is at a place.
const PLACES = new Map();   // by key: the part shown; outlives a view
const EDGE = 22;            // room for the names of the two sides, CSS pixels
const LEAST = 6;            // cells in view when zoomed in as far as it goes

class Part {
  constructor(key, canvas) {
    this.key = key;
    this.canvas = canvas;
    this.place = PLACES.get(key) ?? null;   // {x, y, span, k}, cells
    this.side = 0;                          // of the canvas, CSS pixels
  }

  get room() { return this.side - EDGE; }   // CSS pixels that cells take

  get size() { return this.room / this.place.span; }   // of a cell, CSS pixels

  whole(k) { this.place = { x: 0, y: 0, span: k, k }; }

  show(x, y, span) {
    const k = this.place.k;
    span = Math.max(Math.min(LEAST, k), Math.min(k, span));
    this.place = { x: Math.max(0, Math.min(k - span, x)), y: Math.max(0, Math.min(k - span, y)), span, k };
    PLACES.set(this.key, this.place);
    this.canvas.style.touchAction = span < k ? "none" : "pan-y";
  }

  zoomBy(factor, u = 0.5, v = 0.5) {   // u, v: what stays where it is, shares of the square
    const p = this.place, span = Math.max(Math.min(LEAST, p.k), Math.min(p.k, p.span / factor));
    this.show(p.x + u * (p.span - span), p.y + v * (p.span - span), span);
  }

  screenOf(row, column) {   // middle of a cell in the browser's window
    const box = this.canvas.getBoundingClientRect(), p = this.place, size = this.size;
    return { x: box.left + EDGE + (column + 0.5 - p.x) * size, y: box.top + EDGE + (row + 0.5 - p.y) * size };
  }

  cellAt(e) {
    const box = this.canvas.getBoundingClientRect(), p = this.place, size = this.size;
    const x = e.clientX - box.left - EDGE, y = e.clientY - box.top - EDGE;
    const column = Math.floor(p.x + x / size), row = Math.floor(p.y + y / size);
    return x < 0 || y < 0 || row < 0 || column < 0 || row >= p.k || column >= p.k || x > this.room || y > this.room ? null : [row, column];
  }

  shares(e) {   // where in the square a pointer is
    const box = this.canvas.getBoundingClientRect();
    return [(e.clientX - box.left - EDGE) / this.room, (e.clientY - box.top - EDGE) / this.room].map((v) => Math.max(0, Math.min(1, v)));
  }
}
