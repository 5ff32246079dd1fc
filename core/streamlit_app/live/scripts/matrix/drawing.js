// What is drawn of a matrix: the part shown, its two sides, the cell picked and the cell pointed at.
function drawMatrix({ scene, look, pen, dpr: d, part, sheet, cell, root, front }) {
  const p = part.place, left = EDGE * d, side = part.room * d, size = side / p.span;
  pen.clearRect(0, 0, front.width, front.height);
  pen.fillStyle = look.colours.panel;
  pen.fillRect(left, left, side, side);
  pen.imageSmoothingEnabled = size < 1;
  pen.imageSmoothingQuality = "high";
  pen.drawImage(sheet.canvas, p.x, p.y, p.span, p.span, left, left, side, side);
  drawSides({ scene, look, pen, d, p, left, side, size, family: getComputedStyle(root).fontFamily });
  pen.save();
  pen.beginPath();
  pen.rect(left - 3 * d, left - 3 * d, side + 6 * d, side + 6 * d);
  pen.clip();
  if (scene.picked) ringCell(scene.picked, 2.4, { pen, d, p, left, size });
  if (cell) {
    const [row, column] = cell, x = left + (column - p.x) * size, y = left + (row - p.y) * size;
    pen.fillStyle = look.dark ? "rgba(255,255,255,0.28)" : "rgba(255,255,255,0.4)";
    pen.fillRect(left, y, side, Math.max(size, d));
    pen.fillRect(x, left, Math.max(size, d), side);
    ringCell(cell, 1.4, { pen, d, p, left, size });
  }
  pen.restore();
}

function drawSides({ scene, look, pen, d, p, left, side, size, family }) {
  pen.font = `${12 * d}px ${family}`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  const sides = [[0, scene.images, "image", look.colours.image], [scene.images, scene.k, "text", look.colours.text_kind]];
  for (const [from, to, name, colour] of sides) {
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
  pen.fillStyle = look.ground;
  const x = left + (scene.images - p.x) * size, y = left + (scene.images - p.y) * size;
  if (x > left && x < left + side) pen.fillRect(x - d / 2, left, d, side);
  if (y > left && y < left + side) pen.fillRect(left, y - d / 2, side, d);
}

function ringCell([row, column], width, { pen, d, p, left, size }) {
  const more = Math.max(0, (5 * d - size) / 2);
  const x = left + (column - p.x) * size - more, y = left + (row - p.y) * size - more;
  for (const [colour, w] of [["#000000", width + 2], ["#ffffff", width]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = w * d;
    pen.strokeRect(x, y, size + 2 * more, size + 2 * more);
  }
}
