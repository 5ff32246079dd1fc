"""The registry of maps from S^(d-1) onto the S^2 one looks at, and what a fitted map can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_choice, check_vectors
from core.geometry.maps import fidelity, linear, mds, umap
from core.geometry.maps.placing import Place, Placed, Progress
from core.types import SphereMap


@dataclass(frozen=True)
class MapMethod:
    """One way of mapping.

    Attributes
    ----------
    key, title : its name in code and for users.
    explanation : one line for users.
    fit : (unit vectors (n, d), seed, options) -> Placed.
    centred : True where it destroys the modality gap.
    needs : "axes" where three unit vectors must be given, "3-d vectors" where d must be 3, else "".
    """

    key: str
    title: str
    explanation: str
    fit: Callable[..., Placed]
    centred: bool = False
    needs: str = ""


MAPS: dict[str, MapMethod] = {m.key: m for m in (
    MapMethod("pca", "PCA, uncentred",
              "Projects onto the three directions that hold most of the length, then onto the sphere. Keeps the gap.",
              linear.fit_pca),
    MapMethod("pca_centred", "PCA, centred",
              "Subtracts the mean first: shows finer structure, but DESTROYS the modality gap.",
              linear.fit_pca_centred, centred=True),
    MapMethod("geodesic_mds", "Geodesic MDS",
              "Moves the points until angles on the map follow the true angles, with near neighbours kept near.",
              mds.fit_geodesic_mds),
    MapMethod("umap", "UMAP on the sphere",
              "Keeps near neighbours together; what lies far apart on it need not be far apart in truth.",
              umap.fit_umap),
    MapMethod("prompt_axes", "Three prompts as axes",
              "Each prompt lies at the end of its own axis; a point shows its mixture of the three.",
              linear.fit_axes, needs="axes"),
    MapMethod("label_axes", "Three labels as axes",
              "The mean direction of each label lies at the end of its own axis; a point shows its mixture.",
              linear.fit_axes, needs="axes"),
    MapMethod("precomputed", "The vectors themselves",
              "Vectors that already have three dimensions are shown as they are: nothing is lost.",
              linear.fit_precomputed, needs="3-d vectors"),
)}


@dataclass(frozen=True)
class FittedMap:
    """A map, and the means to put new vectors on it without moving it."""

    map: SphereMap
    _place: Place
    dim: int

    def place(self, x: np.ndarray) -> np.ndarray:
        """Where new vectors lie on this map.

        Parameters
        ----------
        x
            (m, d) floats, unit rows, by the model whose vectors made the map.

        Returns
        -------
        (m, 3) float32, unit rows.
        """
        x = np.asarray(x)
        check_vectors(x, at_least=0, unit=True)
        if x.shape[1] != self.dim:
            raise ShapeError(f"vectors of {self.dim} dimensions, as those of the map", f"{x.shape[1]} dimensions",
                             "Embed them with the model that made the map.")
        if not len(x):
            return np.zeros((0, 3), dtype=np.float32)
        return np.asarray(self._place(x), dtype=np.float32)


def available(dim: int) -> tuple[str, ...]:
    """Keys of the maps that vectors of ``dim`` dimensions can have."""
    return tuple(m.key for m in MAPS.values() if m.needs != "3-d vectors" or dim == 3)


def fit_map(x: np.ndarray, method: str = "pca", *, seed: int = 0, axes: np.ndarray | None = None,
            with_fidelity: bool = True, on_progress: Progress | None = None,
            should_stop: Callable[[], bool] | None = None) -> FittedMap:
    """Map unit vectors onto S^2.

    Parameters
    ----------
    x
        (n, d) floats, unit rows, n >= 1; images and texts stacked, in any order.
    method
        A key of `MAPS`.
    seed
        Of everything random.
    axes
        (3, d) unit vectors, for the maps that need them.
    with_fidelity
        Measure it too.
    on_progress, should_stop
        Called by the maps that iterate.

    Returns
    -------
    FittedMap, whose ``map`` carries coordinates and fidelity and whose ``place`` puts new vectors on it.

    Raises
    ------
    ChoiceError, ShapeError
        For an unknown method, vectors that are not finite unit rows, and missing or dependent axes.
    """
    check_choice("map", method, MAPS)
    x = np.asarray(x)
    check_vectors(x, unit=True)
    chosen = MAPS[method]
    options: dict[str, object] = {}
    if chosen.needs == "axes":
        if axes is None:
            raise ShapeError(f"three unit vectors as axes for the map {method}", "none", "Give axes=, of shape (3, d).")
        options["axes"] = axes
    placed = chosen.fit(x, seed=seed, on_progress=on_progress, should_stop=should_stop, **options)
    found = dict(fidelity.measure(x, placed.coords, seed=seed)) if with_fidelity else {}
    if placed.variance is not None:
        found["variance"] = placed.variance
    sphere_map = SphereMap(coords=placed.coords, method=method, seed=seed, parameters=placed.parameters,
                           fidelity=found, centred=chosen.centred)
    return FittedMap(sphere_map, placed.place, x.shape[1])
