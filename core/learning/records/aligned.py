"""The steps of a record turned to one of them: what a training only rotated is no flow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.errors import Cancelled, ChoiceError
from core.geometry.directions import angle, unit
from core.geometry.procrustes import orthogonal, reflects, rotation_angles
from core.learning.records.record import Record

SHUFFLES = 3


@dataclass(frozen=True, eq=False)
class Aligned:
    """A record after one orthogonal matrix a step, the same for images and texts.

    Attributes
    ----------
    record : the record, turned; cosines within each step are as they were.
    reference : index of the step that the others were turned to.
    residuals : (s,) float64, root mean squared distance to the reference that is left, in [0, 2]; images and texts
        weigh alike.
    before : (s,) float64, the same without turning.
    chance : (s,) float64, the residual of the same fit to the reference with its rows shuffled within images and
        within texts: mean of 3 shuffles.
    turned : (s,) float64, radians, mean angle by which features were turned.
    largest : (s,) float64, radians, the largest angle by which the matrix turns a plane.
    reflected : (s,) bool, whether the matrix holds a reflection, which no smooth path leads to.
    """

    record: Record
    reference: int
    residuals: np.ndarray
    before: np.ndarray
    chance: np.ndarray
    turned: np.ndarray
    largest: np.ndarray
    reflected: np.ndarray


def aligned(record: Record, *, reference: int = -1, seed: int = 0,
            on_progress: Callable[[float, str], None] | None = None,
            should_stop: Callable[[], bool] | None = None) -> Aligned:
    """Turn each step by the one orthogonal matrix that brings both towers nearest to the reference step.

    Directions that no feature says anything of stay as they are.

    Parameters
    ----------
    record : any record.
    reference : index of a step; -1 is the last.
    seed : of the shuffles.

    Raises
    ------
    ChoiceError
        If there is no such step.
    Cancelled
        If asked to stop.
    """
    s = len(record)
    if not -s <= reference < s:
        raise ChoiceError(f"an index of one of {s} steps", str(reference))
    reference %= s
    both = [np.concatenate([record.images[i], record.texts[i]]) for i in range(s)]
    n, m = len(record.probe.images), len(record.probe.texts)
    weights = np.concatenate([np.full(n, 1 / (2 * n)), np.full(m, 1 / (2 * m))])
    rng = np.random.default_rng(seed)
    shuffled = [both[reference][np.concatenate([rng.permutation(n), n + rng.permutation(m)])] for _ in range(SHUFFLES)]
    images, texts = record.images.copy(), record.texts.copy()
    rows = []
    for i, x in enumerate(both):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i:,} steps of {s:,}")
        if on_progress is not None:
            on_progress(i / s, f"Turning step {record.steps[i]:,}")
        matrix = np.eye(record.dim) if i == reference else _fit(x, both[reference], weights)
        there = x if i == reference else unit((x.astype(np.float64) @ matrix).astype(np.float32))
        images[i], texts[i] = there[:n], there[n:]
        chance = [_distance(x @ _fit(x, y, weights), y, weights) for y in shuffled]
        rows.append((_distance(there, both[reference], weights), _distance(x, both[reference], weights),
                     float(np.mean(chance)), float(weights @ angle(x, there)), rotation_angles(matrix).max(),
                     reflects(matrix)))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    return Aligned(replace(record, images=images, texts=texts), reference, *columns)


def _fit(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return orthogonal((x * weights[:, None].astype(x.dtype)).T @ y, keep_rest=True)


def _distance(x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sqrt(weights @ ((x.astype(np.float64) - y) ** 2).sum(axis=1)))
