// The sheet of a matrix: cosines from files of rows, coloured onto a canvas of one pixel a cell.
class Sheet {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.pen = this.canvas.getContext("2d", { willReadFrequently: true });
  }

  async load(scene, onRows) {   // calls back after each file; fails where one cannot be read
    const k = scene.k;
    this.scene = scene;
    this.values = new Int16Array(k * k);
    this.canvas.width = this.canvas.height = k;
    this.known = new Uint8Array(scene.tiles.length);
    this.loaded = 0;
    await Promise.all(scene.tiles.map(async (url, i) => {
      const bytes = await fetch(url).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.arrayBuffer(); });
      if (this.scene.fingerprint !== scene.fingerprint) return;
      this.values.set(new Int16Array(bytes), i * scene.rows_a_tile * k);
      this.known[i] = 1;
      this.loaded++;
      this.paint(i);
      onRows();
    }));
  }

  colour(scene, { dark, colours }) {   // the rows that are here anew, where the scale or the theme is another
    this.scene = scene;
    this.table = colours.table;
    const now = `${dark} ${scene.scale} ${scene.fingerprint}`;
    if (now === this.painted) return;
    this.painted = now;
    this.known.forEach((known, i) => { if (known) this.paint(i); });
  }

  block(row, column) {
    const n = this.scene.images;
    return row < n && column < n ? "images" : row >= n && column >= n ? "texts" : "cross";
  }

  paint(tile) {   // the rows of one file
    const { k, images: n, steps, rows_a_tile: rows, ends } = this.scene;
    const first = tile * rows, last = Math.min(first + rows, k), table = new Uint32Array(256), t = this.table;
    for (let i = 0; i < 256; i++) table[i] = (255 << 24) | (t[3 * i + 2] << 16) | (t[3 * i + 1] << 8) | t[3 * i];
    const picture = this.pen.createImageData(k, last - first), pixels = new Uint32Array(picture.data.buffer);
    for (let row = first; row < last; row++) {
      for (const [from, to] of [[0, n], [n, k]]) {
        if (from === to) continue;
        const [low, high] = ends[this.block(row, from)].map((v) => v * steps), factor = 255 / (high - low);
        for (let column = from, at = row * k + from; column < to; column++, at++)
          pixels[at - first * k] = table[Math.max(0, Math.min(255, Math.round((this.values[at] - low) * factor)))];
      }
    }
    this.pen.putImageData(picture, 0, first);
  }

  value(row, column) {   // a cosine; null where its row has not come yet
    const { k, steps, rows_a_tile: rows } = this.scene;
    return this.known[Math.floor(row / rows)] ? this.values[row * k + column] / steps : null;
  }

  colourOf(row, column) { return [...this.pen.getImageData(column, row, 1, 1).data]; }
}
