// What stands below the screen of a player: play, a bar over time with the cuts on it, the time, speed and sound.
const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4];

class Controls {
  constructor(owner, parent) {
    this.player = owner.player;
    const bar = add("div", "oc-bar", parent);
    this.cuts = add("canvas", "of-cuts", bar);
    this.range = add("input", "oc-range", bar);
    Object.assign(this.range, { type: "range", min: 0, step: "any", value: 0 });
    this.range.setAttribute("aria-label", "Time in the film");
    this.range.addEventListener("input", () => owner.seek(+this.range.value));
    const row = add("div", "oc-row", parent);
    this.button = signButton(row, () => owner.toggle());
    this.clock = add("span", "oc-time", row);
    this.clock.setAttribute("aria-live", "off");
    this.sound = signButton(row, () => { this.player.video.muted = !this.player.video.muted; this.show(); });
    this.speed = speedChoice(row, SPEEDS, (speed) => this.player.set(speed));
  }

  show() {   // what changes with a click
    const { playing, video, speed, ready } = this.player;
    markButton(this.button, playing ? "pause" : "play", playing ? "Pause (space)" : "Play (space)");
    markButton(this.sound, video.muted ? "silent" : "sound", video.muted ? "Sound on" : "Sound off");
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
