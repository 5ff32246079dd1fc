"""Items on which all sets are scored, and none is trained: the same for each, and no copies of them either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError

ASKED = ("test", "val", "valid", "validation", "dev", "eval", "evaluation", "held out", "held_out")
"""Names of splits on which one is scored, in small letters."""
SHARE, MOST = 0.2, 500


@dataclass(frozen=True, eq=False)
class Ground:
    """On what sets are scored.

    Attributes
    ----------
    asked : for each set, (a,) int64, its rows that are asked; together they are scored on all of them.
    free : for each set, (n,) bool, rows that may be trained on: no row that is asked, no copy of one, and none of a
        split that is there to be scored on.
    by_split : whether a column of splits said which.
    """

    asked: tuple[np.ndarray, ...]
    free: tuple[np.ndarray, ...]
    by_split: bool

    def __len__(self) -> int:
        return sum(map(len, self.asked))


def hold_out(names: Sequence[Sequence[str]], may: Sequence[np.ndarray], splits: Sequence[Sequence[str]] = (), *,
             share: float = SHARE, most: int = MOST, seed: int = 0) -> Ground:
    """Choose the items that are asked, evenly from all sets.

    Parameters
    ----------
    names : for each set, n strings, the same for copies of one item, in whichever set they are.
    may : for each set, (n,) bool, which rows can be asked.
    splits : for each set, n strings or nothing, the part of the data that each row is in. Where a set has rows of a
        split named as in `ASKED`, these are asked; else a share, drawn at random.
    share : of all rows, where no split says which.
    most : rows asked, of all sets together.
    seed : of the draw. Rows without a copy are drawn before others, so that as little as can be goes from training.

    Raises
    ------
    ShapeError
        If the numbers do not fit, or no row can be asked.
    """
    splits = splits or [()] * len(names)
    if not len(names) == len(may) == len(splits) or any(
            len(n) != len(m) or len(s) not in (0, len(n)) for n, m, s in zip(names, may, splits)):
        raise ShapeError("a name and a mark for each row of each set", "other numbers of them")
    rng = np.random.default_rng(seed)
    room = max(1, most // max(len(names), 1))
    scored = [np.array([word.strip().lower() in ASKED for word in s], bool) if len(s) else np.zeros(len(n), bool)
              for n, s in zip(names, splits)]
    taken: set[str] = set()
    asked, by_split = [], False
    for own, marks, of_split in zip(names, may, scored):
        pool = np.flatnonzero(marks & of_split)
        wanted = min(len(pool), room)
        if len(pool):
            by_split = True
        else:
            pool = np.flatnonzero(marks & ~of_split)
            wanted = min(max(1, round(share * len(own))), room, len(pool))
        times: dict[str, int] = {}
        for name in own:
            times[name] = times.get(name, 0) + 1
        order = rng.permutation(pool)
        order = order[np.argsort([times[own[row]] > 1 for row in order], kind="stable")] if len(order) else order
        chosen: list[int] = []
        for row in order.tolist():
            if len(chosen) == wanted:
                break
            if own[row] not in taken:
                taken.add(own[row])
                chosen.append(row)
        asked.append(np.array(sorted(chosen), dtype=np.int64))
    if not taken:
        raise ShapeError("at least one item to ask", "none that is complete",
                         "Items to learn from have a picture and a caption, or a vector and a label.")
    free = tuple(np.array([name not in taken for name in own], bool) & ~of_split
                 for own, of_split in zip(names, scored))
    return Ground(tuple(asked), free, by_split)
