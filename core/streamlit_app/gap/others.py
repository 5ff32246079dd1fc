"""The same images and texts through other models: encoded once with progress, or from a second file of vectors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.geometry.pairs import Pairs
from core.settings import settings as process_settings
from core.streamlit_app import cached, panels, uploads, work
from core.streamlit_app.data.other_models import UNTRAINED
from core.streamlit_app.data.ready import Ready
from core.types import Dataset, EmbeddingSet, fingerprint

_TYPES = ("npy", "npz", "parquet", "csv", "tsv", "zip")


@dataclass(frozen=True, eq=False)
class Other:
    """Pairs by some model, row by row the same items as those of the others beside it.

    Attributes
    ----------
    name : of the model, for users.
    key : fingerprint of the vectors.
    """

    name: str
    key: str
    pairs: Pairs


def encoded(model: str, dataset: Dataset, key: str) -> tuple[EmbeddingSet, EmbeddingSet]:
    """Images and texts of a dataset by a model; every item of it, in order.

    Parameters
    ----------
    model : an id that `load_model` takes, or "untrained:" and such an id.
    dataset : with images and texts.
    key : no other dataset has it.

    Raises
    ------
    OrreryError
        If the model cannot be loaded, or an item cannot be encoded.
    """
    store = cached.store()

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> tuple[EmbeddingSet, EmbeddingSet]:
        from core.encoding.models import untrained
        from core.encoding.pipeline import embed

        on_progress(0.0, "Loading the model")
        fresh = model.startswith(UNTRAINED)
        encoder = untrained(model.removeprefix(UNTRAINED)) if fresh else cached.encoder(model)
        found = embed(dataset, encoder, store, on_progress=on_progress, should_stop=should_stop)
        if found.images is None or found.texts is None or (found.images.ids, found.texts.ids) != (
                dataset.image_ids, dataset.text_ids):
            raise ShapeError("the same items by both models", "some that this one could not encode",
                             "Remove what cannot be read, and open the data again.")
        return found.images, found.texts

    done: tuple[EmbeddingSet, EmbeddingSet] = work.result_of(fingerprint("gap.encoded", model, key), encode)
    return done


def ready_by(model: str, ready: Ready) -> Ready:
    """What ``ready`` shows, by another model: row by row the same items; ``model`` as `encoded` takes it."""
    dataset = ready.opened.dataset
    assert dataset is not None
    images, texts = encoded(model, _shown(dataset, ready), fingerprint(ready.key, ready.opened.key))
    return replace(ready, images=images, texts=texts)


def _shown(dataset: Dataset, ready: Ready) -> Dataset:
    """The part of a dataset that is shown."""
    from core.sources.sampling import take

    rows = []
    for ids, part in ((dataset.image_ids, ready.images), (dataset.text_ids, ready.texts)):
        place = {name: i for i, name in enumerate(ids)}
        rows.append(np.array([place[name] for name in (part.ids if part else ())], dtype=np.int64))
    return take(dataset, rows[0], rows[1])


def second_file(ready: Ready) -> Other | None:
    """Vectors of the same items by another model, from a file; None without one. Refusals become a panel."""
    upload = st.file_uploader("Vectors of the same items by another model", type=list(_TYPES), key="gap.second",
                              max_upload_size=process_settings().budget.upload_mb)
    known: dict[str, Other] = st.session_state.setdefault("gap.second.known", {})
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
    if upload is None:
        known.clear()
        return None
    mark = f"{upload.file_id}:{ready.key}"
    if mark not in known:
        with panels.friendly_errors():
            from core.sources.vectors.opening import open_vectors

            known.clear()
            found = open_vectors(upload.getvalue(), upload.name)
            assert ready.images is not None and ready.texts is not None
            parts = [aligned(own, other) for own, other in ((ready.images, found.images), (ready.texts, found.texts))]
            known[mark] = Other(upload.name[:60], fingerprint("second", *parts, ready.links),
                                Pairs(parts[0], parts[1], ready.links))
    return known.get(mark)


def aligned(own: EmbeddingSet, other: EmbeddingSet | None) -> np.ndarray:
    """(n, d) float32: the vectors of another model in the rows of ``own``; by id where all ids are there, else by row.

    Raises
    ------
    ShapeError
        If there is no vector for each row.
    """
    if other is None:
        raise ShapeError(f"{own.modality} vectors in both files", "none in the second",
                         "Give a file with images and texts.")
    place = {name: i for i, name in enumerate(other.ids)}
    if all(name in place for name in own.ids):
        return other.vectors[[place[name] for name in own.ids]]
    if len(own) != len(other):
        raise ShapeError(f"vectors of the same {len(own):,} {own.modality}s in the second file",
                         f"{len(other):,}, with other ids", "Give both files the same ids, or the same rows.")
    return other.vectors
