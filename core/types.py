"""The nouns: frozen values, validated when made, with read-only arrays.

Equality is by fingerprint: the sha256 of what the value says. A type does not plot, load or save.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from core.errors import ShapeError, check_choice, check_vectors

if TYPE_CHECKING:
    from PIL.Image import Image

Modality = Literal["image", "text"]
MODALITIES: tuple[Modality, ...] = ("image", "text")


def fingerprint(*parts: object) -> str:
    """sha256 (hex) of strings, numbers, bytes, arrays, and tuples, lists and dicts of these; every element counts."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            if part.dtype == object:
                raise ShapeError("an array of numbers or strings to fingerprint", "an array of objects")
            digest.update(f"array {part.dtype.str} {part.shape}\0".encode())
            digest.update(_bytes_of(np.ascontiguousarray(part)))
        elif isinstance(part, bytes):
            digest.update(b"bytes %d\0" % len(part) + part)
        else:
            text = json.dumps(part, sort_keys=True, default=str)
            digest.update(f"json {len(text)}\0{text}".encode())
    return digest.hexdigest()


def _bytes_of(array: np.ndarray) -> memoryview:
    """The bytes of an array whose rows lie one after another, without a copy."""
    return memoryview(array.reshape(-1).view(np.uint8) if array.dtype.itemsize else b"")  # type: ignore[arg-type]


def _read_only(array: np.ndarray) -> np.ndarray:
    array = np.ascontiguousarray(array)
    if array.flags.writeable:
        array = array.view()
        array.flags.writeable = False
    return array


class _ByFingerprint:
    fingerprint: Any

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.fingerprint == other.fingerprint  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.fingerprint)


@dataclass(frozen=True)
class ModelSpec:
    """Which model made a vector: id, pinned revision (or content hash), dimension, version of its preprocessing."""

    id: str
    revision: str
    dim: int
    preprocessing: str

    @property
    def fingerprint(self) -> str:
        return fingerprint("model", self.id, self.revision, self.dim, self.preprocessing)


@dataclass(frozen=True)
class Refusal:
    """An item that could not be read or is not used, with its reason in words for the user."""

    name: str
    reason: str


@runtime_checkable
class Images(Protocol):
    """Images that are read one at a time, when they are needed."""

    def __len__(self) -> int: ...

    def content_hash(self, index: int) -> str:
        """sha256 (hex) of what the image shows, the same in whichever dataset it appears."""
        ...

    def decode(self, index: int) -> Image:
        """The upright RGB image; raises UnreadableItem."""
        ...


@dataclass(frozen=True, eq=False)
class Dataset(_ByFingerprint):
    """Images and texts with stable ids; which text belongs to which image.

    Attributes
    ----------
    name : what a user calls it.
    image_ids, text_ids : unique strings; ids of images are stable between loads.
    images : reader of the images, or None for texts alone.
    texts : the captions, one for each text id.
    links : (m, 2) int64, rows (image index, text index).
    image_table, text_table : metadata (label, any other columns), one row an item.
    refused : what could not be read when the dataset was opened.
    left_out : what lies there too and is not used, with the reason.
    notices : what had to be guessed, in sentences for the user.
    """

    name: str
    image_ids: tuple[str, ...]
    images: Images | None
    text_ids: tuple[str, ...]
    texts: tuple[str, ...]
    links: np.ndarray
    image_table: pd.DataFrame
    text_table: pd.DataFrame
    refused: tuple[Refusal, ...] = ()
    left_out: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        links = np.asarray(self.links, dtype=np.int64).reshape(-1, 2)
        object.__setattr__(self, "links", _read_only(links))
        n_images, n_texts = len(self.image_ids), len(self.text_ids)
        if n_images != (0 if self.images is None else len(self.images)):
            raise ShapeError(f"{n_images} images, one for each id",
                             "none" if self.images is None else str(len(self.images)))
        if len(self.texts) != n_texts:
            raise ShapeError(f"{n_texts} texts, one for each id", str(len(self.texts)))
        for ids in (self.image_ids, self.text_ids):
            if len(set(ids)) != len(ids):
                raise ShapeError("unique ids", f"{len(ids) - len(set(ids))} repeated ids")
        if len(self.image_table) != n_images or len(self.text_table) != n_texts:
            raise ShapeError(f"tables of {n_images} images and {n_texts} texts",
                             f"{len(self.image_table)} and {len(self.text_table)} rows")
        if len(links) and (links.min() < 0 or (links.max(axis=0) >= (n_images, n_texts)).any()):
            raise ShapeError("links between the images and texts at hand", "an index outside them")

    @cached_property
    def fingerprint(self) -> str:
        hashes = [] if self.images is None else [self.images.content_hash(i) for i in range(len(self.images))]
        return fingerprint("dataset", self.image_ids, hashes, self.text_ids, self.texts, self.links)


@dataclass(frozen=True, eq=False)
class EmbeddingSet(_ByFingerprint):
    """Unit vectors of one modality by one model.

    Attributes
    ----------
    vectors : (n, d) float32, unit rows, read-only.
    norms : (n,) float32, lengths of the raw vectors (1 where unknown).
    ids : n unique strings.
    table : metadata, one row an item.
    model : what made the vectors.
    """

    vectors: np.ndarray
    norms: np.ndarray
    ids: tuple[str, ...]
    modality: Modality
    table: pd.DataFrame
    model: ModelSpec

    def __post_init__(self) -> None:
        vectors = np.asarray(self.vectors, dtype=np.float32)
        norms = np.asarray(self.norms, dtype=np.float32)
        check_vectors(vectors, at_least=0, unit=True)
        check_choice("modality", self.modality, MODALITIES)
        n = len(vectors)
        if norms.shape != (n,) or len(self.ids) != n or len(self.table) != n:
            raise ShapeError(f"{n} norms, ids and rows of the table",
                             f"{norms.shape}, {len(self.ids)} and {len(self.table)}")
        if len(set(self.ids)) != n:
            raise ShapeError("unique ids", f"{n - len(set(self.ids))} repeated ids")
        object.__setattr__(self, "vectors", _read_only(vectors))
        object.__setattr__(self, "norms", _read_only(norms))

    def __len__(self) -> int:
        return len(self.vectors)

    def take(self, rows: np.ndarray | Sequence[int]) -> EmbeddingSet:
        """Some rows, in the order given, each at most once."""
        rows = np.asarray(rows, dtype=np.int64)
        return EmbeddingSet(self.vectors[rows], self.norms[rows], tuple(self.ids[i] for i in rows), self.modality,
                            self.table.iloc[rows].reset_index(drop=True), self.model)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("embeddings", self.vectors, self.norms, self.ids, self.modality, self.model.fingerprint)


@dataclass(frozen=True, eq=False)
class PairedEmbeddings(_ByFingerprint):
    """Two sets by the same model and which rows belong together.

    ``links`` is (m, 2) int64, rows (index in a, index in b): one-to-one, or several captions an image.
    """

    a: EmbeddingSet
    b: EmbeddingSet
    links: np.ndarray

    def __post_init__(self) -> None:
        links = _read_only(np.asarray(self.links, dtype=np.int64).reshape(-1, 2))
        if self.a.model != self.b.model:
            raise ShapeError("two sets by the same model", f"{self.a.model.id} and {self.b.model.id}")
        if len(links) and (links.min() < 0 or (links.max(axis=0) >= (len(self.a), len(self.b))).any()):
            raise ShapeError("links between rows at hand", "an index outside them")
        object.__setattr__(self, "links", links)

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("pairs", self.a.fingerprint, self.b.fingerprint, self.links)


@dataclass(frozen=True)
class Number:
    """One number of a report: value, 95 % interval, null (the same number by chance), sample size and unit."""

    value: float
    low: float | None = None
    high: float | None = None
    null: float | None = None
    n: int | None = None
    unit: str = ""


@dataclass(frozen=True, eq=False)
class SphereMap(_ByFingerprint):
    """Where each vector lies on the 2-sphere one looks at.

    Attributes
    ----------
    coords : (n, 3) float32, unit rows.
    method : key of the registry of maps.
    parameters, seed : what made it.
    fidelity : how far it can be trusted, by name (spearman, knn_overlap, ...).
    centred : True where means were subtracted first, so that the size of the modality gap cannot be read off the map.
    """

    coords: np.ndarray
    method: str
    seed: int
    parameters: Mapping[str, object] = field(default_factory=dict)
    fidelity: Mapping[str, Number] = field(default_factory=dict)
    centred: bool = False

    def __post_init__(self) -> None:
        coords = np.asarray(self.coords, dtype=np.float32)
        check_vectors(coords, what="map coordinates", at_least=0, unit=True)
        if coords.shape[1] != 3:
            raise ShapeError("map coordinates of shape (n, 3)", f"shape {coords.shape}")
        object.__setattr__(self, "coords", _read_only(coords))

    @cached_property
    def fingerprint(self) -> str:
        return fingerprint("map", self.coords, self.method, self.seed, dict(self.parameters))


@dataclass(frozen=True)
class Selection:
    """Some items of a dataset, with a name and where they came from; carried from page to page.

    Attributes
    ----------
    name : what the user calls it.
    image_ids, text_ids : ids in the dataset.
    source : the dataset and how they were selected, in words.
    note : what the user wrote about it.
    """

    name: str
    image_ids: tuple[str, ...]
    text_ids: tuple[str, ...]
    source: str
    note: str = ""

    def __len__(self) -> int:
        return len(self.image_ids) + len(self.text_ids)

    @property
    def fingerprint(self) -> str:
        return fingerprint("selection", self.image_ids, self.text_ids)


def as_ids(ids: Sequence[object]) -> tuple[str, ...]:
    """Ids as unique strings; repeated ones get a running number, so that the first keeps its name."""
    seen: dict[str, int] = {}
    taken = {str(i) for i in ids}
    out = []
    for raw in map(str, ids):
        count = seen.get(raw, 0)
        name = raw
        while count and name in taken:
            count += 1
            name = f"{raw}#{count}"
        seen[raw] = max(count, 1)
        taken.add(name)
        out.append(name)
    return tuple(out)
