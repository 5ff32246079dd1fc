// How many points a turning sphere draws: all of them, but fewer where the machine is slow. Their order is scattered.
const FLUID = 60;     // a frame may take, ms
const FEWEST = 4000;
const REST = 160;     // without a turn, until it counts as still, ms

class Pace {
  share = 1;

  turns(ask) {   // ask: for the frame of a sphere that has come to rest
    this.turning = true;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.turning = false; this.drawnAt = undefined; ask(); }, REST);
  }

  of(n) {
    if (!this.turning) return n;
    const now = performance.now(), took = this.drawnAt === undefined ? undefined : now - this.drawnAt;
    this.drawnAt = now;
    if (took > FLUID) this.share = Math.max(this.share * Math.max(FLUID / took, 0.25), 1 / 64);
    else if (took < FLUID / 3) this.share = Math.min(1, this.share * 1.15);
    return Math.min(n, Math.max(FEWEST, Math.round(this.share * n)));
  }

  stop() { clearTimeout(this.resting); }
}
