"""Faults planted into a dataset of images with captions, so that one knows what should be found and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from core.errors import ShapeError, check_choice
from core.types import Dataset, Images, as_ids, fingerprint


class AlteredImages:
    """Images of a dataset, some of them altered when they are read."""

    def __init__(self, base: Images, order: np.ndarray, alter: Mapping[int, tuple[str, float, int]]) -> None:
        self.base, self.order, self.alter = base, order, dict(alter)

    def __len__(self) -> int:
        return len(self.order)

    def content_hash(self, index: int) -> str:
        base = self.base.content_hash(int(self.order[index]))
        return fingerprint(base, self.alter[index]) if index in self.alter else base

    def decode(self, index: int) -> Image.Image:
        picture = self.base.decode(int(self.order[index]))
        if index not in self.alter:
            return picture
        kind, strength, seed = self.alter[index]
        if kind == "blur":
            return picture.filter(ImageFilter.GaussianBlur(strength * max(picture.size)))
        rng = np.random.default_rng((seed, index))
        grey = np.asarray(picture, np.float32) + rng.normal(0, 255 * strength, (*picture.size[::-1], 3))
        return Image.fromarray(grey.clip(0, 255).astype(np.uint8))


def _chosen(n: int, share: float, seed: int) -> np.ndarray:
    if not 0 <= share <= 1:
        raise ShapeError("a share in [0, 1]", str(share))
    return np.random.default_rng(seed).permutation(n)[: round(share * n)]


def _flagged(table: pd.DataFrame, name: str, rows: np.ndarray) -> pd.DataFrame:
    column = np.full(len(table), "", dtype=object)
    column[rows] = name
    earlier = table["fault"].to_numpy(object) if "fault" in table else np.full(len(table), "", dtype=object)
    return table.assign(fault=[" ".join(filter(None, pair)) for pair in zip(earlier, column)])


def _wrong_captions(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the captions trade places among themselves; none stays where it was."""
    rows = _chosen(len(data.texts), share, seed)
    if len(rows) < 2:
        return data
    texts = list(data.texts)
    for a, b in zip(rows, np.roll(rows, 1)):
        texts[a] = data.texts[b]
    return replace(data, texts=tuple(texts), text_table=_flagged(data.text_table, "wrong caption", rows))


def _take(data: Dataset, images: np.ndarray) -> Dataset:
    """The dataset of some images, in this order and as often as they are named, with their captions."""
    assert data.images is not None
    captions: dict[int, list[int]] = {}
    for image, text in data.links:
        captions.setdefault(int(image), []).append(int(text))
    texts = [t for i in images for t in captions.get(int(i), [])]
    counts = [len(captions.get(int(i), [])) for i in images]
    links = np.stack([np.repeat(np.arange(len(images)), counts), np.arange(len(texts))], 1)
    return replace(data, image_ids=as_ids([data.image_ids[i] for i in images]),
                   images=AlteredImages(data.images, images, {}), text_ids=as_ids([data.text_ids[t] for t in texts]),
                   texts=tuple(data.texts[t] for t in texts), links=links,
                   image_table=data.image_table.iloc[images].reset_index(drop=True),
                   text_table=data.text_table.iloc[texts].reset_index(drop=True))


def _duplicates(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the images is shown again, with its captions."""
    n = len(data.image_ids)
    again = _chosen(n, share, seed)
    more = _take(data, np.concatenate([np.arange(n), again]))
    return replace(more, image_table=_flagged(more.image_table, "duplicate", np.arange(n, n + len(again))))


def _altered(kind: str, strength: float) -> Callable[[Dataset, float, int], Dataset]:
    def plant(data: Dataset, share: float, seed: int) -> Dataset:
        assert data.images is not None
        rows = _chosen(len(data.image_ids), share, seed)
        images = AlteredImages(data.images, np.arange(len(data.images)), {int(i): (kind, strength, seed) for i in rows})
        return replace(data, images=images, image_table=_flagged(data.image_table, kind, rows))

    return plant


def _imbalance(data: Dataset, rate: float, seed: int) -> Dataset:
    """Class k of the labels, in a seeded order, keeps exp(-rate k) of its images."""
    if rate < 0:
        raise ShapeError("a rate of at least 0", str(rate))
    rng = np.random.default_rng(seed)
    labels = data.image_table["label"].to_numpy()
    kept: list[int] = []
    for k, label in enumerate(rng.permutation(np.unique(labels))):
        members = rng.permutation(np.flatnonzero(labels == label))
        kept.extend(members[: max(1, round(len(members) * np.exp(-rate * k)))].tolist())
    return _take(data, np.sort(kept))


def _missing_classes(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the labels is left out altogether."""
    labels = data.image_table["label"].to_numpy()
    names = np.unique(labels)
    gone = names[_chosen(len(names), share, seed)]
    return _take(data, np.flatnonzero(~np.isin(labels, gone)))


FAULTS: dict[str, Callable[[Dataset, float, int], Dataset]] = {
    "wrong captions": _wrong_captions,
    "duplicates": _duplicates,
    "blur": _altered("blur", 0.03),
    "noise": _altered("noise", 0.25),
    "imbalance": _imbalance,
    "missing classes": _missing_classes,
}


def plant(data: Dataset, fault: str, strength: float, seed: int = 0) -> Dataset:
    """The dataset with a fault.

    Parameters
    ----------
    data : images, with captions and a column ``label`` where the fault needs them.
    fault : a key of FAULTS.
    strength : share of the items in [0, 1]; for imbalance the rate, >= 0, of the exponential fall over classes.
    seed : which items.

    Returns
    -------
    A dataset; what was touched is named in a column ``fault`` where items are still there to be named.

    Raises
    ------
    ChoiceError, ShapeError
        If the fault is unknown, the strength out of range, or images or labels are missing.
    """
    check_choice("fault", fault, FAULTS)
    if data.images is None:
        raise ShapeError("a dataset with images", f"{data.name}, which has texts alone")
    if fault in ("imbalance", "missing classes") and "label" not in data.image_table:
        raise ShapeError("a column label", f"columns {', '.join(map(str, data.image_table.columns))}")
    return FAULTS[fault](data, strength, seed)
