"""Faults that are put into the pairs that the towers train on: each seeded, and of exactly the share asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.errors import OrreryError
from core.learning.towers.pairs import SIDE, Lesson, SmallPairs
from core.learning.towers.setup import Setup
from core.sources.solids.captions import prompt
from core.sources.solids.vocabulary import COLOURS, SOLIDS

Fault = Callable[[SmallPairs, float, np.random.Generator], SmallPairs]


def with_faults(lesson: Lesson, setup: Setup) -> Lesson:
    """The lesson with the faults of a setup in its training pairs; the probe stays as it is.

    They come in this order: missing classes, imbalance, unique pairs, caption noise, mismatched pairs, vague captions,
    blur. Each draws from the setup's seed and its own name, whatever other faults there are.

    Raises
    ------
    OrreryError
        If a fault cannot be put into these pairs: noise where all captions are of one concept, vague captions where
        fewer than asked for are captions of a concept of the built-in world.
    """
    train = lesson.train
    for number, (name, fault) in enumerate(FAULTS.items()):
        dose = getattr(setup, name)
        if dose != getattr(Setup, name):
            train = fault(train, dose, np.random.default_rng((setup.seed, number, 18)))
    return lesson if train is lesson.train else Lesson(lesson.name, train, lesson.probe, lesson.world)


def missing(pairs: SmallPairs, share: float, rng: np.random.Generator) -> SmallPairs:
    """Without that share of the classes, rounded; one at least stays."""
    classes, of = np.unique(pairs.labels, return_inverse=True)
    gone = rng.permutation(len(classes))[:min(round(share * len(classes)), len(classes) - 1)]
    return pairs.part(np.flatnonzero(~np.isin(of, gone)))


def imbalance(pairs: SmallPairs, rate: float, rng: np.random.Generator) -> SmallPairs:
    """Of the k-th class, in random order, the share exp(-rate k), rounded; each class keeps one pair at least."""
    classes, of = np.unique(pairs.labels, return_inverse=True)
    kept = []
    for k, label in enumerate(rng.permutation(len(classes))):
        rows = rng.permutation(np.flatnonzero(of == label))
        kept.append(rows[:max(1, round(len(rows) * float(np.exp(-rate * k))))])
    return pairs.part(np.sort(np.concatenate(kept)))


def unique(pairs: SmallPairs, share: float, rng: np.random.Generator) -> SmallPairs:
    """As many pairs as before, but only that share of them, rounded and at least one, each repeated as often."""
    n = len(pairs)
    kept = rng.permutation(n)[:max(1, round(share * n))]
    return pairs.part(np.sort(np.resize(kept, n)))


def caption_noise(pairs: SmallPairs, share: float, rng: np.random.Generator) -> SmallPairs:
    """That share of captions, rounded, says what a pair of another concept says: another class, or another caption
    where there are no classes."""
    of = np.unique(pairs.labels if any(pairs.labels) else pairs.texts, return_inverse=True)[1]
    order, counts = np.argsort(of, kind="stable"), np.bincount(of)
    if len(counts) < 2:
        raise OrreryError("captions of at least two concepts, so that one can say another", "one",
                          "Set the caption noise to 0, or bring pairs with several captions or classes.")
    rows = rng.permutation(len(pairs))[:round(share * len(pairs))]
    first = (np.cumsum(counts) - counts)[of[rows]]
    drawn = rng.integers(0, len(pairs) - counts[of[rows]])
    other = order[np.where(drawn < first, drawn, drawn + counts[of[rows]])]
    return _said(pairs, rows, [pairs.texts[i] for i in other])


def mismatched(pairs: SmallPairs, share: float, rng: np.random.Generator) -> SmallPairs:
    """The captions of that share of images, rounded, are dealt out among them so that none has the same as before, as
    far as there are enough others."""
    rows = rng.permutation(len(pairs))[:round(share * len(pairs))]
    of = np.unique(pairs.texts, return_inverse=True)[1][rows]
    dealt = rng.permutation(len(rows))
    for _ in range(100):
        same = np.flatnonzero(of[dealt] == of)
        if not len(same):
            break
        for i in same:
            j = int(rng.integers(len(rows)))
            if of[dealt[j]] != of[i] and of[dealt[i]] != of[j]:
                dealt[i], dealt[j] = dealt[j], dealt[i]
    return _said(pairs, rows, [pairs.texts[i] for i in rows[dealt]])


def vague(pairs: SmallPairs, share: float, rng: np.random.Generator) -> SmallPairs:
    """That share of captions, rounded, leaves out the solid, the colour or both, by turns: "a red thing", "a cube"."""
    known = {prompt(solid=solid, colour=colour): (prompt(colour=colour), prompt(solid=solid), prompt())
             for solid in SOLIDS for colour in COLOURS}
    full = np.array([i for i, text in enumerate(pairs.texts) if text in known], dtype=np.int64)
    wanted = round(share * len(pairs))
    if len(full) < wanted:
        raise OrreryError(f"{wanted:,} captions such as “a red cube” to make vague", f"{len(full):,}",
                          "Set vague captions to 0 where the pairs are not of the built-in world.")
    rows = rng.permutation(full)[:wanted]
    return _said(pairs, rows, [known[pairs.texts[row]][turn % 3] for turn, row in enumerate(rows)])


def blur(pairs: SmallPairs, radius: float, rng: np.random.Generator) -> SmallPairs:
    """Pictures under a Gaussian of that standard deviation, as a share of their side."""
    from scipy.ndimage import gaussian_filter1d

    images = pairs.images.astype(np.float32)
    for axis in (1, 2):
        images = gaussian_filter1d(images, max(radius * SIDE, 1e-3), axis=axis, mode="nearest")
    return SmallPairs((images + 0.5).astype(np.uint8), pairs.texts, pairs.labels, pairs.ids)


FAULTS: dict[str, Fault] = {"missing": missing, "imbalance": imbalance, "unique": unique,
                            "caption_noise": caption_noise, "mismatched": mismatched, "vague": vague, "blur": blur}


def _said(pairs: SmallPairs, rows: np.ndarray, texts: list[str]) -> SmallPairs:
    """The pairs with other captions at some rows."""
    said = list(pairs.texts)
    for row, text in zip(rows.tolist(), texts):
        said[row] = text
    return SmallPairs(pairs.images, tuple(said), pairs.labels, pairs.ids)
