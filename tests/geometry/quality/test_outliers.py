"""Outliers: also those in the middle of all that a model knows, whatever the rotation or the order of the rows."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.quality.neighbours import nearest_others
from core.geometry.quality.outliers import outlying, whitened
from core.geometry.scores import roc_auc
from core.language.quality.simpler import far_from_neighbours


def classes_and_a_few_in_their_middle(n: int = 400, few: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """Eight classes far apart, and images that are of none of them: (n, 32) unit rows, (n,) bool."""
    rng = np.random.default_rng(0)
    centres = np.concatenate([np.ones((8, 1)), 1.2 * np.eye(8), np.zeros((8, 23))], axis=1)
    x = centres[rng.integers(8, size=n)] + rng.normal(0, 0.05, (n, 32))
    wrong = np.arange(n) < few
    x[wrong] = np.concatenate([[1.0], np.full(8, 0.15), np.zeros(23)]) + rng.normal(0, 0.12, (few, 32))
    return unit(x.astype(np.float32)), wrong


def test_what_lies_in_the_middle_of_everything_is_found() -> None:
    x, wrong = classes_and_a_few_in_their_middle()
    found = outlying(x)
    assert roc_auc(found.scores, wrong).value > 0.98
    assert roc_auc(found.scores, wrong).value >= roc_auc(far_from_neighbours(x), wrong, "low").value
    assert set(np.flatnonzero(wrong)) <= set(found.flagged()) and len(found.flagged()) < 30
    assert len(found.by_chance) == 400 and (found.by_chance > found.threshold).mean() < 0.05


def test_what_is_so_much_outside_that_it_makes_the_spread_is_found_too() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(0, 0.05, (300, 200)) + np.eye(200)[0]
    x[:10] = rng.normal(0, 0.05, (10, 200)) + np.eye(200)[1]
    assert set(range(10)) <= set(outlying(unit(x.astype(np.float32))).flagged().tolist())


def test_neither_rotation_nor_order_matters() -> None:
    x, _ = classes_and_a_few_in_their_middle(120)
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.normal(size=(32, 32)))[0].astype(np.float32)
    order = rng.permutation(120)
    scores = outlying(x).scores
    np.testing.assert_allclose(outlying(unit(x @ rotation)).scores, scores, atol=0.1)
    np.testing.assert_allclose(outlying(x[order]).scores, scores[order], atol=0.05)


def test_directions_count_alike_where_rows_are_many() -> None:
    rng = np.random.default_rng(2)
    x = unit((rng.normal(size=(4000, 6)) * [3, 2, 1, 0.5, 0.3, 0.2] + [4, 0, 0, 0, 0, 0]).astype(np.float32))
    spread = np.linalg.eigvalsh(np.cov(whitened(x).T))
    assert spread.max() < 2 * spread[1], "but for the one that unit length takes away"
    few = np.linalg.eigvalsh(np.cov(whitened(x[:12]).T))
    assert few.max() > 3 * few[1], "of few rows the spread is not believed"


@pytest.mark.parametrize("n", [0, 1, 2, 3, 12])
def test_few_images_and_equal_ones_are_no_trouble(n: int) -> None:
    equal = np.repeat(unit(np.ones((1, 5), np.float32)), n, axis=0)
    different = unit(np.random.default_rng(0).normal(size=(n, 5)).astype(np.float32)) if n else equal
    for x in (equal, different):
        found = outlying(x)
        assert len(found.scores) == n and np.isnan(found.scores).all() == (n < 2)
        assert len(found.flagged()) < max(n, 1)
    assert not n or not outlying(equal).flagged().size


def test_partners_are_the_nearest_by_plain_cosines_and_k_is_said() -> None:
    x, _ = classes_and_a_few_in_their_middle(60)
    near = nearest_others(x, 10)
    found = outlying(x, neighbours=near, k=2)
    assert (found.partners == near.rows[:, 0]).all() and "to the 2nd nearest image" in found.evidence[0]
    assert "6th nearest" in outlying(x).evidence[0]
    with pytest.raises(ShapeError, match="neighbours of 59 rows"):
        outlying(x[1:], neighbours=near)
