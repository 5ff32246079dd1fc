"""Classes as vectors that were made elsewhere: their names, and one unit vector each."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, SourceError
from core.language.words.prompts import MOST_CLASSES
from core.language.zero_shot import class_vectors
from core.sources.vectors.names import caption_column, id_column
from core.sources.vectors.opening import VectorSource

USUAL_SCALE = 100.0     # of a trained CLIP: 1 over its temperature of 0.01


def brought_classes(found: VectorSource, dim: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of classes and their (k, d) float32 unit vectors, from text vectors made elsewhere.

    Rows of one name are an ensemble: their mean. A file that holds no texts has its classes where images are looked
    for.

    Parameters
    ----------
    found : as `core.sources.vectors.opening.open_vectors` reads it.
    dim : of the images.

    Raises
    ------
    ShapeError
        If the dimensions differ from those of the images.
    SourceError
        If there are more than 5,000 classes.
    """
    part = found.texts if found.texts is not None else found.images
    assert part is not None
    if part.vectors.shape[1] != dim:
        raise ShapeError(f"class vectors of {dim} dimensions, as the images have", f"{part.vectors.shape[1]}",
                         "Both have to come from the same model.")
    column = caption_column(part.table) or id_column(part.table)
    names = part.ids if column is None else tuple(" ".join(str(cell).split()) for cell in part.table[column])
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name or part.ids[row], []).append(row)
    if len(rows) > MOST_CLASSES:
        raise SourceError(f"at most {MOST_CLASSES:,} classes", f"{len(rows):,}", "Bring those that matter.")
    return tuple(rows), class_vectors([part.vectors[own] for own in rows.values()])
