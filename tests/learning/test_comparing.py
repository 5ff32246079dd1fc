"""What sets taught: differences paired over seeds, runs that did not end, chance, and real towers on two sets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ttest_rel

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.learning.comparing import Scores, Taught, by_chance, compared, learn_on, scores
from core.learning.records.record import Probe
from core.learning.towers.pairs import Lesson, SmallPairs
from core.learning.towers.setup import Setup

SHADES = {"dark red": (120, 20, 20), "red": (220, 30, 30), "green": (30, 200, 40), "blue": (20, 40, 210),
          "yellow": (220, 220, 30), "white": (240, 240, 240)}


def coloured(n: int, seed: int) -> SmallPairs:
    rng = np.random.default_rng(seed)
    names = [list(SHADES)[k] for k in np.arange(n) % len(SHADES)]
    pictures = np.stack([np.full((16, 16, 3), SHADES[name]) for name in names]) + rng.normal(0, 8, (n, 16, 16, 3))
    return SmallPairs(np.clip(pictures, 0, 255).astype(np.uint8), tuple(names),
                      tuple(name.split()[-1] for name in names), tuple(f"{seed} {i}" for i in range(n)))


def test_differences_are_paired_over_seeds_and_corrected_together():
    rng = np.random.default_rng(0)
    base, gain = rng.normal(0.4, 0.1, 6), rng.normal(0.2, 0.02, 6)
    runs = {"all": [Scores({"r1": v, "gap": 1.0}, {"a": v}) for v in base],
            "kept": [*(Scores({"r1": v, "gap": 1.0}, {"a": v}) for v in base + gain), None]}
    runs["all"].append(Scores({"r1": 0.9, "gap": 1.0}, {}))
    found = compared("towers", runs, {"kept": "all"}, {"all": 9, "kept": 5}, 30, {"r1": 0.1})
    step = found.differences["kept", "r1"]
    assert step.change.value == pytest.approx(gain.mean()) and step.verdict is Verdict.HIGHER
    assert step.p == pytest.approx(ttest_rel(base + gain, base).pvalue)
    assert found.differences["kept", "gap"].verdict is Verdict.NOT_MEASURABLE
    assert found.numbers["kept", "gap"].low is None
    number = found.numbers["kept", "r1"]
    assert number.value == pytest.approx((base + gain).mean()) and number.n == 6 and number.null == 0.1
    assert found.notes == ("1 of 7 runs on kept did not end and are left out.",) and found.measures == ("r1", "gap")


def test_chance_is_what_random_unit_vectors_have():
    rng = np.random.default_rng(1)
    labels = tuple("abcd"[i % 4] for i in range(40))
    probe = Probe(tuple(map(str, range(40))), tuple(f"t{i % 20}" for i in range(20)),
                  np.array([(i, i % 20) for i in range(40)]), labels)
    drawn = [scores(unit(rng.normal(size=(40, 8))).astype(np.float32), unit(rng.normal(size=(20, 8))
                                                                            ).astype(np.float32), probe).measures
             for _ in range(150)]
    told = by_chance(probe, 8)
    assert set(told) == set(drawn[0])
    for key, value in told.items():
        values = np.array([one[key] for one in drawn])
        assert abs(values.mean() - value) < 4 * values.std() / np.sqrt(len(values)) + 0.02, key


def test_wrong_captions_teach_less_and_nothing_is_trained_twice(monkeypatch):
    train, probe = coloured(240, 0), coloured(36, 1)
    dealt = np.random.default_rng(0).permutation(240)
    wrong = SmallPairs(train.images, tuple(train.texts[i] for i in dealt), train.labels, train.ids)
    sets = [Taught("all", (Lesson("wrong", wrong, probe),)), Taught("kept", (Lesson("right", train, probe),), "all")]
    setup = Setup(steps=60, every=60, batch=64, dim=8)
    found = learn_on(sets, setup, seeds=3)
    assert found.numbers["kept", "r1"].value > 0.9 > found.numbers["all", "r1"].value + 0.3
    assert found.differences["kept", "r1"].change.value > 0.3 and found.trained == {"all": 240, "kept": 240}
    assert set(found.class_names) == {"blue", "green", "red", "white", "yellow"}
    assert found.numbers["kept", "zero_shot"].value > 0.8

    def never(*_: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("core.learning.towers.workers.Pool.final", never)
    again = learn_on(sets, setup, seeds=3)
    np.testing.assert_array_equal(again.runs["kept", "r1"], found.runs["kept", "r1"])
    monkeypatch.undo()
    with pytest.raises(Cancelled):
        learn_on(sets, setup.but(steps=61), seeds=3, should_stop=lambda: True)
    with pytest.raises(ShapeError, match="the same items"):
        learn_on([sets[0], Taught("b", (Lesson("b", train, coloured(12, 2)),))], setup)
