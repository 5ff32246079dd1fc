"""From the id of a model to a dataset's vectors: the whole work, the same for a page, a command and a notebook."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.encoding.batching import Progress
from core.encoding.encoder import Encoder
from core.encoding.models import load_model
from core.encoding.pipeline import Embedded, embed, missing, text_hash
from core.encoding.store import Store
from core.sources.images.readers import content_hashes
from core.sources.sampling import take
from core.types import Dataset

ENOUGH_TO_TIME = 50

seconds_each: dict[str, float] = {}
"""What encoding one item took last time in this process, in seconds, by model id."""


@dataclass(frozen=True)
class Cost:
    """What embedding would take.

    Attributes
    ----------
    items : different images and texts without a vector yet.
    seconds_each : for one of them, measured with this model on this machine; None where it is not known.
    """

    items: int
    seconds_each: float | None

    @property
    def seconds(self) -> float:
        """For all of them; 0 where it is not known."""
        return self.items * (self.seconds_each or 0.0)


def cost_of(model_id: str, dataset: Dataset, store: Store | None = None, *, measure: bool = True,
            on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Cost:
    """What `embed_with` would take.

    Parameters
    ----------
    model_id, dataset, store, on_progress, should_stop
        As `embed_with` takes them.
    measure : bool
        Encode a small batch where the pace of the model is not known yet and there is much to do.

    Raises
    ------
    ModelError
        As `load_model` does.
    Cancelled
        When ``should_stop`` says so.
    """
    tell = on_progress or (lambda fraction, text: None)
    tell(0.0, "Loading the model")
    model = load_model(model_id)
    if dataset.images is not None and len(dataset.images) > 500:
        content_hashes(dataset.images, should_stop=should_stop, on_progress=tell)
    items = missing(dataset, model, store or Store())
    each = seconds_each.get(model_id)
    if measure and each is None and items > ENOUGH_TO_TIME:
        each = _time_one(model)
    return Cost(items, each)


def embed_with(model_id: str, dataset: Dataset, store: Store | None = None, *, on_progress: Progress | None = None,
               should_stop: Callable[[], bool] | None = None, batch_size: int | None = None) -> Embedded:
    """Unit vectors of all images and texts of a dataset by the model of an id.

    Parameters
    ----------
    model_id : str
        As `load_model` takes it.
    store : Store, optional
        Where vectors are looked up and kept; by default that of the settings.
    dataset, on_progress, should_stop, batch_size
        As `core.encoding.pipeline.embed` takes them.

    Raises
    ------
    ModelError
        As `load_model` does, or if not even one item fits into memory.
    Cancelled
        When ``should_stop`` says so; finished batches are in the store.
    """
    if on_progress is not None:
        on_progress(0.0, "Loading the model")
    model = load_model(model_id)
    began = time.monotonic()
    done = embed(dataset, model, store or Store(), on_progress=on_progress, should_stop=should_stop,
                 batch_size=batch_size)
    if done.encoded > ENOUGH_TO_TIME:
        seconds_each[model_id] = (time.monotonic() - began) / done.encoded
    return done


def finished_part(model_id: str, dataset: Dataset, store: Store | None = None) -> Dataset | None:
    """The images and texts that have a vector in the store, None where none has one."""
    kept, model = store or Store(), load_model(model_id).spec.fingerprint
    hashes = [] if dataset.images is None else [dataset.images.content_hash(i) for i in range(len(dataset.images))]
    images = np.flatnonzero(kept.has(model, hashes)) if hashes else np.array([], dtype=np.int64)
    texts = np.flatnonzero(kept.has(model, [text_hash(text) for text in dataset.texts]))
    if hashes:
        texts = np.union1d(texts, np.unique(dataset.links[np.isin(dataset.links[:, 0], images), 1]))
    if not len(images) and not len(texts):
        return None
    return take(dataset, images, texts, name=f"{dataset.name}, the finished part")


def _time_one(model: Encoder) -> float:
    """Seconds for one image, from one small batch and 20 ms of decoding."""
    import torch

    blank = torch.zeros((4, 3, *model.preprocessor.size))
    model.encode_pixels(blank[:1])
    began = time.monotonic()
    model.encode_pixels(blank)
    return (time.monotonic() - began) / len(blank) + 0.02
