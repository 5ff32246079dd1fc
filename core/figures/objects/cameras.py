"""Views of one object on two spheres: where their cameras stand, and where the model puts them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import ShapeError
from core.scene import Colouring, SphereScene
from core.types import SphereMap

ON_SPHERE = 64
ELEVATION = "height of the camera, degrees"


def with_z_up(directions: np.ndarray) -> np.ndarray:
    """(n, 3) directions with y up as the scene has them: z up, and azimuth as longitude."""
    return np.asarray(directions)[:, [2, 0, 1]]


def camera_scene(directions: np.ndarray, labels: Sequence[str], *, pictures: Mapping[int, bytes] | None = None,
                 title: str = "", note: str = "", colouring: Colouring | None = None, heat: np.ndarray | None = None,
                 heat_title: str = "", pairs: np.ndarray | None = None, on_sphere: int = ON_SPHERE) -> SphereScene:
    """Where the cameras stand round the object, with what each sees.

    Parameters
    ----------
    directions : (n, 3) unit rows from the object to the cameras, y up.
    labels : one a view.
    pictures : small pictures by view.
    colouring : what colours say; by default the height of the camera.
    heat : (rows, columns) in [0, 1], over latitude and longitude, z up, as `heat_of_text` gives it.
    pairs : (m, 2) views joined by arcs.
    on_sphere : of how many views the picture lies on the sphere.
    """
    return _scene(with_z_up(directions), directions, labels, pictures, title, note, colouring, heat, heat_title, pairs,
                  on_sphere)


def sheet_scene(placed: SphereMap, directions: np.ndarray, labels: Sequence[str], *,
                pictures: Mapping[int, bytes] | None = None, title: str = "", note: str = "",
                colouring: Colouring | None = None, pairs: np.ndarray | None = None, on_sphere: int = 0
                ) -> SphereScene:
    """Where the model puts the views, turned (and mirrored, if need be) to lie as near to their cameras as can be.

    Parameters
    ----------
    placed : a map of the views.
    directions, labels, pictures, colouring, pairs, on_sphere
        As in `camera_scene`.

    References
    ----------
    Schonemann, Psychometrika 31, 1966 (the turn).
    """
    if len(placed.coords) != len(directions):
        raise ShapeError(f"{len(placed.coords)} directions, one a view", str(len(directions)))
    coords = placed.coords.astype(np.float64)
    left, _, right = np.linalg.svd(coords.T @ with_z_up(directions))
    return _scene(coords @ left @ right, directions, labels, pictures, title, note, colouring, None, "", pairs,
                  on_sphere)


def _scene(coords: np.ndarray, directions: np.ndarray, labels: Sequence[str], pictures: Mapping[int, bytes] | None,
           title: str, note: str, colouring: Colouring | None, heat: np.ndarray | None, heat_title: str,
           pairs: np.ndarray | None, on_sphere: int) -> SphereScene:
    n = len(coords)
    shown = tuple(np.unique(np.linspace(0, n - 1, min(on_sphere, n)).round().astype(int)).tolist()) if n else ()
    height = np.degrees(np.arcsin(np.clip(np.asarray(directions)[:, 1], -1, 1)))
    return SphereScene(coords.astype(np.float32), np.zeros(n, np.uint8), tuple(labels), title, note,
                       colouring or Colouring(ELEVATION, height),
                       pairs=np.zeros((0, 2), np.int64) if pairs is None else pairs, heat=heat, heat_title=heat_title,
                       thumbnails={} if pictures is None else pictures, shown=shown)
