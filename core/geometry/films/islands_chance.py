"""How many islands the shots of a film would make if no place came back."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError
from core.geometry.films.against import AgainstNull, compared, too_few
from core.geometry.films.islands import Islands, frames_rows, grouped, shot_distances
from core.geometry.films.paths import Measure
from core.geometry.films.trajectory import Trajectory

DRAWS, MOST_SHOTS, _EACH = 199, 300, 4
COUNT = Measure("number of islands", "islands", "more islands", "fewer islands")
NULL = "shots placed anew"


def islands_by_chance(path: Trajectory, found: Islands, *, draws: int = DRAWS, seed: int = 0) -> AgainstNull:
    """The number of islands of a film, beside that of shots that are each placed anew.

    A shot's frames keep their differences from their mean; the means are drawn anew from a normal distribution with the
    mean and covariance of the film's own, so that shots lie as far apart and in as many directions as before, but none
    comes back. They are grouped and cut as the film was.

    Parameters
    ----------
    path, found
        A film and its islands.
    draws
        At least 99.
    seed
        Of the draws.

    Returns
    -------
    AgainstNull: islands of the film and of the draws, by 4 frames a shot; of more than 300 shots 300 evenly spread ones
    are used for both, and ``n`` says so. Not measurable with fewer than 5 shots.

    Raises
    ------
    ShapeError
        If the islands are not those of the path, or there are too few draws.
    """
    if draws < 99 or found.of_frames.shape != (len(path),):
        raise ShapeError(f"at least 99 draws, and islands of {len(path)} frames",
                         f"{draws}, and {len(found.of_frames)} frames")
    rows = frames_rows(found.starts, len(path), _EACH)
    rows = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_SHOTS)).round().astype(np.int64)]
    x, s = path.points[rows].astype(np.float64), len(rows)
    centres = x.mean(axis=1)
    middle, rng = centres.mean(axis=0), np.random.default_rng(seed)
    few = too_few(s, "shots")
    drawn = []
    for _ in range(0 if few else draws):
        anew = middle + rng.normal(size=(s, s)) @ (centres - middle) / np.sqrt(s - 1)
        drawn.append(_count(x + (anew - centres)[:, None], found.cut))
    return compared(COUNT, NULL, _count(x, found.cut), np.array(drawn), n=s, few=few)


def _count(x: np.ndarray, cut: float) -> float:
    """Islands of (s, each, d) frames of shots, whatever their lengths."""
    flat = x.reshape(-1, x.shape[2])
    flat = flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    starts = np.arange(0, len(flat), x.shape[1])
    return float(grouped(shot_distances(flat, starts, x.shape[1]), cut).max() + 1)
