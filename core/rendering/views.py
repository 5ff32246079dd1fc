"""Views of objects as a dataset: drawn when they are looked at, known by what they show, with where each looks from."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
from PIL import Image

from core.errors import Cancelled, ChoiceError, ShapeError, check_vectors
from core.rendering.cameras import angles
from core.rendering.drawing import Drawer, Drawing, drawn_in_order
from core.rendering.surfaces import CloudSurface, MeshSurface, surface_of
from core.rendering.world import WorldDrawer, WorldLook
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.solids.scene import Solid
from core.types import Dataset, as_ids, fingerprint

Object = Mesh | Cloud | Solid
Look = Drawing | WorldLook
CHUNK = 8
CACHE_PIXELS = 64_000_000
_SURFACES = 3


def name_of(shape: Object) -> str:
    """What a user calls an object."""
    if isinstance(shape, Solid):
        return f"{shape.colour} {shape.shape}" if shape.texture == "plain" else \
            f"{shape.texture} {shape.colour} {shape.shape}"
    return shape.name


def _fingerprint(shape: Object) -> str:
    return fingerprint("solid", asdict(shape)) if isinstance(shape, Solid) else shape.fingerprint


class ViewImages:
    """Views of objects as images, drawn a few at a time; those used last stay in memory.

    The order is that of the objects, in each that of the looks, in each that of the directions.

    Parameters
    ----------
    shapes : a objects.
    directions : (v, 3) unit rows.
    looks : b ways of drawing.

    Raises
    ------
    ChoiceError
        For a solid of the built-in world in another look than the world's.
    """

    def __init__(self, shapes: Sequence[Object], directions: np.ndarray, looks: Sequence[Look]) -> None:
        directions = np.asarray(directions, dtype=np.float64)
        check_vectors(directions, what="directions", unit=True)
        if not shapes or not looks:
            raise ShapeError("at least one object and one way of drawing", f"{len(shapes)} and {len(looks)}")
        if any(isinstance(s, Solid) for s in shapes) and any(isinstance(look, Drawing) for look in looks):
            raise ChoiceError("solids of the built-in world to be drawn in the look of the world",
                              "a drawing of a mesh", "Take a WorldLook for them.")
        self.shapes, self.directions, self.looks = tuple(shapes), directions, tuple(looks)
        self._prints = [_fingerprint(shape) for shape in shapes]
        self._views = [fingerprint("direction", direction) for direction in directions]
        self._chunks: OrderedDict[tuple[int, int, int], np.ndarray] = OrderedDict()
        self._surfaces: OrderedDict[tuple[int, str], MeshSurface | CloudSurface] = OrderedDict()
        self._drawers: OrderedDict[tuple[int, int], Callable[[np.ndarray], np.ndarray]] = OrderedDict()
        self._room = max(4, CACHE_PIXELS // (CHUNK * max(look.size for look in looks) ** 2))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.shapes) * len(self.looks) * len(self.directions)

    def parts(self, index: int) -> tuple[int, int, int]:
        """Which object, look and direction a view is of."""
        rest, view = divmod(index, len(self.directions))
        return *divmod(rest, len(self.looks)), view

    def content_hash(self, index: int) -> str:
        shape, look, view = self.parts(index)
        return fingerprint("view", self._prints[shape], self.looks[look].fingerprint, self._views[view])

    def decode(self, index: int) -> Image.Image:
        """The picture of a view; a few views after it are drawn with it."""
        shape, look, view = self.parts(index)
        return Image.fromarray(self._chunk(shape, look, view // CHUNK)[view % CHUNK])

    def draw_all(self, on_progress: Callable[[float, str], None] | None = None,
                 should_stop: Callable[[], bool] | None = None) -> None:
        """Draw every view now, as far as memory keeps them; raises Cancelled when asked to stop."""
        done = 0
        for shape in range(len(self.shapes)):
            for look in range(len(self.looks)):
                for chunk in range(-(-len(self.directions) // CHUNK)):
                    if should_stop is not None and should_stop():
                        raise Cancelled(f"{done:,} views")
                    done += len(self._chunk(shape, look, chunk))
                    if on_progress is not None:
                        on_progress(done / len(self), f"{done:,} of {len(self):,} views drawn")

    def _chunk(self, shape: int, look: int, chunk: int) -> np.ndarray:
        key = shape, look, chunk
        with self._lock:
            if key not in self._chunks:
                self._chunks[key] = self._draw(shape, look)(self.directions[chunk * CHUNK:(chunk + 1) * CHUNK])
            self._chunks.move_to_end(key)
            while len(self._chunks) > self._room:
                self._chunks.popitem(last=False)
            return self._chunks[key]

    def _draw(self, shape: int, look: int) -> Callable[[np.ndarray], np.ndarray]:
        """What draws an object in a look, from many directions."""
        if (shape, look) not in self._drawers:
            of, how = self.shapes[shape], self.looks[look]
            surface = None if isinstance(of, Solid) else self._surface(shape, of, how.up)
            if isinstance(how, WorldLook):
                self._drawers[shape, look] = WorldDrawer(of, how, surface).draw_all
            else:
                assert not isinstance(of, Solid)
                draw = Drawer(of, how, surface).draw
                self._drawers[shape, look] = lambda some: np.stack(list(drawn_in_order(draw, some)))
            while len(self._drawers) > _SURFACES:
                self._drawers.popitem(last=False)
        return self._drawers[shape, look]

    def _surface(self, shape: int, of: Mesh | Cloud, up: str) -> MeshSurface | CloudSurface:
        if (shape, up) not in self._surfaces:
            self._surfaces[shape, up] = surface_of(of, up)
            while len(self._surfaces) > _SURFACES:
                self._surfaces.popitem(last=False)
        return self._surfaces[shape, up]


def views_dataset(shapes: Sequence[Object], directions: np.ndarray, looks: Sequence[Look], *,
                  name: str | None = None) -> Dataset:
    """Views of objects as a dataset without texts.

    Parameters
    ----------
    shapes : meshes, clouds, and solids of the built-in world (these in a WorldLook only).
    directions : (v, 3) unit rows from the object to the cameras.
    looks : each object is drawn in each of them.
    name : what a user calls it; by default the objects by name.

    Returns
    -------
    Images in the order of `ViewImages`. Columns: label and object (the object's name), style, look ("plain" or
    "world"), azimuth and elevation in degrees, view (its number among the directions, from 0).

    Raises
    ------
    ShapeError, ChoiceError
        If the directions are no unit rows, nothing is to be drawn, or a solid is to be drawn in a plain look.
    """
    images = ViewImages(shapes, directions, looks)
    names = as_ids([name_of(shape) for shape in shapes])
    azimuth, elevation = angles(images.directions)
    rows = [{"label": names[a], "object": names[a], "style": looks[b].style,
             "look": "world" if isinstance(looks[b], WorldLook) else "plain",
             "azimuth": round(float(azimuth[v]), 2), "elevation": round(float(elevation[v]), 2), "view": v}
            for a, b, v in map(images.parts, range(len(images)))]
    digits = len(str(max(1, len(directions) - 1)))
    ids = as_ids([f"{row['object']}, {row['style']}, view {row['view']:0{digits}d}" for row in rows])
    title = name or (", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""))
    return Dataset(name=title, image_ids=ids, images=images, text_ids=(), texts=(), links=np.empty((0, 2)),
                   image_table=pd.DataFrame(rows), text_table=pd.DataFrame(index=range(0)))
