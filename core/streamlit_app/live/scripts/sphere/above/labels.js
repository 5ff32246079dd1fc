// Above the globe: the names of marks, arcs, caps and points, each where it touches no other.
const LONGEST = 46;   // characters of a name

const labelLayer = {
  claim(board) {
    const { pen, dpr, view, look, taken } = board, size = 13 * dpr, planned = [];
    pen.font = `600 ${size}px ${getComputedStyle(view.root).fontFamily}`;
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    for (const label of namesOn(board)) {
      const text = label.text.length > LONGEST ? label.text.slice(0, LONGEST - 1) + "…" : label.text;
      const w = pen.measureText(text).width, h = size * 1.25, gap = label.clear * dpr;
      const spots = [[label.x - w / 2, label.y - gap - h / 2], [label.x - w / 2, label.y + gap + h / 2],
        [label.x + gap, label.y], [label.x - gap - w, label.y]];
      for (const [x, y] of spots) {
        const box = [x - 3 * dpr, y - h / 2, x + w + 3 * dpr, y + h / 2];
        if (box[0] < 2 || box[1] < 2 || box[2] > view.camera.width - 2 || box[3] > view.camera.height - 2) continue;
        if (taken.some((t) => meet(t, box))) continue;
        taken.push(box);
        planned.push({ text, x, y, box, colour: look.colours.kinds[label.kind] ?? look.colours.text });
        break;
      }
    }
    board.labels = view.labelled = planned;
  },

  draw({ pen, dpr, look, labels }) {
    for (const { text, x, y, colour } of labels) {
      pen.strokeStyle = css(look.ground, 0.92);
      pen.lineWidth = 5 * dpr;
      pen.strokeText(text, x, y);
      pen.fillStyle = colour;
      pen.fillText(text, x, y);
    }
  },
};

function namesOn({ scene, at }) {   // of what is on the near half
  const wanted = [];
  for (const mark of scene.marks) {
    const [x, y, facing] = at(mark.place);
    if (facing > 0) wanted.push({ text: mark.label, kind: mark.kind, x, y, clear: 11 });
  }
  for (const arc of scene.arcs) {
    const [x, y, facing] = at(unit3(arc.start.map((v, c) => v + arc.end[c])));
    if (facing > 0 && arc.label) wanted.push({ text: arc.label, kind: arc.kind, x, y, clear: 8 });
  }
  for (const cap of scene.caps) {
    const edge = highest(cap, at);
    if (edge && cap.label) wanted.push({ text: cap.label, kind: cap.kind, x: edge[0], y: edge[1], clear: 8 });
  }
  for (const { point, label, kind } of scene.names ?? []) {
    const [x, y, facing] = at(scene.coords.subarray(3 * point, 3 * point + 3));
    if (facing > 0) wanted.push({ text: label, kind, x, y, clear: 9 });
  }
  return wanted;
}

const unit3 = (v) => { const l = Math.hypot(...v) || 1; return v.map((c) => c / l); };

function highest(cap, at) {   // the uppermost point of a cap's edge on the near half, on the canvas
  const c = cap.centre, thin = [0, 1, 2].reduce((a, b) => (Math.abs(c[b]) < Math.abs(c[a]) ? b : a), 0);
  const axis = [0, 0, 0];
  axis[thin] = 1;
  const e1 = unit3(axis.map((v, i) => v - c[thin] * c[i]));
  const e2 = [c[1] * e1[2] - c[2] * e1[1], c[2] * e1[0] - c[0] * e1[2], c[0] * e1[1] - c[1] * e1[0]];
  let best;
  for (let k = 0; k < 48; k++) {
    const t = (k / 48) * 2 * Math.PI, r = Math.sin(cap.radius), along = Math.cos(cap.radius);
    const [x, y, facing] = at(c.map((v, i) => along * v + r * (Math.cos(t) * e1[i] + Math.sin(t) * e2[i])));
    if (facing > 0 && (!best || y < best[1])) best = [x, y];
  }
  return best;
}
