"""Two captions of one image, of which one is right: what a text side tells apart of binding, order and negation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.geometry.differences import Difference, hits_differ, holm, means_differ
from core.geometry.directions import angle
from core.geometry.intervals import proportion
from core.geometry.jackknife import share_by
from core.geometry.retrieval import chance_of_a_hit
from core.language.words.reading import Progress, Stop, read
from core.language.words.scenes import SCORED, TUNED, Looked, look
from core.language.world_evaluation import Encoder, text_vectors
from core.sources.solids.captions import left_to_right, prompt
from core.sources.solids.scene import Scene, Solid
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.tables.choices import Choices
from core.types import Number

KINDS = {
    "colours": "colours swapped", "textures": "textures swapped", "sizes": "sizes swapped",
    "left_right": "left and right swapped", "order": "order of mention (both are true)", "solid": "one wrong solid",
    "colour": "one wrong colour", "negation": "“not” of what is there",
}
COUNTS = {
    "listed": ("a thing", "a thing and a thing", "a thing, a thing and a thing"),
    "numbered": ("one thing", "two things", "three things"),
    "both": ("a thing", "two things, a thing and a thing", "three things, a thing, a thing and a thing"),
}


@dataclass(frozen=True, eq=False)
class Judged:
    """Which of two captions the model puts nearer to the image.

    Attributes
    ----------
    choices : that were asked, q of them.
    margins : (q,) float32, cosine of the right caption less that of the wrong one.
    hits : (q,) float64, 1 where the right one is nearer, 1/2 where both are equally near.
    apart : (q,) float64, degrees between the two captions.
    shares : by kind, share of right choices with an interval over images; 1/2 by chance.
    over_chance : by kind, that share less 1/2, p corrected for the number of kinds (Holm).
    text_angle : by kind, mean angle between the two captions; the null is that between the right captions of two rows.
    twins : where rows have twins, shares of pairs: "text", each image is nearer to its own caption than to the other's;
        "image", each caption is nearer to its own image; "group", both. Empty where there are none.
    """

    choices: Choices
    margins: np.ndarray
    hits: np.ndarray
    apart: np.ndarray
    shares: Mapping[str, Number]
    over_chance: Mapping[str, Difference]
    text_angle: Mapping[str, Number]
    twins: Mapping[str, Number]

    @property
    def kinds(self) -> tuple[str, ...]:
        """In the order of their first row."""
        return tuple(self.shares)


def judge(model: Encoder, images: np.ndarray, choices: Choices, *, seed: int = 0,
          on_progress: Progress | None = None, should_stop: Stop | None = None) -> Judged:
    """Which of its two captions each image is nearer to.

    Parameters
    ----------
    model : that made the vectors of the images; cosines are its scores.
    images : (n, d) float32, unit rows.
    choices : rows about these images.
    seed : of sign flips.

    References
    ----------
    Thrush et al., Winoground, arXiv:2204.03162; Yuksekgonul et al., ARO, arXiv:2210.01936.
    """
    q = len(choices)
    texts = read(model, (*choices.right, *choices.wrong), on_progress, should_stop)
    right, wrong = texts[:q], texts[q:]
    seen = images[choices.image]
    scores = np.stack([np.einsum("qd,qd->q", seen, side) for side in (right, wrong)], axis=1)
    hits = chance_of_a_hit(scores, np.arange(q), np.zeros(q, dtype=np.int64), (1,))[:, 0]
    apart, kinds = np.degrees(angle(right, wrong)), np.array(choices.kinds, dtype=object)
    others = float(np.degrees(angle(right, np.roll(right, 1, axis=0))).mean())
    shares, over, between = {}, {}, {}
    for kind in dict.fromkeys(choices.kinds):
        own = np.flatnonzero(kinds == kind)
        shares[kind] = share_by(hits[own], choices.image[own], 0.5)
        over[kind] = hits_differ(np.full(len(own), 0.5), hits[own], choices.image[own], seed=seed)
        mean = means_differ(np.zeros(len(own)), apart[own], unit="°").change
        between[kind] = Number(mean.value, mean.low, mean.high, others, len(own), "°")
    return Judged(choices, (scores[:, 0] - scores[:, 1]).astype(np.float32), hits, apart, shares, holm(over), between,
                  _twins(choices.twins, images[choices.image], right, scores))


def _twins(twins: np.ndarray, seen: np.ndarray, right: np.ndarray, scores: np.ndarray) -> dict[str, Number]:
    """Winoground's three scores."""
    if not len(twins):
        return {}
    one, other = twins.T
    text = (scores[twins, 0] > scores[twins, 1]).all(axis=1)
    crossed = np.stack([np.einsum("wd,wd->w", right[a], seen[b]) for a, b in ((one, other), (other, one))], axis=1)
    image = (scores[twins, 0] > crossed).all(axis=1)
    return {name: proportion(float(h.sum()), len(h), null=by_chance) for name, h, by_chance in (
        ("text", text, 1 / 4), ("image", image, 1 / 4), ("group", text & image, 1 / 6))}


def scene_choices(scenes: Sequence[Scene], *, seed: int = 0) -> Choices:
    """Rows of every kind of `KINDS` about scenes of two solids.

    A scene gives a row of a kind where the wrong caption is wrong of it: colours are swapped where they and the solids
    differ. Of the kind "order" both captions are true: first of the two that are right stands the one that names the
    solids from left to right. Which solid is named first is drawn at random for all other kinds.

    Parameters
    ----------
    scenes : with two solids each.
    seed : of the order of mention and of what is wrong.

    Raises
    ------
    ShapeError
        If a scene has another number of solids, or no scene gives a row.
    """
    rows: list[tuple[str, int, str, str]] = []
    for row, scene in enumerate(scenes):
        if len(scene.solids) != 2:
            raise ShapeError("scenes of two solids", f"one of {len(scene.solids)}")
        rng = np.random.default_rng((seed, scene.seed))
        rows += [(kind, row, right, wrong) for kind, right, wrong in _captions(scene, rng)]
    kinds, images, right, wrong = zip(*rows) if rows else ((), (), (), ())
    return Choices(kinds, np.array(images, dtype=np.int64), right, wrong)


def _captions(scene: Scene, rng: np.random.Generator) -> list[tuple[str, str, str]]:
    left, right = left_to_right(scene)
    first, second = (left, right) if rng.random() < 0.5 else (right, left)
    found = []
    if first.shape != second.shape:
        for kind, name in (("colours", "colour"), ("textures", "texture"), ("sizes", "size")):
            one, other = (getattr(solid, name) for solid in (first, second))
            if one != other:
                found.append((kind, _both(first, second, name, one, other), _both(first, second, name, other, one)))
    named = {solid: prompt(colour=solid.colour, solid=solid.shape) for solid in (left, right)}
    if named[left] != named[right]:
        side = "left" if first is left else "right"
        found.append(("left_right", f"{named[first]} to the {side} of {named[second]}",
                      f"{named[second]} to the {side} of {named[first]}"))
        found.append(("order", f"{named[left]} and {named[right]}", f"{named[right]} and {named[left]}"))
    solids, colours = ([value for value in ATTRIBUTES[name] if value not in there] for name, there in (
        ("solid", (first.shape, second.shape)), ("colour", (first.colour, second.colour))))
    solid, colour = (values[int(rng.integers(len(values)))] for values in (solids, colours))
    true = f"{named[first]} and {named[second]}"
    found.append(("solid", true, f"{prompt(colour=first.colour, solid=solid)} and {named[second]}"))
    found.append(("colour", true, f"{prompt(colour=colour, solid=first.shape)} and {named[second]}"))
    found.append(("negation", f"not {prompt(colour=colour)}", f"not {prompt(colour=first.colour)}"))
    return found


def _both(first: Solid, second: Solid, name: str, one: str, other: str) -> str:
    return f"{prompt(**{name: one, 'solid': first.shape})} and {prompt(**{name: other, 'solid': second.shape})}"


@dataclass(frozen=True, eq=False)
class Counted:
    """How many solids the model finds in scenes of one to three.

    Attributes
    ----------
    phrasing : key of `COUNTS`, best on the scenes it was chosen on.
    tuned : share right there, by phrasing.
    right : share of the scored scenes counted right; the null is the share of the commonest count among them.
    over_majority : that share less the commonest count's, on the same scenes.
    truth, found : (n,) int64, 1 to 3.
    """

    phrasing: str
    tuned: Mapping[str, Number]
    right: Number
    over_majority: Difference
    truth: np.ndarray
    found: np.ndarray


def count(model: Encoder, scored: Looked, tuned: Looked, *, seed: int = 0) -> Counted:
    """Count solids by the nearest of three captions, whose phrasing is chosen on other scenes.

    Parameters
    ----------
    model : that looked at both.
    scored, tuned : scenes of one to three solids.
    """
    texts = {key: text_vectors(model, phrases) for key, phrases in COUNTS.items()}

    def counted(looked: Looked, key: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array([len(s.solids) for s in looked.scenes]), (looked.images @ texts[key].T).argmax(axis=1) + 1

    shares = {}
    for key in COUNTS:
        truth, found = counted(tuned, key)
        shares[key] = proportion(float((truth == found).sum()), len(truth))
    best = max(COUNTS, key=lambda key: shares[key].value)
    truth, found = counted(scored, best)
    commonest = int(np.bincount(truth).argmax())
    right, majority = (truth == found).astype(np.float64), (truth == commonest).astype(np.float64)
    return Counted(best, shares, proportion(float(right.sum()), len(truth), null=float(majority.mean())),
                   hits_differ(majority, right, seed=seed), truth, found)


def binding_figures(model: Encoder, *, seed: int = 0, n: int = 300,
                    on_progress: Progress | None = None) -> dict[str, Number]:
    """Right choices by kind, and counting, on held-out scenes.

    Parameters
    ----------
    model : anything that encodes images and texts.
    seed : which scenes.
    n : scenes of two solids, and scenes of one to three, that are scored; as many choose how a count is said.

    Returns
    -------
    ``binding_<kind>`` (1/2 by chance) and its p (Holm), ``counting`` (null: the commonest count always) with the
    phrasing that was chosen on other scenes, and what it has over that null.
    """
    def say(start: float) -> Callable[[float], None]:
        return lambda share: on_progress(start + share / 3, "Looking at scenes") if on_progress else None

    two = look(model, n, SCORED + seed, count=2, on_progress=say(0))
    judged = judge(model, two.images, scene_choices(two.scenes, seed=seed), seed=seed)
    counted = count(model, look(model, n, SCORED + seed, count=None, on_progress=say(1 / 3)),
                    look(model, n, TUNED + seed, count=None, on_progress=say(2 / 3)), seed=seed)
    figures = {f"binding_{kind}": number for kind, number in judged.shares.items()}
    for kind, difference in judged.over_chance.items():
        if difference.p is not None:
            figures[f"binding_{kind}_p"] = Number(difference.p, n=judged.shares[kind].n, unit="p against 1/2, Holm")
    said = f"share; two are said as “{COUNTS[counted.phrasing][1]}”, chosen on scenes {TUNED + seed:,}"
    return figures | {"counting": replace(counted.right, unit=said),
                      "counting_over_majority": counted.over_majority.change}
