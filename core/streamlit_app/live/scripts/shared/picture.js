// The view as a PNG, as it is seen: title, legend, globe and note, at twice the size of the screen or more.
const SCALE = 2;             // device pixels to a CSS pixel, at least
const MARGIN = 16;           // round the view, CSS pixels

function saveButton(view) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "os-save";
  button.textContent = "PNG";
  button.title = "Download this view as a PNG";
  button.addEventListener("click", async () => {
    const blob = await new Promise((done) => picture(view).then((canvas) => canvas.toBlob(done, "image/png")));
    const link = document.createElement("a"), url = URL.createObjectURL(blob);
    link.href = url;
    link.download = `${view.key}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  return button;
}

async function picture(view) {   // a canvas as large as the whole view and its margin
  const scale = Math.max(SCALE, view.dpr), box = view.root.getBoundingClientRect();
  const canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
  canvas.width = Math.round((box.width + 2 * MARGIN) * scale);
  canvas.height = Math.round((box.height + 2 * MARGIN) * scale);
  pen.fillStyle = view.look.ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, scale, (MARGIN - box.left) * scale, (MARGIN - box.top) * scale);
  const stage = view.stage.getBoundingClientRect();
  view.hover(-1);
  view.drawAt(scale, () => {
    for (const layer of view.layers) pen.drawImage(layer, stage.left, stage.top, stage.width, stage.height);
  });
  for (const part of [view.titleNode, view.legendNode, view.noteNode]) {
    for (const ramp of part.querySelectorAll(".os-ramp")) writeRamp(pen, ramp);
    for (const symbol of part.querySelectorAll("svg")) await writeSymbol(pen, symbol);
    writeWords(pen, part);
  }
  return canvas;
}

function writeWords(pen, part) {   // each word where the browser put it
  const texts = document.createTreeWalker(part, NodeFilter.SHOW_TEXT), range = document.createRange();
  pen.textBaseline = "middle";
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    const style = getComputedStyle(node.parentElement), edge = node.parentElement.getBoundingClientRect().right + 1;
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    pen.fillStyle = style.color;
    for (const { 0: word, index } of node.data.matchAll(/\S+/g)) {
      range.setStart(node, index);
      range.setEnd(node, index + word.length);
      const at = range.getBoundingClientRect();
      if (at.width && at.right <= edge) pen.fillText(word, at.left, at.top + at.height / 2);
    }
  }
}

function writeRamp(pen, ramp) {
  const at = ramp.getBoundingClientRect(), fill = pen.createLinearGradient(at.left, 0, at.right, 0);
  const stops = ramp.style.background.match(/rgb\([^)]*\)/g) ?? [];
  stops.forEach((colour, k) => fill.addColorStop(k / Math.max(1, stops.length - 1), colour));
  pen.fillStyle = fill;
  pen.fillRect(at.left, at.top, at.width, at.height);
}

async function writeSymbol(pen, symbol) {
  const image = new Image(), at = symbol.getBoundingClientRect();
  image.src = "data:image/svg+xml," + encodeURIComponent(new XMLSerializer().serializeToString(symbol));
  await image.decode();
  pen.drawImage(image, at.left, at.top, at.width, at.height);
}
