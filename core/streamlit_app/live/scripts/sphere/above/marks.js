// Above the globe: the marks of places, and rings around the points that are pointed at or picked.
const markLayer = {
  claim(board) {
    const r = 8 * board.dpr;
    board.marks = board.scene.marks.map((mark) => board.at(mark.place));
    board.taken.push(...board.marks.map(([x, y]) => [x - r, y - r, x + r, y + r]));
  },

  draw({ pen, dpr, scene, look, marks }) {
    for (const [k, mark] of scene.marks.entries()) {
      const [x, y, facing] = marks[k], kinds = look.colours.kinds;
      pen.globalAlpha = facing > 0 ? 1 : 0.35;
      for (const [radius, colour] of [[6.5, look.ground], [4.6, kinds[mark.kind] ?? kinds.plain]]) {
        pen.beginPath();
        pen.arc(x, y, radius * dpr, 0, 2 * Math.PI);
        pen.fillStyle = colour;
        pen.fill();
      }
    }
    pen.globalAlpha = 1;
  },
};

const ringLayer = {
  draw({ pen, dpr, scene, look, view, at }) {
    const r = pointRadius(view.camera, scene.n) + 4.5 * dpr;
    for (const [i, width] of [[view.picked, 2.6], [view.lit, 1.6], [view.hovered, 1.6]]) {
      if (i < 0 || i >= scene.n) continue;
      const [x, y] = at(view.point(i));
      for (const [colour, w] of [[look.ground, width + 2.4], [look.colours.text, width]]) {
        pen.beginPath();
        pen.arc(x, y, r, 0, 2 * Math.PI);
        pen.lineWidth = w * dpr;
        pen.strokeStyle = colour;
        pen.stroke();
      }
    }
  },
};
