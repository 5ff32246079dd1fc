// A run as the browser knows it: its snapshots, which come in files and a tail, and where its points are at any step.
const CHUNKS = new Map();   // snapshots by the address of their file: whole numbers, or a promise of them
const MOST_CHUNKS = 400;
const AT_ONCE = 4;          // files that are fetched at once
const WHOLE = 32767;        // what stands for 1

class Track {
  constructor(arrived) {    // arrived(): more snapshots are there
    this.arrived = arrived;
    this.steps = [];
    this.decoded = new Map();
    this.fetching = 0;
  }

  take(run) {   // gives whether there is something new
    const before = this.steps.length;
    Object.assign(this, { n: run.n, steps: run.steps, per: run.per, chunks: run.chunks, tail: run.tail });
    this.fetchMore();
    return this.steps.length > before;
  }

  get last() { return this.steps[this.steps.length - 1] ?? 0; }

  values(k) {   // of one snapshot, as whole numbers; undefined where they have not come
    if (k < 0 || k >= this.steps.length) return undefined;
    const chunk = Math.floor(k / this.per), size = 3 * this.n, inTail = k - this.per * this.chunks.length;
    const all = inTail >= 0 ? this.tail : CHUNKS.get(this.chunks[chunk]);
    const at = inTail >= 0 ? inTail : k % this.per;
    return all instanceof Int16Array ? all.subarray(size * at, size * (at + 1)) : undefined;
  }

  snapshot(k) {
    if (this.decoded.has(k)) return this.decoded.get(k);
    const values = this.values(k);
    if (!values) return undefined;
    const points = new Float32Array(values.length);
    for (let i = 0; i < points.length; i += 3) {
      const length = Math.hypot(values[i], values[i + 1], values[i + 2]) || 1;
      for (let c = 0; c < 3; c++) points[i + c] = values[i + c] / length;
    }
    if (this.decoded.size > 128) this.decoded.delete(this.decoded.keys().next().value);
    this.decoded.set(k, points);
    return points;
  }

  fetchMore() {
    const missing = this.chunks.filter((url) => !CHUNKS.has(url));
    for (const url of missing.slice(0, Math.max(0, AT_ONCE - this.fetching))) {
      this.fetching++;
      const come = fetch(url).then((answer) => { if (!answer.ok) throw new Error(answer.status); return answer.arrayBuffer(); })
        .then((bytes) => { CHUNKS.set(url, new Int16Array(bytes)); this.arrived(); })
        .catch(async (error) => {
          console.warn("training: could not read", url, error);
          await new Promise((later) => setTimeout(later, 1000));
          CHUNKS.delete(url);
        })
        .finally(() => { this.fetching--; if (!this.gone) this.fetchMore(); });
      CHUNKS.set(url, come);
      if (CHUNKS.size > MOST_CHUNKS) CHUNKS.delete(CHUNKS.keys().next().value);
    }
  }

  before(step) {   // index of the last snapshot at or before a step
    let low = 0, high = this.steps.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.steps[middle] <= step) low = middle; else high = middle - 1;
    }
    return low;
  }

  near(step) {   // index of the snapshot nearest to a step
    const k = this.before(step);
    return k + 1 < this.steps.length && this.steps[k + 1] - step < step - this.steps[k] ? k + 1 : k;
  }

  share(k, step) {   // of the way from snapshot k to the next
    return k + 1 < this.steps.length ? Math.max(0, Math.min(1, (step - this.steps[k]) / (this.steps[k + 1] - this.steps[k]))) : 0;
  }

  place(step, out) {   // points at a step, on the great circles between two snapshots; false where they have not come
    const k = this.before(step), a = this.snapshot(k), b = this.snapshot(k + 1), share = this.share(k, step);
    if (!a) return false;
    if (b && share) alongAll(a, b, share, out); else out.set(a);
    return true;
  }
}

function alongAll(a, b, share, out) {
  for (let i = 0; i < out.length; i += 3) out.set(slerp(a.subarray(i, i + 3), b.subarray(i, i + 3), share), i);
}
