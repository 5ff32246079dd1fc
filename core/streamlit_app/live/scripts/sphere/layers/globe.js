// The globe: its body, grid and rim, the heat on it and the caps.
function globeLayer(drawing) {
  const gl = drawing.gl, program = drawing.program(BODY_VS, BODY_FS), empty = gl.createVertexArray();
  const scale = drawing.texture(), heat = drawing.texture();
  return {
    fill(scene, look, before) {
      scale.table(look.colours.heat, gl.LINEAR);
      if (scene.heat.rows && before?.fingerprint !== scene.fingerprint)
        heat.fill(1, scene.heat.columns, scene.heat.rows, scene.heat.values, gl.LINEAR, gl.REPEAT);
    },

    draw({ begin, camera, scene, look }) {
      const at = begin(program), c = look.colours, caps = scene.caps.slice(0, MOST_CAPS);
      gl.bindVertexArray(empty);
      gl.uniform1f(at("u_dpr"), camera.dpr);
      gl.uniform1f(at("u_dark"), look.dark ? 1 : 0);
      gl.uniform3fv(at("u_body"), floats(c.sphere));
      gl.uniform3fv(at("u_grid"), floats(look.dark ? "#5b6a82" : "#9aa7b8"));
      gl.uniform1f(at("u_has_heat"), scene.heat.rows ? 1 : 0);
      gl.uniform1f(at("u_two_way"), scene.heat.two_way ? 1 : 0);
      gl.uniform1i(at("u_heat"), 0);
      gl.uniform1i(at("u_scale"), 1);
      scale.bind(1);
      heat.bind(0);
      gl.uniform1i(at("u_cap_count"), caps.length);
      if (caps.length) {
        gl.uniform4fv(at("u_caps"), caps.flatMap((cap) => [...cap.centre, cap.radius]));
        gl.uniform3fv(at("u_cap_colours"), caps.flatMap((cap) => floats(c.kinds[cap.kind] ?? c.kinds.plain)));
      }
      gl.drawArrays(gl.TRIANGLES, 0, 3);
    },
  };
}
