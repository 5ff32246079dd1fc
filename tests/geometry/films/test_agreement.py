"""Agreement of two groupings: by the formula, against scikit-learn, and at its ends."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from core.errors import ShapeError
from core.geometry.films.agreement import adjusted_rand, shared


def test_agreement_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    for k in (1, 2, 5, 30):
        a, b = rng.integers(0, k, 40), rng.integers(3, 6, 40)
        assert adjusted_rand(a, b) == pytest.approx(adjusted_rand_score(a, b))
        assert adjusted_rand(a, 7 - a) == 1
    assert adjusted_rand(np.zeros(1, int), np.ones(1, int)) == 1
    assert shared(np.array([5, 5, 9]), np.array([0, 1, 1])).tolist() == [[1, 1], [0, 1]]
    with pytest.raises(ShapeError, match="two groupings of the same items"):
        adjusted_rand(np.zeros(3, int), np.zeros(2, int))
