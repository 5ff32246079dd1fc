// The points, which glide from where they were to where they are.
const GLIDE = 650;   // ms

function pointRadius(camera, n) {   // device pixels
  const share = 2.1 / Math.sqrt(n + 30), globe = camera.lens().radius / camera.zoom / camera.dpr;
  return Math.max(1.15, Math.min(6.5, share * globe * 0.42)) * camera.dpr * Math.sqrt(camera.zoom);
}

function pointsLayer(drawing) {
  const gl = drawing.gl, program = drawing.program(POINT_VS, POINT_FS), table = drawing.texture();
  const array = gl.createVertexArray(), buffers = [0, 1, 2, 3].map(() => gl.createBuffer());
  let moved = 1, movedAt = 0;   // share of the way, and when it began
  let order, to;                // in which points are drawn, and where they are

  function place(scene, before) {
    // Points are drawn in a scattered order, so that no kind always lies on top of another.
    const n = scene.n, from = new Float32Array(3 * n);
    order = scattered(n);
    to = new Float32Array(3 * n);
    const index = new Uint8Array(n), flags = new Uint8Array(n);
    const same = !before || before.n !== n || before.coords.every((v, i) => v === scene.coords[i]);
    const start = same ? scene.coords : before.coords;
    for (let k = 0; k < n; k++) {
      const i = order[k];
      for (let c = 0; c < 3; c++) { to[3 * k + c] = scene.coords[3 * i + c]; from[3 * k + c] = start[3 * i + c]; }
      index[k] = scene.index[i];
      flags[k] = scene.flags[i] | (scene.dim?.[i] ? 32 : 0);
    }
    gl.bindVertexArray(array);
    [[to, 3], [from, 3], [index, 1], [flags, 1]].forEach(([values, size], slot) => {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[slot]);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(slot);
      if (size === 3) gl.vertexAttribPointer(slot, 3, gl.FLOAT, false, 0, 0);
      else gl.vertexAttribIPointer(slot, 1, gl.UNSIGNED_BYTE, 0, 0);
    });
    moved = same || matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : 0;
    movedAt = performance.now();
  }

  return {
    fill(scene, look, before) {
      table.table(look.colours.table, gl.NEAREST);
      if (before?.fingerprint !== scene.fingerprint || before.dimmed !== scene.dimmed) place(scene, before);
    },

    move({ coords }) {   // the points are there from now on
      order.forEach((i, k) => { for (let c = 0; c < 3; c++) to[3 * k + c] = coords[3 * i + c]; });
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[0]);
      gl.bufferSubData(gl.ARRAY_BUFFER, 0, to);
      moved = 1;
    },

    step(now) {
      if (moved === 1) return false;
      const t = Math.min(1, (now - movedAt) / GLIDE);
      moved = t * t * (3 - 2 * t);
      return true;
    },

    draw({ begin, camera, count, scene, look }) {
      if (!count) return;
      const at = begin(program);
      gl.bindVertexArray(array);
      table.bind();
      gl.uniform1i(at("u_table"), 0);
      gl.uniform1f(at("u_point"), pointRadius(camera, scene.n));
      gl.uniform1f(at("u_moved"), moved);
      gl.uniform1f(at("u_dim"), scene.heat.rows ? 0.75 : 1);
      gl.uniform3fv(at("u_grey"), floats(look.colours.unselected));
      gl.uniform3fv(at("u_background"), floats(look.ground));
      gl.drawArrays(gl.POINTS, 0, count);
    },
  };
}

function scattered(n) {   // the same order each time
  const order = new Uint32Array(n).map((_, i) => i);
  let seed = 20250101;
  for (let i = n - 1; i > 0; i--) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 4294967296) * (i + 1)), keep = order[i];
    order[i] = order[j];
    order[j] = keep;
  }
  return order;
}
