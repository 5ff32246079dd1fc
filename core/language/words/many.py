"""Captions of many images, one each: stopped, what was found is kept, and gone on with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import Cancelled
from core.language.words.scored import Caption, Search, Target

Stop = Callable[[], bool]


@dataclass(frozen=True, eq=False)
class Captioned:
    """Captions of the first of several images.

    Attributes
    ----------
    ids : of all images that are to be captioned.
    captions : of the first of them, in their order.
    references : N, of `Caption.information`.
    attributes : whether `Caption.said` counts attributes, else words.
    """

    ids: tuple[str, ...]
    captions: tuple[Caption, ...]
    references: int
    attributes: bool

    @property
    def finished(self) -> bool:
        """Whether every image has one."""
        return len(self.captions) == len(self.ids)


def caption_each(images: np.ndarray, ids: Sequence[str], rows: Sequence[int], search: Callable[[Target, Stop], Search],
                 *, seed: int = 0, before: Captioned | None = None,
                 on_progress: Callable[[float, str], None] | None = None, should_stop: Stop | None = None) -> Captioned:
    """Search a caption for each of several images.

    Parameters
    ----------
    images : (n, d) float32, unit rows.
    ids : of all n images.
    rows : which are captioned.
    search : of one target, told how to ask whether to stop; a search that was stopped does not count.
    seed : of the reference images.
    before : of the same rows, to go on from.
    on_progress, should_stop : stopped, the captions found are kept.
    """
    found = list(before.captions) if before else []
    references, attributes = (before.references, before.attributes) if before else (0, False)
    stop = should_stop or (lambda: False)
    for row in rows[len(found):]:
        if stop() and found:
            break
        try:
            result = search(Target.among(images, [row], seed=seed), stop if found else lambda: False)
        except Cancelled:
            break
        if not result.finished:
            break
        found.append(result.found)
        references, attributes = result.references, result.attributes
        if on_progress:
            on_progress(len(found) / len(rows), f"{len(found):,} of {len(rows):,}: {result.found.text}")
    return Captioned(tuple(ids[row] for row in rows), tuple(found), references, attributes)


def as_table(report: Captioned, own: Sequence[str] = ()) -> pd.DataFrame:
    """One row an image: a table of captions as the data panel opens it, with the scores beside.

    Parameters
    ----------
    report : of m images, k of them with a caption.
    own : the caption that each of the m images came with, "" where it has none; no column where all are empty.
    """
    unit = "attributes" if report.attributes else "words"
    table = pd.DataFrame([(name, c.text, c.said, c.cosine, c.information, c.fluency)
                          for name, c in zip(report.ids, report.captions)],
                         columns=["image", "caption", unit, "cosine", "information_nats", "fluency_nats"])
    if any(own):
        table["own_text"] = list(own)[:len(table)]
    return table
