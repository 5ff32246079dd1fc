// Which point lies under a pointer, and which pictured ones lie around a point.
function pick(view, x, y) {   // CSS pixels in the canvas -> point or -1; the near half first
  const { camera, scene } = view, m = matrix(camera.turn), l = camera.lens(), c = scene.coords;
  const px = x * camera.dpr, py = y * camera.dpr, size = pointRadius(camera, scene.n), reach = size + 7 * camera.dpr;
  let best = -1, least = reach, behind = -1, least_behind = size + 2 * camera.dpr;
  for (let i = 0; i < scene.n; i++) {
    const a = c[3 * i], b = c[3 * i + 1], e = c[3 * i + 2];
    const f = l.focal / (EYE - (m[6] * a + m[7] * b + m[8] * e));
    const dx = l.x + f * (m[0] * a + m[1] * b + m[2] * e) - px;
    if (dx > reach || dx < -reach) continue;
    const dy = l.y - f * (m[3] * a + m[4] * b + m[5] * e) - py;
    const d = Math.hypot(dx, dy);
    if ((m[6] * a + m[7] * b + m[8] * e) * EYE > 1) { if (d < least) { least = d; best = i; } }
    else if (d < least_behind) { least_behind = d; behind = i; }
  }
  const tile = view.tiles.findLast((t) => px >= t.x && px <= t.x + t.size && py >= t.y && py <= t.y + t.size);
  if (tile && (best < 0 || least > size)) return tile.point;
  return best >= 0 ? best : behind;
}

const pictured = (scene, i) => (scene.flags[i] & 64) > 0;

function picturedAround(scene, i, most) {   // points with a picture that are nearest to one, on the map
  const c = scene.coords, x = c[3 * i], y = c[3 * i + 1], z = c[3 * i + 2], near = [];
  let least = -2;
  for (let k = 0; k < scene.n; k++) {
    if (k === i || !pictured(scene, k)) continue;
    const cosine = c[3 * k] * x + c[3 * k + 1] * y + c[3 * k + 2] * z;
    if (cosine <= least) continue;
    near.push([cosine, k]);
    if (near.length < 4 * most) continue;
    near.sort((a, b) => b[0] - a[0]).length = most;
    least = near[most - 1][0];
  }
  return near.sort((a, b) => b[0] - a[0]).slice(0, most).map(([, k]) => k);
}
