"""How fast objects are drawn, over the bare casting of the same rays, and what a million faces cost.

    python tests/benchmarks/rendering.py

Passes where 64 views of a mesh of 10,000 faces at 224 px take less than 5 s, preparation included, and a view costs at
most 1.5 times the casting of its rays. Times of a machine at work are those of its processors, beside those of a clock.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import trimesh

from core.rendering.cameras import camera_set
from core.rendering.casting import has_embree
from core.rendering.depth import depth_views
from core.rendering.drawing import Drawer, Drawing, render_views, styles_of
from core.rendering.surfaces import MeshSurface
from core.rendering.world import WorldDrawer, WorldLook
from core.sources.meshes.mesh import Cloud, Mesh, placed
from core.sources.meshes.opening import open_mesh_path

VIEWS, MOST_SECONDS, MOST_TIMES = 64, 5.0, 1.5
FORMATS = ("ply", "glb", "obj", "stl", "off")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the clock, and of the processors."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def knot(n_faces: int) -> Mesh:
    """A bumpy ring of so many faces, seen from everywhere in another shape."""
    around = round((n_faces / 2 * 4) ** 0.5)
    across = n_faces // 2 // around
    ring = trimesh.creation.torus(1, 0.4, major_sections=around, minor_sections=across)
    vertices = ring.vertices * (1 + 0.08 * np.sin(9 * np.arctan2(ring.vertices[:, 1], ring.vertices[:, 0])))[:, None]
    return Mesh("knot", vertices, ring.faces)


def peak() -> float:
    """MB that this process has held at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    views = camera_set("fibonacci", VIEWS)
    mesh = knot(10_000)
    render_views(mesh, views[:4], Drawing())
    clock, processor = timed(lambda: render_views(mesh, views, Drawing()))
    print(f"{VIEWS} views of {len(mesh.faces):,} faces at 224 px, Embree {has_embree()}: {clock:.2f} s by the clock, "
          f"{processor:.2f} s of processors (limit {MOST_SECONDS:g} s)")
    failed = min(clock, processor) > MOST_SECONDS
    surface = MeshSurface(placed(mesh))
    bare = min(timed(lambda: [surface.cast(view, 448) for view in views[:16]])[1] for _ in range(3)) / 16
    for style in styles_of(mesh):
        drawer = Drawer(mesh, Drawing(style), surface)
        each = min(timed(lambda draw=drawer.draw: [draw(view) for view in views[:16]])[1] for _ in range(3)) / 16
        checked = style == "shaded"
        failed |= checked and each > MOST_TIMES * bare
        print(f"  {style:10}: {1e3 * each:5.1f} ms a view, {each / bare:.2f} times the casting of its rays "
              f"({1e3 * bare:.1f} ms){f', limit {MOST_TIMES:g}' if checked else ''}")
    slow = MeshSurface(placed(mesh), embree=False)
    print(f"  without Embree: {1e3 * timed(lambda: [slow.cast(view, 448) for view in views[:4]])[1] / 4:.0f} ms a view")
    world = WorldDrawer(mesh, WorldLook(size=224), surface)
    world.draw_all(views[:2])
    each = timed(lambda: world.draw_all(views[:16]))[1] / 16
    print(f"  in the look of the world at 224 px: {1e3 * each:.0f} ms a view")
    points = trimesh.sample.sample_surface(trimesh.Trimesh(mesh.vertices, mesh.faces), 100_000, seed=0)[0]
    cloud = Cloud("cloud", points)
    shaded, depth = (timed(work)[1] / 8 for work in (lambda: render_views(cloud, views[:8], Drawing()),
                                                     lambda: depth_views(cloud, views[:8])))
    print(f"  a cloud of {len(points):,} points: {1e3 * shaded:.0f} ms a view, preparation included; "
          f"depth {1e3 * depth:.0f} ms")
    before = peak()
    with tempfile.TemporaryDirectory() as folder:
        million = trimesh.creation.icosphere(8)
        for kind in FORMATS:
            file = Path(folder) / f"million.{kind}"
            million.export(file)
            found: list[Mesh] = []
            read = timed(lambda file=file, found=found: found.extend(open_mesh_path(file).objects))[1]
            drawing = timed(lambda found=found: render_views(found[0], views[:2], Drawing()))[1]
            print(f"{len(found[0].faces):,} faces from {kind}: read in {read:.1f} s, prepared and drawn twice in "
                  f"{drawing:.1f} s of processors; peak {peak():.0f} MB (before: {before:.0f} MB)")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
