// The player: a clock that a video drives where the browser plays one, and the pictures of the frames where it does not.
const PLAYS = new Map();   // by key of the view and name of the film: {time, speed, number}; outlives a view

class Player {
  constructor(owner, screen) {
    this.owner = owner;                       // {ticked(), rested(), failed(url)}
    this.video = add("video", "of-video", screen);
    this.slide = add("canvas", "of-slide", screen);
    this.blank = add("div", "of-blank", screen);
    this.blank.textContent = "No picture of this frame";
    Object.assign(this.video, { playsInline: true, preload: "auto", tabIndex: -1 });
    this.url = "";
    this.ready = this.playing = false;
    this.failedUrls = new Set();
    this.speed = 1;
    this.now = 0;                             // s, where no video drives
    this.listen();
  }

  listen() {
    const video = this.video;
    video.addEventListener("loadedmetadata", () => {
      if (!video.videoWidth) return this.fail();   // it would play the sound alone
      this.ready = true;
      this.seek(this.now);
      this.owner.changed();
    });
    video.addEventListener("error", () => this.fail());
    video.addEventListener("seeked", () => this.owner.ticked());
    video.addEventListener("loadeddata", () => this.owner.ticked());
    video.addEventListener("ended", () => { if (this.driven && this.playing) this.pastVideo(); });
    video.addEventListener("pause", () => { if (this.driven && this.playing && !video.ended && !video.seeking && !this.starting) this.pause(); });
    video.addEventListener("play", () => { if (!this.playing) video.pause(); });
  }

  get driven() { return this.ready && this.now <= this.length; }   // whether the video says what time it is

  get length() { return Number.isFinite(this.video.duration) ? this.video.duration : this.path?.end ?? 0; }

  get end() { return this.ready ? Math.max(this.length, this.path.times[this.path.count - 1]) : this.path?.end ?? 0; }

  get time() { return this.driven && !this.video.seeking && this.playing ? (this.now = this.video.currentTime) : this.now; }

  open(path, time) {
    if (this.playing) this.pause();
    this.path = path;
    this.now = time;
    this.take(path.url, true);
  }

  take(url, anew = false) {   // the same film from here on; the time stays
    if (url === this.url && !anew) return;
    this.now = anew ? this.now : this.time;
    this.gone = false;
    this.clockedAt = performance.now();
    if (url !== this.url || !this.ready) {
      this.ready = false;
      this.url = url;
      if (url && !this.failedUrls.has(url)) this.video.src = url;
      else { this.video.removeAttribute("src"); this.video.load(); }
    } else this.seek(this.now);
    this.owner.ticked();
  }

  async fail() {   // a file that is gone is no film that cannot be played
    const url = this.url;
    if (!url || this.failedUrls.has(url)) return;
    this.ready = false;
    const there = await fetch(url, { method: "HEAD" }).then((answer) => answer.ok, () => false);
    if (url !== this.url) return;
    this.gone = !there;
    if (there) {
      this.failedUrls.add(url);
      this.owner.failed([...this.failedUrls]);
    }
    this.video.removeAttribute("src");
    this.clockedAt = performance.now();
    this.owner.changed();
    this.owner.ticked();
  }

  play() {
    if (this.playing || !this.path) return;
    if (this.time >= this.end - 0.02) this.seek(0);
    this.playing = true;
    this.start();
    this.owner.changed();
    this.run();
  }

  start() {   // what drives the clock
    this.clockedAt = performance.now();
    if (!this.driven) return;
    this.video.playbackRate = this.speed;
    this.starting = true;
    this.video.play().catch((error) => {   // without a hand on the page a browser plays no sound
      if (error.name !== "NotAllowedError" || this.video.muted) return;
      this.video.muted = true;
      this.owner.changed();
      return this.video.play().catch(() => this.pause());
    }).finally(() => { this.starting = false; });
  }

  pause() {
    if (!this.playing) return;
    this.now = this.time;
    this.playing = false;
    this.video.pause();
    this.owner.changed();
    this.owner.rested();
  }

  seek(time) {
    this.now = Math.max(0, Math.min(this.end, time));
    this.clockedAt = performance.now();
    if (this.driven) this.video.currentTime = this.now;
    else if (this.ready) this.video.pause();
    if (this.playing && this.driven && this.video.paused) this.start();
    this.owner.ticked();
  }

  set(speed) {
    this.speed = speed;
    this.video.playbackRate = speed;
    this.owner.changed();
  }

  pastVideo() {   // frames later than the video's end go on as pictures
    const further = this.path.times[this.path.count - 1] > this.length + 0.05;
    this.now = this.length + (further ? 1e-6 : 0);
    this.clockedAt = performance.now();
    if (!further) this.pause();
  }

  run() {
    cancelAnimationFrame(this.asked);
    this.asked = requestAnimationFrame(() => {
      if (!this.playing) return;
      if (!this.driven) {
        const now = performance.now();
        this.now += ((now - this.clockedAt) / 1000) * this.speed;
        this.clockedAt = now;
        if (this.now >= this.end) { this.now = this.end; this.pause(); }
      }
      this.owner.ticked();
      if (this.playing) this.run();
    });
  }

  showSlide(bitmap, pictured) {   // of the frame, where no video is seen
    const seen = !this.driven || this.video.readyState < 2;
    this.blank.style.display = seen && !pictured ? "" : "none";
    this.slide.style.display = seen ? "" : "none";
    if (!seen || bitmap === this.shown) return;
    this.shown = bitmap;
    const pen = this.slide.getContext("2d");
    Object.assign(this.slide, bitmap ? { width: bitmap.width, height: bitmap.height } : { width: 1, height: 1 });
    if (bitmap) pen.drawImage(bitmap, 0, 0);
  }

  close() {
    this.playing = false;
    cancelAnimationFrame(this.asked);
    this.url = "";
    this.video.removeAttribute("src");
    this.video.load();
  }
}
