// Turns of the sphere: quaternions [x, y, z, w].
const multiply = (a, b) => [
  a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1], a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0],
  a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3], a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2]];
const normalise = (q) => { const l = Math.hypot(...q) || 1; return q.map((v) => v / l); };
const around = (x, y, z, angle) => { const s = Math.sin(angle / 2); return [x * s, y * s, z * s, Math.cos(angle / 2)]; };
function matrix([x, y, z, w]) {   // row-major 3 x 3
  return [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w),
    2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
    2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)];
}
function lookingFrom(p) {   // the turn that brings p to the front with the z axis up
  const longitude = Math.atan2(p[1], p[0]), latitude = Math.asin(Math.max(-1, Math.min(1, p[2])));
  const upright = multiply(around(1, 0, 0, -Math.PI / 2), around(0, 0, 1, -Math.PI / 2 - longitude));
  return normalise(multiply(around(1, 0, 0, latitude), upright));
}
