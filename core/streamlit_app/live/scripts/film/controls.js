// What stands below the screen of a player: play, a bar over time with the cuts on it, the time, speed and sound.
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];
const SIGNS = { play: "M3 1.5 13 8 3 14.5Z", pause: "M3 2h3.6v12H3zM9.4 2H13v12H9.4z",
  sound: "M1 5.5h3L8 2v12L4 10.5H1zM10 5q2 3 0 6M12 3q4 5 0 10", silent: "M1 5.5h3L8 2v12L4 10.5H1zM10 6l4 4M14 6l-4 4" };

class Controls {
  constructor(owner, parent) {
    this.player = owner.player;
    const bar = add("div", "of-bar", parent);
    this.cuts = add("canvas", "of-cuts", bar);
    this.range = add("input", "of-range", bar);
    Object.assign(this.range, { type: "range", min: 0, step: "any", value: 0 });
    this.range.setAttribute("aria-label", "Time in the film");
    this.range.addEventListener("input", () => owner.seek(+this.range.value));
    const row = add("div", "of-row", parent);
    this.button = this.sign(row, () => owner.toggle());
    this.clock = add("span", "of-time", row);
    this.clock.setAttribute("aria-live", "off");
    this.sound = this.sign(row, () => { this.player.video.muted = !this.player.video.muted; this.show(); });
    const label = add("label", "of-speed", row);
    label.textContent = "speed ";
    this.speed = add("select", "", label);
    for (const speed of SPEEDS) this.speed.add(new Option(`${speed}×`, speed));
    this.speed.value = 1;
    this.speed.addEventListener("change", () => this.player.set(+this.speed.value));
  }

  sign(parent, act) {
    const button = add("button", "of-button", parent);
    button.type = "button";
    button.addEventListener("click", act);
    return button;
  }

  mark(button, sign, says) {
    if (button.dataset.sign === sign) return;
    button.dataset.sign = sign;
    const lines = sign === "sound" || sign === "silent" ? ' fill="currentColor" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"' : ' fill="currentColor"';
    button.innerHTML = `<svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d="${SIGNS[sign]}"${lines}/></svg>`;
    button.setAttribute("aria-label", says);
    button.title = says;
  }

  show() {   // what changes with a click
    const { playing, video, speed, ready } = this.player;
    this.mark(this.button, playing ? "pause" : "play", playing ? "Pause (space)" : "Play (space)");
    this.mark(this.sound, video.muted ? "silent" : "sound", video.muted ? "Sound on" : "Sound off");
    this.sound.style.display = ready ? "" : "none";
    if (+this.speed.value !== speed) this.speed.value = speed;
  }

  tick(time, end) {   // what changes with time
    const words = `${clockOf(time)} / ${clockOf(end)}`;
    if (this.clock.textContent !== words) this.clock.textContent = words;
    this.range.max = end;
    this.range.value = time;
    this.range.setAttribute("aria-valuetext", `${clockOf(time)} of ${clockOf(end)}`);
  }

  drawCuts(path, end, look, dpr) {
    const width = this.range.clientWidth, pen = this.cuts.getContext("2d"), inset = 8;   // of the thumb
    Object.assign(this.cuts, { width: Math.round(width * dpr), height: Math.round(6 * dpr) });
    this.cuts.style.width = width + "px";
    pen.scale(dpr, dpr);
    pen.fillStyle = look.colours.kinds.text;
    pen.globalAlpha = Math.max(0.25, Math.min(1, width / (8 * Math.max(1, path.starts.length))));
    for (const start of path.starts)
      if (start > 0 && start < path.count) pen.fillRect(inset + (path.times[start] / Math.max(end, 1e-9)) * (width - 2 * inset) - 0.75, 0, 1.5, 6);
  }
}
