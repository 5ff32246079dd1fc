// A line between a view and the component that carries its pictures: {ask, hear}, by the key of the view.
function lineOf(key) {
  const lines = (window.__orrery_lines ??= new Map());
  if (!lines.has(key)) lines.set(key, {});
  return lines.get(key);
}
