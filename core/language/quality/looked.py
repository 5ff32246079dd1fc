"""What is looked at: items with their ids, captions, pictures, and the model that made their vectors."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.encoding.registry import has_gap
from core.errors import Cancelled, ShapeError
from core.geometry.quality.items import Items
from core.types import Dataset, EmbeddingSet, Images, Modality, ModelSpec, fingerprint

if TYPE_CHECKING:
    from core.geometry.quality.neighbours import Neighbours
    from core.sources.vectors.opening import VectorSource

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
LABELS = "label"


class Vectors(Protocol):
    """Images and texts as vectors, what belongs together, and what the texts say."""

    @property
    def images(self) -> EmbeddingSet | None: ...
    @property
    def texts(self) -> EmbeddingSet | None: ...
    @property
    def links(self) -> np.ndarray: ...
    @property
    def captions(self) -> Sequence[str]: ...
_NUMBERED = re.compile(r"(text )?\d+").fullmatch

@dataclass(frozen=True, eq=False)
class Looked:
    """What is looked at.

    Attributes
    ----------
    name : what a user calls it.
    items : images and texts as vectors.
    image_ids, text_ids : ids of the rows.
    captions : what each row of texts says.
    model : what made the vectors; None where there are none.
    prompts_by : id of the model that encodes prompts, as `load_model` takes it; "" where none is at hand.
    pictures : reader of the images; None where only vectors are known.
    places : (n,) int64, which picture belongs to each row of images, -1 where none does.
    norms : (n,) float32, lengths of the raw vectors of the images; empty where they are not known.
    memory : what was found so far, for as long as this is looked at.
    """

    name: str
    items: Items
    image_ids: tuple[str, ...]
    text_ids: tuple[str, ...]
    captions: tuple[str, ...]
    model: ModelSpec | None = None
    prompts_by: str = ""
    pictures: Images | None = None
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    norms: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.float32))
    memory: dict[object, object] = field(default_factory=dict, repr=False)
    _at_work: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        sizes = len(self.image_ids), len(self.text_ids), len(self.captions), len(self.places)
        n, m = self.items.n_images, self.items.n_texts
        if sizes != (n, m, m, n if self.pictures is not None else len(self.places)):
            raise ShapeError(f"ids and places of {n} images, ids and captions of {m} texts", str(sizes))

    @contextmanager
    def alone(self, should_stop: Stop | None = None) -> Iterator[None]:
        """Nobody else looks for anything meanwhile, so that what two ask for at once is found once.

        Raises
        ------
        Cancelled
            If ``should_stop`` says so while somebody else is at it.
        """
        while not self._at_work.acquire(timeout=0.1):
            if should_stop is not None and should_stop():
                raise Cancelled("nothing yet")
        try:
            yield
        finally:
            self._at_work.release()

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """Content hash of each image, "" where there is no picture of it; empty where there are no pictures."""
        if self.pictures is None:
            return ()
        from core.errors import UnreadableItem

        found = []
        for place in self.places.tolist():
            try:
                found.append(self.pictures.content_hash(place) if place >= 0 else "")
            except (UnreadableItem, OSError):
                found.append("")
        return tuple(found)

    @cached_property
    def has_words(self) -> bool:
        """Whether there are captions, and what they say is known: of vectors alone there are often only numbers."""
        return self.captions != self.text_ids or not all(map(_NUMBERED, self.captions))

    @cached_property
    def fingerprint(self) -> str:
        """Of the data: ids, contents (vectors, where there are no pictures), captions, links, labels and splits."""
        items = self.items
        contents = self.hashes if self.pictures is not None else () if items.images is None else (items.images,)
        texts = (items.texts,) if self.pictures is None and items.texts is not None else ()
        return fingerprint("looked", self.image_ids, *contents, self.text_ids, self.captions, *texts, items.links,
                           items.labels, items.splits)

    def neighbours(self, *, seed: int = 0, on_progress: Progress | None = None,
                   should_stop: Stop | None = None) -> Neighbours:
        """Nearest other images of each image, found once."""
        from core.geometry.quality.neighbours import nearest_others

        assert self.items.images is not None
        key = "neighbours", seed
        with self.alone(should_stop):
            if key not in self.memory:
                self.memory[key] = nearest_others(self.items.images, seed=seed, on_progress=on_progress,
                                                  should_stop=should_stop)
        return self.memory[key]  # type: ignore[return-value]

    def vector_of(self, prompt: str) -> np.ndarray:
        """(d,) float32 unit vector of a prompt; the same whatever is encoded beside it.

        Raises
        ------
        ModelError
            If no model is at hand, or it knows nothing of the prompt.
        """
        key = "prompt", prompt
        if key not in self.memory:
            self.memory[key] = _encoded(prompt, self.prompts_by, self.model)
        return self.memory[key]  # type: ignore[return-value]

    def row_of(self, item: str, of: Modality) -> int | None:
        """Row of the item with an id; None where there is none."""
        key = "rows", of
        if key not in self.memory:
            ids = self.image_ids if of == "image" else self.text_ids
            self.memory[key] = {name: row for row, name in enumerate(ids)}
        return self.memory[key].get(item)  # type: ignore[attr-defined]


def look(found: Vectors, opened: Dataset | VectorSource, *, prompts_by: str = "", name: str = "",
         labels: str = LABELS) -> Looked:
    """What was embedded of a dataset, or vectors made elsewhere, or a part of these, as it is looked at.

    Parameters
    ----------
    found : the vectors, of all or of a part.
    opened : where they came from; its pictures belong to them by their ids.
    prompts_by : model that encodes prompts, "" where none does.
    name : what a user calls it; as what was opened by default.
    labels : column of the labels of the images; one that is not there gives none.

    Texts of a model without a gap, rows of a classifier, are left out.
    """
    images, texts, links, captions = found.images, found.texts, found.links, found.captions
    if any(part is not None and not has_gap(part.model.id) for part in (images, texts)):
        texts, links, captions, prompts_by = None, np.zeros((0, 2), np.int64), (), ""
    if isinstance(opened, Dataset):
        pictures, at = opened.images, {item: place for place, item in enumerate(opened.image_ids)}
    else:
        ids = () if opened.images is None else opened.images.ids
        pictures, at = opened.pictures, dict(zip(ids, opened.picture_places.tolist()))
    ids = () if images is None else images.ids
    places = np.array([at.get(item, -1) for item in ids], dtype=np.int64)
    items = Items(None if images is None else images.vectors, None if texts is None else texts.vectors, links,
                  _column(images, labels), _column(images, "split"))
    model = next((part.model for part in (images, texts) if part is not None), None)
    return Looked(name or opened.name, items, ids, () if texts is None else texts.ids, tuple(captions),
                  model, prompts_by, pictures, places,
                  np.zeros(0, np.float32) if images is None else images.norms)


def _column(images: EmbeddingSet | None, column: str) -> tuple[str, ...]:
    """A column of the images as strings, "" where a cell is empty; nothing where all are."""
    if images is None or column not in images.table:
        return ()
    cells = images.table[column]
    words = tuple("" if missing else str(cell) for cell, missing in zip(cells, cells.isna()))
    return words if any(words) else ()


def _encoded(prompt: str, model_id: str, made_by: ModelSpec | None) -> np.ndarray:
    from core.encoding.models import load_model
    from core.errors import ModelError
    from core.geometry.directions import unit

    if not model_id:
        raise ModelError("a model that encodes prompts", "vectors whose model is not at hand",
                         "Choose the model that made them, or take no action with a prompt.")
    model = load_model(model_id)
    unread = model.unread([prompt])
    if unread:
        raise ModelError("a prompt that the model knows words of", f"{prompt!r}: {unread[0]}", "Use other words.")
    if made_by is not None and made_by.dim != model.spec.dim:
        raise ModelError(f"a model of {made_by.dim} dimensions, as the vectors have", f"{model.spec.dim} of {model_id}",
                         "Choose the model that made the vectors.")
    return unit(model.encode_texts([prompt]))[0]
