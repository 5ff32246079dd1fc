"""How well captions are found on held-out scenes, and which score tells a good one from a vague one."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import ShapeError
from core.geometry.differences import Difference, means_differ
from core.geometry.intervals import proportion
from core.geometry.jackknife import student
from core.language.words.by_grammar import ORDER, ROUNDS, WIDTH, WIDTHS, WORDINGS, Statement, search
from core.language.words.fluency import Bigrams
from core.language.words.scenes import SCORED, TUNED, Looked, look
from core.language.words.scored import Target, Texts
from core.sources.solids.vocabulary import ATTRIBUTES
from core.sources.solids.wrong_attributes import with_one_wrong
from core.types import Number

NAMES = tuple(ATTRIBUTES)
RANDOM, POOL = 100, 2_000
FEWEST = 10
TUNED_N = 100
ORDERS: Mapping[str, tuple[str, ...]] = {
    "setting first": ORDER,
    "colour first": ("colour", "style", "setting", "solid", "texture", "size"),
    "solid first": ("solid", "colour", "texture", "style", "setting", "size"),
}
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Contents:
    """What each score says of captions that say more and more.

    Attributes
    ----------
    named : how many attributes, 1 to 6.
    cosine, cosine_random : by how many: of the true caption, and the best of 100 random ones that say as much.
    information, information_random : the same in nats, beside n - 1 other scenes.
    vague_wins : share of scenes of which the best of 100 captions with one attribute has a higher cosine than the
        whole true one.
    vague_tells : the same by pointwise mutual information.
    n : N, scenes that are told apart.
    """

    named: tuple[int, ...]
    cosine: tuple[Number, ...]
    cosine_random: tuple[Number, ...]
    information: tuple[Number, ...]
    information_random: tuple[Number, ...]
    vague_wins: Number
    vague_tells: Number
    n: int


def chosen() -> dict[str, object]:
    """The dials of the beam, and the seeds of the scenes that they were chosen on (`tune`)."""
    return {"width": WIDTH, "order": list(ORDER), "rounds": ROUNDS, "wordings": WORDINGS, "seed_scored": SCORED,
            "seed_tuned": TUNED, "scenes_tuned": TUNED_N}


def tune(model: Encoder, *, seed: int = 0, n: int = TUNED_N) -> dict[tuple[str, int], tuple[float, float]]:
    """(share with all attributes right, mean cosine) by order and width of the beam, on scenes for tuning alone."""
    seen, texts = look(model, n, TUNED + seed), _texts(model)
    found = {}
    for title, order in ORDERS.items():
        for width in WIDTHS:
            said, scores = [], []
            for target in _targets(seen):
                result = search(target, texts, width=width, order=order, rounds=0, seed=seed)
                said.append(_says(result.state))
                scores.append(result.found.cosine)
            right = [all(s[a] == t[a] for a in NAMES) for s, t in zip(said, seen.says)]
            found[title, width] = float(np.mean(right)), float(np.mean(scores))
    return found


def caption_figures(model: Encoder, *, seed: int = 0, n: int = 300, on_progress: Progress | None = None
                    ) -> dict[str, Number]:
    """What is right of the captions that are found on held-out scenes, and how they score.

    Parameters
    ----------
    model : a model that reads the captions of the built-in world.
    seed : of the scenes, on top of SCORED, of the wordings that are tried and of the random captions.
    n : single-solid scenes, >= 10; each is told apart from the n - 1 others.
    on_progress : told the share done and what is at work.

    Returns
    -------
    By name: ``caption_<attribute>``, ``caption_all``, and ``caption_all_by_pmi`` of a beam that ranks by pointwise
    mutual information: shares with Wilson's interval and chance. ``caption_score`` and ``caption_true_score``, mean
    cosine of the found and of the true caption, ``caption_best_of_100`` of the best of 100 random captions of six
    attributes; their null is the mean random caption. ``caption_pmi``, ``caption_true_pmi``,
    ``caption_pmi_best_of_100`` and ``caption_pmi_one_wrong`` (the true caption with one attribute changed): nats,
    beside n - 1 other scenes, at most log n. ``caption_score_over_best_of_100`` and ``caption_pmi_over_one_wrong``:
    differences on the same scenes, null 0.

    Raises
    ------
    ShapeError
        If there are fewer than 10 scenes.
    """
    say = on_progress or (lambda share, text: None)
    seen = _looked(model, n, seed, lambda share: say(0.1 * share, "Looking at scenes that were held out"))
    texts = _texts(model)
    rng = np.random.default_rng((SCORED, seed))
    found, told, by_told = [], [], []
    for i, target in enumerate(_targets(seen)):
        result = search(target, texts, seed=seed)
        found.append(result.found)
        told.append(_says(result.state))
        by_told.append(_says(search(target, texts, rounds=0, by_information=True).state))
        say(0.1 + 0.6 * (i + 1) / n, result.found.text)
    figures: dict[str, Number] = {}
    for name in NAMES:
        hits = sum(said[name] == true[name] for said, true in zip(told, seen.says))
        figures[f"caption_{name}"] = proportion(hits, n, null=1 / len(ATTRIBUTES[name]))
    chance = 1 / math.prod(len(values) for values in ATTRIBUTES.values())
    for name, all_said in (("caption_all", told), ("caption_all_by_pmi", by_told)):
        right = sum(all(said[a] == true[a] for a in NAMES) for said, true in zip(all_said, seen.says))
        figures[name] = proportion(right, n, null=chance)
    say(0.75, "Random captions that say as much")
    cosines, information = _scores(model, seen.images, texts(_random(len(NAMES), rng)))
    drawn = _drawn(n, cosines.shape[1], rng)
    scores, tells = np.take_along_axis(cosines, drawn, 1), np.take_along_axis(information, drawn, 1)
    mean_cosine, mean_information = float(scores.mean()), float(tells.mean())
    true = [Statement.of({a: said[a] for a in NAMES}).text for said in seen.says]
    wrong = [changed[0] for text in true if (changed := with_one_wrong(text, rng)) is not None]
    true_cosine, true_told = _own(model, seen.images, texts(true))
    _, wrong_told = _own(model, seen.images, texts(wrong))
    own = np.array([c.cosine for c in found])
    own_told = np.array([c.information for c in found])
    figures |= {
        "caption_score": _mean(own, mean_cosine, "cosine"),
        "caption_true_score": _mean(true_cosine, mean_cosine, "cosine"),
        "caption_best_of_100": _mean(scores.max(1), mean_cosine, "cosine"),
        "caption_pmi": _mean(own_told, mean_information, "nats"),
        "caption_true_pmi": _mean(true_told, mean_information, "nats"),
        "caption_pmi_best_of_100": _mean(tells.max(1), mean_information, "nats"),
        "caption_pmi_one_wrong": _mean(wrong_told, mean_information, "nats"),
        "caption_score_over_best_of_100": _over(means_differ(scores.max(1), own, unit="cosine")),
        "caption_pmi_over_one_wrong": _over(means_differ(wrong_told, own_told, unit="nats")),
    }
    say(1.0, "Done")
    return figures


def contents(model: Encoder, *, seed: int = 0, n: int = 300, on_progress: Progress | None = None) -> Contents:
    """Cosine and pointwise mutual information of captions that say one attribute to all six, true and random.

    Parameters
    ----------
    model, seed, n, on_progress : as in `caption_figures`.
    """
    say = on_progress or (lambda share, text: None)
    seen = _looked(model, n, seed, lambda share: say(0.4 * share, "Looking at scenes that were held out"))
    texts, rng = _texts(model), np.random.default_rng((SCORED, seed, 1))
    rows: dict[str, list[Number]] = {"cosine": [], "cosine_random": [], "information": [], "information_random": []}
    vague_cosine = vague_told = whole_cosine = whole_told = np.zeros(n)
    for k in range(1, len(NAMES) + 1):
        say(0.4 + 0.1 * k, f"Captions of {k} attributes")
        true = [Statement.of({a: said[a] for a in rng.permutation(NAMES)[:k]}).text for said in seen.says]
        whole_cosine, whole_told = _own(model, seen.images, texts(true))
        cosines, told = _scores(model, seen.images, texts(_random(k, rng)))
        drawn = _drawn(n, cosines.shape[1], rng)
        scores, tells = np.take_along_axis(cosines, drawn, 1), np.take_along_axis(told, drawn, 1)
        if k == 1:
            vague_cosine, vague_told = scores.max(1), tells.max(1)
        rows["cosine"].append(_mean(whole_cosine, float(scores.mean()), "cosine"))
        rows["cosine_random"].append(_mean(scores.max(1), float(scores.mean()), "cosine"))
        rows["information"].append(_mean(whole_told, float(tells.mean()), "nats"))
        rows["information_random"].append(_mean(tells.max(1), float(tells.mean()), "nats"))
    say(1.0, "Done")
    return Contents(tuple(range(1, len(NAMES) + 1)), tuple(rows["cosine"]), tuple(rows["cosine_random"]),
                    tuple(rows["information"]), tuple(rows["information_random"]),
                    proportion(int((vague_cosine > whole_cosine).sum()), n),
                    proportion(int((vague_told > whole_told).sum()), n), n)


def _looked(model: Encoder, n: int, seed: int, say: Callable[[float], None]) -> Looked:
    if n < FEWEST:
        raise ShapeError(f"{FEWEST} scenes or more", str(n))
    return look(model, n, SCORED + seed, on_progress=say)


def _texts(model: Encoder) -> Texts:
    return Texts(model, Bigrams.of(["a thing"]), attributes=True)


def _targets(seen: Looked) -> list[Target]:
    return [Target.among(seen.images, [i], most=len(seen.images)) for i in range(len(seen.images))]


def _says(state: Sequence[object]) -> dict[str, str]:
    statement = state[0]
    assert isinstance(statement, Statement)
    return statement.says()


def _random(k: int, rng: np.random.Generator) -> list[str]:
    """Distinct captions of k attributes, each drawn at random, in random wordings where they say all."""
    found = {}
    for _ in range(POOL):
        says = {a: str(rng.choice(ATTRIBUTES[a])) for a in rng.permutation(NAMES)[:k]}
        wording = int(rng.integers(1, 1 << 31)) if k == len(NAMES) else 0
        found[tuple(sorted(says.items()))] = Statement.of(says, wording).text
    return list(found.values())


def _drawn(n: int, pool: int, rng: np.random.Generator) -> np.ndarray:
    """(n, 100 or fewer) places in a pool, without repetition in a row."""
    return np.stack([rng.choice(pool, min(RANDOM, pool), replace=False) for _ in range(n)])


def _scores(model: Encoder, images: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, m) cosines and nats of every image, beside all others."""
    cosines = images.astype(np.float64) @ vectors.astype(np.float64).T
    logits = model.logit_scale * cosines
    highest = logits.max(axis=0)
    all_of_them = highest + np.log(np.exp(logits - highest).sum(axis=0))
    return cosines, logits - all_of_them + math.log(len(images))


def _own(model: Encoder, images: np.ndarray, vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) cosine and nats of each image with its own text."""
    cosines, told = _scores(model, images, vectors)
    return np.diag(cosines).copy(), np.diag(told).copy()


def _mean(values: np.ndarray, null: float, unit: str) -> Number:
    n = len(values)
    half = student(n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    mean = float(values.mean())
    return Number(mean, mean - half, mean + half, null, n, unit)


def _over(difference: Difference) -> Number:
    return replace(difference.change, null=0.0)
