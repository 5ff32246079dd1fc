// Mouse, fingers and keys on a sphere. A drag turns it, the wheel or two fingers zoom, two fingers that circle roll it.
const STILL = 4;   // a pointer that travels no farther clicks, CSS pixels

function listenToHands(view) {
  const canvas = view.front, camera = view.camera, held = view.held;
  let travelled = 0, at, looking;
  const place = (e) => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const spread = () => { const [a, b] = [...held.values()]; return [Math.hypot(a[0] - b[0], a[1] - b[1]), Math.atan2(b[1] - a[1], b[0] - a[0])]; };
  const rotate = (dx, dy, roll) => { camera.rotate(dx, dy, roll); view.cameraMoved(); };
  const zoomBy = (factor) => { camera.zoomBy(factor); view.cameraMoved(); };
  const reset = () => { camera.reset(); view.cameraMoved(); };

  canvas.addEventListener("pointerdown", (e) => {
    if (e.button > 0) return;
    canvas.setPointerCapture(e.pointerId);
    held.set(e.pointerId, place(e));
    travelled = held.size > 1 ? Infinity : 0;
    canvas.focus({ preventScroll: true });
  });
  canvas.addEventListener("pointermove", (e) => {
    const now = place(e), before = held.get(e.pointerId);
    if (!before) {
      at = now;
      looking ??= requestAnimationFrame(() => { looking = undefined; view.hover(view.under(...at), ...at); });
      return;
    }
    const wide = held.size === 2 ? spread() : undefined;
    held.set(e.pointerId, now);
    travelled += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (wide) {
      const [length, angle] = spread();
      zoomBy(length / Math.max(wide[0], 1));
      rotate(0, 0, wide[1] - angle);
    } else if (travelled > STILL) {
      canvas.classList.add("os-turning");
      view.hover(-1);
      rotate((now[0] - before[0]) * camera.dpr, (now[1] - before[1]) * camera.dpr);
    }
  });
  const release = (e) => {
    if (!held.delete(e.pointerId)) return;
    canvas.classList.remove("os-turning");
    if (e.type === "pointerup" && travelled <= STILL) {
      const end = place(e), i = view.under(...end);
      view.hover(i, ...end);   // a finger that taps beside the points closes the tip
      if (i >= 0) view.choose(i, ...end);
    } else if (!held.size) view.cameraMoved();
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", (e) => { if (!held.size && e.pointerType === "mouse") view.hover(-1); });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoomBy(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0015))); }, { passive: false });
  canvas.addEventListener("dblclick", reset);
  canvas.addEventListener("keydown", (e) => {
    const step = camera.lens().radius * 0.1;
    const act = { ArrowLeft: () => rotate(-step, 0), ArrowRight: () => rotate(step, 0), ArrowUp: () => rotate(0, -step),
      ArrowDown: () => rotate(0, step), "+": () => zoomBy(1.15), "=": () => zoomBy(1.15), "-": () => zoomBy(1 / 1.15),
      0: reset, Home: reset, Escape: () => view.hover(-1) }[e.key];
    if (act && !e.ctrlKey && !e.metaKey) { e.preventDefault(); act(); }
  });
}
