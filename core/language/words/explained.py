"""How well images of the built-in world are told in words: sparse sums of concepts, on combinations held out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.geometry.concepts import Decomposed, decompose, random_axes
from core.geometry.directions import unit
from core.geometry.intervals import proportion
from core.geometry.jackknife import with_interval
from core.language.vocabularies import Concepts, vocabulary
from core.language.words.scenes import SCORED, TUNED, Looked, look
from core.language.world_evaluation import Encoder, text_vectors
from core.language.zero_shot import class_vectors
from core.sources.solids.vocabulary import ATTRIBUTES
from core.types import Number

PENALTIES = (0.05, 0.075, 0.1, 0.125, 0.15, 0.175, 0.2, 0.25, 0.3)
GIVEN_UP = 0.001
DRAWS = 10

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Tuned:
    """The penalty that was chosen, on other scenes than those scored.

    Attributes
    ----------
    penalty : the largest at which the mean share of right top words is at most .001 below the best.
    right : that share by penalty.
    seed : of the scenes.
    """

    penalty: float
    right: Mapping[float, float]
    seed: int


def world_concepts(model: Encoder) -> Concepts:
    """The words of the built-in world by a model, those of an attribute from their own mean."""
    words = vocabulary("world")
    vectors = text_vectors(model, [text for texts in words.texts for text in texts])
    ends = np.cumsum([len(texts) for texts in words.texts])[:-1]
    return Concepts.of(words.words, class_vectors(np.split(vectors, ends)), words.groups)


def tune(model: Encoder, concepts: Concepts, *, seed: int = 0, n: int = 300,
         on_progress: Progress | None = None) -> Tuned:
    """The penalty with the fewest words that keeps the top words right, on scenes of ``TUNED`` + seed."""
    tell = on_progress or (lambda share, text: None)
    looked = look(model, n, TUNED + seed, on_progress=lambda f: tell(0.9 * f, "Encoding scenes to tune the penalty"))
    z, right = _centred(looked), {}
    for penalty in PENALTIES:
        tops = top_words(decompose(z, concepts.axes, penalty), concepts, looked)
        right[penalty] = float(np.mean([hits.mean() for hits in tops.values()]))
    best = max(right.values())
    return Tuned(max(p for p in PENALTIES if right[p] >= best - GIVEN_UP), right, TUNED + seed)


def top_words(found: Decomposed, concepts: Concepts, looked: Looked) -> dict[str, np.ndarray]:
    """Whether the heaviest word among those of an attribute is the right one, by attribute: (n,) bool each.

    A scene of which no word of the attribute has a weight is wrong.
    """
    kinds = np.array(concepts.groups)
    out = {}
    for attribute in ATTRIBUTES:
        own = np.flatnonzero(kinds == attribute)
        weights = found.weights[:, own]
        said = [concepts.words[own[i]] for i in weights.argmax(axis=1)]
        true = [says[attribute] for says in looked.says]
        out[attribute] = (weights.max(axis=1) > 0) & np.array([a == b for a, b in zip(said, true)])
    return out


def concept_figures(model: Encoder, *, seed: int = 0, n: int = 300, on_progress: Progress | None = None
                    ) -> dict[str, Number]:
    """Concept words of single solids of held-out combinations, at a penalty tuned on other scenes.

    Parameters
    ----------
    model : anything that encodes images and texts.
    seed : scenes scored have ``SCORED`` + seed, those tuned on ``TUNED`` + seed.
    n : scenes, of each, >= 3.
    on_progress : told how far it is.

    Returns
    -------
    Numbers by name. ``concept_cosine``: mean cosine of a centred image and its sum of words, with the jackknife's 95 %
    interval; its null is that of as many random concepts at the same penalty. ``concept_words``: mean number of words
    with a weight, its null likewise. ``concept_top_<attribute>``: share of scenes whose heaviest word among the
    attribute's is right, with Wilson's interval and one over the number of values as null. ``concept_penalty``: what
    was chosen, its unit says on which scenes.
    """
    tell = on_progress or (lambda share, text: None)
    concepts = world_concepts(model)
    tuned = tune(model, concepts, seed=seed, n=n, on_progress=lambda f, text: tell(0.5 * f, text))
    looked = look(model, n, SCORED + seed, on_progress=lambda f: tell(0.5 + 0.45 * f, "Encoding scenes to be scored"))
    z = _centred(looked)
    found = decompose(z, concepts.axes, tuned.penalty)
    by_chance = [decompose(z, random_axes(len(concepts.words), z.shape[1], SCORED + seed + i), tuned.penalty)
                 for i in range(DRAWS)]
    figures = {
        "concept_cosine": _mean(found.cosines, float(np.mean([c.cosines for c in by_chance])), "cosine"),
        "concept_words": _mean(found.counts, float(np.mean([c.counts for c in by_chance])), "words"),
    }
    for attribute, hits in top_words(found, concepts, looked).items():
        figures[f"concept_top_{attribute}"] = proportion(float(hits.sum()), n, null=1 / len(ATTRIBUTES[attribute]))
    return figures | {"concept_penalty": Number(tuned.penalty, n=n, unit=f"tuned on scenes of seed {tuned.seed}")}


def _centred(looked: Looked) -> np.ndarray:
    return unit(looked.images.astype(np.float64) - looked.images.mean(axis=0, dtype=np.float64))


def _mean(values: np.ndarray, by_chance: float, called: str) -> Number:
    without = (values.sum() - values) / (len(values) - 1)
    return with_interval(float(values.mean()), without, by_chance, len(values), called, low=0)
