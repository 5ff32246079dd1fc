"""Maps that project linearly and then radially onto S^2: principal directions, given axes, 3-d vectors as they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.maps.placing import Place, Placed, onto_sphere
from core.geometry.rounding import rounding
from core.types import Number

_CHUNK = 8192
_SINGLE = 20_000
_LARGEST = 8


def principal_directions(x: np.ndarray, mean: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, float]:
    """The three directions that hold most of the squared length of ``x`` (of ``x - mean`` where given).

    Parameters
    ----------
    x
        (n, d) floats.
    mean
        (d,) floats or None.

    Returns
    -------
    directions (d, 3) float64, zero columns where ``x`` has fewer dimensions; their three energies; the whole energy.
    Signs make the third moment of the projections positive, whatever the order of the rows. Products are of double
    precision; for 20,000 float32 rows and more, the eight largest directions are found in single precision, and the
    energies and directions within them in double.
    """
    n, d = x.shape
    shift = np.zeros(d) if mean is None else mean
    least = rounding(x, d) ** 2 + rounding(shift, max(n, d))
    if n < d:
        rows = x.astype(np.float64) - shift
        values, vectors = np.linalg.eigh(rows @ rows.T)
        total = float(values.sum())
        keep = values > max(values[-1], 0) * least
        values = values[keep]
        basis = rows.T @ vectors[:, keep] / np.sqrt(values)
    else:
        values, basis, total = _of_columns(x, shift, single=n >= max(_SINGLE, d) and x.dtype == np.float32)
        keep = values > max(values[-1], 0) * least
        values, basis = values[keep], basis[:, keep]
    values, basis = values[::-1][:3], basis[:, ::-1][:, :3]
    moments = ((x @ basis.astype(x.dtype) - shift @ basis) ** 3).sum(axis=0)
    basis = basis * np.where(moments < 0, -1.0, 1.0)
    directions, energies = np.zeros((d, 3)), np.zeros(3)
    directions[:, :basis.shape[1]], energies[:len(values)] = basis, values
    return directions, energies, total


def _of_columns(x: np.ndarray, shift: np.ndarray, *, single: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Energies of k principal directions, growing, the directions (d, k) and the whole energy; 8 where ``single``."""
    d = x.shape[1]
    gram, near = np.zeros((d, d)), shift.astype(np.float32) if single else shift
    for start in range(0, len(x), _CHUNK):
        rows = x[start:start + _CHUNK] - near
        gram += rows.T @ rows
    values, basis = np.linalg.eigh(gram)
    if not single:
        return values, basis, float(values.sum())
    basis, inside, total = basis[:, -_LARGEST:], np.zeros((min(d, _LARGEST),) * 2), 0.0
    for start in range(0, len(x), _CHUNK):
        rows = x[start:start + _CHUNK] - shift
        along = rows @ basis
        inside += along.T @ along
        total += float(np.einsum("ij,ij->", rows, rows))
    values, turn = np.linalg.eigh(inside)
    return values, basis @ turn, total


def fit_pca(x: np.ndarray, **_: object) -> Placed:
    """Uncentred principal directions, then radial normalisation."""
    return _principal(x, None)


def fit_pca_centred(x: np.ndarray, **_: object) -> Placed:
    """Principal directions about the mean of all points, then radial normalisation."""
    return _principal(x, x.mean(axis=0, dtype=np.float64))


def fit_pca_centred_each(x: np.ndarray, *, texts: np.ndarray, **_: object) -> Placed:
    """Principal directions after images and texts, (n,) bool, were moved to their own means."""
    means = [x[side].mean(axis=0, dtype=np.float64) for side in (~texts, texts)]
    moved = x - np.where(texts[:, None], means[1], means[0])
    found = _principal(moved, None)

    def about(mean: np.ndarray) -> Place:
        return lambda vectors: found.place(vectors - mean)

    return replace(found, place=about(means[0]), place_texts=about(means[1]))


def _principal(x: np.ndarray, mean: np.ndarray | None) -> Placed:
    directions, energies, total = principal_directions(x, mean)
    shift = 0.0 if mean is None else mean @ directions

    def place(vectors: np.ndarray) -> np.ndarray:
        return onto_sphere(vectors @ directions.astype(vectors.dtype) - shift, rounding(vectors, len(directions)))

    share = float(energies.sum() / total) if total > rounding(x) ** 2 * len(x) else 1.0
    variance = Number(min(share, 1.0), n=len(x), unit="share of the squared length")
    return Placed(place(x), place, {"energies": [float(e) for e in energies]}, variance)


def fit_axes(x: np.ndarray, *, axes: np.ndarray, **_: object) -> Placed:
    """Coefficients of each vector in the basis of three given unit vectors, then radial normalisation."""
    axes = np.asarray(axes, dtype=np.float64)
    check_vectors(axes, what="axes", unit=True)
    if axes.shape != (3, x.shape[1]):
        raise ShapeError(f"three axes of {x.shape[1]} dimensions", f"shape {axes.shape}")
    if np.linalg.svd(axes, compute_uv=False)[-1] < 1e-4:
        raise ShapeError("three axes that are independent", "axes of which one is a mixture of the others",
                         "Choose prompts or labels that differ.")
    inverse = np.linalg.pinv(axes)

    def place(vectors: np.ndarray) -> np.ndarray:
        return onto_sphere(vectors.astype(np.float64) @ inverse, rounding(vectors))

    return Placed(place(x), place, {"axes": 3})


def label_axes(x: np.ndarray, labels: np.ndarray, chosen: tuple[str, str, str]) -> np.ndarray:
    """Mean directions of the points that carry each of three labels: (3, d) float64, unit rows."""
    labels = np.asarray(labels)
    axes = []
    for label in chosen:
        rows = x[labels == label]
        if not len(rows):
            raise ShapeError(f"points labelled {label!r}", "none", "Choose a label that the points carry.")
        mean = rows.mean(axis=0, dtype=np.float64)
        axes.append(mean / np.linalg.norm(mean))
    return np.stack(axes)


def fit_precomputed(x: np.ndarray, **_: object) -> Placed:
    """Vectors of three dimensions as they are."""
    if x.shape[1] != 3:
        raise ShapeError("vectors of three dimensions", f"{x.shape[1]} dimensions", "Choose another map.")

    def place(vectors: np.ndarray) -> np.ndarray:
        return onto_sphere(vectors, rounding(vectors))

    return Placed(place(x), place, {})
