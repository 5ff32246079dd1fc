// On the globe: paths of films, each step in the colour of the frame it leaves; cuts thin and dashed, other films dim.
const DASH = 0.045;   // of a cut and the gap after it, radians

function stepsOf({ paths, chosen, index, flags }, { colours }, cut) {
  const values = [];
  for (const [which, path] of (paths ?? []).entries()) {
    const alpha = (which === chosen ? 0.95 : 0.2) * (cut ? 0.75 : 1);
    for (let k = 0; k + 1 < path.count; k++) {
      if (path.isCut(k + 1) !== cut) continue;
      const row = path.rows[k], a = path.point(k), b = path.point(k + 1);
      const colour = flags[row] & 128 ? floats(colours.unselected) : [0, 1, 2].map((c) => colours.table[3 * index[row] + c] / 255);
      const pieces = cut ? Math.max(1, Math.min(24, Math.round(between(a, b) / DASH / 2 + 0.5))) : 1;
      for (let p = 0; p < pieces; p++) {
        const from = p / (pieces - 0.5), to = (p + 0.5) / (pieces - 0.5);
        values.push(...(cut ? [...slerp(a, b, from), ...slerp(a, b, Math.min(1, to))] : [...a, ...b]), ...colour, alpha);
      }
    }
  }
  return new Float32Array(values);
}

const pathsLayer = (drawing) => ribbonLayer(drawing, { width: 2.8, arrow: 0, lift: 1.001, valuesOf: (scene, look) => stepsOf(scene, look, false) });

const cutsLayer = (drawing) => ribbonLayer(drawing, { width: 1.3, arrow: 0, lift: 1.001, valuesOf: (scene, look) => stepsOf(scene, look, true) });
