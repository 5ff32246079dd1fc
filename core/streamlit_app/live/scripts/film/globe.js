// The sphere beside a player: paths that can be clicked, and the place of the current frame, on a canvas of its own.
const PATH_REACH = 7;   // CSS pixels

class FilmPictures extends Pictures {   // those of the sphere, of the strip, and of the frames that come next
  placed() { return [...this.view.owner.wanted(), ...super.placed()]; }

  async hear(answer) {
    await super.hear(answer);
    if (!this.closed) this.view.owner.pictured();
  }
}

class FilmSphere extends SphereView {
  static layers = [globeLayer, pairsLayer, cutsLayer, pathsLayer, pointsLayer, arcsLayer, arrowsLayer];
  static Pictures = FilmPictures;

  constructor(root, scene, owner) {   // owner: the player's side
    super(root, scene);
    this.owner = owner;
  }

  build() {
    super.build();
    this.moving = document.createElement("canvas");
    this.moving.className = "of-moving";
    this.front.after(this.moving);
    this.penOfMoving = this.moving.getContext("2d");
  }

  get layers() { return [this.back, this.front, this.moving]; }

  draw() {
    super.draw();
    this.drawMoving();
  }

  drawMoving() {   // alone where nothing else changed
    const pen = this.penOfMoving, place = this.owner?.place();
    if (!this.camera.dpr) return;
    pen.clearRect(0, 0, this.moving.width, this.moving.height);
    if (!place) return;
    const [x, y, facing] = this.camera.projector()(place), d = this.dpr, { colours, ground } = this.look;
    pen.globalAlpha = facing > 0 ? 1 : 0.5;
    for (const [radius, colour] of [[9.5, ground], [7.5, colours.text], [5, ground], [3.4, colours.kinds.text]]) {
      pen.beginPath();
      pen.arc(x, y, radius * d, 0, 2 * Math.PI);
      pen.fillStyle = colour;
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  passed(x, y) {   // {film, frame, time} where the path passes under a pointer, that of the chosen film first
    const { paths, chosen } = this.scene, project = this.camera.projector(), d = this.dpr;
    const order = [chosen, ...paths.keys()].filter((film, k, all) => all.indexOf(film) === k);
    for (const film of order) {
      const found = paths[film].nearest(project, x * d, y * d, PATH_REACH * d);
      if (found) return { film, ...found };
    }
    return null;
  }

  under(x, y) {
    const point = super.under(x, y), passed = point < 0 ? this.passed(x, y) : null;
    return passed ? this.scene.paths[passed.film].rows[passed.frame] : point;
  }

  choose(i, x, y) {
    super.choose(i);
    this.owner.goTo(i, super.under(x, y) < 0 ? this.passed(x, y) : null);
  }
}
