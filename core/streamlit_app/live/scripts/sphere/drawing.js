// The globe and what lies on it, by WebGL 2. Each kind of thing is a layer, made of a drawing:
//   fill(scene, look, before)   new data or new colours; `before` is the scene that was shown, if any
//   draw(pass)                  twice a frame: what lies on the far half (pass.front 0), then on the near half (1)
//   step(now)                   optional: on to this moment, ms; true as long as it has farther to go
//   move(scene, look)           optional: the scene's coordinates are others now, and nothing else
// A new kind of thing is a script with its layer, named here in its place.
const LAYERS = [globeLayer, pairsLayer, linesLayer, pointsLayer, arcsLayer, arrowsLayer];   // from the ground up

class Drawing {
  constructor(canvas, layers) {
    this.canvas = canvas;
    this.kinds = layers;
    this.gl = canvas.getContext("webgl2", { antialias: false, premultipliedAlpha: true, alpha: true });
    if (this.gl) this.make();
  }

  make() {   // also where the graphics were lost
    const gl = this.gl;
    this.programs = new Map();
    this.layers = this.kinds.map((layer) => layer(this));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.disable(gl.DEPTH_TEST);
  }

  program(vs, fs) {   // one for all layers that have the same shaders
    const gl = this.gl, both = vs + fs;
    if (this.programs.has(both)) return this.programs.get(both);
    const made = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vs], [gl.FRAGMENT_SHADER, fs]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost())
        throw new Error("sphere shader: " + gl.getShaderInfoLog(shader));
      gl.attachShader(made, shader);
    }
    gl.linkProgram(made);
    const at = new Map();
    made.at = (name) => { if (!at.has(name)) at.set(name, gl.getUniformLocation(made, name)); return at.get(name); };
    this.programs.set(both, made);
    return made;
  }

  texture() {   // of bytes; filled and bound by its layer
    const gl = this.gl, texture = gl.createTexture();
    return {
      bind: (unit = 0) => { gl.activeTexture(gl.TEXTURE0 + unit); gl.bindTexture(gl.TEXTURE_2D, texture); },
      fill(channels, width, height, values, how, wrap = gl.CLAMP_TO_EDGE) {
        const [inside, format] = channels === 3 ? [gl.RGB8, gl.RGB] : [gl.R8, gl.RED];
        this.bind();
        gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
        gl.texImage2D(gl.TEXTURE_2D, 0, inside, width, height, 0, format, gl.UNSIGNED_BYTE, values);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, how);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, how);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
        gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      },
      table(colours, how) {   // of red, green, blue, one after another
        const values = new Uint8Array(colours.length ? colours : [128, 128, 128]);
        this.fill(3, values.length / 3, 1, values, how);
      },
    };
  }

  fill(scene, look, before) {
    this.scene = scene;
    this.look = look;
    for (const layer of this.layers) layer.fill(scene, look, before);
  }

  move() { for (const layer of this.layers) layer.move?.(this.scene, this.look); }

  step(now) { return this.layers.map((layer) => layer.step?.(now)).some(Boolean); }

  draw(camera, count) {   // count: points of this frame
    const gl = this.gl, l = camera.lens(), turn = new Float32Array(matrix(camera.turn));
    gl.viewport(0, 0, camera.width, camera.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const begin = (front) => (program) => {
      gl.useProgram(program);
      gl.uniformMatrix3fv(program.at("u_turn"), true, turn);
      gl.uniform4f(program.at("u_view"), l.x, l.y, l.focal, EYE);
      gl.uniform2f(program.at("u_size"), camera.width, camera.height);
      gl.uniform1f(program.at("u_front"), front);
      return program.at;   // where the uniforms of a layer's own are
    };
    for (const front of [0, 1]) {
      const pass = { front, begin: begin(front), camera, count, scene: this.scene, look: this.look };
      for (const layer of this.layers) layer.draw(pass);
    }
  }
}
