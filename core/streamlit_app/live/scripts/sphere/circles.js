// Great circles: the angle between two places, and what lies on the way.
const between = (a, b) => 2 * Math.atan2(Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]), Math.hypot(a[0] + b[0], a[1] + b[1], a[2] + b[2]));

function slerp(a, b, share) {
  const angle = between(a, b);
  if (angle < 1e-6 || angle > 3.14159) return [...(share < 0.5 ? a : b)];
  const u = Math.sin((1 - share) * angle) / Math.sin(angle), v = Math.sin(share * angle) / Math.sin(angle);
  return [0, 1, 2].map((c) => u * a[c] + v * b[c]);
}
