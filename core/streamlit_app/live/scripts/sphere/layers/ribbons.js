// Ribbons along great circles: quiet ones between pairs, named arcs, arrows.
const SEGMENTS = 24;   // of a ribbon that may be long

function ribbonLayer(drawing, { width, arrow, lift, valuesOf, segments = SEGMENTS }) {   // valuesOf: start, end, colour; ten numbers a ribbon
  const gl = drawing.gl, program = drawing.program(ARC_VS, ARC_FS);
  const array = gl.createVertexArray(), buffer = gl.createBuffer();
  let count = 0;
  return {
    fill(scene, look) {
      const values = valuesOf(scene, look);
      gl.bindVertexArray(array);
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      [[3, 0], [3, 12], [4, 24]].forEach(([size, offset], slot) => {
        gl.enableVertexAttribArray(slot);
        gl.vertexAttribPointer(slot, size, gl.FLOAT, false, 40, offset);
        gl.vertexAttribDivisor(slot, 1);
      });
      count = values.length / 10;
    },

    draw({ begin, camera }) {
      if (!count) return;
      const at = begin(program);
      gl.bindVertexArray(array);
      gl.uniform1f(at("u_width"), width * camera.dpr);
      gl.uniform1f(at("u_arrow"), arrow);
      gl.uniform1f(at("u_lift"), lift);
      gl.uniform1f(at("u_fade"), 0.3);
      gl.uniform1f(at("u_segments"), segments);
      gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 2 * (segments + 1), count);
    },
  };
}

const pairsLayer = (drawing) => ribbonLayer(drawing, { width: 1.1, arrow: 0, lift: 1.0, valuesOf({ coords, links, pairs }, { colours }) {
  const quiet = [...floats(colours.muted), Math.max(0.1, Math.min(0.34, 4 / Math.sqrt(pairs + 1)))];
  const values = new Float32Array(10 * pairs);
  for (let k = 0; k < pairs; k++) {
    values.set(coords.subarray(3 * links[2 * k], 3 * links[2 * k] + 3), 10 * k);
    values.set(coords.subarray(3 * links[2 * k + 1], 3 * links[2 * k + 1] + 3), 10 * k + 3);
    values.set(quiet, 10 * k + 6);
  }
  return values;
} });

const arcsLayer = (drawing) => ribbonLayer(drawing, { width: 3.4, arrow: 0, lift: 1.004, valuesOf: ({ arcs }, { colours: { kinds } }) =>
  new Float32Array(arcs.flatMap((a) => [...a.start, ...a.end, ...floats(kinds[a.kind] ?? kinds.plain), 0.95])) });

const linesLayer = (drawing) => ribbonLayer(drawing, { width: 1.2, arrow: 0, lift: 1.003, valuesOf({ lines }, { colours: { kinds } }) {
  const quiet = [...floats(kinds.plain), 0.7];
  return new Float32Array((lines ?? []).flatMap((line) => line.slice(1).flatMap((b, k) => [...line[k], ...b, ...quiet])));
} });

const arrowsLayer = (drawing) => ribbonLayer(drawing, { width: 1.8, arrow: 1, lift: 1.004, valuesOf: ({ arrows }, { colours: { kinds } }) =>
  new Float32Array(arrows.flatMap(([a, b]) => [...a, ...b, ...floats(kinds.plain), 0.85])) });
