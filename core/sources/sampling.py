"""A part of a dataset: some of its images with the texts that belong to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.errors import ShapeError
from core.sources.images.readers import ChosenImages
from core.types import Dataset


def take(dataset: Dataset, images: Sequence[int] | np.ndarray, texts: Sequence[int] | np.ndarray | None = None,
         *, name: str | None = None) -> Dataset:
    """The chosen images and texts, with the links between them, in the order given.

    Parameters
    ----------
    dataset
        What to take from.
    images
        Indices of images, without repetition.
    texts
        Indices of texts; by default those linked to a chosen image.
    name
        What the part is called; as the whole by default.

    Raises
    ------
    ShapeError
        If an index is outside the dataset or repeated.
    """
    images = np.asarray(images, dtype=np.int64)
    if texts is None:
        texts = np.unique(dataset.links[np.isin(dataset.links[:, 0], images), 1])
    texts = np.asarray(texts, dtype=np.int64)
    for what, chosen, n in (("images", images, len(dataset.image_ids)), ("texts", texts, len(dataset.text_ids))):
        if len(np.unique(chosen)) != len(chosen) or (len(chosen) and not 0 <= chosen.min() <= chosen.max() < n):
            raise ShapeError(f"distinct indices of {what} below {n}",
                             f"{len(chosen)} indices, some outside or repeated")
    to_image = np.full(len(dataset.image_ids), -1)
    to_text = np.full(len(dataset.text_ids), -1)
    to_image[images], to_text[texts] = np.arange(len(images)), np.arange(len(texts))
    links = np.stack([to_image[dataset.links[:, 0]], to_text[dataset.links[:, 1]]], axis=1)
    reader = dataset.images
    return replace(
        dataset, name=dataset.name if name is None else name,
        image_ids=tuple(dataset.image_ids[i] for i in images),
        images=None if reader is None or not len(images) else ChosenImages([(reader, int(i)) for i in images]),
        text_ids=tuple(dataset.text_ids[i] for i in texts), texts=tuple(dataset.texts[i] for i in texts),
        links=links[(links >= 0).all(axis=1)],
        image_table=dataset.image_table.iloc[images].reset_index(drop=True),
        text_table=dataset.text_table.iloc[texts].reset_index(drop=True))


def sample(dataset: Dataset, n: int, seed: int) -> Dataset:
    """At most ``n`` images drawn without replacement, with their texts (texts where there are no images)."""
    rng = np.random.default_rng(seed)

    def draw(size: int) -> np.ndarray:
        return np.sort(rng.permutation(size)[:n])

    if dataset.image_ids:
        if len(dataset.image_ids) <= n:
            return dataset
        return take(dataset, draw(len(dataset.image_ids)), name=f"{dataset.name}, a sample of {n:,}")
    if len(dataset.text_ids) <= n:
        return dataset
    return take(dataset, (), draw(len(dataset.text_ids)), name=f"{dataset.name}, a sample of {n:,}")
