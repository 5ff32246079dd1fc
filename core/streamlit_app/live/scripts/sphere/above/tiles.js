// Above the globe: pictures at their points, where nothing lies that needs the room more; they fade in and out.
const tileLayer = {
  claim(board) {
    const { view, dpr, lens, scene, taken } = board, { kept, opacity } = view.pictures, zoom = view.camera.zoom;
    const base = Math.max(26, Math.min(54, (lens.radius / dpr / zoom) * 0.145)) * dpr * Math.min(1.5, Math.sqrt(zoom));
    const tiles = [];
    for (const point of scene.shown) {
      const bitmap = kept.get(point)?.bitmap;
      if (!bitmap) continue;
      const [x, y, facing] = board.at(view.point(point));
      const near = Math.max(0, Math.min(1, facing / 1.1));
      const size = base * (0.72 + 0.28 * near);
      const box = [x - size / 2 - 2 * dpr, y - size / 2 - 2 * dpr, x + size / 2 + 2 * dpr, y + size / 2 + 2 * dpr];
      const wanted = facing > 0.08 && !(scene.flags[point] & 128) && !taken.some((t) => meet(t, box));
      if (wanted) taken.push(box);
      const before = opacity.get(point) ?? 0, after = wanted ? Math.min(1, before + 0.2) : Math.max(0, before - 0.34);
      opacity.set(point, after);
      if (after !== before) view.ask();
      if (after > 0) tiles.push({ point, bitmap, x: x - size / 2, y: y - size / 2, size, facing, alpha: after });
    }
    board.tiles = tiles.sort((a, b) => a.facing - b.facing);
    view.tiles = tiles.filter((t) => t.alpha > 0.5);
  },

  draw({ pen, dpr, scene, look, tiles }) {
    for (const t of tiles) {
      const r = 5 * dpr;
      pen.save();
      pen.globalAlpha = t.alpha;
      pen.shadowColor = "rgba(10, 18, 32, 0.35)";
      pen.shadowBlur = 7 * dpr;
      pen.shadowOffsetY = 2 * dpr;
      pen.fillStyle = look.ground;
      pen.beginPath();
      pen.roundRect(t.x - 1.6 * dpr, t.y - 1.6 * dpr, t.size + 3.2 * dpr, t.size + 3.2 * dpr, r + 1.6 * dpr);
      pen.fill();
      pen.shadowColor = "transparent";
      pen.beginPath();
      pen.roundRect(t.x, t.y, t.size, t.size, r);
      pen.save();
      pen.clip();
      const scale = t.size / Math.min(t.bitmap.width, t.bitmap.height);
      const w = t.bitmap.width * scale, h = t.bitmap.height * scale;
      pen.imageSmoothingQuality = "high";
      pen.drawImage(t.bitmap, t.x + (t.size - w) / 2, t.y + (t.size - h) / 2, w, h);
      pen.restore();
      pen.lineWidth = 1.6 * dpr;
      pen.strokeStyle = rgbOf(look.colours.table, scene.index[t.point]);
      pen.stroke();
      pen.restore();
    }
  },
};
