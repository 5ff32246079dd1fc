"""The gap by chance: image and text swapped within what belongs together, by its closed form and by drawing lots."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from core.geometry.directions import unit
from core.geometry.gap.landscape import landscape
from core.geometry.gap.measures import gap_measures
from core.geometry.gap.scoring import score_closings
from core.geometry.pairs import Pairs
from core.geometry.statistics import sphere_statistics
from core.geometry.swaps import Swaps, gap_by_chance


def in_rows(n: int) -> np.ndarray:
    return np.repeat(np.arange(n)[:, None], 2, axis=1)


def views(n: int = 100, d: int = 512, *, move: float = 0.12, noise: float = 0.4, seed: int = 0) -> Pairs:
    """Two views of one source, the second moved by ``move`` along an axis."""
    rng = np.random.default_rng(seed)
    source = unit(rng.normal(size=(n, d)))
    x, y = (source + noise / math.sqrt(2 * d) * rng.normal(size=(n, d)) for _ in range(2))
    return Pairs.row_by_row(unit(x.astype(np.float32)), unit((y + move * np.eye(d)[0]).astype(np.float32)))


def drawn(pairs: Pairs, draws: int, seed: int = 0) -> float:
    """Root of the mean squared gap where lots are drawn in each cluster."""
    n = len(pairs.images)
    of, z = Swaps.within(n, len(pairs.texts), pairs.links).of, np.concatenate([pairs.images, pairs.texts]).astype(float)
    wanted, rng, squares = np.bincount(of[:n], minlength=of.max() + 1), np.random.default_rng(seed), []
    first = np.searchsorted(np.sort(of), np.arange(of.max() + 1))
    for _ in range(draws):
        order = np.lexsort((rng.random(len(z)), of))
        is_image = np.zeros(len(z), dtype=bool)
        is_image[order] = np.arange(len(z)) - first[of[order]] < wanted[of[order]]
        squares.append(((z[is_image].mean(axis=0) - z[~is_image].mean(axis=0)) ** 2).sum())
    return math.sqrt(np.mean(squares))


def test_of_coco500_it_is_the_closed_form(reference):
    data = np.load(reference / "features" / "coco500_clip_vitb16_pairs.npz")
    x, y = unit(data["image"]), unit(data["text"])
    gap, _ = gap_by_chance(x, y, in_rows(500))
    assert round(gap, 4) == 0.0525
    assert gap == pytest.approx(math.sqrt(((x - y) ** 2).sum()) / 500, rel=1e-6)


def test_two_views_of_one_source_have_a_small_one():
    """One moved by 0.12: labels shuffled over all points would give 0.141, and the gap would seem to be none."""
    pairs = views()
    found = gap_measures(pairs)["centroid_gap"]
    assert round(found.value, 2) == 0.12
    assert found.null == pytest.approx(0.041, abs=0.0015)
    assert found.low > 2 * found.null
    assert gap_by_chance(pairs.images, pairs.texts, in_rows(0))[0] == pytest.approx(0.141, abs=0.003)


@pytest.mark.parametrize("links", [
    [(i // 3, i) for i in range(90)], [(i // 3, i) for i in range(40)], [],
    [*((i // 3, i) for i in range(90)), (0, 5), (3, 11)], [(i, 0) for i in range(30)]],
    ids=["several captions", "some of none", "nothing known", "shared captions", "one caption for all"])
def test_the_closed_form_is_what_drawing_lots_gives(links):
    rng = np.random.default_rng(1)
    x = unit(rng.normal(size=(30, 8)) + 1)
    y = np.concatenate([unit(np.repeat(x, 3, axis=0) + 0.3 * rng.normal(size=(90, 8)) - 0.3),
                        unit(rng.normal(size=(4, 8)))])
    pairs = Pairs(x.astype(np.float32), y.astype(np.float32), np.array(links, dtype=np.int64).reshape(-1, 2))
    assert gap_by_chance(pairs.images, pairs.texts, pairs.links)[0] == pytest.approx(drawn(pairs, 3000), rel=0.01)


def test_without_links_it_is_the_mean_over_all_labellings():
    pairs = views(4, 6)
    every = np.concatenate([pairs.images, pairs.texts[:3]]).astype(np.float64)
    products = []
    for chosen in itertools.combinations(range(7), 4):
        a, b = (every[list(rows)].mean(axis=0) for rows in (chosen, [i for i in range(7) if i not in chosen]))
        products.append([a @ a, b @ b, a @ b])
    aa, bb, ab = np.mean(products, axis=0)
    gap, angle = gap_by_chance(pairs.images, pairs.texts[:3], in_rows(0))
    assert gap == pytest.approx(math.sqrt(aa + bb - 2 * ab), rel=1e-6)
    assert angle == pytest.approx(math.degrees(math.acos(ab / math.sqrt(aa * bb))), rel=1e-6)


def test_one_null_for_the_same_number_everywhere():
    pairs = views(60, 16)
    null = gap_by_chance(pairs.images, pairs.texts, pairs.links)[0]
    along = landscape(pairs, shifts=np.array([0.0, 0.3])).gap.null
    assert sphere_statistics(pairs.images, pairs.texts, pairs.links)["gap"].null == pytest.approx(null)
    assert gap_measures(pairs)["centroid_gap"].null == pytest.approx(null)
    assert along[0] == pytest.approx(null, rel=1e-5)
    half = score_closings(pairs, methods=(), repeats=5).rows[0].gap.null
    assert half == pytest.approx(null * math.sqrt(2), rel=0.05)   # of half as many pairs
