"""What islands of a film are called: the prompts that lie nearer to one island than to the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.films.islands import Islands
from core.geometry.films.trajectory import Trajectory
from core.geometry.rounding import rounding

TOLD_APART, LEADING = 95.0, 0.75
NOT_TOLD_APART = "not told apart"


@dataclass(frozen=True)
class IslandName:
    """The prompt nearest to an island.

    Attributes
    ----------
    island : its number.
    prompt : the nearest one, and ``second`` the one after it, "" where there is no other.
    closeness : cosine of the island's mean direction with the prompt (or the likeness that was given), less the mean of
        that over all islands.
    percentile : of the median frame of the island among all frames of other islands, by their cosine with the prompt.
    lead : share of the island's frames that lie nearer to ``prompt`` than to ``second``, both centred.
    why : why the island has no name, "" where it has one.
    """

    island: int
    prompt: str
    second: str
    closeness: float
    percentile: float
    lead: float
    why: str

    @property
    def name(self) -> str:
        """The prompt, or "not told apart"."""
        return NOT_TOLD_APART if self.why else self.prompt


def name_islands(path: Trajectory, found: Islands, prompts: Sequence[str], vectors: np.ndarray
                 ) -> tuple[IslandName, ...]:
    """A name for each island among given prompts.

    Cosines of images with texts differ more from prompt to prompt than from image to image, so that each prompt's
    cosine is taken less its mean over the islands, each counting the same. An island has no name where its median frame
    is not above 95 % of the frames of other islands, where another island lies as near to the prompt, or where less
    than three quarters of its frames prefer the prompt to the one after it.

    Parameters
    ----------
    path : n frames.
    found : its islands.
    prompts : m names or descriptions, at least one.
    vectors : (m, d) floats, unit rows, of the prompts by the same model.

    Returns
    -------
    One for each island, in order.

    Raises
    ------
    ShapeError
        If the vectors do not fit the prompts or the path.
    """
    vectors = np.asarray(vectors)
    check_vectors(vectors, what="vectors of prompts", unit=True)
    if vectors.shape != (len(prompts), path.points.shape[1]) or found.of_frames.shape != (len(path),):
        raise ShapeError(f"a vector of {path.points.shape[1]} numbers for each of {len(prompts)} prompts, and islands "
                         f"of {len(path)} frames", f"vectors of shape {vectors.shape}, {len(found.of_frames)} frames")
    v = vectors.T.astype(np.float64)
    return _all_named(found, prompts, found.means @ v, path.points.astype(np.float64) @ v,
                      rounding(path.points, vectors.shape[1]))


def name_by_likeness(found: Islands, prompts: Sequence[str], likeness: np.ndarray) -> tuple[IslandName, ...]:
    """As `name_islands`, from how like each frame is to each prompt by the model itself.

    Parameters
    ----------
    likeness : (n, m) floats, such as probabilities; an island's is the mean of its frames.

    Raises
    ------
    ShapeError
        If it does not fit frames and prompts.
    """
    likeness = np.asarray(likeness, dtype=np.float64)
    if likeness.shape != (len(found.of_frames), len(prompts)):
        raise ShapeError(f"likeness of {len(found.of_frames)} frames to {len(prompts)} prompts",
                         f"shape {likeness.shape}")
    means = np.stack([likeness[found.of_frames == k].mean(axis=0) for k in range(len(found))])
    return _all_named(found, prompts, means, likeness, 0.0)


def _all_named(found: Islands, prompts: Sequence[str], means: np.ndarray, frames: np.ndarray, least: float
               ) -> tuple[IslandName, ...]:
    middle = means.mean(axis=0)
    return tuple(_named(k, means - middle, frames - middle, found.of_frames == k, prompts, least)
                 for k in range(len(found)))


def _named(k: int, close: np.ndarray, frames: np.ndarray, own: np.ndarray, prompts: Sequence[str], least: float
           ) -> IslandName:
    order = np.argsort(-close[k], kind="stable")
    best, second = int(order[0]), int(order[1]) if len(order) > 1 else -1
    if len(close) == 1:
        return IslandName(k, prompts[best], "" if second < 0 else prompts[second], 0.0, float("nan"), float("nan"),
                          "there is no other island to hold it against")
    others = frames[~own, best]
    percentile = 100 * float((others < np.median(frames[own, best]) - least).mean())
    lead = float((frames[own, best] > frames[own, second] + least).mean()) if second >= 0 else 1.0
    why = ""
    if (np.delete(close[:, best], k) >= close[k, best] - least).any():
        why = f"another island lies as near to “{prompts[best]}”"
    elif percentile < TOLD_APART:
        why = f"only {percentile:.0f} % of the frames of other islands lie farther from “{prompts[best]}”"
    elif lead < LEADING:
        why = f"“{prompts[best]}” and “{prompts[second]}” are as near"
    return IslandName(k, prompts[best], "" if second < 0 else prompts[second], float(close[k, best]), percentile, lead,
                      why)
