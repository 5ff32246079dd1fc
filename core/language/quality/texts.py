"""Captions by their words alone: repeated, short and long ones, and how rich the words of a set are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from core.geometry.intervals import proportion
from core.geometry.jackknife import clusters
from core.geometry.quality.finding import Finding
from core.geometry.quality.rarefaction import expected_kinds, expected_once, jackknifed
from core.geometry.quantiles import quantiles
from core.language.quality.wording import said, words_of
from core.types import Number

SHORT = 2
FENCE = 3.0
GROUPS = 50


@dataclass(frozen=True, eq=False)
class Repeated(Finding):
    """Captions that say the same.

    Attributes
    ----------
    same : (m,) int64, row of the first caption that says the same; -1 for empty ones.
    """

    same: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    def groups(self, threshold: float | None = None) -> list[np.ndarray]:
        """Rows of captions that say the same, the first in front; largest groups first."""
        rows = np.sort(self.flagged(max(self.threshold if threshold is None else threshold, 2.0)))
        rows = rows[np.argsort(self.same[rows], kind="stable")]
        parts = np.split(rows, np.flatnonzero(np.diff(self.same[rows])) + 1) if len(rows) else []
        return sorted(parts, key=lambda part: (-len(part), int(part[0])))

    def to_drop(self, threshold: float | None = None) -> np.ndarray:
        """Rows of flagged captions but for the first of each that say the same: (f,) int64."""
        rows = self.flagged(threshold)
        return rows[self.same[rows] != rows]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words of captions.

    Attributes
    ----------
    words, counts : of the v different words, the most frequent first, equal ones by name; (v,) int64.
    lengths : (m,) int64, words of each caption.
    at : running words that "vocabulary" and "once" are cut to.
    numbers : "captions"; "empty" ones (share); "length", its median; "distinct", share of different captions among
        as many as ``captions_at``; "words", running; "vocabulary", different words among ``at`` running ones; "ratio",
        that over ``at`` (type-token ratio); "once", share of these that are said once; "zipf", exponent of the counts
        of the words over their ranks. Only the first two where there are no words.
    captions_at : captions that "distinct" is cut to.
    """

    words: tuple[str, ...]
    counts: np.ndarray
    lengths: np.ndarray
    at: int
    numbers: dict[str, Number]
    captions_at: int


def findings_of(texts: Sequence[str], *, tokens: np.ndarray | None = None,
                limit: int | None = None) -> dict[str, Finding]:
    """All findings of captions by their key; tokens and limit as `long` takes them."""
    return {"repeated": repeated(texts), "short": short(texts), "long": long(texts, tokens=tokens, limit=limit)}


def repeated(texts: Sequence[str]) -> Repeated:
    """Captions that say the same words in the same order, whatever their case, signs and spaces.

    The score is how often it is said; the partner is the next caption that says the same.
    """
    keys = [said(text) for text in texts]
    first: dict[str, int] = {}
    same = np.array([first.setdefault(key, i) if key else -1 for i, key in enumerate(keys)], dtype=np.int64)
    counts = np.bincount(same[same >= 0], minlength=len(keys)) if len(keys) else np.zeros(0, np.int64)
    scores = np.where(same >= 0, counts[np.maximum(same, 0)], np.nan).astype(np.float32)
    partners = np.full(len(keys), -1, dtype=np.int64)
    order = np.argsort(same, kind="stable")
    order = order[scores[order] > 1]
    if len(order):
        start = np.flatnonzero(np.r_[True, np.diff(same[order]) != 0])
        after = np.r_[order[1:], -1]
        ends = np.r_[start[1:], len(order)] - 1
        after[ends] = order[start]
        partners[order] = after
    return Repeated("repeated", "text", scores, "high", 2.0, "times that it is said (captions)", partners=partners,
                    partner="text", same=same)


def short(texts: Sequence[str]) -> Finding:
    """Captions of few words; up to 2 are flagged, as DataComp's basic filter does (arXiv:2304.14108)."""
    return Finding("short", "text", lengths_of(texts).astype(np.float32), "low", float(SHORT), "length (words)")


def long(texts: Sequence[str], *, tokens: np.ndarray | None = None, limit: int | None = None) -> Finding:
    """Captions that are longer than others, or than a model reads.

    Parameters
    ----------
    texts
        Captions.
    tokens, limit
        (m,) int tokens of each, and how many the model reads: longer ones are flagged, whose end is not seen. Without
        them the score is the number of words, and those are flagged that lie three times the spread of the middle half
        above it (Tukey's far fence).
    """
    if tokens is not None and limit is not None:
        evidence = tuple(f"{int(t):,} tokens; the model reads {limit:,}" for t in tokens)
        return Finding("long", "text", np.asarray(tokens, np.float32), "high", float(limit + 1), "length (tokens)",
                       evidence=evidence)
    lengths = lengths_of(texts).astype(np.float32)
    low, high = np.quantile(lengths, [0.25, 0.75]) if len(lengths) else (0.0, 0.0)
    return Finding("long", "text", lengths, "high", float(np.floor(high + FENCE * max(high - low, 1.0)) + 1),
                   "length (words)")


def lengths_of(texts: Sequence[str]) -> np.ndarray:
    """(m,) int64 words of each text."""
    return np.array([len(words_of(text)) for text in texts], dtype=np.int64)


def vocabulary(texts: Sequence[str], *, n: int | None = None, captions: int | None = None,
               together: np.ndarray | None = None, seed: int = 0) -> Vocabulary:
    """The words of captions, what grows with the number of words being cut to one number.

    Parameters
    ----------
    texts
        Captions.
    n
        Running words that the vocabulary is cut to, so that sets compare; None, or more than there are: all.
    captions
        Captions that the share of different ones is cut to; None, or more: all.
    together
        (m,) int, the same for captions of one image; None: each is of its own.
    seed
        Of the groups of captions that are left out in turn for the intervals: captions of one image go together, and
        those that say the same, but for the share of different ones.

    References
    ----------
    Hurlbert, Ecology 52, 1971 (rarefaction); Zipf, 1949.
    """
    said_words = [words_of(text) for text in texts]
    lengths = np.array([len(w) for w in said_words], dtype=np.int64)
    m, total = len(texts), int(lengths.sum())
    empty = sum(not text.strip() for text in texts)
    numbers = {"captions": Number(float(m), n=m, unit="captions")}
    if m:
        numbers["empty"] = proportion(float(empty), m)
    if not total:
        return Vocabulary((), np.zeros(0, np.int64), lengths, 0, numbers, 0)
    tally = Counter(word for words in said_words for word in words)
    ranked = sorted(tally, key=lambda word: (-tally[word], word))
    code = {word: i for i, word in enumerate(ranked)}
    counts = np.array([tally[word] for word in ranked], dtype=np.int64)
    ids = np.array([code[word] for words in said_words for word in words], dtype=np.int64)
    at, captions_at = min(n or total, total), min(captions or m, m)
    keys = np.unique([said(text) for text in texts], return_inverse=True)[1].ravel()
    of_captions, rng = np.bincount(keys), np.random.default_rng(seed)
    own = np.arange(m) if together is None else np.unique(together, return_inverse=True)[1].ravel()
    joined = clusters([int(own.max()) + 1, len(of_captions)], np.stack([own, keys], axis=1))[1][keys]
    alike, apart = _dealt(joined, rng), _dealt(own, rng)
    by_group = _tables(ids, np.repeat(alike, lengths), len(counts))
    numbers["length"] = quantiles(lengths, [0.5], together, unit="words")[0]
    numbers["words"] = Number(float(total), n=m, unit="words")
    numbers["vocabulary"] = jackknifed(counts, by_group, lambda c: expected_kinds(c, at), at, "different words")
    numbers["ratio"] = jackknifed(counts, by_group, lambda c: expected_kinds(c, at) / at, at, "share")
    numbers["once"] = jackknifed(counts, by_group, lambda c: expected_once(c, at) / expected_kinds(c, at), at, "share")
    numbers["zipf"] = jackknifed(counts, by_group, _zipf, total, "exponent")
    numbers["distinct"] = jackknifed(of_captions, _tables(keys, apart, len(of_captions)),
                                     lambda c: expected_kinds(c, captions_at) / captions_at, captions_at, "share")
    return Vocabulary(tuple(ranked), counts, lengths, at, numbers, captions_at)


def _dealt(items: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Group of each caption: the items that they are of are dealt to 50, or as many as there are."""
    count = int(items.max()) + 1
    return (rng.permutation(count) % min(GROUPS, count))[items]


def _tables(kinds: np.ndarray, group: np.ndarray, k: int) -> np.ndarray:
    """(g, k) int64, how often each group has each kind."""
    groups = int(group.max()) + 1
    return np.bincount(group * k + kinds, minlength=groups * k).reshape(groups, k)


def _zipf(counts: np.ndarray) -> float:
    """Minus the slope of log count over log rank, ranks weighed by 1 / rank; NaN for fewer than 3 words."""
    ordered = -np.sort(-counts[counts > 0])
    if len(ordered) < 3:
        return float("nan")
    rank = np.log(np.arange(1, len(ordered) + 1))
    weight = np.exp(-rank)
    x, y = rank - np.average(rank, weights=weight), np.log(ordered)
    return -float((weight * x * (y - np.average(y, weights=weight))).sum() / (weight * x * x).sum())
