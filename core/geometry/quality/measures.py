"""All measures of what is kept of a dataset: what is of each item is a sum, what needs all pairs is of a few items."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from core.geometry.intervals import proportion
from core.geometry.jackknife import clusters, with_interval
from core.geometry.quality.captions import CLIP_SCORE, DATACOMP_COSINE
from core.geometry.quality.finding import Finding, Grouped
from core.geometry.quality.items import Items, Kept
from core.geometry.quantiles import share_of
from core.geometry.rounding import rounding
from core.geometry.spectrum import entropy
from core.geometry.uniformity import uniformity_by_chance
from core.types import Number

MOST_FOR_PAIRS = 400
COVERED_BY = 5
_SUMS_AT_ONCE = 64


@dataclass(frozen=True)
class Measure:
    """How a measure is called, what it says, its unit (empty: a pure number) and which end one would want."""

    title: str
    explanation: str
    unit: str = ""
    wanted: Literal["high", "low", ""] = ""


_AT_EQUAL_N = f"It grows with n: before, after and at random it is measured on equally many items, at most " \
              f"{MOST_FOR_PAIRS}, the same ones as far as they are left."

MEASURES: dict[str, Measure] = {
    "images": Measure("Images", "How many there are.", "images"),
    "texts": Measure("Captions", "How many there are.", "captions"),
    "clip_score": Measure("CLIPScore, mean", "2.5 max(cosine, 0) of an image and its caption (Hessel 2021), mean over "
                          "pairs.", wanted="high"),
    "above": Measure(f"Cosine of {DATACOMP_COSINE} or more", f"Share of pairs with a cosine of {DATACOMP_COSINE} or "
                     "more, the bar of LAION and DataComp for ViT-B/32.", "share", "high"),
    "classes": Measure("Effective number of classes", "Exp of the entropy of the shares of the classes: as many equal "
                       "classes are as even.", "classes", "high"),
    "imbalance": Measure("Imbalance", "Images of the largest class over those of the smallest that is left.", "times",
                         "low"),
    "coverage": Measure("Coverage", f"Share of all images that are kept themselves, or of which one of the "
                        f"{COVERED_BY} nearest is.", "share", "high"),
    "gap": Measure("Modality gap", "Distance of the mean image and the mean caption (Liang 2022)."),
    "vendi_image": Measure("Vendi score, images", "Effective number of different images: exp of the entropy of the "
                           f"eigenvalues of their cosines over n (Friedman 2023). {_AT_EQUAL_N}", "images", "high"),
    "rank_image": Measure("Effective rank, images", f"Dimensions that centred images fill evenly. {_AT_EQUAL_N}",
                          "dimensions", "high"),
    "uniformity_image": Measure("Uniformity, images", "Log mean of exp(-2 d^2) over pairs (Wang & Isola 2020); lower "
                                f"is more even. {_AT_EQUAL_N}", wanted="low"),
    "vendi_text": Measure("Vendi score, captions", "As for images.", "captions", "high"),
    "rank_text": Measure("Effective rank, captions", "As for images.", "dimensions", "high"),
    "uniformity_text": Measure("Uniformity, captions", "As for images.", wanted="low"),
}


@dataclass(frozen=True, eq=False)
class Sheet:
    """Items, and what was found of each, ready to be measured however many of them are kept.

    Attributes
    ----------
    items : all of them.
    flagged : by key, modality and (n, 2) bool: which items have a score, and which of these are flagged.
    groups : by key, (n,) int64, the group of each item, -1 for none; flagged is an item with another one left.
    by_chance : by key, the share that is flagged by chance, None where it is not known.
    titles : by key, what such items are called.
    near : (n, k) int64, nearest other images of each; None where they are not known.
    orders : rows of images and of texts in the order in which they are taken for what needs all pairs.
    """

    items: Items
    flagged: Mapping[str, tuple[str, np.ndarray]]
    groups: Mapping[str, np.ndarray]
    by_chance: Mapping[str, float | None]
    titles: Mapping[str, str]
    near: np.ndarray | None
    orders: tuple[np.ndarray, np.ndarray]
    columns: tuple[np.ndarray, np.ndarray] = field(repr=False, default=(np.zeros((0, 0)), np.zeros((0, 0))))

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures that there may be, in their order: `MEASURES` and the share of each finding."""
        own = {f"share_{key}": Measure(title, "Share that is flagged at its threshold, among those that have a score. "
                                       "Scores are those of the whole.", "share", "low")
               for key, title in self.titles.items()}
        head = ("images", "texts", "clip_score", "above")
        return {k: MEASURES[k] for k in head} | own | {k: m for k, m in MEASURES.items() if k not in head}


def sheet(items: Items, findings: Mapping[str, Finding] | None = None, *, thresholds: Mapping[str, float] | None = None,
          titles: Mapping[str, str] | None = None, near: np.ndarray | None = None, seed: int = 0) -> Sheet:
    """What `values_of` and `core.geometry.quality.at_random.beside_random` measure by.

    Parameters
    ----------
    items : all of them.
    findings : of these, by key.
    thresholds : by key, where not the proposed one.
    titles : by key, what such items are called; their key by default.
    near : (n, k) int64, nearest others of each image, the nearest first; without them there is no coverage.
    seed : of which items are taken for what needs all pairs.
    """
    findings, thresholds = findings or {}, thresholds or {}
    flagged, groups, by_chance = {}, {}, {}
    for key, finding in findings.items():
        at = thresholds.get(key, finding.threshold)
        scored = ~np.isnan(finding.scores)
        if isinstance(finding, Grouped):
            group = np.full(len(scored), -1)
            for number, rows in enumerate(finding.groups(at)):
                group[rows] = number
            groups[key] = group
        flagged[key] = finding.of, np.stack([scored, scored & finding.beyond(finding.scores, at)], axis=1)
        by_chance[key] = finding.share(at).null
    rng = np.random.default_rng(seed)
    orders = rng.permutation(items.n_images), rng.permutation(items.n_texts)
    columns = tuple(np.concatenate([np.zeros((n, 0)), *(f for of, f in flagged.values() if of == modality)], axis=1)
                    for n, modality in ((items.n_images, "image"), (items.n_texts, "text")))
    told = {key: (titles or {}).get(key, key) for key in findings}
    return Sheet(items, flagged, groups, by_chance, told, None if near is None else near[:, :COVERED_BY], orders,
                 (columns[0], columns[1]))


def equal_n(kept: Sequence[Kept]) -> tuple[int, int]:
    """How many images and texts are taken of each for what needs all pairs."""
    fewest = (min((int(part.sum()) for part in parts), default=0)
              for parts in ([k.images for k in kept], [k.texts for k in kept]))
    images, texts = (min(MOST_FOR_PAIRS, n) for n in fewest)
    return images, texts


def values_of(of: Sheet, kept: Sequence[Kept], n: tuple[int, int], *, pairs_of: int | None = None,
              should_stop: Callable[[], None] | None = None) -> dict[str, np.ndarray]:
    """Each measure of each state: by key, (s,) float64, NaN where it is not defined.

    Parameters
    ----------
    of : what was found of the items.
    kept : s states.
    n : images and texts that are taken for what needs all pairs (`equal_n`).
    pairs_of : of how many states that is worked out, the first ones; of all by default.
    should_stop : called between parts; it may raise.
    """
    stop = should_stop or (lambda: None)
    found = {key: np.full(len(kept), math.nan) for key in of.measures}
    classes = {key: codes_of(labels) for key, labels in {id(k.labels): k.labels for k in kept}.items()}
    for i, state in enumerate(kept):
        for key, value in _sums(of, state, classes[id(state.labels)]).items():
            found[key][i] = value
    for start in range(0, len(kept), _SUMS_AT_ONCE):
        stop()
        part = slice(start, start + _SUMS_AT_ONCE)
        found["gap"][part] = _gaps(of.items, kept[part])
    for x, order, take, which, name in ((of.items.images, of.orders[0], n[0], "images", "image"),
                                        (of.items.texts, of.orders[1], n[1], "texts", "text")):
        if x is None or take < 3:
            continue
        for i, state in enumerate(kept[:pairs_of]):
            stop()
            rows = order[getattr(state, which)[order]][:take]
            if len(rows) == take:
                for key, value in _of_pairs(x[rows]).items():
                    found[f"{key}_{name}"][i] = value
    return found


def numbers_of(of: Sheet, kept: Kept, n: tuple[int, int], values: Mapping[str, float]) -> dict[str, Number]:
    """Values of a state as numbers: with n, unit, an interval where one is known, and what chance gives."""
    items, out = of.items, {}
    d = next((x.shape[1] for x in (items.images, items.texts) if x is not None), 1)
    pairs = int((kept.images[items.links[:, 0]] & kept.texts[items.links[:, 1]]).sum())
    counts = {"images": int(kept.images.sum()), "texts": int(kept.texts.sum())}
    for key, measure in of.measures.items():
        value = float(values[key])
        if not math.isfinite(value):
            continue
        if key in ("clip_score", "above"):
            out[key] = _of_cosines(of, kept, key, pairs)
            continue
        size: int | None = counts["texts" if key.endswith("_text") else "images"]
        null: float | None = None
        if key.startswith("share_"):
            modality, flags = of.flagged[key[6:]]
            scored = int(flags[kept.images if modality == "image" else kept.texts, 0].sum())
            out[key] = proportion(round(value * scored), scored, null=of.by_chance[key[6:]])
            continue
        if key.startswith(("vendi", "rank", "uniformity")):
            size = n[1] if key.endswith("_text") else n[0]
            null = uniformity_by_chance(d) if key.startswith("uniformity") else _spread_by_chance(size, d, key)
        elif key in counts:
            size = None
        elif key == "coverage":
            size = items.n_images
        elif key == "gap":
            size = min(counts.values())
        elif key in ("classes", "imbalance"):
            size = sum(1 for label, there in zip(kept.labels, kept.images.tolist()) if there and label)
        out[key] = Number(value, null=null, n=size, unit=measure.unit)
    return out


def _sums(of: Sheet, kept: Kept, codes: np.ndarray) -> dict[str, float]:
    """What is a sum over items, or over pairs."""
    items = of.items
    out = {"images": float(kept.images.sum()), "texts": float(kept.texts.sum())}
    if len(items.links) and items.images is not None and items.texts is not None:
        cosines = items.cosines[kept.images[items.links[:, 0]] & kept.texts[items.links[:, 1]]]
        if len(cosines):
            out["clip_score"] = CLIP_SCORE * float(np.maximum(cosines, 0).mean(dtype=np.float64))
            out["above"] = float((cosines >= DATACOMP_COSINE).mean())
    for modality, mask, columns in zip(("image", "text"), (kept.images, kept.texts), of.columns):
        totals = mask.astype(np.float64) @ columns
        for i, key in enumerate(key for key, (m, _) in of.flagged.items() if m == modality):
            scored, flagged = totals[2 * i:2 * i + 2]
            if key in of.groups:
                sizes = np.bincount(of.groups[key][mask & (of.groups[key] >= 0)])
                flagged = sizes[sizes > 1].sum()
            if scored:
                out[f"share_{key}"] = float(flagged / scored)
    if len(codes) and (sizes := _class_sizes(codes[kept.images])).size:
        shares = sizes / sizes.sum()
        out |= {"classes": float(np.exp(-(shares * np.log(shares)).sum())),
                "imbalance": float(sizes.max() / sizes.min())}
    if of.near is not None and items.n_images:
        out["coverage"] = float((kept.images | kept.images[of.near].any(axis=1)).mean())
    return out


def _class_sizes(codes: np.ndarray) -> np.ndarray:
    """Images of each class of which there are some."""
    sizes = np.bincount(codes[codes >= 0])
    return sizes[sizes > 0]


def codes_of(labels: tuple[str, ...]) -> np.ndarray:
    """(n,) int64, the class of each, -1 where there is none."""
    place: dict[str, int] = {"": -1}
    return np.array([place.setdefault(label, len(place) - 1) for label in labels], dtype=np.int64)


def _gaps(items: Items, kept: Sequence[Kept]) -> np.ndarray:
    """(s,) distance of the means of images and texts."""
    if items.images is None or items.texts is None:
        return np.full(len(kept), math.nan)
    means = []
    for x, masks in ((items.images, [k.images for k in kept]), (items.texts, [k.texts for k in kept])):
        weights = np.stack(masks).astype(x.dtype)
        counts = weights.sum(axis=1, dtype=np.float64)[:, None]
        means.append(np.where(counts > 0, (weights @ x).astype(np.float64) / np.maximum(counts, 1), math.nan))
    return np.linalg.norm(means[0] - means[1], axis=1)


def _of_pairs(x: np.ndarray) -> dict[str, float]:
    """Vendi score, effective rank and uniformity of (k, d) unit rows, k >= 3."""
    from scipy.linalg import eigvalsh

    k, d = x.shape
    gram = np.clip(x @ x.T, -1, 1)
    potential = (np.exp(4 * (gram - 1)).sum(dtype=np.float64) - k) / (k * (k - 1))
    about = x - x.mean(axis=0)
    scatters = (about @ about.T, gram) if k <= d else (about.T @ about, x.T @ x)
    filled = [np.maximum(eigvalsh(s, check_finite=False, driver="evd").astype(np.float64), 0) for s in scatters]
    return {"uniformity": math.log(potential), "vendi": math.exp(entropy(filled[1])),
            "rank": math.exp(entropy(filled[0])) if filled[0].sum() > rounding(x, d) ** 2 * k else math.nan}


def _spread_by_chance(n: int, d: int, key: str) -> float:
    """Page, Phys. Rev. Lett. 71, 1993: what random directions fill."""
    n = n - 1 if key.startswith("rank") else n
    most = max(min(n, d), 1)
    return most * math.exp(-most / (2 * max(n, d, 1)))


def _of_cosines(of: Sheet, kept: Kept, key: str, pairs: int) -> Number:
    """Mean CLIPScore, or the share above the bar; captions of one image, and images of one caption, count together."""
    items = of.items
    assert items.images is not None
    assert items.texts is not None
    left = kept.images[items.links[:, 0]] & kept.texts[items.links[:, 1]]
    together = clusters([items.n_images, items.n_texts], items.links[left])[0][items.links[left, 0]]
    chance = _unmatched(items, kept)
    if key == "above":
        return share_of(items.cosines[left] >= DATACOMP_COSINE, together,
                        null=float((chance >= DATACOMP_COSINE).mean()) if len(chance) else None)
    scores = CLIP_SCORE * np.maximum(items.cosines[left].astype(np.float64), 0)
    cluster = np.unique(together, return_inverse=True)[1]
    sums, counts = np.bincount(cluster, scores), np.bincount(cluster)
    without = (sums.sum() - sums) / (pairs - counts) if len(counts) > 1 else None
    number = with_interval(float(scores.mean()), without, 0.0, pairs, low=0, high=CLIP_SCORE)
    return replace(number, null=float((CLIP_SCORE * np.maximum(chance, 0)).mean()) if len(chance) else None)


def _unmatched(items: Items, kept: Kept) -> np.ndarray:
    """Cosines of images and captions that are kept and do not belong together, at most 2,000 at random."""
    assert items.images is not None
    assert items.texts is not None
    rng = np.random.default_rng(0)
    rows, columns = (rng.choice(np.flatnonzero(mask), 2000) for mask in (kept.images, kept.texts))
    own = np.isin(rows * items.n_texts + columns, items.links[:, 0] * items.n_texts + items.links[:, 1])
    return np.einsum("ij,ij->i", items.images[rows[~own]], items.texts[columns[~own]])
