// Trainings as they run: a sphere each, one step for all, which follows the newest or is chosen.
export default (component) => mount(component, ".orrery-training", TrainingView);

const SHOWN = new Map();      // by key of the view: {at, following, speed, number}; outlives a view
const WHOLE_RUN = 10;         // s that a run takes to play
const CATCH_UP = 0.28;        // s in which most of the way to the newest is gone

class TrainingView {
  static read(bytes) {
    const [scene, take] = unpack(bytes);
    for (const run of scene.runs) {
      SphereView.takeArrays(run, take);
      run.tail = take(Int16Array, 3 * run.n * run.inline);
    }
    return scene;
  }

  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.kept = SHOWN.get(this.key) ?? { at: 0, following: true, speed: 1 };
    SHOWN.set(this.key, this.kept);
    this.spheres = [];
    this.playing = false;
    this.updates = 0;
    root.replaceChildren();
    this.all = add("div", "ot-spheres", root);
    this.controls = new TrainingControls(this, add("div", "ot-controls", root));
    root.addEventListener("keydown", (e) => this.keyed(e));
    this.tellTests();
  }

  tellTests() {   // what a test in a browser asks of the view
    (window.__orrery_training ??= {})[this.key] = {
      at: () => this.at, play: () => this.play(), pause: () => this.pause(), playing: () => this.playing, seek: (step) => this.seek(step),
      following: () => this.kept.following, follow: () => this.followNewest(), updates: () => this.updates, count: () => this.spheres.length,
      steps: (run = 0) => [...this.spheres[run].track.steps], point: (i, run = 0) => [...this.spheres[run].point(i)],
      camera: (run = 0) => this.spheres[run].camera.text(), project: (i, run = 0) => this.spheres[run].screenOf(i),
      picked: (run = 0) => this.spheres[run].picked, labels: (run = 0) => this.spheres[run].labelled,
      frames: () => this.spheres.reduce((sum, sphere) => sum + sphere.frames, 0), moves: () => this.moves ?? 0,
    };
  }

  get at() { return this.kept.at; }

  get last() { return Math.max(0, ...this.spheres.map((sphere) => sphere.track.last)); }

  update(scene) {
    const before = this.scene;
    this.scene = scene;
    this.look = lookOf(this.root, scene.runs[0].themes);
    const asked = scene.seek && scene.seek.number !== this.kept.number ? scene.seek : null;
    if (this.kept.data !== scene.data) Object.assign(this.kept, { data: scene.data, at: 0, following: true });
    this.alike = new Set(scene.runs.map((run) => run.items)).size === 1;
    this.build(scene.runs);
    const fresh = scene.runs.map((run, i) => this.spheres[i].update(run));
    if (this.spheres.some((sphere) => sphere.broken)) return;
    if (before && fresh.some(Boolean)) this.updates++;
    if (asked) {
      this.kept.number = asked.number;
      this.seek(asked.step);
    } else if (!before && this.kept.following) this.kept.at = this.last;   // what was there before is not run through
    this.run();
  }

  build(runs) {
    this.all.classList.toggle("ot-several", runs.length > 1);
    while (this.spheres.length > runs.length) {
      const gone = this.spheres.pop();
      gone.dispose();
      gone.root.remove();
    }
    for (let i = 0; i < runs.length; i++) {
      let sphere = this.spheres[i];
      if (sphere?.id !== runs[i].id) {   // another run begins where it begins, seen from where one looks
        const root = sphere?.root ?? add("div", "orrery-sphere", this.all);
        sphere?.dispose();
        sphere = this.spheres[i] = new TrainingSphere(root, runs[i], this);
        sphere.id = runs[i].id;
        if (i && this.spheres[0].camera.turn) sphere.camera.set(this.spheres[0].camera.state());
      }
      sphere.tell = (name, value) => this.heard(i, name, value);
    }
  }

  heard(i, name, value) { this.tell(name, name === "clicked" ? [i, value] : value); }

  arrived() { this.run(); }

  // ---- what hands do ----
  toggle() { if (this.playing) this.pause(); else this.play(); }

  play() {
    this.kept.following = false;
    if (this.at >= this.last - 1e-6) this.kept.at = 0;
    this.playing = true;
    this.run();
  }

  pause() {
    this.playing = false;
    this.rested();
    this.run();
  }

  seek(step) {
    this.kept.at = Math.max(0, Math.min(this.last, step));
    this.kept.following = false;
    this.rested();
    this.run();
  }

  followNewest() {
    Object.assign(this.kept, { following: true });
    this.playing = false;
    this.run();
    this.rested();
  }

  keyed(e) {
    if (e.ctrlKey || e.metaKey || this.all.contains(e.target) || e.target.tagName === "SELECT") return;
    const { track } = this.spheres[0], to = (k) => this.seek(track.steps[Math.max(0, Math.min(track.steps.length - 1, k))]);
    const act = { " ": e.target.tagName === "BUTTON" ? null : () => this.toggle(), ArrowLeft: () => to(Math.ceil(this.at) > track.steps[track.before(this.at)] ? track.before(this.at) : track.before(this.at) - 1),
      ArrowRight: () => to(track.before(this.at) + 1), Home: () => to(0), End: () => to(Infinity) }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  // ---- time ----
  get moving() { return this.playing || (this.kept.following && this.at < this.last); }

  run() {
    if (this.asked || this.gone) return;
    this.clockedAt ??= performance.now();
    this.asked = requestAnimationFrame(() => {
      this.asked = undefined;
      const now = performance.now(), passed = Math.min(0.25, (now - this.clockedAt) / 1000);
      this.clockedAt = now;
      this.goOn(passed);
      this.show();
      if (this.moving) this.run(); else this.clockedAt = undefined;
    });
  }

  goOn(passed) {   // seconds
    const { kept, last, scene } = this;
    if (this.playing) {
      kept.at = Math.min(last, kept.at + (passed * kept.speed * Math.max(last, scene.planned)) / WHOLE_RUN);
      if (kept.at >= last) {
        this.playing = false;
        if (scene.running) kept.following = true; else this.rested();
      }
    } else if (kept.following) {
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches, left = last - kept.at;
      kept.at = still || left < 0.05 ? last : kept.at + left * (1 - Math.exp(-passed / CATCH_UP));
    }
    this.moves = (this.moves ?? 0) + 1;
  }

  show() {
    if (this.gone || !this.spheres.length || this.spheres.some((sphere) => sphere.broken)) return;
    for (const sphere of this.spheres) sphere.goTo(this.at);
    this.controls.show({ at: this.at, playing: this.playing, following: this.kept.following, last: this.last, planned: this.scene.planned });
  }

  rested() {   // told once it stays
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (!this.playing) this.tell("at", this.kept.following ? null : Math.round(this.at));
    }, 350);
  }

  dispose() {
    if (this.gone) return;
    this.gone = true;
    clearTimeout(this.telling);
    if (this.asked) cancelAnimationFrame(this.asked);
    for (const sphere of this.spheres) sphere.dispose();
    if (window.__orrery_training) delete window.__orrery_training[this.key];
  }
}
