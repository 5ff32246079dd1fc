// What stands below the spheres of a training: play, a bar over the steps, the newest, speed.
const PACES = [0.25, 0.5, 1, 2, 4];

class TrainingControls {
  constructor(owner, parent) {
    this.owner = owner;
    const bar = add("div", "oc-bar", parent);
    this.range = add("input", "oc-range", bar);
    Object.assign(this.range, { type: "range", min: 0, step: "any", value: 0 });
    this.range.setAttribute("aria-label", "Step of the training");
    this.range.addEventListener("input", () => owner.seek(+this.range.value));
    const row = add("div", "oc-row", parent);
    this.button = signButton(row, () => owner.toggle());
    this.words = add("span", "oc-time", row);
    this.newest = add("button", "oc-button ot-newest", row);
    Object.assign(this.newest, { type: "button", textContent: "Newest", title: "Stay with the newest snapshot" });
    this.newest.addEventListener("click", () => owner.followNewest());
    this.speed = speedChoice(row, PACES, (speed) => { owner.kept.speed = speed; });
    this.speed.value = owner.kept.speed;
  }

  show({ at, playing, following, last, planned }) {
    markButton(this.button, playing ? "pause" : "play", playing ? "Pause (space)" : "Play (space)");
    const end = Math.max(last, planned), words = `step ${Math.round(at).toLocaleString("en")} of ${end.toLocaleString("en")}`;
    if (this.words.textContent !== words) this.words.textContent = words;
    this.range.max = end;
    this.range.value = at;
    this.range.setAttribute("aria-valuetext", words);
    this.range.style.setProperty("--ot-known", `${(100 * last) / Math.max(1, end)}%`);
    this.newest.setAttribute("aria-pressed", following);
  }
}
