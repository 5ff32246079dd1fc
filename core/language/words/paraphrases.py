"""Paraphrases: how far texts that mean the same lie apart, beside texts that do not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from core.errors import ShapeError, SourceError
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.directions import angle, angles
from core.geometry.jackknife import share_by, with_interval
from core.geometry.retrieval import recall_at
from core.language.words.reading import Progress, Stop, read
from core.language.world_evaluation import Encoder
from core.sources.solids.captions import full_caption
from core.sources.solids.scene import sample_scenes
from core.sources.solids.wrong_attributes import with_one_wrong
from core.types import Number

SEED = 62_000
MOST_TEXTS = 4000
_TRIED = 12


@dataclass(frozen=True)
class Altered:
    """A text of a group with one thing changed, so that it no longer means the same.

    Attributes
    ----------
    group : whose first text was changed.
    text : the changed one.
    attribute : what was changed.
    """

    group: int
    text: str
    attribute: str


@dataclass(frozen=True, eq=False)
class Spread:
    """How far apart.

    Attributes
    ----------
    groups : g groups of texts that mean the same.
    within : (g,) float64, mean angle between the texts of a group, degrees.
    between : (g,) float64, mean angle from the texts of a group to all others, degrees.
    same, different : their means, with jackknife intervals over groups.
    nearer : chance that two texts of one group are nearer than a text of it and one of another group; 1/2 by chance.
    found : share of texts whose nearest text is of their own group, and by chance.
    against_altered : by attribute, share of groups in which two texts that mean the same are nearer than a text and
        itself with that attribute changed; 1/2 by chance.
    over_chance : the same less 1/2 (Holm).
    """

    groups: tuple[tuple[str, ...], ...]
    within: np.ndarray
    between: np.ndarray
    same: Number
    different: Number
    nearer: Number
    found: Number
    against_altered: Mapping[str, Number] = field(default_factory=dict)
    over_chance: Mapping[str, Difference] = field(default_factory=dict)


def grammar_groups(n: int = 150, size: int = 3, *, seed: int = 0) -> tuple[tuple[tuple[str, ...], ...],
                                                                          tuple[Altered, ...]]:
    """Full captions of scenes with other synonyms and templates, and each with one attribute changed.

    Parameters
    ----------
    n : scenes of one solid, any combination.
    size : texts a group, >= 2, all different; scenes that cannot be said in so many ways are left out.
    """
    groups: list[tuple[str, ...]] = []
    altered: list[Altered] = []
    seen: set[tuple[str, ...]] = set()
    for scene in sample_scenes(n, SEED + seed, count=1, held_out=None):
        solid = scene.solids[0]
        means = (solid.shape, solid.colour, solid.texture, solid.size, scene.style, scene.setting)
        said = tuple(dict.fromkeys(full_caption(scene, k) for k in range(_TRIED)))[:size]
        if len(said) < size or means in seen:
            continue
        seen.add(means)
        changed = with_one_wrong(said[0], np.random.default_rng((SEED + seed, scene.seed)))
        if changed is not None:
            altered.append(Altered(len(groups), *changed))
        groups.append(said)
    return tuple(groups), tuple(altered)


def read_groups(text: str) -> tuple[tuple[str, ...], ...]:
    """Groups that were typed: texts that mean the same on one line, with | between them.

    Raises
    ------
    SourceError
        If there are fewer than two groups of two texts, or too many texts.
    """
    groups = [tuple(dict.fromkeys(part.strip() for part in line.split("|") if part.strip()))
              for line in text.splitlines() if line.strip()]
    if len(groups) < 2 or min(map(len, groups)) < 2 or sum(map(len, groups)) > MOST_TEXTS:
        raise SourceError("two lines or more, each of two or more texts that mean the same with | between them",
                          f"{len(groups)} lines with {', '.join(str(len(g)) for g in groups[:8])} texts"
                          if groups else "none", "For instance “a small dog | a little dog”.")
    return tuple(groups)


def spread(model: Encoder, groups: Sequence[Sequence[str]], altered: Sequence[Altered] = (), *, seed: int = 0,
           on_progress: Progress | None = None, should_stop: Stop | None = None) -> Spread:
    """Angles between texts that mean the same, and between texts that do not.

    Parameters
    ----------
    model : anything that encodes texts.
    groups : two or more, of two or more different texts each.
    altered : texts that no longer mean what their group does.
    seed : of sign flips.

    Raises
    ------
    ShapeError
        If there are fewer groups or texts.
    """
    if len(groups) < 2 or min(map(len, groups)) < 2:
        raise ShapeError("two groups or more, of two texts or more", f"{len(groups)} groups")
    texts = [text for group in groups for text in group]
    label = np.repeat(np.arange(len(groups)), [len(g) for g in groups])
    vectors = read(model, [*texts, *(a.text for a in altered)], on_progress, should_stop)
    own, changed = vectors[:len(texts)], vectors[len(texts):]
    apart = np.degrees(angles(own, own))
    same = (label[:, None] == label[None]) & ~np.eye(len(texts), dtype=bool)
    other = label[:, None] != label[None]
    member = label[None] == np.arange(len(groups))[:, None]
    within, between = (member @ np.where(mask, apart, 0).sum(axis=1) / (member @ mask.sum(axis=1))
                       for mask in (same, other))
    nearer = np.array([(apart[rows][same[rows]][:, None] < np.sort(apart[rows][other[rows]])[None]).mean()
                       for rows in (label == g for g in range(len(groups)))])
    scores = np.where(np.eye(len(texts), dtype=bool), -2.0, own.astype(np.float64) @ own.T)
    shares, tested = _altered(own, label, changed, altered, seed)
    return Spread(tuple(map(tuple, groups)), within, between, _mean(within, float(between.mean())),
                  _mean(between, None), share_by(nearer, np.arange(len(groups)), 0.5),
                  recall_at(own, own, np.argwhere(same), scores=scores), shares, tested)


def _mean(values: np.ndarray, null: float | None) -> Number:
    n = len(values)
    return with_interval(float(values.mean()), (values.sum() - values) / (n - 1), null, n, "°", low=0.0, high=180.0)


def _altered(own: np.ndarray, label: np.ndarray, changed: np.ndarray, altered: Sequence[Altered], seed: int
             ) -> tuple[dict[str, Number], dict[str, Difference]]:
    hits: dict[str, list[float]] = {}
    for row, what in enumerate(altered):
        first, *others = np.flatnonzero(label == what.group).tolist()
        lost = float(angle(own[first], changed[row]))
        hits.setdefault(what.attribute, []).append(float(np.mean(angle(own[first], own[others]) < lost)))
    rows = {name: np.array(values) for name, values in sorted(hits.items())}
    return ({name: share_by(h, np.arange(len(h)), 0.5) for name, h in rows.items()},
            holm({name: hits_differ(np.full(len(h), 0.5), h, seed=seed) for name, h in rows.items()}))
