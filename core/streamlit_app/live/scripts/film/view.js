// A film and its path: the player, the strip of its frames and the sphere, which go together.
export default (component) => mount(component, ".orrery-film", FilmView);

const AHEAD = 12;   // frames whose pictures are fetched before they are shown

class FilmView {
  static read(bytes) {
    return SphereView.read(bytes, (scene, take) => {
      for (const film of scene.films) {
        film.rows = take(Uint32Array, film.count);
        film.times = take(Float64Array, film.count);
      }
    });
  }

  constructor(root, scene) {
    this.root = root;
    this.key = scene.key;
    this.kept = PLAYS.get(this.key) ?? { times: new Map(), speed: 1 };
    PLAYS.set(this.key, this.kept);
    this.build();
    this.player = new Player(this, this.screen);
    this.controls = new Controls(this, this.side);
    this.note = add("div", "of-note", this.side);
    this.note.setAttribute("role", "status");
    this.strip = new Strip(this, this.below);
    this.sphere = new FilmSphere(this.globe, scene, this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.root);
    this.root.addEventListener("keydown", (e) => this.keyed(e));
    this.tellTests();
  }

  build() {
    this.root.replaceChildren();
    const both = add("div", "of-both", this.root);
    this.side = add("div", "of-side", both);
    this.tabs = add("div", "of-tabs", this.side);
    this.tabs.setAttribute("role", "tablist");
    this.screen = add("div", "of-screen", this.side);
    this.screen.tabIndex = 0;
    this.screen.setAttribute("role", "group");
    this.screen.addEventListener("click", () => this.toggle());
    this.below = add("div", "of-below", both);
    this.globe = add("div", "orrery-sphere", both);
  }

  tellTests() {   // what a test in a browser asks of the view
    (window.__orrery_film ??= {})[this.key] = {
      play: () => this.player.play(), pause: () => this.player.pause(), seek: (time) => this.seek(time), time: () => this.player.time,
      point: () => this.place(), frame: () => this.path.frameAt(this.player.time), film: () => this.scene.chosen, choose: (k) => this.choose(k),
      playing: () => this.player.playing, driven: () => this.player.driven, speed: (v) => (v ? this.player.set(v) : this.player.speed),
      src: () => this.player.video.getAttribute("src") ?? "", camera: () => this.sphere.camera.text(), project: (i) => this.sphere.screenOf(i),
      strip: () => this.strip.frames.map((frame, k) => { const at = this.strip.canvas.getBoundingClientRect(), [x, y, w, h] = this.strip.box(k);
        return { frame, x: at.left + x, y: at.top + y, width: w, height: h, pictured: !!this.bitmapOf(frame) }; }),
      end: () => this.player.end, video: () => this.player.video.currentTime,
    };
  }

  get path() { return this.scene.paths[this.scene.chosen]; }

  update(scene) {
    const before = this.scene, was = before?.paths[before.chosen];
    scene.paths = scene.films.map((film) => new FilmPath(scene, film));
    const asked = scene.seek && scene.seek.number !== this.kept.number ? scene.seek : null;
    const same = scene.paths.findIndex((path) => path.name === (was?.name ?? this.kept.name));
    scene.chosen = Math.min(scene.paths.length - 1, asked ? asked.film : Math.max(0, same));
    this.scene = scene;
    this.look = lookOf(this.root, scene.themes);
    this.sphere.tell = (name, value) => this.tell(name, value);
    this.dim(scene);
    this.sphere.update(scene);
    if (this.sphere.broken) return;
    this.fillTabs();
    if (was?.name === this.path.name && was.count === this.path.count) {
      this.player.path = this.path;
      this.player.take(this.path.url);
    } else {
      this.player.set(this.kept.speed);
      this.player.open(this.path, this.kept.times.get(this.path.name) ?? this.path.times[0]);
    }
    if (asked) {
      this.kept.number = asked.number;
      this.player.seek(asked.seconds);
      this.rested();
    }
    this.kept.name = this.path.name;
    this.changed();
    this.resize();
  }

  dim(scene) {   // the points of films that are not chosen
    scene.dimmed = `${scene.chosen} of ${scene.paths.map((path) => path.name).join("\n")}`;
    scene.dim = new Uint8Array(scene.n);
    for (const mine of [false, true])
      for (const [k, path] of scene.paths.entries())
        if ((k === scene.chosen) === mine) for (const row of path.rowTimes.keys()) scene.dim[row] = mine ? 0 : 1;
  }

  fillTabs() {
    const { paths, chosen } = this.scene, names = JSON.stringify(paths.map((path) => path.name));
    this.tabs.style.display = paths.length > 1 ? "" : "none";
    if (this.tabs.dataset.names !== names) {
      this.tabs.dataset.names = names;
      this.tabs.replaceChildren();
      for (const [k, path] of paths.entries()) {
        const tab = add("button", "of-tab", this.tabs);
        Object.assign(tab, { type: "button", textContent: path.name, title: path.name });
        tab.setAttribute("role", "tab");
        tab.addEventListener("click", () => this.choose(k));
      }
    }
    for (const [k, tab] of [...this.tabs.children].entries()) tab.setAttribute("aria-selected", k === chosen);
    const { offsetTop: top, offsetHeight: high } = this.tabs.children[chosen], seen = this.tabs.clientHeight;
    if (top < this.tabs.scrollTop || top + high > this.tabs.scrollTop + seen) this.tabs.scrollTop = top + high - seen;
  }

  // ---- what hands do ----
  toggle() { if (this.player.playing) this.player.pause(); else this.player.play(); }

  keyed(e) {
    if (e.ctrlKey || e.metaKey || this.globe.contains(e.target) || e.target.tagName === "SELECT") return;
    const onButton = e.target.tagName === "BUTTON", step = (by) => this.goToFrame(Math.max(0, Math.min(this.path.count - 1, this.path.frameAt(this.player.time) + by)), false);
    const act = { " ": onButton ? null : () => this.toggle(), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
      Home: () => step(-Infinity), End: () => step(Infinity) }[e.key];
    if (!act) return;
    e.preventDefault();
    if (this.tabs.contains(e.target)) return;
    act();
  }

  seek(time) {
    this.player.seek(time);
    this.rested();
  }

  goToFrame(frame, told = true) {
    this.seek(this.path.times[frame]);
    if (told) this.sphereChose(this.path.rows[frame]);
  }

  sphereChose(row) {
    this.sphere.picked = row;
    this.sphere.ask();
    this.tell("clicked", row);
  }

  goTo(row, passed) {   // a point that was clicked, or a place on a path
    const film = passed?.film ?? [this.scene.chosen, ...this.scene.paths.keys()].find((k) => this.scene.paths[k].rowTimes.has(row));
    if (film === undefined) return;
    if (film !== this.scene.chosen) this.choose(film);
    this.seek(passed?.time ?? this.path.rowTimes.get(row));
  }

  choose(film) {
    if (film === this.scene.chosen || !this.scene.paths[film]) return;
    this.kept.times.set(this.path.name, this.player.time);
    this.scene.chosen = film;
    this.kept.name = this.path.name;
    this.fillTabs();
    const before = { ...this.scene };
    this.dim(this.scene);
    this.sphere.drawing.fill(this.scene, this.sphere.look, before);
    this.sphere.ask();
    this.player.open(this.path, this.kept.times.get(this.path.name) ?? this.path.times[0]);
    this.changed();
    this.resize();
    this.rested();
  }

  // ---- what the player says ----
  place() { return this.path ? this.path.at(this.player.time) : null; }

  changed() {
    this.kept.speed = this.player.speed;
    this.controls.show();
    const failed = this.player.failedUrls.has(this.path.url);
    const words = this.path.note || (failed ? "This browser cannot play the file; its frames are shown instead, one after another." :
      this.player.gone ? "The film's file could not be fetched; its frames are shown instead." : "");
    if (this.note.textContent !== words) this.note.textContent = words;
  }

  ticked() { this.ticking ??= requestAnimationFrame(() => { this.ticking = undefined; this.show(); }); }

  asked() { this.ticked(); }

  rested() {   // told once it stays
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      if (!this.player.playing) this.tell("at", { film: this.scene.chosen, seconds: +this.player.time.toFixed(3) });
    }, 350);
  }

  failed(urls) {
    this.changed();
    this.tell("unplayable", urls);
  }

  show() {   // this moment
    if (!this.path || this.gone || this.sphere.broken) return;
    const time = this.player.time;
    this.kept.times.set(this.path.name, time);
    this.controls.tick(time, this.player.end);
    this.controls.show();
    const frame = this.path.frameAt(time), has = pictured(this.scene, this.path.rows[frame]);
    this.player.showSlide(this.bitmapOf(frame) ?? (has && this.player.playing ? this.player.shown : null), has);
    this.strip.draw(time, (frame) => this.bitmapOf(frame), this.look, Math.min(window.devicePixelRatio || 1, 2));
    this.sphere.drawMoving();
    this.sphere.pictures.ask();
  }

  // ---- pictures of frames ----
  bitmapOf(frame) {   // once it has come
    const picture = this.sphere.pictures.kept.get(this.path.rows[frame]);
    if (picture && picture.bitmap === undefined) {
      picture.bitmap = null;
      createImageBitmap(picture.blob).then((bitmap) => { picture.bitmap = bitmap; this.ticked(); }, () => {});
    }
    return picture?.bitmap;
  }

  wanted() {   // points whose pictures are drawn here, the most wanted first
    if (!this.path) return [];
    const { rows, count } = this.path, here = this.path.frameAt(this.player.now), points = [rows[here]];
    if (!this.player.driven) for (let k = here + 1; k < Math.min(count, here + AHEAD); k++) points.push(rows[k]);
    return [...points, ...this.strip.frames.map((frame) => rows[frame])];
  }

  pictured() { this.ticked(); }

  resize() {
    if (!this.path || this.sphere.broken || !this.below.clientWidth) return;
    this.strip.lay(this.path, this.below.clientWidth);
    this.controls.drawCuts(this.path, this.player.end, this.look, Math.min(window.devicePixelRatio || 1, 2));
    this.screen.setAttribute("aria-label", `${this.path.name}. Space plays and pauses, arrow keys step from frame to frame.`);
    this.ticked();
  }

  dispose() {
    if (this.gone) return;
    this.gone = true;
    this.observer.disconnect();
    clearTimeout(this.telling);
    cancelAnimationFrame(this.ticking);
    this.player.close();
    this.sphere.dispose();
    if (window.__orrery_film) delete window.__orrery_film[this.key];
  }
}
