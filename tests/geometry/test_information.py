"""Pointwise mutual information of images and texts: by hand, its ceiling, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.information import pointwise_information


def test_it_is_the_logarithm_of_a_softmax_over_images_times_their_number():
    rng = np.random.default_rng(0)
    own, others = rng.normal(size=(3, 4)), rng.normal(size=(7, 4))
    found = pointwise_information(own, others)
    for i in range(3):
        for j in range(4):
            shares = np.exp([own[i, j], *others[:, j]])
            assert found[i, j] == pytest.approx(math.log(8 * shares[0] / shares.sum()))


def test_it_stays_below_its_ceiling_and_is_nothing_where_all_fit_alike():
    assert pointwise_information(np.array([[900.0]]), np.zeros((9, 1)))[0, 0] == pytest.approx(math.log(10))
    assert pointwise_information(np.full((1, 2), -900.0), np.full((9, 2), -900.0)) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ShapeError, match="one reference"):
        pointwise_information(np.zeros((1, 2)), np.zeros((0, 2)))
