"""The same images and texts through another model, or through the same one untrained; encoded once, with progress."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from core.errors import ShapeError
from core.streamlit_app import cached, work
from core.streamlit_app.embedding import Ready
from core.types import Dataset, EmbeddingSet, fingerprint


def ready_by(model_id: str, ready: Ready) -> Ready:
    """What ``ready`` shows, by another model; row by row the same items.

    Raises
    ------
    OrreryError
        If the model cannot be loaded or used.
    """
    return _encoded(model_id, ready, untrained=False)


def untrained_ready(model_id: str, ready: Ready) -> Ready:
    """What ``ready`` shows, by the architecture of a model with random weights (seed 0)."""
    return _encoded(model_id, ready, untrained=True)


def _encoded(model_id: str, ready: Ready, *, untrained: bool) -> Ready:
    dataset = ready.opened.dataset
    assert dataset is not None
    store = cached.store()

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> Ready:
        from core.encoding import models
        from core.encoding.pipeline import embed

        on_progress(0.0, "Loading the model")
        model = models.untrained(model_id) if untrained else cached.encoder(model_id)
        found = embed(_shown(dataset, ready), model, store, on_progress=on_progress, should_stop=should_stop)
        return replace(ready, images=_like(found.images, ready.images), texts=_like(found.texts, ready.texts),
                       truncated=found.truncated)

    done: Ready = work.result_of(fingerprint("gap.other", model_id, untrained, ready.key, ready.opened.key), encode)
    return done


def _shown(dataset: Dataset, ready: Ready) -> Dataset:
    """The part of a dataset that is shown."""
    from core.sources.sampling import take

    rows = []
    for ids, part in ((dataset.image_ids, ready.images), (dataset.text_ids, ready.texts)):
        place = {name: i for i, name in enumerate(ids)}
        rows.append(np.array([place[name] for name in (part.ids if part else ())], dtype=np.int64))
    return take(dataset, rows[0], rows[1])


def _like(found: EmbeddingSet | None, wanted: EmbeddingSet | None) -> EmbeddingSet | None:
    if wanted is None:
        return None
    if found is None or found.ids != wanted.ids:
        raise ShapeError("the same items by both models", "some that one of them could not encode",
                         "Remove what cannot be read, and open the data again.")
    return found
