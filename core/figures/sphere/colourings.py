"""What the colours of points on a sphere can say, and heat laid over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from core.errors import check_choice
from core.figures.scenes.embedding import Points
from core.geometry.clusters import group_names, hdbscan, spherical_kmeans
from core.geometry.density import heat_over_sphere, log_density, natural_smoothing
from core.geometry.maps.fidelity import local_distortion
from core.scene import Colouring, SphereScene

CLUSTERS: dict[str, tuple[str, Callable[[np.ndarray, int], np.ndarray]]] = {
    "kmeans": ("spherical k-means", lambda x, groups: spherical_kmeans(x, min(groups, len(x)))[0]),
    "hdbscan": ("HDBSCAN", lambda x, groups: hdbscan(x)),
}


def column_colouring(points: Points, column: str) -> Colouring:
    """Colours by a column of the tables: numbers as values, everything else as groups."""
    cells = points.table[column]
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells) and cells.nunique() > 8:
        return Colouring(str(column), values=cells.to_numpy(dtype=np.float64, na_value=np.nan))
    return Colouring(str(column), groups=tuple("" if pd.isna(cell) else str(cell) for cell in cells))


def similarity_colouring(points: Points, vector: np.ndarray, name: str) -> Colouring:
    """Colours by the cosine to one unit vector."""
    return Colouring(f"cosine to {name}", values=(points.vectors() @ vector).astype(np.float64))


def score_colouring(points: Points, values: np.ndarray, title: str) -> Colouring:
    """Colours by a score of each image, (n_images,); texts and prompts have none."""
    rest = np.full(len(points) - points.n_images, np.nan)
    return Colouring(title, values=np.concatenate([np.asarray(values, dtype=np.float64), rest]))


def norm_colouring(points: Points) -> Colouring:
    """Colours by the length of the raw vector, before it was put on the sphere; prompts have none."""
    norms = [part.norms for part in (points.images, points.texts) if part is not None]
    return _of_own(points, Colouring("norm of the raw vector", values=np.concatenate(norms).astype(np.float64)))


def density_colouring(points: Points) -> Colouring:
    """Colours by how many images and texts lie near, by the heat kernel of their own sphere; prompts have none."""
    own = _own(points)
    degrees = natural_smoothing(own)
    title = f"density, log10 over the uniform sphere, smoothed over {degrees:.1f}°"
    return _of_own(points, Colouring(title, values=log_density(own, degrees=degrees)))


def distortion_colouring(points: Points, coords: np.ndarray) -> Colouring:
    """Colours by how badly a map ((n, 3) of images and texts) treats the neighbours of each; prompts have none."""
    values = local_distortion(_own(points), coords).astype(np.float64)
    return _of_own(points, Colouring("distortion by the map (0: neighbours kept, 0.5: random)", values=values))


def cluster_colouring(points: Points, method: str, groups: int = 8) -> Colouring:
    """Colours by groups of images and texts that lie together.

    Parameters
    ----------
    points : what is shown; prompts belong to no group.
    method : key of CLUSTERS.
    groups : how many k-means makes; HDBSCAN finds out itself.
    """
    check_choice("a way to find groups", method, CLUSTERS)
    title, find = CLUSTERS[method]
    names = group_names(find(_own(points), groups))
    return _of_own(points, Colouring(f"group ({title})", groups=names))


def without_value(colouring: Colouring, n: int) -> Colouring:
    """A colouring of images and texts with ``n`` more points, prompts, that have no value and no group."""
    if colouring.groups is not None:
        return replace(colouring, groups=(*colouring.groups, *("" for _ in range(n))))
    assert colouring.values is not None
    return replace(colouring, values=np.concatenate([colouring.values, np.full(n, np.nan)]))


def with_heat(scene: SphereScene, points: Points, towards: np.ndarray | None = None) -> SphereScene:
    """The scene with heat where points are, or, with a (d,) unit vector, where the fifth most similar to it are."""
    n = points.n_images + points.n_texts
    weights, title = np.ones(n), "heat: points"
    if towards is not None:
        cosines = _own(points) @ towards
        low, high = np.percentile(cosines, (80, 99.5))
        weights, title = np.clip((cosines - low) / max(high - low, 1e-9), 0, 1), "heat: the most similar fifth"
    return replace(scene, heat=heat_over_sphere(scene.coords[:n], weights), heat_title=title)


def _own(points: Points) -> np.ndarray:
    """(n, d) vectors of images and texts."""
    return points.vectors()[:points.n_images + points.n_texts]


def _of_own(points: Points, colouring: Colouring) -> Colouring:
    return without_value(colouring, len(points.prompts))
