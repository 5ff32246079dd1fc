"""Captions out of a list: the texts that are open or were brought, the one that fits best."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.errors import ShapeError
from core.language.words.by_grammar import KEPT
from core.language.words.scored import Search, Target, Texts, Trail

MOST_LISTED = 20_000
_BATCH = 256


def search(target: Target, texts: Texts, listed: Sequence[str], *,
           on_progress: Callable[[float, str], None] | None = None,
           should_stop: Callable[[], bool] | None = None) -> Search:
    """The best of a list, batch by batch; a step is a batch that has a better one.

    Parameters
    ----------
    target, texts : what is to be captioned, and the model's texts.
    listed : 1 to 20,000 texts; empty and repeated ones do not count.
    on_progress, should_stop : stopped, the best so far is kept.

    Raises
    ------
    ShapeError
        If no text is left, or there are too many.
    """
    given = list(dict.fromkeys(" ".join(text.split()) for text in listed if text.strip()))
    if not 1 <= len(given) <= MOST_LISTED:
        raise ShapeError(f"1 to {MOST_LISTED:,} texts to choose from", f"{len(given):,}")
    trail, best, highest, done = Trail(target, texts), given[0], -np.inf, 0
    top: list[tuple[float, str]] = []
    for start in range(0, len(given), _BATCH):
        if start and should_stop is not None and should_stop():
            break
        part = given[start:start + _BATCH]
        cosines = target.cosines(texts(part))
        top = sorted([*top, *zip(cosines.tolist(), part)], reverse=True)[:KEPT * 4]
        done = start + len(part)
        if top[0][0] > highest:
            highest, best = top[0]
            trail.step(f"of {done:,} texts", best, [text for _, text in top])
        if on_progress:
            on_progress(done / len(given), best)
    return trail.search(finished=done == len(given), state=(done,))
