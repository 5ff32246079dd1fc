"""Random halves of pairs: what belongs together stays together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.jackknife import clusters
from core.geometry.pairs import Pairs

LEAST_GROUPS = 4
MOST_SCORES = 1_000_000
MOST_FIT = 5000


@dataclass(frozen=True, eq=False)
class Split:
    """One random split.

    Attributes
    ----------
    fit : what is fitted on.
    scored : what is scored on, none of it in ``fit``.
    again : part of ``fit``, with galleries as large as those of ``scored``.
    rows : by "held_out" and "in_sample", which images and which texts ``scored`` and ``again`` are.
    """

    fit: Pairs
    scored: Pairs
    again: Pairs
    rows: Mapping[str, tuple[np.ndarray, np.ndarray]]


class Splitter:
    """Random splits of pairs into a half to fit on and a half to score on.

    What links join (an image with all its texts, images that share a text) is one group and goes to one side. Images
    and texts that belong to nothing are halved apart; they take part in means and as distractors in galleries. At most
    5,000 groups are fitted on, and so many are scored that images times texts is at most a million.

    Attributes
    ----------
    groups : how many are split; images or texts, whichever are fewer, where nothing is known to belong together.
    n_fit, n_scored : of these, how many on each side.
    scores : of an image and a text, about so many in what is scored.
    of_images, of_texts : (n,) and (m,) int64, the group of each.

    Raises
    ------
    ShapeError
        With fewer than 4 groups.
    """

    def __init__(self, pairs: Pairs, seed: int) -> None:
        self._pairs, self._seed = pairs, seed
        n, m = len(pairs.images), len(pairs.texts)
        self.of_images, self.of_texts = clusters([n, m], pairs.links)
        linked = np.unique(self.of_images[pairs.links[:, 0]])
        self._strata = [linked, np.setdiff1d(self.of_images, linked), np.setdiff1d(self.of_texts, linked)]
        self.groups = len(linked) or min(n, m)
        if self.groups < LEAST_GROUPS:
            what = "groups of images and texts that belong together" if len(linked) else "images and texts"
            raise ShapeError(f"at least {LEAST_GROUPS} {what}, to fit on some and score on others", str(self.groups),
                             "Images that share a text are one group." if len(linked) else "Add more of them.")
        self.n_fit = min(-(-self.groups // 2), MOST_FIT)
        most = int(math.sqrt(MOST_SCORES / (n * m)) * self.groups)
        self.n_scored = max(2, min(self.groups // 2, most, self.n_fit))
        self.scores = round(n * m * (self.n_scored / self.groups) ** 2)

    def split(self, repeat: int, n_fit: int | None = None) -> Split:
        """The split of a number, fitted on all groups that it may be, or only on the first ``n_fit`` of them."""
        fit, scored, again = [], [], []
        rng = np.random.default_rng([self._seed, repeat])
        for stratum in self._strata:
            order = rng.permutation(stratum)
            of_fit, of_scored = (round(len(order) * k / self.groups) for k in (self.n_fit, self.n_scored))
            wanted = of_fit if n_fit is None else round(len(order) * n_fit / self.groups)
            fit.append(order[:wanted])
            scored.append(order[of_fit:of_fit + of_scored])
            again.append(order[:min(of_scored, wanted)])
        rows = [self._rows(np.concatenate(groups)) for groups in (fit, scored, again)]
        parts = [self._pairs.part(*of_part) for of_part in rows]
        return Split(parts[0], parts[1], parts[2], {"held_out": rows[1], "in_sample": rows[2]})

    def _rows(self, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chosen = np.zeros(len(self.of_images) + len(self.of_texts), dtype=bool)
        chosen[groups] = True
        return np.flatnonzero(chosen[self.of_images]), np.flatnonzero(chosen[self.of_texts])


def fit_half(pairs: Pairs, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A random half of the images and texts, to fit on; what belongs together is on one side.

    Returns
    -------
    (n,) and (m,) bool over images and texts; all True where everything belongs together.
    """
    labels = clusters([len(pairs.images), len(pairs.texts)], pairs.links)
    groups = np.unique(np.concatenate(labels))
    if len(groups) < 2:
        return np.ones(len(pairs.images), dtype=bool), np.ones(len(pairs.texts), dtype=bool)
    chosen = np.random.default_rng(seed).permutation(groups)[:-(-len(groups) // 2)]
    return np.isin(labels[0], chosen), np.isin(labels[1], chosen)
