"""Why a cosine of an image and a text is what it is."""

from __future__ import annotations

import numpy as np

from core.errors import ShapeError, check_vectors
from core.geometry.gap.profiles import cosines_by_kind
from core.geometry.gap.reports import CosineParts
from core.geometry.neighbours import percentile
from core.geometry.pairs import Pairs


def explain_cosine(image: np.ndarray, text: np.ndarray, pairs: Pairs, *, seed: int = 0) -> CosineParts:
    """A cosine in parts, and where it stands among cosines of the same model and set.

    With x = m_x + a and y = m_y + b (means of the modalities and what is special about the two), the cosine is
    m_x.m_y + a.m_y + m_x.b + a.b: what any image has with any text, what either has with the mean of the other side,
    and what the two have with each other.

    Parameters
    ----------
    image, text
        (d,) floats of unit length; they need not be of the set.
    pairs
        The set that means and percentiles come from.
    seed
        Of the sample of unmatched cosines, up to 1,000 images with 1,000 texts.

    Raises
    ------
    ShapeError
        If the dimensions differ or a vector is not of unit length.
    """
    image, text = np.asarray(image), np.asarray(text)
    for name, v in (("an image", image), ("a text", text)):
        if v.shape != (pairs.images.shape[1],):
            raise ShapeError(f"{name} of {pairs.images.shape[1]} dimensions", f"shape {v.shape}")
        check_vectors(v[None], what=name, unit=True)
    image, text = image.astype(np.float64), text.astype(np.float64)
    mean_image, mean_text = (z.mean(axis=0, dtype=np.float64) for z in (pairs.images, pairs.texts))
    of_image, of_text = image - mean_image, text - mean_text
    parts = {"means": float(mean_image @ mean_text), "image": float(of_image @ mean_text),
             "text": float(mean_image @ of_text), "both": float(of_image @ of_text)}
    cosine = float(image @ text)
    kinds = cosines_by_kind(pairs, seed=seed)
    among = {kind: np.sort(kinds.get(kind, np.zeros(0, dtype=np.float32))) for kind in ("unmatched", "matched")}
    return CosineParts(cosine, parts, percentile(cosine, among["unmatched"]), percentile(cosine, among["matched"]),
                       len(among["unmatched"]), len(among["matched"]))
