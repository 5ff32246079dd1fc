"""What each template of an ensemble adds: accuracy of it alone, and of the ensemble without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import Cancelled, ShapeError
from core.geometry.classification import Classification
from core.geometry.differences import Difference, hits_differ, holm
from core.language.words.prompts import ClassTexts
from core.types import EmbeddingSet, Number


@dataclass(frozen=True, eq=False)
class Templates:
    """Accuracy of templates on the same items.

    Attributes
    ----------
    templates : t texts with {} for the class, t >= 2.
    ensemble : accuracy of all together.
    alone, without : accuracy of each alone, and of the others together.
    adds : all less the others together, paired over items, p by Holm over the templates.
    against : each alone less all together, likewise.
    """

    templates: tuple[str, ...]
    ensemble: Number
    alone: tuple[Number, ...]
    without: tuple[Number, ...]
    adds: tuple[Difference, ...]
    against: tuple[Difference, ...]


def template_effects(model: Encoder, texts: ClassTexts, images: EmbeddingSet, truth: np.ndarray, *,
                     on_progress: Callable[[float, str], None] | None = None,
                     should_stop: Callable[[], bool] | None = None) -> Templates:
    """Accuracy of each template alone and of the ensemble without it, beside the whole ensemble.

    Parameters
    ----------
    model : that made the vectors of the images.
    texts : the classes, with two templates or more.
    images : n images.
    truth : (n,) int, class of each; -1 where it has none, and the image is left out.
    on_progress, should_stop : told the share done; asked between templates.

    Raises
    ------
    ShapeError
        If there are fewer than two templates, or no image has a class.
    Cancelled
        When ``should_stop`` says so.
    """
    count = len(texts.templates)
    rows = np.flatnonzero(np.asarray(truth) >= 0)
    if count < 2 or not len(rows):
        raise ShapeError("two templates or more, and images with a class", f"{count} and {len(rows)}",
                         "Write a template a line.")
    known, own = images.take(rows), np.asarray(truth)[rows]

    def named(which: list[int]) -> Classification:
        return Classification(texts.classes, texts.logits(model, known, which), own)

    whole = named(list(range(count)))
    alone, without = [], []
    for t in range(count):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{t} of {count} templates")
        if on_progress is not None:
            on_progress(t / count, f"Template {t + 1} of {count}")
        alone.append(named([t]))
        without.append(named([other for other in range(count) if other != t]))
    adds = holm({t: hits_differ(less.hits(), whole.hits()) for t, less in enumerate(without)})
    against = holm({t: hits_differ(whole.hits(), one.hits()) for t, one in enumerate(alone)})
    return Templates(texts.templates, _of(whole), tuple(map(_of, alone)), tuple(map(_of, without)),
                     tuple(adds[t] for t in range(count)), tuple(against[t] for t in range(count)))


def _of(found: Classification) -> Number:
    number = found.accuracy()
    assert number is not None
    return number
