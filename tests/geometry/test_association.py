"""Association tests: the paper's formulae by hand, planted and absent associations, parts that add up, bad input."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.stats import kstest

from core.errors import ShapeError
from core.geometry import association as at
from core.geometry.directions import unit

FIRST = np.array([True] * 4 + [False] * 4)


def drawn(rng: np.random.Generator, n: int, towards: np.ndarray | None = None, d: int = 32) -> np.ndarray:
    x = rng.normal(size=(n, d))
    return unit((x if towards is None else x + towards).astype(np.float32))


def planted(seed: int, strength: float, n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two groups of images for eight words, the first moved towards the first four."""
    rng = np.random.default_rng(seed)
    words = drawn(rng, 8)
    axis = words[:4].mean(axis=0) - words[4:].mean(axis=0)
    return tuple(x.astype(np.float64) @ words.T for x in (drawn(rng, n, 4 * strength * axis), drawn(rng, n)))


def test_effect_size_and_exact_p_are_those_of_the_paper():
    x, y = planted(1, 1.0, n=5)
    y = y[:4]
    lean = [[np.mean(row[FIRST]) - np.mean(row[~FIRST]) for row in group] for group in (x, y)]
    both = np.concatenate(lean)
    effect = (np.mean(lean[0]) - np.mean(lean[1])) / np.std(both, ddof=1)

    def gap(rows: tuple[int, ...]) -> float:
        return np.mean(both[list(rows)]) - np.mean(np.delete(both, rows))

    gaps = np.array([gap(rows) for rows in itertools.combinations(range(9), 5)])
    for two_sided in (False, True):
        found, = at.associations(*(at.leanings(g, FIRST)[:, None] for g in (x, y)), two_sided=two_sided)
        seen = gap((0, 1, 2, 3, 4))
        expected = np.mean(np.abs(gaps) >= abs(seen) - 1e-12 if two_sided else gaps >= seen - 1e-12)
        assert found.change.value == pytest.approx(effect, rel=1e-6)
        assert found.p == pytest.approx(expected) and found.test == "all 126 divisions"
        assert found.change.n == 9 and found.change.null == 0


def test_a_planted_association_is_found_and_the_other_way_it_is_not():
    x, y = (at.leanings(g, FIRST)[:, None] for g in planted(2, 1.5))
    one, back = at.associations(x, y)[0], at.associations(y, x)[0]
    assert one.p < 0.01 and one.change.low > 0
    assert back.p > 0.99 and back.change.value == pytest.approx(-one.change.value)
    assert at.associations(y, x, two_sided=True)[0].p < 0.01


@pytest.mark.parametrize("two_sided", [False, True])
def test_without_an_association_p_is_uniform_over_200_sets(two_sided):
    sets = [planted(100 + seed, 0.0, n=8) for seed in range(200)]
    p = []
    for x, y in sets:   # 12,870 divisions: gone through, not drawn
        found, = at.associations(at.leanings(x, FIRST)[:, None], at.leanings(y, FIRST)[:, None], two_sided=two_sided)
        p.append(found.p)
    assert kstest(p, "uniform").pvalue > 0.01
    x, y = (np.concatenate([group[i] for group in sets]) for i in (0, 1))
    found, = at.associations(at.leanings(x, FIRST)[:, None], at.leanings(y, FIRST)[:, None], two_sided=two_sided)
    assert "normal law" in found.test and 0 <= found.p <= 1


def test_drawn_divisions_and_the_normal_law_agree_with_all_of_them(monkeypatch):
    x, y = (at.leanings(g, FIRST)[:, None] for g in planted(5, 0.5, n=8))
    y = y[:7]
    exact = at.associations(x, y)[0]
    monkeypatch.setattr(at, "MOST_LISTED", 0)
    drawn_, other = at.associations(x, y)[0], at.associations(y, x, two_sided=True)[0]
    assert drawn_.test == "9,999 random divisions" and drawn_.p == pytest.approx(exact.p, abs=0.015)
    monkeypatch.setattr(at, "MOST_DRAWN", 0)
    assert at.associations(x, y)[0].p == pytest.approx(exact.p, abs=0.03)
    assert at.associations(y, x, two_sided=True)[0].p == pytest.approx(other.p, abs=0.04)


def test_parts_of_words_and_of_items_add_up_to_the_effect():
    x, y = planted(3, 1.0)
    lean = at.leanings(x, FIRST), at.leanings(y, FIRST)
    effect = at.effect_size(*lean)
    assert at.parts_of_words(x, y, FIRST).sum() == pytest.approx(effect)
    of_x, of_y = at.parts_of_items(*lean)
    assert of_x.sum() + of_y.sum() == pytest.approx(effect)
    without = at.without_each_word(x, y, FIRST)
    assert without[2] == pytest.approx(at.effect_size(at.leanings(np.delete(x, 2, 1), np.delete(FIRST, 2)),
                                                      at.leanings(np.delete(y, 2, 1), np.delete(FIRST, 2))))
    assert np.isnan(at.without_each_word(x[:, 3:], y[:, 3:], FIRST[3:])[0])


def test_the_single_category_test_is_the_mean_of_the_papers_for_each_item():
    x, y = planted(4, 2.0)
    each = [(row[FIRST].mean() - row[~FIRST].mean()) / row.std(ddof=1) for row in x.astype(np.float64)]
    found = at.single(x, FIRST)
    assert found.change.value == pytest.approx(np.mean(each), rel=1e-5)
    assert found.p == pytest.approx(1 / 70) == at.least_p(4, 4) and found.test == "all 70 divisions"
    assert found.change.low > 0 and found.change.n == 20
    assert at.single(y[:3], FIRST).change.low is None


def test_the_interval_holds_the_effect_of_the_whole():
    rng = np.random.default_rng(0)
    true = 0.8 / math.sqrt(1 + 0.16)
    held = 0
    for _ in range(30):
        x, y = rng.normal(0.8, 1, (12, 20)), rng.normal(0, 1, (12, 20))
        held += sum(found.change.low <= true <= found.change.high for found in at.associations(x, y))
    assert 0.93 <= held / 600 <= 0.97
    assert at.associations(x[:4], y[:4])[0].change.low is None


def test_items_that_lean_alike_are_not_measurable_and_bad_input_is_refused():
    flat = np.full((6, 8), 0.3, dtype=np.float32)
    lean = at.leanings(flat, FIRST)[:, None]
    found, = at.associations(lean, lean)
    assert found.p is None and math.isnan(found.change.value)
    assert at.single(flat, FIRST).p is None
    for scores, first in ((flat, np.ones(8, bool)), (flat, FIRST[:5]), (flat[:0], FIRST),
                          (np.full((2, 8), np.nan), FIRST)):
        with pytest.raises(ShapeError):
            at.leanings(scores, first)
    with pytest.raises(ShapeError):
        at.associations(lean, lean[:0])
