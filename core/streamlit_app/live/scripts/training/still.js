// A layer that is drawn anew only where the camera, the colours or the scene change, and else shown again as it was:
// points that move many times a second need no new globe.
const STILL_FS = `#version 300 es
precision mediump float;
uniform sampler2D u_kept;
out vec4 colour;
void main() { colour = texelFetch(u_kept, ivec2(gl_FragCoord.xy), 0); }`;

function stillLayer(layerOf) {
  return (drawing) => {
    const gl = drawing.gl, layer = layerOf(drawing), program = drawing.program(BODY_VS, STILL_FS), empty = gl.createVertexArray();
    const kept = [0, 1].map(() => ({ texture: gl.createTexture(), frame: gl.createFramebuffer(), of: "" }));
    let shown = "";

    function keep(one, pass) {
      const { width, height } = pass.camera;
      gl.bindTexture(gl.TEXTURE_2D, one.texture);
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, width, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, null);
      gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
      gl.bindFramebuffer(gl.FRAMEBUFFER, one.frame);
      gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, one.texture, 0);
      gl.clear(gl.COLOR_BUFFER_BIT);
      layer.draw(pass);
      gl.bindFramebuffer(gl.FRAMEBUFFER, null);
    }

    return {
      ...layer,

      fill(scene, look, before) {
        shown = [scene.fingerprint, look.dark, look.ground].join();
        layer.fill(scene, look, before);
      },

      draw(pass) {
        const { camera, front } = pass, one = kept[front], of = [shown, camera.width, camera.height, camera.dpr, ...camera.turn, camera.zoom].join();
        if (one.of !== of) {
          gl.activeTexture(gl.TEXTURE0);
          keep(one, pass);
          one.of = of;
        }
        const { x, y, radius } = camera.lens(), r = Math.ceil(radius) + 2;
        gl.useProgram(program);
        gl.bindVertexArray(empty);
        gl.activeTexture(gl.TEXTURE0);
        gl.bindTexture(gl.TEXTURE_2D, one.texture);
        gl.uniform1i(program.at("u_kept"), 0);
        gl.enable(gl.SCISSOR_TEST);
        gl.scissor(Math.floor(x - r), Math.floor(camera.height - y - r), 2 * r, 2 * r);
        gl.drawArrays(gl.TRIANGLES, 0, 3);
        gl.disable(gl.SCISSOR_TEST);
      },
    };
  };
}
