"""Which features carry a genre: what each tells alone, and what is lost without it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, holm
from core.geometry.films.classified import PERMUTATIONS, Classified
from core.geometry.films.feature_names import FAMILIES, FEATURES
from core.geometry.films.genres import classify, told_apart

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Carrier:
    """What some features carry.

    Attributes
    ----------
    title : for users.
    columns : (c,) int64, of the features.
    alone : what they tell with no other; its ``p`` is corrected by Holm among all carriers.
    lost : accuracy with all features less that without these, on the same films; p by exact McNemar (sign flips over
        sources), corrected by Holm among all carriers; not measurable where nothing is left.
    """

    title: str
    columns: np.ndarray
    alone: Classified
    lost: Difference


@dataclass(frozen=True, eq=False)
class Carriers:
    """What all features tell, and what parts of them carry; ``parts`` in the given order."""

    whole: Classified
    parts: tuple[Carrier, ...]


def what_carries(features: np.ndarray, labels: Sequence[str], parts: Mapping[str, Sequence[int]], *,
                 permutations: int = PERMUTATIONS, seed: int = 0, groups: Sequence[object] | None = None,
                 on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Carriers:
    """Tell genres by parts of the features alone, and by all without each part.

    Features that say much the same make up for each other, so that little is lost without one of them: what a part
    tells alone is the other half of the answer.

    Parameters
    ----------
    features, labels, permutations, seed, groups
        As in `core.geometry.films.genres.classify`.
    parts
        Title and columns of each part, such as `families` or `singles` give them.
    on_progress, should_stop
        Called between fits; a request to stop raises Cancelled.
    """
    features = np.asarray(features, dtype=np.float64)
    columns = {title: np.asarray(c, dtype=np.int64) for title, c in parts.items()}
    every = np.arange(features.shape[1] if features.ndim == 2 else 0)
    if any(not len(c) or not np.isin(c, every).all() for c in columns.values()):
        raise ShapeError(f"parts of one column or more, each from 0 to {len(every) - 1}",
                         ", ".join(f"{title}: {c.tolist()[:4]}" for title, c in columns.items()))

    def told(kept: np.ndarray, shuffles: int) -> Classified:
        return classify(features[:, kept], labels, permutations=shuffles, seed=seed, groups=groups,
                        should_stop=should_stop)

    whole = told(every, permutations)
    alone, lost = {}, {}
    for i, (title, c) in enumerate(columns.items()):
        alone[title] = told(c, permutations)
        lost[title] = told_apart(told(np.setdiff1d(every, c), 1), whole, groups)
        if on_progress is not None:
            on_progress((i + 1) / len(columns), title)
    p = holm({title: Difference(found.balanced, found.p) for title, found in alone.items()})
    lost = holm(lost)
    return Carriers(whole, tuple(Carrier(title, c, replace(alone[title], p=p[title].p), lost[title])
                                 for title, c in columns.items()))


def families(keys: Sequence[str]) -> dict[str, list[int]]:
    """Columns by families of features, in the order of FAMILIES; keys that are no features are left out."""
    found = {title: [i for i, key in enumerate(keys) if key in FEATURES and FEATURES[key].family == family]
             for family, title in FAMILIES.items()}
    return {title: columns for title, columns in found.items() if columns}


def singles(keys: Sequence[str]) -> dict[str, list[int]]:
    """Each feature by itself, by its title."""
    return {FEATURES[key].title: [i] for i, key in enumerate(keys) if key in FEATURES}
