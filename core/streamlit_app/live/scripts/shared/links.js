// What links views: those of one link name on a page follow each other in the browser, without a trip to the server.
// A view joins with {linked: name, follow(what, value)}; `what` is "camera" ({turn, zoom, turned}), "hovered" or "picked" (the
// number of a point, -1 for none). Views of one name show the same points in the same order; what a view cannot follow
// it leaves alone. The list stands on the page, so that views of other components may join.
const JOINED = (window.__orrery_joined ??= new Set());

function announce(view, what, value) {
  if (!view.linked) return;
  for (const other of JOINED) if (other !== view && other.linked === view.linked) other.follow(what, value);
}
