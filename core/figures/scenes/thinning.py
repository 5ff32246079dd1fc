"""Fewer points: a seeded sample that keeps the shares of modalities and labels, or the items that a visitor chose."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np

from core.errors import ShapeError
from core.figures.scenes.embedding import Points
from core.types import EmbeddingSet

MOST_POINTS = 100_000
LABELS = ("label", "class", "category")


@dataclass(frozen=True)
class Thinned:
    """Some of the points.

    Attributes
    ----------
    points : those kept, in the order of the whole.
    images, texts : (i,) and (t,) int64, the rows that were kept.
    column : what labels were read from, "" where none were.
    """

    points: Points
    images: np.ndarray
    texts: np.ndarray
    column: str = ""


def stratified(strata: np.ndarray, n: int, seed: int = 0) -> np.ndarray:
    """A systematic sample: each row is as likely as any other, each stratum keeps its share to within one row.

    Parameters
    ----------
    strata
        (m,) strings or numbers, the stratum of each row.
    n
        How many rows; all of them where there are no more.
    seed
        Which rows of a stratum.

    Returns
    -------
    (min(n, m),) int64, ascending.

    Raises
    ------
    ShapeError
        If ``n`` is negative.
    """
    if n < 0:
        raise ShapeError("a sample of zero rows or more", str(n))
    codes = np.unique(strata, return_inverse=True)[1]
    if n >= len(codes):
        return np.arange(len(codes))
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(codes)), codes))
    places = ((np.arange(n) + rng.random()) * (len(codes) / max(n, 1))).astype(np.int64)
    return np.sort(order[np.minimum(places, len(codes) - 1)])


def thin(points: Points, n: int = MOST_POINTS, seed: int = 0) -> Thinned:
    """At most ``n`` images and texts, in the shares of the whole; texts come with their images where these are kept.

    Parameters
    ----------
    points
        Without prompts; tables may carry a column named label, class or category.
    n
        How many images and texts together.
    seed
        Of the sample.
    """
    if points.prompts:
        raise ShapeError("points without prompts", f"{len(points.prompts)} prompts", "Add the prompts afterwards.")
    column = _label_column(points)
    n_images, n_texts = points.n_images, points.n_texts
    if len(points) <= n:
        return Thinned(points, np.arange(n_images), np.arange(n_texts), column)
    quota = round(n * n_images / len(points))
    images = stratified(_strata(points.images, column), quota, seed)
    texts = _texts_of(points, images, n - quota, _strata(points.texts, column), seed)
    return Thinned(_taken(points, images, texts), images, texts, column)


def only(points: Points, image_ids: Collection[str], text_ids: Collection[str]) -> Thinned:
    """The items of these ids that are there, and the items linked to them.

    Parameters
    ----------
    points
        Without prompts.
    image_ids, text_ids
        Names of images and of texts; those that are not there count for nothing.

    Raises
    ------
    ShapeError
        If none of them is there, or there are prompts.
    """
    if points.prompts:
        raise ShapeError("points without prompts", f"{len(points.prompts)} prompts", "Add the prompts afterwards.")
    images, texts = _named(points.images, image_ids), _named(points.texts, text_ids)
    if not len(images) and not len(texts):
        raise ShapeError("ids of items that are there", "none of them", "Open the data that they were chosen in.")
    linked = points.links[np.isin(points.links[:, 0], images) | np.isin(points.links[:, 1], texts)]
    images, texts = np.union1d(images, linked[:, 0]), np.union1d(texts, linked[:, 1])
    return Thinned(_taken(points, images, texts), images, texts)


def _named(part: EmbeddingSet | None, ids: Collection[str]) -> np.ndarray:
    wanted = frozenset(ids)
    return np.array([i for i, name in enumerate(() if part is None else part.ids) if name in wanted], dtype=np.int64)


def _taken(points: Points, images: np.ndarray, texts: np.ndarray) -> Points:
    """Some rows of the images and of the texts, with the links between them; None where no row is left."""
    to_image, to_text = np.full(points.n_images, -1), np.full(points.n_texts, -1)
    to_image[images], to_text[texts] = np.arange(len(images)), np.arange(len(texts))
    links = np.stack([to_image[points.links[:, 0]], to_text[points.links[:, 1]]], axis=1)
    return replace(points, images=_rows(points.images, images), texts=_rows(points.texts, texts),
                   captions=tuple(points.captions[i] for i in texts), links=links[(links >= 0).all(axis=1)])


def _texts_of(points: Points, images: np.ndarray, n: int, strata: np.ndarray, seed: int) -> np.ndarray:
    """Texts of the chosen images first, then texts without an image, then others."""
    mine = np.zeros(points.n_texts, dtype=bool)
    mine[points.links[np.isin(points.links[:, 0], images), 1]] = True
    linked = np.zeros(points.n_texts, dtype=bool)
    linked[points.links[:, 1]] = True
    chosen: list[np.ndarray] = []
    for step, pool in enumerate((mine, ~linked, linked & ~mine)):
        rows = np.flatnonzero(pool)
        chosen.append(rows[stratified(strata[rows], n - sum(map(len, chosen)), seed + 1 + step)])
    return np.sort(np.concatenate(chosen))


def _label_column(points: Points) -> str:
    names = [str(c) for part in (points.images, points.texts) if part is not None for c in part.table.columns]
    return next((name for wanted in LABELS for name in names if name.lower() == wanted), "")


def _strata(part: EmbeddingSet | None, column: str) -> np.ndarray:
    if part is None:
        return np.zeros(0, dtype=np.int64)
    if not column or column not in part.table:
        return np.zeros(len(part), dtype=np.int64)
    return part.table[column].fillna("").astype(str).to_numpy(dtype=str)


def _rows(part: EmbeddingSet | None, rows: np.ndarray) -> EmbeddingSet | None:
    if part is None or not len(rows):
        return None
    return part.take(rows)
