// What is drawn above the globe in two dimensions. Each kind of thing is a layer:
//   claim(board)   optional: takes room on the canvas (board.taken), before anything is drawn
//   draw(board)
// A new kind of thing is a script with its layer, named in its place in both lists.
const CLAIMS = [markLayer, labelLayer, tileLayer];            // who takes room first
const ABOVE = [tileLayer, markLayer, ringLayer, labelLayer];  // from below to above

function drawOverlay(view) {
  const { pen, scene, look, camera } = view;
  const board = { view, pen, scene, look, dpr: camera.dpr, lens: camera.lens(), at: camera.projector(), taken: [] };
  pen.clearRect(0, 0, camera.width, camera.height);
  for (const layer of CLAIMS) layer.claim(board);
  for (const layer of ABOVE) layer.draw(board);
}

const meet = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
