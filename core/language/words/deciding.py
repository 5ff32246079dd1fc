"""Why is an image called so? Its classes by template, and what each word of the winning prompts does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.directions import unit
from core.language.words.prompts import ClassTexts
from core.language.zero_shot import class_vectors
from core.types import EmbeddingSet

MOST_TEMPLATES = 20      # of which words are taken out
MOST_WORDS = 30


@dataclass(frozen=True, eq=False)
class Decided:
    """What decides between two classes for one image.

    Attributes
    ----------
    first, second : the two classes, by number.
    by_template : (t,) float64, log score of the first less the second by each template alone.
    words : of the prompts of the first class, in order; those that leave nothing behind are left out.
    effects : (w,) float64, how far the log score of the first class falls when a word is taken out of its prompts.
    usual : (w,) float64, the same on average over the other images; NaN where there is no other.
    percentiles : (w,) float64 in [0, 100], share of the other images for which it falls less.
    scale : log score of one unit of cosine; NaN for a model with scores of its own.
    """

    first: int
    second: int
    by_template: np.ndarray
    words: tuple[str, ...]
    effects: np.ndarray
    usual: np.ndarray
    percentiles: np.ndarray
    scale: float


def decide(model: Encoder, texts: ClassTexts, images: EmbeddingSet, row: int, first: int, second: int) -> Decided:
    """Compare two classes for one image, by template and by words of the first.

    Parameters
    ----------
    model : that made the vectors of the images.
    texts : the classes.
    images : n images, against which the effect of a word on one is set.
    row : of the image.
    first, second : numbers of the classes.

    Raises
    ------
    ShapeError
        If there is no such class or image.
    """
    if not (0 <= row < len(images) and max(first, second) < len(texts.classes)):
        raise ShapeError("an image and classes that are here", f"image {row}, classes {first} and {second}")
    pair = ClassTexts(tuple(texts.classes[k] for k in (first, second)), texts.templates,
                      tuple((own[first], own[second]) for own in texts.texts),
                      None if texts.vectors is None else texts.vectors[:, [first, second]])
    one = images.take([row])
    scores = np.stack([pair.logits(model, one, [t])[0] for t in range(len(texts.templates))]).astype(np.float64)
    prompts = [own[first] for own in texts.texts[:MOST_TEMPLATES]]
    words, effects = _without_words(model, prompts, images)
    here = effects[:, row]
    below = (effects < here[:, None] - 1e-6).sum(axis=1) / max(len(images) - 1, 1)
    others = np.delete(effects, row, axis=1)
    usual = others.mean(axis=1) if others.shape[1] else np.full(len(words), np.nan)
    return Decided(first, second, scores[:, 0] - scores[:, 1], words, here, usual, 100 * below,
                   float(model.logit_scale))


def _without_words(model: Encoder, prompts: Sequence[str], images: EmbeddingSet
                   ) -> tuple[tuple[str, ...], np.ndarray]:
    """Words, and (w, n) float64: the log score of the prompts less that of the prompts without the word."""
    words = list(dict.fromkeys(word for text in prompts for word in text.split()))[:MOST_WORDS]
    left = {word: [" ".join(part for part in text.split() if part != word) for text in prompts] for word in words}
    flat = list(dict.fromkeys(text for own in left.values() for text in own if text))
    unread = {flat[i] for i in model.unread(flat)}
    kept = [word for word in words if all(text and text not in unread for text in left[word])]
    whole = _log_scores(model, prompts, images)
    return tuple(kept), np.stack([whole - _log_scores(model, left[word], images) for word in kept]) if kept else (
        np.zeros((0, len(images))))


def _log_scores(model: Encoder, prompts: Sequence[str], images: EmbeddingSet) -> np.ndarray:
    """(n,) float64: of the ensemble of these prompts."""
    if np.isfinite(model.logit_scale):
        place = class_vectors([unit(model.encode_texts(list(prompts)))])[0]
        return model.logit_scale * (images.vectors @ place).astype(np.float64)
    return model.logits(images.vectors, images.norms, list(prompts)).astype(np.float64).mean(axis=1)
