"""Many texts on the sphere, as work that tells how far it is and can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from core.errors import Cancelled
from core.geometry.directions import unit
from core.language.world_evaluation import Encoder

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
BATCH = 256


def read(model: Encoder, texts: Sequence[str], on_progress: Progress | None = None,
         should_stop: Stop | None = None) -> np.ndarray:
    """Unit vectors of texts; each distinct text is encoded once.

    Parameters
    ----------
    model : anything that encodes texts.
    texts : n texts, n >= 1.
    on_progress : told the share done, in [0, 1], and in words.
    should_stop : asked between batches.

    Returns
    -------
    (n, d) float32, unit rows.

    Raises
    ------
    Cancelled
        If ``should_stop`` said so.
    """
    rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
    distinct, parts = list(rows), []
    for start in range(0, len(distinct), BATCH):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{start:,} of {len(distinct):,} texts")
        parts.append(model.encode_texts(distinct[start:start + BATCH]))
        if on_progress is not None:
            on_progress(min(start + BATCH, len(distinct)) / len(distinct), "Reading texts")
    return unit(np.concatenate(parts))[[rows[text] for text in texts]]
