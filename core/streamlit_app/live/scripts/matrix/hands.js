// Mouse, fingers and keys on a matrix: a click picks a cell, wheel and two fingers zoom, a drag moves the part shown.
function listenToHands(view) {
  const canvas = view.front, part = view.part, held = new Map();   // pointers that are down, by id
  let start;
  const show = (...at) => { part.show(...at); view.ask(); };
  const zoomBy = (...how) => { part.zoomBy(...how); view.ask(); };
  const all = () => show(0, 0, part.place.k);

  const pinch = ([a, b], [c, d]) => {
    const far = (p, q) => Math.hypot(p.clientX - q.clientX, p.clientY - q.clientY) || 1;
    start.moved = true;
    zoomBy(far(c, d) / far(a, b), ...part.shares({ clientX: (c.clientX + d.clientX) / 2, clientY: (c.clientY + d.clientY) / 2 }));
  };
  const move = (down, right) => {   // the cell pointed at, by keys
    const p = part.place, middle = (v) => Math.min(p.k - 1, Math.floor(v + p.span / 2));
    const [row, column] = view.cell ?? [middle(p.y) - down, middle(p.x) - right];
    const next = [row + down, column + right].map((v) => Math.max(0, Math.min(p.k - 1, v)));
    const into = (v, from) => (v < from ? v : v + 1 > from + p.span ? v + 1 - p.span : from);
    show(into(next[1], p.x), into(next[0], p.y), p.span);
    view.point(next);
  };

  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    held.set(e.pointerId, e);
    start = { x: e.clientX, y: e.clientY, place: { ...part.place }, moved: held.size > 1 };
  });
  canvas.addEventListener("pointermove", (e) => {
    if (!held.has(e.pointerId)) return view.point(part.cellAt(e));
    const before = [...held.values()];
    held.set(e.pointerId, e);
    if (held.size === 2) return pinch(before, [...held.values()]);
    const dx = e.clientX - start.x, dy = e.clientY - start.y;
    if (Math.hypot(dx, dy) > 4) start.moved = true;
    if (!start.moved) return;
    const p = start.place, size = part.room / p.span;
    view.point(null);
    show(p.x - dx / size, p.y - dy / size, p.span);
  });
  const release = (e, clicked) => {
    if (!held.delete(e.pointerId)) return;
    const cell = part.cellAt(e);
    if (clicked && !start.moved && cell) view.tell("clicked", cell);
    if (held.size) start = { ...start, moved: true, place: { ...part.place } };
  };
  canvas.addEventListener("pointerup", (e) => release(e, true));
  canvas.addEventListener("pointercancel", (e) => release(e, false));
  canvas.addEventListener("pointerleave", () => view.point(null));
  canvas.addEventListener("blur", () => view.point(null));
  canvas.addEventListener("wheel", (e) => {
    if (e.deltaY > 0 && part.place.span >= part.place.k) return;   // nothing to zoom out of: let the page scroll
    e.preventDefault();
    zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015)), ...part.shares(e));
    view.point(part.cellAt(e));
  }, { passive: false });
  canvas.addEventListener("dblclick", all);
  canvas.addEventListener("keydown", (e) => {
    const far = e.shiftKey ? 10 : 1, p = part.place, cell = view.cell, choose = () => cell && view.tell("clicked", cell);
    const zoom = (factor) => zoomBy(factor, ...(cell ? [(cell[1] + 0.5 - p.x) / p.span, (cell[0] + 0.5 - p.y) / p.span] : []));
    const act = { ArrowLeft: () => move(0, -far), ArrowRight: () => move(0, far), ArrowUp: () => move(-far, 0),
      ArrowDown: () => move(far, 0), "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: all, Home: all,
      Enter: choose, " ": choose, Escape: () => view.point(null) }[e.key];
    if (act && !e.ctrlKey && !e.metaKey) { e.preventDefault(); act(); }
  });
}
