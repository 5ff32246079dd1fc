// What every view does alike on its page: stand in its element, take the colours of the theme, show a scale.
function mount({ data, parentElement, setStateValue, setTriggerValue }, selector, View) {
  const root = parentElement.querySelector(selector);
  if (!root || !data) return;
  const scene = View.read(data);
  let view = root.orrery;
  if (!view || view.key !== scene.key) {
    view?.dispose();
    view = root.orrery = new View(root, scene);
  }
  view.tell = (name, value) => (name === "clicked" ? setTriggerValue : setStateValue)(name, value);
  view.update(scene);
  return () => { if (root.orrery === view) { view.dispose(); root.orrery = undefined; } };
}

function add(tag, className, parent) {
  const node = document.createElement(tag);
  node.className = className;
  parent.appendChild(node);
  return node;
}

const css = (c, alpha = 1) => `rgba(${parseInt(c.slice(1, 3), 16)},${parseInt(c.slice(3, 5), 16)},${parseInt(c.slice(5, 7), 16)},${alpha})`;
const floats = (c) => [1, 3, 5].map((i) => parseInt(c.slice(i, i + 2), 16) / 255);
const rgbOf = (table, k) => `rgb(${table[3 * k]},${table[3 * k + 1]},${table[3 * k + 2]})`;

function lookOf(root, themes) {   // colours of the theme that the page has now, and the ground it is drawn on
  const back = (getComputedStyle(root).getPropertyValue("--st-background-color") || "#ffffff").trim();
  const named = back.startsWith("#") && back.length >= 7;
  const channels = named ? floats(back) : (back.match(/[\d.]+/g) ?? [255, 255, 255]).map((v) => v / 255);
  const dark = 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2] < 0.4;
  const colours = themes[dark ? "dark" : "light"];
  for (const name of ["background", "panel", "text", "muted", "grid"]) root.style.setProperty("--os-" + name, colours[name]);
  return { dark, colours, ground: named ? back.slice(0, 7) : colours.background };
}

function ramp(colours, ends) {   // a bar of colours with the words of both ends below
  const bar = document.createElement("div"), below = document.createElement("div");
  bar.className = "os-ramp";
  bar.style.background = `linear-gradient(90deg, ${colours.join(",")})`;
  below.className = "os-ends";
  for (const end of ends) below.appendChild(document.createElement("span")).textContent = end;
  return [bar, below];
}
