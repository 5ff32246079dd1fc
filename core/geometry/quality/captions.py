"""Captions and their images: how well they fit, and which captions fit worse than the set lets one expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from core.errors import Cancelled
from core.geometry.jackknife import clusters, student
from core.geometry.quality.equal_rows import equal_rows
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Items
from core.geometry.quality.threshold import mirrored
from core.geometry.quantiles import quantiles, share_of
from core.types import Number

Progress = Callable[[float, str], None]

CLIP_SCORE = 2.5
DATACOMP_COSINE = 0.28
DATACOMP_SHARE = 0.3
PERCENTILES = (1, 5, 10, 25, 50, 75, 90, 95, 99)
NEAREST = 10
BANK = 1000   # different texts, and images, that a caption is compared with
DEALT = 20_000
ITEMS_TOLD = 200   # from which on the interval of how often pairs are told covers
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Captions(Finding):
    """Captions that fit their images badly.

    Attributes
    ----------
    cosines : (m,) float32, mean cosine of each text with its images; NaN where it has none.
    percentiles : (m,) float32, share (%) of other images with a smaller cosine to the text; NaN where there are none.
    compared : how many other images and texts a caption is compared with, at most.
    """

    cosines: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    percentiles: np.ndarray = field(default_factory=lambda: np.zeros(0, np.float32))
    compared: int = 0


@dataclass(frozen=True, eq=False)
class ClipScores:
    """How cosines of images with their texts are distributed.

    Attributes
    ----------
    matched : (p,) float32, cosine of each link.
    unmatched : (s,) float32, growing: of random pairs that do not belong together.
    numbers : "mean" and "p1" ... "p99" of CLIPScore (2.5 max(cosine, 0), in [0, 2.5]); "top" the cosine that keeps the
        best 30 % of the pairs; "kept" the share of pairs whose cosine is at least .28; "told" how often a pair has a
        larger cosine than two that do not belong together. Null: of these. Empty where nothing belongs together.
    """

    matched: np.ndarray
    unmatched: np.ndarray
    numbers: dict[str, Number]


def clip_scores(items: Items, *, seed: int = 0) -> ClipScores:
    """CLIPScore of all pairs, with the thresholds in use and the same numbers of pairs that do not belong together.

    Parameters
    ----------
    items
        Images and texts.
    seed
        Of the pairs that do not belong together.

    Returns
    -------
    ClipScores. Captions of one image, and images of one caption, count together in all intervals.

    References
    ----------
    Hessel et al., 2021, arXiv:2104.08718 (CLIPScore); Gadre et al., 2023, arXiv:2304.14108 (.28 for ViT-B/32, and the
    best 30 %).
    """
    matched = items.cosines
    if not len(matched) or items.images is None or items.texts is None:
        return ClipScores(matched, np.zeros(0, np.float32), {})
    cluster_of = clusters([items.n_images, items.n_texts], items.links)
    together = cluster_of[0][items.links[:, 0]]
    dealt = _unmatched(items, seed)
    unmatched = np.einsum("ij,ij->i", items.images[dealt[:, 0]], items.texts[dealt[:, 1]])
    scores, chance = (CLIP_SCORE * np.maximum(c.astype(np.float64), 0) for c in (matched, unmatched))
    shares = [p / 100 for p in PERCENTILES]
    nulls = np.quantile(chance, shares).tolist() if len(chance) else None
    numbers = {"mean": _mean(scores, together, float(chance.mean()) if len(chance) else None)}
    at = quantiles(scores, shares, together, null=nulls, unit="CLIPScore")
    numbers |= {f"p{p}": number for p, number in zip(PERCENTILES, at)}
    top = [1 - DATACOMP_SHARE]
    numbers["top"] = quantiles(matched, top, together, unit="cosine",
                               null=np.quantile(unmatched, top).tolist() if len(unmatched) else None)[0]
    numbers["kept"] = share_of(matched >= DATACOMP_COSINE, together,
                               null=float((unmatched >= DATACOMP_COSINE).mean()) if len(unmatched) else None)
    if len(unmatched):
        numbers["told"] = _told(matched, unmatched, together, [cluster_of[k][dealt[:, k]] for k in (0, 1)])
    return ClipScores(matched, np.sort(unmatched), numbers)


def mismatched(items: Items, *, seed: int = 0, on_progress: Progress | None = None,
               should_stop: Callable[[], bool] | None = None) -> Captions:
    """Captions that fit their images worse than the set lets one expect.

    The score is the mean of a pair's cosine and of its lead: that cosine less the mean cosine of its image with the 10
    nearest other texts and of its text with the 10 nearest other images, among at most 1,000 different ones of each. A
    caption wrong in one word still has a high cosine, but hardly a lead; the lead alone punishes what many captions
    say. A text that belongs to several images has the mean of its scores; its partner is the image that it fits worst.

    Parameters
    ----------
    items
        Images and texts.
    seed
        Of what captions are compared with, and of the captions dealt to other images.
    on_progress, should_stop
        Told the share that is done; asked whether to stop.

    Returns
    -------
    Captions; null: captions dealt to images that they do not belong to.

    Raises
    ------
    Cancelled
        Where ``should_stop`` says so.
    """
    scores, cosines, percentiles = (np.full(items.n_texts, np.nan, np.float32) for _ in range(3))
    partners = np.full(items.n_texts, -1, dtype=np.int64)
    if items.images is None or items.texts is None or not len(items.links):
        return Captions("captions", "text", scores, "low", 0.0, _UNIT, chance=_CHANCE, partners=partners,
                        evidence=("",) * items.n_texts, cosines=cosines, percentiles=percentiles)
    of, to = items.links.T
    same_image, same_text = equal_rows(items.images), equal_rows(items.texts)
    counts = np.bincount(to, minlength=items.n_texts)
    linked = counts > 0
    cosines[linked] = (np.bincount(to, items.cosines, items.n_texts)[linked] / counts[linked]).astype(np.float32)

    def say(share: float) -> None:
        if should_stop is not None and should_stop():
            raise Cancelled(f"{share:.0%} of the captions")
        if on_progress is not None:
            on_progress(share, "Comparing captions with others")

    near_image, _ = _level(items.images, items.texts, (same_image, same_text), (of, to), None, seed,
                           lambda f: say(f / 2))
    near_text, percentiles = _level(items.texts, items.images, (same_text, same_image), (to, of), cosines, seed,
                                    lambda f: say((1 + f) / 2))
    of_links = _score(items.cosines, near_image[of], near_text[to])
    scores[linked] = np.bincount(to, of_links, items.n_texts)[linked] / counts[linked]
    worst = np.lexsort((-items.cosines, to))   # the last of a text is its worst
    partners[to[worst]] = of[worst]
    by_chance = _dealt(items, same_text, near_image, near_text, seed)
    compared = min(BANK, max(int(same_image.max()), int(same_text.max())))
    return Captions("captions", "text", scores, "low", mirrored(scores, "low"), _UNIT, by_chance, _CHANCE, partners,
                    "image", _evidence(cosines, percentiles, counts), cosines, percentiles, compared)


_UNIT = "mean of cosine and lead over others (cosine)"
_CHANCE = "captions dealt to other images"


def _score(cosines: np.ndarray, near_image: np.ndarray, near_text: np.ndarray) -> np.ndarray:
    """Cosine less half of the mean level of what is known of the two sides."""
    levels = np.stack([near_image, near_text])
    known = np.isfinite(levels)
    level = np.where(known, levels, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return np.asarray(cosines - level / 2, dtype=np.float32)


def _level(x: np.ndarray, y: np.ndarray, same: tuple[np.ndarray, np.ndarray], links: tuple[np.ndarray, np.ndarray],
           own: np.ndarray | None, seed: int, say: Callable[[float], None]) -> tuple[np.ndarray, np.ndarray]:
    """How near each row of ``x`` is to the nearest of ``y`` that belong neither to it nor to an equal one.

    Returns (n,) the mean cosine to the 10 nearest, NaN where there is none; (n,) percentile of ``own`` among all.
    """
    from scipy.sparse import csr_array

    of_x, of_y = same
    firsts = np.unique(of_y, return_index=True)[1]
    chosen = np.sort(np.random.default_rng(seed).permutation(len(firsts))[:BANK])
    bank, column = y[firsts[chosen]], np.full(len(firsts), -1)
    column[chosen] = np.arange(len(chosen))
    rows, columns = of_x[links[0]], column[of_y[links[1]]]
    there = columns >= 0
    together = csr_array((np.ones(int(there.sum()), np.float32), (rows[there], columns[there])),
                         shape=(int(of_x.max()) + 1, len(chosen)))
    near, percentiles = (np.full(len(x), np.nan, np.float32) for _ in range(2))
    for start in range(0, len(x), _ROWS):
        say(start / len(x))
        block = x[start:start + _ROWS] @ bank.T
        block[together[of_x[start:start + _ROWS]].toarray() > 0] = -np.inf
        others = np.isfinite(block).sum(axis=1)
        if own is not None:
            mine = own[start:start + _ROWS, None]
            below = (np.isfinite(block) & (block < mine)).sum(axis=1) + (block == mine).sum(axis=1) / 2
            known = (others > 0) & np.isfinite(mine[:, 0])
            percentiles[start:start + _ROWS][known] = 100 * below[known] / others[known]
        k = min(NEAREST, block.shape[1])
        top = np.partition(block, block.shape[1] - k, axis=1)[:, block.shape[1] - k:]
        finite = np.isfinite(top)
        some = finite.any(axis=1)
        near[start:start + _ROWS][some] = np.where(finite, top, 0).sum(axis=1)[some] / finite.sum(axis=1)[some]
    say(1.0)
    return near, percentiles


def _dealt(items: Items, same_text: np.ndarray, near_image: np.ndarray, near_text: np.ndarray,
           seed: int) -> np.ndarray:
    """Scores of captions dealt to other images: (c,) float32."""
    assert items.images is not None and items.texts is not None
    rng = np.random.default_rng(seed)
    size = min(DEALT, max(len(items.links), 1000))
    images, texts = (rng.choice(items.links[:, side], size) for side in (0, 1))
    groups = int(same_text.max()) + 1
    own = np.unique(items.links[:, 0] * groups + same_text[items.links[:, 1]])
    kept = ~np.isin(images * groups + same_text[texts], own)
    images, texts = images[kept], texts[kept]
    cosines = np.einsum("ij,ij->i", items.images[images], items.texts[texts])
    return _score(cosines, near_image[images], near_text[texts])


def _evidence(cosines: np.ndarray, percentiles: np.ndarray, counts: np.ndarray) -> tuple[str, ...]:
    said = []
    for cosine, percentile, count in zip(cosines.tolist(), percentiles.tolist(), counts.tolist()):
        if not count:
            said.append("belongs to no image")
            continue
        own = f"cosine {cosine:.2f}" + (f" on average with its {count:,} images" if count > 1 else "")
        said.append(own if percentile != percentile else f"{own}; {100 - percentile:.1f} % of other images fit better")
    return tuple(said)


def _unmatched(items: Items, seed: int) -> np.ndarray:
    """(s, 2) int64, images and texts drawn at random that do not belong together; all where there are no more."""
    n, m = items.n_images, items.n_texts
    if n * m <= DEALT:
        pairs = np.indices((n, m)).reshape(2, -1).T
    else:
        rng = np.random.default_rng(seed)
        pairs = np.stack([rng.integers(n, size=DEALT), rng.integers(m, size=DEALT)], axis=1)
    return pairs[~np.isin(pairs[:, 0] * m + pairs[:, 1], items.links[:, 0] * m + items.links[:, 1])]


def _told(matched: np.ndarray, unmatched: np.ndarray, together: np.ndarray, others: list[np.ndarray]) -> Number:
    """How often a pair lies above two that do not belong together, with Student's interval over items.

    An item counts by its pairs and by all the pairs that do not belong together of which it is a part, on the scale of
    the log odds.
    """
    def below(values: np.ndarray, among: np.ndarray) -> np.ndarray:
        among = np.sort(among)
        both = np.searchsorted(among, values, "left") + np.searchsorted(among, values, "right")
        return np.asarray(both / (2 * len(among)))

    of_matched, of_others = below(matched, unmatched), 1 - below(unmatched, matched)
    value, n, items = float(of_matched.mean()), len(matched), np.unique(together)
    c = len(items)
    if c < ITEMS_TOLD or not 0 < value < 1:
        return Number(value, null=0.5, n=n, unit="share")
    size = int(max(together.max(), *(o.max() for o in others))) + 1
    weight = np.bincount(together, of_matched - value, size) / n
    for other in others:
        weight += np.bincount(other, of_others - value, size) / len(unmatched)
    half = student(c - 1) * float(np.sqrt(c / (c - 1) * (weight @ weight))) / (value * (1 - value))
    low, high = (1 / (1 + np.exp(-(np.log(value / (1 - value)) + side * half))) for side in (-1, 1))
    return Number(value, float(low), float(high), 0.5, n, "share")


def _mean(values: np.ndarray, together: np.ndarray, null: float | None) -> Number:
    """Mean with Student's interval over items that belong together."""
    n, value = len(values), float(values.mean())
    labels = np.unique(together, return_inverse=True)[1]
    c = int(labels.max()) + 1
    if c < 3:
        return Number(value, null=null, n=n, unit="CLIPScore")
    off = np.bincount(labels, values - value)
    half = student(c - 1) * float(np.sqrt(c / (c - 1) * (off @ off))) / n
    return Number(value, max(value - half, 0.0), min(value + half, CLIP_SCORE), null, n, "CLIPScore")
