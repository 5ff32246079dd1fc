// On the globe: where points came from (trails over the last snapshots) and where they are going (arrows).
const TRAIL_PIECES = 4;       // of a trail between two snapshots
const MOST_ARROWS = 400;
const LONGEST_ARROW = 0.5;    // radians
const SHORTEST_ARROW = 0.004;

function coloursOf({ index, flags }, { colours }) {
  const grey = floats(colours.unselected);
  return (i) => (flags[i] & 128 ? grey : [0, 1, 2].map((c) => colours.table[3 * index[i] + c] / 255));
}

function trailsOf(scene, look) {
  const { track, step, trails, coords, n } = scene;
  if (!trails || !track) return new Float32Array();
  const k = track.before(step), colour = coloursOf(scene, look), values = [];
  for (let back = trails - 1; back >= 0; back--) {   // the newest last, on top
    const a = track.snapshot(k - back), b = back ? track.snapshot(k - back + 1) : coords;
    if (k - back < 0 || !a || !b) continue;
    const alpha = 0.5 * (1 - back / trails) ** 1.5;
    for (let i = 0; i < n; i++) {
      const from = a.subarray(3 * i, 3 * i + 3), to = b.subarray(3 * i, 3 * i + 3);
      if (between(from, to) > SHORTEST_ARROW) values.push(...from, ...to, ...colour(i), alpha);
    }
  }
  return new Float32Array(values);
}

function flowOf(scene, look) {   // the way from this snapshot to the next, or the last one, times a length that can be seen
  const { track, step, flow, coords, n } = scene;
  if (!flow || !track) return new Float32Array();
  const k = Math.min(track.before(step), Math.max(0, track.steps.length - 2)), a = track.snapshot(k), b = track.snapshot(k + 1);
  if (!a || !b) return new Float32Array();
  const colour = coloursOf(scene, look), values = [], every = Math.max(1, Math.ceil(n / MOST_ARROWS));
  for (let i = 0; i < n; i += every) {
    const p = coords.subarray(3 * i, 3 * i + 3), angle = between(a.subarray(3 * i, 3 * i + 3), b.subarray(3 * i, 3 * i + 3));
    if (angle < SHORTEST_ARROW) continue;
    const [x, y, z] = [0, 1, 2].map((c) => b[3 * i + c] - a[3 * i + c]), along = x * p[0] + y * p[1] + z * p[2];
    const way = unit3([x - along * p[0], y - along * p[1], z - along * p[2]]), far = Math.min(LONGEST_ARROW, flow * angle);
    values.push(...p, ...way.map((v, c) => Math.cos(far) * p[c] + Math.sin(far) * v), ...colour(i), 0.8);
  }
  return new Float32Array(values);
}

function movingRibbons(how) {   // ribbons that are laid anew when points move
  return (drawing) => {
    const layer = ribbonLayer(drawing, how);
    return { ...layer, move: layer.fill };
  };
}

const trailsLayer = movingRibbons({ width: 1.7, arrow: 0, lift: 1.0005, segments: TRAIL_PIECES, valuesOf: trailsOf });

const flowLayer = movingRibbons({ width: 1.5, arrow: 1, lift: 1.003, segments: 14, valuesOf: flowOf });
