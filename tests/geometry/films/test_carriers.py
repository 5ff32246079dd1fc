"""Which features carry a genre: the one that does stands out alone, and is missed when it is taken away."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.differences import Verdict
from core.geometry.films.carriers import families, singles, what_carries
from core.geometry.films.feature_names import FAMILIES, FEATURES, PATH_FEATURES
from core.geometry.films.genres import classify


def test_the_part_that_carries_the_genre_is_found():
    rng = np.random.default_rng(0)
    labels = ["a", "b"] * 20
    x = rng.normal(size=(40, 4))
    x[:, 2] += np.where(np.array(labels) == "a", 0, 4)
    said: list[float] = []
    found = what_carries(x, labels, {"first two": [0, 1], "third": [2], "last": [3]}, permutations=199,
                         on_progress=lambda f, t: said.append(f))
    by_title = {c.title: c for c in found.parts}
    assert by_title["third"].alone.p == pytest.approx(3 / 200) and by_title["third"].alone.accuracy.value > 0.9
    assert by_title["third"].lost.verdict is Verdict.HIGHER and by_title["third"].lost.change.value > 0.25
    for title in ("first two", "last"):
        assert by_title[title].alone.p > 0.05
        assert by_title[title].lost.verdict is Verdict.NOT_TOLD_APART
    without = classify(x[:, [0, 1, 3]], labels, permutations=1)
    gain = found.whole.accuracy.value - without.accuracy.value
    assert by_title["third"].lost.change.value == pytest.approx(gain)
    assert said == sorted(said) and said[-1] == 1


def test_all_features_in_one_part_leave_nothing_to_compare_with():
    x, labels = np.random.default_rng(0).normal(size=(10, 2)), list("ab" * 5)
    found = what_carries(x, labels, {"all": [0, 1]}, permutations=9)
    assert found.parts[0].lost.verdict is Verdict.NOT_MEASURABLE
    assert what_carries(x, ["a"] * 10, {"all": [0, 1]}).parts[0].alone.p is None
    for parts in ({"none": []}, {"far": [2]}):
        with pytest.raises(ShapeError, match="each from 0 to 1"):
            what_carries(x, labels, parts)


def test_parts_are_named_by_the_registry():
    keys = list(PATH_FEATURES)
    by_family = families(keys)
    assert set(by_family) < set(FAMILIES.values())
    assert sorted(i for columns in by_family.values() for i in columns) == list(range(len(keys)))
    assert list(singles(keys)) == [FEATURES[key].title for key in keys]
    assert families(["unknown"]) == {}
