"""The registry of maps from S^(d-1) onto the S^2 one looks at, and what a fitted map can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError, check_choice, check_vectors
from core.geometry.maps import chance, fidelity, linear, mds, umap
from core.geometry.maps.placing import Placed, Progress, part
from core.types import Number, SphereMap


@dataclass(frozen=True)
class MapMethod:
    """One way of mapping.

    Attributes
    ----------
    key, title : its name in code and for users.
    explanation : one line for users.
    fit : (unit vectors (n, d), seed, options) -> Placed.
    warning : what a user must know who looks for the modality gap on it; "" where the gap can be read off the map.
    needs : "axes" where three unit vectors must be given, "3-d vectors" where d must be 3, "both modalities" where
        there must be images and texts, else "".
    """

    key: str
    title: str
    explanation: str
    fit: Callable[..., Placed]
    warning: str = ""
    needs: str = ""


MAPS: dict[str, MapMethod] = {m.key: m for m in (
    MapMethod("pca", "PCA, uncentred",
              "Projects onto the three directions that hold most of the length, then onto the sphere. Keeps the gap.",
              linear.fit_pca),
    MapMethod("pca_centred", "PCA, centred",
              "Subtracts the mean of all points first. It shows finer structure, but turns images and texts into "
              "opposite poles, so that the size of the modality gap cannot be read off it.",
              linear.fit_pca_centred,
              warning="This map subtracts the mean of all points first: images and texts become opposite poles, "
                      "however far apart they are, so that the size of the modality gap cannot be read off it."),
    MapMethod("pca_centred_each", "PCA, each modality centred",
              "Subtracts from images and texts their own means first. This removes the modality gap, and shows what "
              "both have in common.",
              linear.fit_pca_centred_each, needs="both modalities",
              warning="This map subtracts from images and texts their own means first: that removes the modality "
                      "gap."),
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
    _placed: Placed
    dim: int

    def place(self, x: np.ndarray, texts: np.ndarray | None = None) -> np.ndarray:
        """Where new vectors lie on this map.

        Parameters
        ----------
        x
            (m, d) floats, unit rows, by the model whose vectors made the map.
        texts
            (m,) bool, which of them are texts; needed by a map that centres each modality, else of no effect.

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
        if self._placed.place_texts is None:
            return np.asarray(self._placed.place(x), dtype=np.float32)
        if texts is None:
            raise ShapeError("which of the new vectors are texts", "none",
                             "Give texts=, one bool for each vector: this map centres images and texts apart.")
        texts = _mask(texts, len(x))
        coords = np.asarray(self._placed.place(x), dtype=np.float32)
        coords[texts] = self._placed.place_texts(x)[texts]
        return coords


def available(dim: int, *, both: bool = True) -> tuple[str, ...]:
    """Keys of the maps that vectors of ``dim`` dimensions can have, of images and texts or of one of ``both``."""
    possible = {"3-d vectors": dim == 3, "both modalities": both}
    return tuple(m.key for m in MAPS.values() if possible.get(m.needs, True))


def fit_map(x: np.ndarray, method: str = "pca", *, texts: np.ndarray | None = None, seed: int = 0,
            axes: np.ndarray | None = None, axis_sizes: Sequence[int] | None = None, with_fidelity: bool = True,
            on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> FittedMap:
    """Map unit vectors onto S^2.

    Parameters
    ----------
    x
        (n, d) floats, unit rows, n >= 1; images and texts stacked, in any order.
    method
        A key of `MAPS`.
    texts
        (n,) bool, which of them are texts; None where all are of one modality.
    seed
        Of everything random.
    axes
        (3, d) unit vectors, for the maps that need them.
    axis_sizes
        How many points carry each of the three labels of label_axes, to tell what shuffled labels would give.
    with_fidelity
        Measure it too, and what it is by chance.
    on_progress, should_stop
        Called by the maps that iterate, and while chance is measured.

    Returns
    -------
    FittedMap, whose ``map`` carries coordinates and fidelity and whose ``place`` puts new vectors on it.

    Raises
    ------
    ChoiceError, ShapeError
        For an unknown method, vectors that are not finite unit rows, missing or dependent axes, and a map that needs
        both modalities where there is one.
    """
    check_choice("map", method, MAPS)
    x = np.asarray(x)
    check_vectors(x, unit=True)
    texts = _if_both(texts, len(x))
    if MAPS[method].needs == "axes" and axes is None:
        raise ShapeError(f"three unit vectors as axes for the map {method}", "none", "Give axes=, of shape (3, d).")
    if MAPS[method].needs == "both modalities" and texts is None:
        raise ShapeError(f"images and texts for the map {method}", "one modality",
                         "Give texts=, which of the vectors are texts, or choose pca_centred.")
    share = 0.5 if with_fidelity else 1.0
    placed = _fit(x, texts, method, seed, axes, part(on_progress, 0, share), should_stop)
    sphere_map = SphereMap(coords=placed.coords, method=method, seed=seed, parameters=placed.parameters,
                           centred=bool(MAPS[method].warning))
    fitted = FittedMap(sphere_map, placed, x.shape[1])
    if not with_fidelity:
        return fitted
    return measured(fitted, x, texts=texts, axis_sizes=axis_sizes, on_progress=part(on_progress, share, 1),
                    should_stop=should_stop)


def measured(fitted: FittedMap, x: np.ndarray, *, texts: np.ndarray | None = None,
             axis_sizes: Sequence[int] | None = None, on_progress: Progress | None = None,
             should_stop: Callable[[], bool] | None = None) -> FittedMap:
    """The same map with its fidelity, beside that of the same map of points without structure.

    Parameters
    ----------
    fitted, x
        A map without fidelity and the (n, d) unit rows it was fitted to.
    texts, axis_sizes, on_progress, should_stop
        As in `fit_map`.
    """
    method, seed, texts = fitted.map.method, fitted.map.seed, _if_both(texts, len(x))
    if on_progress is not None:
        on_progress(0.0, "Measuring how far the map can be trusted")
    found = fidelity.measure(x, fitted.map.coords, texts, seed=seed)
    if not found and len(x) >= 4:
        return fitted
    if fitted._placed.variance is not None:
        found["variance"] = fitted._placed.variance
    nulls: Mapping[str, float]
    if method == "label_axes" and axis_sizes is None:
        nulls = {}
    elif MAPS[method].needs == "axes":
        nulls = chance.of_axes(x, texts, axis_sizes if method == "label_axes" else None, seed=seed)
    else:
        def fit(points: np.ndarray, are_texts: np.ndarray | None, progress: Progress | None) -> Placed:
            return _fit(points, are_texts, method, seed, None, progress, should_stop)

        nulls = chance.of_structureless_points(method, fit, x, texts, seed=seed, on_progress=on_progress)
    return replace(fitted, map=replace(fitted.map, fidelity=_beside(found, nulls, len(x))))


def _fit(x: np.ndarray, texts: np.ndarray | None, method: str, seed: int, axes: np.ndarray | None,
         on_progress: Progress | None, should_stop: Callable[[], bool] | None) -> Placed:
    return MAPS[method].fit(x, texts=texts, seed=seed, axes=axes, on_progress=on_progress, should_stop=should_stop)


def _beside(found: Mapping[str, Number], nulls: Mapping[str, float], n: int) -> dict[str, Number]:
    bound = f"; by chance: of {chance.MOST_POINTS:,} points, an upper bound" if n > chance.MOST_POINTS else ""
    return {name: replace(number, null=nulls[name], unit=number.unit + bound) if name in nulls else number
            for name, number in found.items()}


def _if_both(texts: np.ndarray | None, n: int) -> np.ndarray | None:
    """Which of n vectors are texts; None where all are of one modality."""
    if texts is None:
        return None
    texts = _mask(texts, n)
    return texts if 0 < texts.sum() < n else None


def _mask(texts: np.ndarray, n: int) -> np.ndarray:
    texts = np.asarray(texts)
    if texts.shape != (n,) or texts.dtype != bool:
        raise ShapeError(f"{n} bools, which of the vectors are texts", f"{texts.dtype} of shape {texts.shape}")
    return texts
