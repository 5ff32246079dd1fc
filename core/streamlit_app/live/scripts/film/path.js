// The path of a film on the sphere: where it is at a time, and at what time it passes a place.
const HARDLY = 0.002;   // a player stands this much beside the time it was sent to, s

class FilmPath {
  constructor({ coords }, film) {
    Object.assign(this, film);   // name, rows, times, starts, said, url, duration, note
    this.coords = coords;
    this.count = this.rows.length;
    this.cuts = new Set(this.starts);
    this.rowTimes = new Map([...this.said, ...Array.from(this.rows, (row, k) => [row, this.times[k]])]);
    this.end = Math.max(this.duration, this.times[this.count - 1] ?? 0);
  }

  point(k) { return this.coords.subarray(3 * this.rows[k], 3 * this.rows[k] + 3); }

  isCut(k) { return this.cuts.has(k); }   // between the frame before and this one

  frameAt(time) {   // the last one looked at by then, the first before it
    let low = 0, high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.times[middle] <= time + HARDLY) low = middle; else high = middle - 1;
    }
    return low;
  }

  at(time) {   // on the great circle between two frames; over a cut it waits, then jumps
    const k = this.frameAt(time);
    if (k + 1 >= this.count || this.isCut(k + 1) || time <= this.times[k]) return [...this.point(k)];
    return slerp(this.point(k), this.point(k + 1), (time - this.times[k]) / (this.times[k + 1] - this.times[k]));
  }

  nearest(project, x, y, reach) {   // {time, frame, far} of the place of the path next to one on the canvas; null beyond reach
    let best = null;
    for (let k = 0; k + 1 < this.count; k++) {
      if (this.isCut(k + 1)) continue;
      const a = this.point(k), b = this.point(k + 1), steps = Math.max(1, Math.min(24, Math.ceil(between(a, b) / 0.06)));
      let before = project(a);
      for (let s = 1; s <= steps; s++) {
        const after = project(s === steps ? b : slerp(a, b, s / steps));
        if (before[2] > 0 && after[2] > 0) {
          const [far, share] = besideLine(x, y, before, after);
          if (far < (best?.far ?? reach)) best = { far, time: this.times[k] + ((s - 1 + share) / steps) * (this.times[k + 1] - this.times[k]) };
        }
        before = after;
      }
    }
    return best && { ...best, frame: this.closest(best.time) };
  }

  closest(time) {   // the frame nearest in time
    const k = this.frameAt(time);
    return k + 1 < this.count && this.times[k + 1] - time < time - this.times[k] ? k + 1 : k;
  }
}

function besideLine(x, y, a, b) {   // how far a place lies from a line on the canvas, and beside which share of it
  const dx = b[0] - a[0], dy = b[1] - a[1], square = dx * dx + dy * dy;
  const share = square ? Math.max(0, Math.min(1, ((x - a[0]) * dx + (y - a[1]) * dy) / square)) : 0;
  return [Math.hypot(a[0] + share * dx - x, a[1] + share * dy - y), share];
}

function clockOf(seconds) {   // as one reads it: 1:02.5, 1:00:02.0
  const tenths = Math.round(Math.max(0, seconds) * 10), minutes = Math.floor(tenths / 600), hours = Math.floor(minutes / 60);
  const two = (n) => String(n).padStart(2, "0");
  return (hours ? `${hours}:${two(minutes % 60)}:` : `${minutes}:`) + `${two(Math.floor((tenths % 600) / 10))}.${tenths % 10}`;
}
