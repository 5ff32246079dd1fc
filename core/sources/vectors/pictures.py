"""Pictures of image vectors that were made elsewhere, where files are called like the vectors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.errors import SourceError
from core.sources.tables.captions import match_names
from core.sources.tables.columns import role_of
from core.sources.vectors.blocks import Loaded
from core.types import Dataset, EmbeddingSet, Images, Refusal


def places_of(images: EmbeddingSet, pictures: Dataset) -> np.ndarray:
    """Which picture belongs to each vector: the one that its id names, or a cell of the column that names the most.

    Names match as those of a table do: by path, by their last part, without the ending, where that is unique.

    Returns
    -------
    (n,) int64, the place in ``pictures``; -1 where there is none.

    Raises
    ------
    SourceError
        If no picture belongs to any vector.
    """
    columns: list[Sequence[str]] = [images.ids]
    columns += [[str(cell) for cell in images.table[c]] for c in images.table if role_of(str(c)) in ("image", "id")]
    best: list[int] = []
    for names in columns:
        found = match_names(list(dict.fromkeys(names)), pictures.image_ids)
        places = [found.get(name, -1) for name in names]
        if not best or sum(p >= 0 for p in places) > sum(p >= 0 for p in best):
            best = places
    if max(best, default=-1) < 0:
        raise SourceError("pictures that are called like the vectors",
                          f"{_some(pictures.image_ids)} in {pictures.name}, and vectors {_some(images.ids)}",
                          "Name each file like the id of its vector.")
    return np.array(best, dtype=np.int64)


def shown_with(images: EmbeddingSet | None, pictures: Dataset, found: Loaded) -> tuple[Images | None, np.ndarray]:
    """The pictures, and the place among them of each image vector; what has no partner is added to what was found.

    Raises
    ------
    SourceError
        If there are no vectors of images, or no picture belongs to any.
    """
    if images is None:
        raise SourceError("image vectors beside pictures", "vectors of texts alone", "Leave the pictures out.")
    places = places_of(images, pictures)
    taken = set(places.tolist())
    found.refused += pictures.refused
    found.left_out += [Refusal(name, f"its vector is here, but no picture of this name in {pictures.name}")
                       for name, at in zip(images.ids, places.tolist()) if at < 0]
    found.left_out += [Refusal(name, "no vector has the name of this picture")
                       for i, name in enumerate(pictures.image_ids) if i not in taken]
    found.left_out += pictures.left_out
    return pictures.images, places


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:2]) + (", ..." if len(names) > 2 else "")
