"""From a dataset to unit vectors: what the store has is read, the rest is decoded, encoded once and kept.

Decoding and preprocessing run ahead of the model in a few threads (the readers of images decode in processes of their
own), in order and bounded. Every finished batch goes to the store before the next one, so that a stop, a crash or a
power cut loses one batch at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.encoding.batching import Progress, Rows, Run, default_batch_size
from core.encoding.encoder import Encoder
from core.encoding.sharing import Shares
from core.encoding.store import Store
from core.errors import ShapeError
from core.sources.images.readers import hashes_or_reasons
from core.types import Dataset, EmbeddingSet, Modality, ModelSpec, PairedEmbeddings, Refusal


@dataclass(frozen=True, eq=False)
class Embedded:
    """A dataset as vectors.

    Attributes
    ----------
    images, texts : unit vectors of the items that could be read, in the order of the dataset; None where it has none.
    links : (m, 2) int64, rows (index in images, index in texts).
    refused : what could not be read, when the dataset was opened or now, then texts that the model knows nothing of.
    truncated : ids of texts whose end the model did not see.
    captions : what each row of texts says.
    model : what encoded.
    encoded : how many items were encoded now; the others came from the store.
    unread : how many of the refused, the last ones, are texts that the model knows nothing of.
    seconds : where the time went: hash, store, wait; decode, resize and forward (summed over threads).
    """

    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    links: np.ndarray
    refused: tuple[Refusal, ...]
    truncated: tuple[str, ...]
    captions: tuple[str, ...]
    model: ModelSpec
    encoded: int
    unread: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)

    def pairs(self) -> PairedEmbeddings:
        """Images, texts and links as one value; ShapeError where one of them is absent."""
        if self.images is None or self.texts is None or not len(self.links):
            raise ShapeError("images and texts that belong together", "a dataset without such pairs",
                             "Take a dataset with captions.")
        return PairedEmbeddings(self.images, self.texts, self.links)


def text_hash(text: str) -> str:
    """Content hash of a text: sha256 (hex), never that of an image."""
    return hashlib.sha256(b"text\0" + text.encode("utf-8", "surrogatepass")).hexdigest()


def missing(dataset: Dataset, model: Encoder, store: Store) -> int:
    """How many different images and texts of a dataset have no vector by this model yet, of those that can have one."""
    hashes, _ = _image_hashes(dataset)
    hashes += _text_hashes(dataset.texts, model.unread(dataset.texts))
    wanted = list(dict.fromkeys(h for h in hashes if h))
    return int((~store.has(model.spec.fingerprint, wanted)).sum()) if wanted else 0


def embed(dataset: Dataset, model: Encoder, store: Store, *, on_progress: Progress | None = None,
          should_stop: Callable[[], bool] | None = None, batch_size: int | None = None) -> Embedded:
    """Unit vectors of all images and texts of a dataset.

    Each content is encoded once, however often and wherever it appears, also where several runs are at it at once. A
    vector does not depend on the batch it was in (to 1e-5 in float32). When memory runs out, the batch is halved.

    Parameters
    ----------
    dataset : Dataset
        Images, texts, or both.
    model : Encoder
        What encodes.
    store : Store
        Where vectors are looked up and kept.
    on_progress : callable, optional
        Called as ``on_progress(fraction, text)``; the text has items a second and the time left.
    should_stop : callable, optional
        Asked between items.
    batch_size : int, optional
        Images or texts at once, >= 1; by default what suits the device and the image size.

    Raises
    ------
    Cancelled
        When ``should_stop`` says so; finished batches are in the store.
    ModelError
        If not even one item fits into memory.
    """
    with Shares(store, model.spec.fingerprint) as shares:
        run = Run(model, store, shares, on_progress or (lambda fraction, text: None), should_stop or (lambda: False),
                  batch_size or default_batch_size(model))
        with run.seconds.timed("hash"):
            image_hashes, unreadable = _image_hashes(dataset, run.report, should_stop)
            unread = model.unread(dataset.texts)
            text_hashes = _text_hashes(dataset.texts, unread)
        image_rows = run.known([h for h in image_hashes if h])
        text_rows = run.known([h for h in text_hashes if h])
        image_todo = _first_of_each(image_hashes, image_rows)
        text_todo = _first_of_each(text_hashes, text_rows)
        run.expect(len(image_todo), len(text_todo))
        if dataset.images is not None:
            unreadable |= run.images(dataset.images, image_todo, image_hashes, image_rows)
        run.texts(dataset.texts, text_todo, text_hashes, text_rows)
    spec = model.spec
    images, image_index = _collect(dataset.image_ids, image_hashes, image_rows, "image", dataset.image_table, spec)
    texts, text_index = _collect(dataset.text_ids, text_hashes, text_rows, "text", dataset.text_table, spec)
    links = np.stack([image_index[dataset.links[:, 0]], text_index[dataset.links[:, 1]]], axis=1)
    refused = [*_refusals(dataset, image_hashes, image_index, unreadable),
               *(Refusal(dataset.text_ids[i], reason) for i, reason in unread.items())]
    run.report(1.0, f"{len(images):,} images and {len(texts):,} texts are ready")
    return Embedded(images if dataset.images is not None else None, texts if dataset.texts else None,
                    links[(links >= 0).all(axis=1)], (*dataset.refused, *refused), _truncated(dataset, model),
                    tuple(dataset.texts[i] for i in np.flatnonzero(text_index >= 0)), spec,
                    run.encoded, len(unread), dict(run.seconds))


def _text_hashes(texts: Sequence[str], unread: Mapping[int, str]) -> list[str | None]:
    """Content hash of each text, None for one that the model knows nothing of."""
    return [None if i in unread else text_hash(text) for i, text in enumerate(texts)]


def _image_hashes(dataset: Dataset, report: Progress | None = None,
                  stop: Callable[[], bool] | None = None) -> tuple[list[str | None], dict[int, str]]:
    """Content hash of each image, None for one that cannot be read, with index -> reason."""
    if dataset.images is None:
        return [], {}
    tell = report or (lambda fraction, text: None)
    return hashes_or_reasons(dataset.images, should_stop=stop, on_progress=lambda _, text: tell(0.0, text))


def _first_of_each(hashes: Sequence[str | None], known: Rows) -> list[int]:
    first: dict[str, int] = {}
    for index, h in enumerate(hashes):
        if h is not None and h not in known:
            first.setdefault(h, index)
    return list(first.values())


def _collect(ids: Sequence[str], hashes: Sequence[str | None], rows: Rows, modality: Modality, table: pd.DataFrame,
             spec: ModelSpec) -> tuple[EmbeddingSet, np.ndarray]:
    """The set of the items that have a vector, and old index -> new index, -1 for the others."""
    kept = [i for i, h in enumerate(hashes) if h is not None and h in rows]
    index = np.full(len(ids), -1, dtype=np.int64)
    index[kept] = np.arange(len(kept))
    both = np.stack([rows[str(hashes[i])] for i in kept]) if kept else np.empty((0, spec.dim + 1), np.float32)
    return EmbeddingSet(both[:, :-1], both[:, -1], tuple(ids[i] for i in kept), modality,
                        table.iloc[kept].reset_index(drop=True), spec), index


def _refusals(dataset: Dataset, hashes: Sequence[str | None], index: np.ndarray,
              unreadable: Mapping[int, str]) -> list[Refusal]:
    """One refusal an image without a vector; copies of one content share the reason found for the first."""
    reasons = {hashes[i]: reason for i, reason in unreadable.items() if hashes[i] is not None}
    return [Refusal(dataset.image_ids[i], unreadable[i] if i in unreadable else reasons[hashes[i]])
            for i in np.flatnonzero(index < 0).tolist()]


def _truncated(dataset: Dataset, model: Encoder) -> tuple[str, ...]:
    """Ids of texts that are cut; only those with more bytes than the model has places are tokenised."""
    long = [i for i, text in enumerate(dataset.texts) if len(text.encode()) + 3 > model.context_length]
    cut = model.truncated([dataset.texts[i] for i in long])
    return tuple(dataset.text_ids[i] for i, yes in zip(long, cut, strict=True) if yes)
