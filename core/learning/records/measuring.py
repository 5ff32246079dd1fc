"""What is measured of a probe at one step of a training, as fast as one step of it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from core.geometry.alike import by_kind
from core.geometry.intervals import proportion
from core.geometry.jackknife import clusters
from core.geometry.retrieval import any_right, chance_of_a_hit, recall_at
from core.geometry.uniformity import uniformity
from core.learning.records.record import MEASURES, Probe, Record
from core.types import Number

DRAWS = 2000


def measures_of(images: np.ndarray, texts: np.ndarray, probe: Probe) -> dict[str, float]:
    """Retrieval, alignment, uniformity and gap of a probe's features.

    Parameters
    ----------
    images, texts : (n, d) and (m, d) float32, unit rows, of the probe's images and of its captions, each once.

    Returns
    -------
    By their names in `MEASURES`:

    r1 : share of images whose own caption is the nearest of the captions.
    r1_text : share of captions of which the nearest image is one of their own.
    worst_class : the lowest r1 of a class; NaN where no image has one.
    alignment : mean squared distance of linked images and captions (Wang and Isola 2020).
    uniformity : log mean of exp(-2 d^2) over pairs of images; NaN of one image.
    gap : distance of the means of images and of captions.

    Without links, what needs them is NaN. Equal cosines stand in random order, and shares are expectations.
    """
    links = probe.links
    found = dict.fromkeys(("r1", "r1_text", "worst_class", "alignment"), math.nan)
    if len(links):
        scores = images @ texts.T
        hits = hits_of_images(scores, links)
        backwards = chance_of_a_hit(scores.T, links[:, 1], links[:, 0], (1,))[:, 0]
        asked, texts_asked = np.unique(links[:, 0]), np.unique(links[:, 1])
        found["r1"], found["r1_text"] = float(hits[asked].mean()), float(backwards[texts_asked].mean())
        shares = _by_class(hits, probe)[1]
        found["worst_class"] = float(shares.min()) if len(shares) else math.nan
        found["alignment"] = float(2 - 2 * scores[links[:, 0], links[:, 1]].mean(dtype=np.float64))
    found["uniformity"] = uniformity(images, np.arange(len(images))).value if len(images) > 1 else math.nan
    found["gap"] = float(np.linalg.norm(images.mean(axis=0, dtype=np.float64) - texts.mean(axis=0, dtype=np.float64)))
    return found


def with_measures(record: Record) -> Record:
    """The record with what its features tell at each step, where that was not kept."""
    every = [measures_of(images, texts, record.probe) for images, texts in zip(record.images, record.texts)]
    told = {key: np.array([one[key] for one in every]) for key in every[0]}
    return replace(record, measures={**told, **record.measures})


def hits_of_images(scores: np.ndarray, links: np.ndarray) -> np.ndarray:
    """(n,) float64 in [0, 1]: how likely the nearest caption is an own one, from (n, m) scores."""
    return chance_of_a_hit(scores, links[:, 0], links[:, 1], (1,))[:, 0]


def chance_r1(probe: Probe) -> float:
    """What ``r1`` is by chance: the expected share where the captions stand in random order; NaN without links."""
    if not len(probe.links):
        return math.nan
    own = np.bincount(np.unique(probe.links, axis=0)[:, 0])
    own = own[own > 0]
    return float(any_right(np.ones_like(own), np.full_like(own, len(probe.texts)), own).mean())


def interval_of(record: Record, at: int = -1) -> dict[str, Number]:
    """The measures of one step with 95 % intervals and what chance gives, by their names in `MEASURES`.

    Shares have Wilson's interval over queries in a gallery that stays; images that share a caption count as fewer, by
    how alike they fare. The worst class is chosen by its value: its null is the expected worst one of as many images
    that answer by chance, and its interval, Wilson's, is that of a class chosen beforehand. Alignment, uniformity and
    gap have a jackknife over images with their captions, none where fewer than three share no caption. The loss and the
    temperature are single numbers and have none. What is not known is left out: without links, all but the uniformity
    of these.
    """
    pairs, probe = record.pairs(at), record.probe
    links, found = pairs.links, {}
    if len(links):
        found["r1"] = recall_at(pairs.images, pairs.texts, links)
        found["r1_text"] = recall_at(pairs.texts, pairs.images, links[:, ::-1])
        hits = hits_of_images(pairs.images @ pairs.texts.T, links)
        counts, shares = _by_class(hits, probe)
        if len(shares):
            worst = int(shares.argmin())
            found["worst_class"] = proportion(float(shares[worst] * counts[worst]), int(counts[worst]),
                                              null=_worst_by_chance(counts, chance_r1(probe)))
    means = by_kind(pairs.images, pairs.texts, links) if len(links) else None
    if means is not None:
        matched, others = means.numbers["matched"], means.numbers.get("unmatched")
        found["alignment"] = Number(2 - 2 * matched.value, _squared(matched.high), _squared(matched.low),
                                    _squared(None if others is None else others.value), matched.n)
        found["gap"] = means.gap
    if len(pairs.images) > 1:
        found["uniformity"] = uniformity(pairs.images, clusters([len(pairs.images), len(pairs.texts)], links)[0])
    for key in ("loss", "temperature"):
        value = float(record.measures[key][at]) if key in record.measures else math.nan
        if math.isfinite(value):
            found[key] = Number(value)
    return {key: replace(found[key], unit=found[key].unit or MEASURES[key]) for key in MEASURES if key in found}


def _squared(cosine: float | None) -> float | None:
    """Distance of unit rows, squared."""
    return None if cosine is None else 2 - 2 * cosine


def _by_class(hits: np.ndarray, probe: Probe) -> tuple[np.ndarray, np.ndarray]:
    """How many images each class has that have a caption, and the share of them that find it; "" is no class."""
    labels = np.array(probe.labels)
    asked = np.zeros(len(labels), bool)
    asked[probe.links[:, 0]] = True
    asked &= labels != ""
    of = np.unique(labels[asked], return_inverse=True)[1]
    counts = np.bincount(of)
    return counts, np.bincount(of, hits[asked]) / counts


def _worst_by_chance(counts: np.ndarray, chance: float) -> float:
    """Expected lowest share of classes of so many images, each right by chance."""
    return float((np.random.default_rng(0).binomial(counts, chance, (DRAWS, len(counts))) / counts).min(axis=1).mean())
