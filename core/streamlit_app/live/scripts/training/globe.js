// One sphere of a training: its points are where they were at the step that is shown.
class TrainingSphere extends SphereView {
  static layers = [stillLayer(globeLayer), trailsLayer, pointsLayer, flowLayer];

  constructor(root, scene, owner) {
    super(root, scene);
    this.owner = owner;
    this.track = new Track(() => owner.arrived());
  }

  update(scene) {   // gives whether there are new snapshots
    const fresh = this.track.take(scene);
    this.place(scene, this.owner.at);
    super.update(scene);
    return fresh;
  }

  place(scene, step) {
    scene.track = this.track;
    scene.step = Math.min(step, this.track.last);
    scene.coords = this.scene?.n === scene.n ? this.scene.coords : scene.coords;   // one array, which changes
    this.track.place(scene.step, scene.coords);
    this.moved = true;
  }

  goTo(step) {
    if (!this.scene || this.broken) return;
    this.place(this.scene, step);
    this.ask();
  }

  tellStep() {   // what was measured at the snapshot nearest by
    const { scene, track } = this, k = track.near(scene.step), step = track.steps[k];
    const measured = scene.told.map(([words, values]) => (values[k] === null || values[k] === undefined ? "" : words.replace("{}", numberOf(values[k]))));
    const words = [`step ${step.toLocaleString("en")}`, ...measured, scene.note].filter(Boolean).join(" · ");
    if (this.noteNode.textContent !== words) this.noteNode.textContent = words;
  }

  draw() {
    if (this.scene) this.tellStep();
    if (this.moved && this.drawing.scene === this.scene) {   // whoever asks for the picture, points and ways are of one step
      this.drawing.move();
      this.moved = false;
    }
    super.draw();
  }

  follow(what, value) {   // the same item elsewhere is ringed only where it is the same
    if (what === "camera" || this.owner.alike) super.follow(what, value);
  }

  dispose() {
    this.track.gone = true;
    super.dispose();
  }
}

const numberOf = (value) => (Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en") :
  value && Math.abs(value) < 0.01 ? value.toExponential(1) : value.toFixed(Math.abs(value) >= 10 ? 1 : 2));
