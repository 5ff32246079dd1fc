// Shaders of the live sphere. Every pass is drawn twice: the far half first (u_front 0), then the near half (u_front 1).
const COMMON = `
uniform mat3 u_turn;     // world to camera
uniform vec4 u_view;     // centre x, centre y, focal length (device pixels), distance of the eye
uniform vec2 u_size;     // canvas, device pixels
uniform float u_front;
vec3 camera(vec3 p) { return u_turn * p; }
vec2 pixel(vec3 q) { float s = u_view.z / (u_view.w - q.z); return vec2(u_view.x + s * q.x, u_view.y - s * q.y); }
vec4 clip(vec2 px) { return vec4(px.x / u_size.x * 2.0 - 1.0, 1.0 - px.y / u_size.y * 2.0, 0.0, 1.0); }
float facing(vec3 q) { return q.z * u_view.w - 1.0; }   // above 0 on the near half
`;

const BODY_VS = `#version 300 es
void main() { gl_Position = vec4(vec2(gl_VertexID & 1, gl_VertexID >> 1) * 4.0 - 1.0, 0.0, 1.0); }`;

const MOST_CAPS = 8;
const BODY_FS = `#version 300 es
precision highp float;
${COMMON}
uniform float u_dpr, u_dark, u_has_heat, u_two_way;
uniform vec3 u_body, u_grid, u_background;
uniform sampler2D u_heat;
uniform sampler2D u_scale;
uniform vec4 u_caps[${MOST_CAPS}];
uniform vec3 u_cap_colours[${MOST_CAPS}];
uniform int u_cap_count;
out vec4 colour;
const float PI = 3.14159265;
float line(float signed_distance, float px, float width) {
  return 1.0 - smoothstep(width * 0.5 * u_dpr - 0.5, width * 0.5 * u_dpr + 0.5, abs(signed_distance) / max(px, 1e-6));
}
vec4 over(vec4 top, vec4 bottom) { return top + bottom * (1.0 - top.a); }
void main() {
  vec2 px = vec2(gl_FragCoord.x, u_size.y - gl_FragCoord.y);
  vec3 ray = normalize(vec3((px.x - u_view.x) / u_view.z, -(px.y - u_view.y) / u_view.z, -1.0));
  float b = ray.z * u_view.w, disc = b * b - u_view.w * u_view.w + 1.0;
  float rim_px = length(px - u_view.xy) - u_view.z / sqrt(u_view.w * u_view.w - 1.0);
  float edge = clamp(0.5 - rim_px, 0.0, 1.0);
  if (edge <= 0.0) { discard; }
  float root = sqrt(max(disc, 1e-9));
  vec3 eye = vec3(0.0, 0.0, u_view.w);
  vec3 q = normalize(eye + ray * (u_front > 0.5 ? -b - root : -b + root));
  vec3 p = q * u_turn;                                  // transpose: back to the world
  float tilt = clamp(dot(q, -ray), 0.0, 1.0);           // 1 at the middle, 0 at the rim (near half)
  vec4 c = vec4(0.0);
  if (u_front < 0.5) {
    float depth = clamp(dot(q, ray), 0.0, 1.0);
    vec3 base = mix(u_body * (u_dark > 0.5 ? 0.72 : 0.955), u_body, depth);
    float key = clamp(dot(normalize(vec3(-0.45, 0.55, 0.7)), normalize(vec3(q.xy, -q.z))), 0.0, 1.0);
    base = mix(base, u_dark > 0.5 ? base * 1.35 : mix(base, vec3(1.0), 0.55), key * 0.8);
    c = vec4(base, 1.0);
  } else {
    float rim = pow(1.0 - tilt, 3.0);
    vec3 glow = u_dark > 0.5 ? vec3(0.45, 0.60, 0.85) : vec3(0.32, 0.40, 0.52);
    float a = rim * (u_dark > 0.5 ? 0.42 : 0.34);
    c = vec4(glow * a, a);
    float shine = pow(clamp(dot(reflect(ray, q), normalize(vec3(-0.5, 0.62, 0.62))), 0.0, 1.0), 28.0);
    float s = shine * (u_dark > 0.5 ? 0.10 : 0.35);
    c = over(vec4(vec3(s), s), c);
  }
  float strength = u_front > 0.5 ? 1.0 : 0.5;
  if (u_has_heat > 0.5) {
    vec2 at = vec2(atan(p.y, p.x) / (2.0 * PI) + 0.5, asin(clamp(p.z, -1.0, 1.0)) / PI + 0.5);
    float h = textureLod(u_heat, at, 0.0).r;
    float a = smoothstep(0.02, 0.75, u_two_way > 0.5 ? abs(2.0 * h - 1.0) : h) * (u_two_way > 0.5 ? 0.8 : 0.62) * strength;
    c = over(vec4(texture(u_scale, vec2(h, 0.5)).rgb * a, a), c);
  }
  float step30 = PI / 6.0;
  float flat_length = length(p.xy), longitude = atan(p.y, p.x), latitude = atan(p.z, flat_length);
  float meridian = (longitude - step30 * round(longitude / step30)) * flat_length;
  float parallel = latitude - step30 * round(latitude / step30);
  float east_px = min(fwidth(longitude), fwidth(atan(-p.y, -p.x))) * flat_length, north_px = fwidth(latitude);
  float g = max(line(meridian, east_px, 1.0) * smoothstep(0.02, 0.22, flat_length), line(parallel, north_px, 1.0));
  g = max(g, line(latitude, north_px, 1.6));
  float ga = g * (u_front > 0.5 ? 0.62 : 0.42) * (u_front > 0.5 ? smoothstep(0.0, 0.22, tilt) : 1.0);
  c = over(vec4(u_grid * ga, ga), c);
  for (int i = 0; i < ${MOST_CAPS}; i++) {
    if (i >= u_cap_count) break;
    vec3 centre = u_caps[i].xyz;
    float d = 2.0 * atan(length(p - centre), length(p + centre)) - u_caps[i].w;
    float px_angle = max(fwidth(d), 1e-6);
    float inside = 1.0 - smoothstep(-0.5, 0.5, d / px_angle);
    float a = max(inside * (u_front > 0.5 ? 0.10 : 0.05), line(d, px_angle, 2.0) * (u_front > 0.5 ? 0.95 : 0.35));
    c = over(vec4(u_cap_colours[i] * a, a), c);
  }
  if (u_front > 0.5) {
    float a = clamp(1.0 - abs(rim_px + 0.9 * u_dpr) / (0.9 * u_dpr), 0.0, 1.0) * 0.75;
    c = over(vec4(u_grid * a, a), c);
  }
  colour = c * edge;
}`;

const POINT_VS = `#version 300 es
precision highp float;
${COMMON}
layout(location = 0) in vec3 a_to;
layout(location = 1) in vec3 a_from;
layout(location = 2) in uint a_index;
layout(location = 3) in uint a_flags;
uniform float u_point, u_moved, u_dim, u_row;
uniform vec3 u_grey;
uniform sampler2D u_table;
out vec3 v_colour;
out float v_alpha, v_size;
flat out int v_kind;
void main() {
  vec3 q = camera(normalize(mix(a_from, a_to, u_moved) + vec3(1e-9)));
  float f = facing(q);
  bool grey = (a_flags & 128u) != 0u;
  v_kind = int(a_flags & 31u);
  bool pass = (f > 0.0) == (u_front > 0.5);
  float depth = smoothstep(-2.6, 2.8, f);
  v_colour = grey ? u_grey : texelFetch(u_table, ivec2(int(a_index), 0), 0).rgb;
  v_alpha = (f > 0.0 ? mix(0.72, 0.96, smoothstep(0.0, 1.2, f)) : mix(0.13, 0.62, smoothstep(-4.5, 0.0, f)))
            * (grey ? 0.38 : 1.0) * ((a_flags & 32u) != 0u ? 0.3 : 1.0) * u_dim;
  float kind_scale = v_kind == 1 ? 1.18 : v_kind == 2 ? 2.1 : 1.0;
  v_size = u_point * mix(0.62, 1.1, depth) * kind_scale * (grey ? 0.8 : 1.0);
  gl_PointSize = v_size * 2.0 + 3.0;
  gl_Position = pass ? clip(pixel(q)) : vec4(2.0, 2.0, 2.0, 1.0);
}`;

const POINT_FS = `#version 300 es
precision highp float;
uniform vec3 u_background;
in vec3 v_colour;
in float v_alpha, v_size;
flat in int v_kind;
out vec4 colour;
void main() {
  vec2 p = (gl_PointCoord - 0.5) * (v_size * 2.0 + 3.0);
  float d = length(p) - v_size;
  if (v_kind == 1) d = (abs(p.x) + abs(p.y)) * 0.7071 - v_size * 0.86;
  if (v_kind == 2) {
    float a = atan(p.x, -p.y), k = 0.6283185;
    a = mod(a + k, 2.0 * k) - k;
    vec2 s = length(p) * vec2(cos(a), abs(sin(a)));
    vec2 tip = vec2(v_size, 0.0), notch = v_size * 0.46 * vec2(cos(k), sin(k));
    vec2 e = notch - tip, w = s - tip;
    d = (w.x * e.y - w.y * e.x) / length(e);
  }
  float fill = 1.0 - smoothstep(-0.6, 0.6, d);
  float rim = smoothstep(-1.7, -0.3, d) * (v_size > 2.4 ? 0.6 : 0.25);
  float a = fill * v_alpha;
  if (a < 0.004) discard;
  colour = vec4(mix(v_colour, u_background, rim) * a, a);
}`;

// Great-circle ribbons: one instance an arc, a strip of 2 (u_segments + 1) vertices.
const ARC_VS = `#version 300 es
precision highp float;
${COMMON}
layout(location = 0) in vec3 a_start;
layout(location = 1) in vec3 a_end;
layout(location = 2) in vec4 a_colour;
uniform float u_width, u_arrow, u_lift, u_fade, u_segments;
out vec4 v_colour;
out float v_side, v_half;
vec3 slerp(float t) {
  float angle = 2.0 * atan(length(a_start - a_end), length(a_start + a_end));
  if (angle < 1e-4) return a_start;
  return (sin((1.0 - t) * angle) * a_start + sin(t * angle) * a_end) / sin(min(angle, 3.1414));
}
void main() {
  float t = float(gl_VertexID >> 1) / u_segments, side = float(gl_VertexID & 1) * 2.0 - 1.0;
  vec3 q = camera(normalize(slerp(t)) * u_lift);
  vec2 a = pixel(camera(normalize(slerp(max(t - 0.02, 0.0))) * u_lift));
  vec2 b = pixel(camera(normalize(slerp(min(t + 0.02, 1.0))) * u_lift));
  vec2 along = b - a;
  along /= max(length(along), 1e-3);
  float wide = u_width;
  if (u_arrow > 0.5) wide = t < 0.71 ? u_width : u_width * 4.2 * (1.0 - t) / 0.29 + 0.2;
  v_half = wide * 0.5 + 1.0;
  v_side = side * v_half;
  float f = facing(q);
  float near = smoothstep(-0.08, 0.08, f);
  float show = u_front > 0.5 ? near : 1.0 - near;
  v_colour = vec4(a_colour.rgb, a_colour.a * show * (u_front > 0.5 ? 1.0 : u_fade));
  gl_Position = clip(pixel(q) + vec2(-along.y, along.x) * v_side);
}`;

const ARC_FS = `#version 300 es
precision highp float;
in vec4 v_colour;
in float v_side, v_half;
out vec4 colour;
void main() {
  float a = v_colour.a * (1.0 - smoothstep(v_half - 1.5, v_half - 0.3, abs(v_side)));
  if (a < 0.003) discard;
  colour = vec4(v_colour.rgb * a, a);
}`;
