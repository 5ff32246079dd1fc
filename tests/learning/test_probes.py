"""Linear probes on frozen features: what they learn, what they are asked, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.differences import Verdict, hits_differ
from core.geometry.directions import unit
from core.learning.probes import ZERO_SHOT, Fitted, compare_probes, linear_probe


def clustered(n: int, seed: int, classes: int = 4, d: int = 16) -> tuple[np.ndarray, tuple[str, ...]]:
    centres = np.random.default_rng(99).normal(size=(classes, d))
    rng = np.random.default_rng(seed)
    of = np.arange(n) % classes
    return unit(centres[of] + 0.9 * rng.normal(size=(n, d))).astype(np.float32), tuple("abcdefgh"[k] for k in of)


def noisy(labels: tuple[str, ...], share: float, seed: int) -> tuple[str, ...]:
    rng = np.random.default_rng(seed)
    return tuple("abcd"[rng.integers(4)] if rng.random() < share else label for label in labels)


def test_right_labels_teach_more_than_wrong_ones_paired_over_the_items_asked():
    x, labels = clustered(400, 0)
    asked, truth = clustered(200, 1)
    wrong = noisy(labels, 0.8, 2)
    draws = tuple((x[k::2], wrong[k::2]) for k in range(2))
    found = compare_probes([Fitted("all", ((x, wrong),)), Fitted("kept", ((x, labels),), "random"),
                            Fitted("random", draws)], asked, truth, zero_shot=np.full(200, 0.5))
    assert found.sets == (ZERO_SHOT, "all", "kept", "random")
    hits = {name: np.array([a == b for a, b in zip(linear_probe(*part, asked), truth)], float)
            for name, part in (("kept", (x, labels)), ("0", draws[0]), ("1", draws[1]))}
    assert found.numbers["kept", "accuracy"].value == pytest.approx(hits["kept"].mean())
    assert found.numbers["kept", "accuracy"].null == pytest.approx(0.25)
    expected = hits_differ((hits["0"] + hits["1"]) / 2, hits["kept"])
    step = found.differences["kept", "accuracy"]
    assert step.p == expected.p and step.change == expected.change and step.verdict is Verdict.HIGHER
    assert found.numbers[ZERO_SHOT, "accuracy"].value == 0.5 and len(found.runs["random", "accuracy"]) == 2
    worst = min(hits["kept"][np.array(truth) == name].mean() for name in "abcd")
    assert found.numbers["kept", "worst_class"].value == pytest.approx(worst)


def test_a_class_that_is_not_trained_on_is_never_right_and_a_set_without_labels_is_told():
    x, labels = clustered(120, 0)
    asked, truth = clustered(40, 1)
    no_a = Fitted("no a", ((x, tuple("" if label == "a" else label for label in labels)),))
    found = compare_probes([no_a, Fitted("none", ((x, ("",) * 120),)), Fitted("one", ((x, ("b",) * 120),))],
                           asked, truth)
    assert found.classes["no a", "a"].value == 0 and found.classes["one", "b"].value == 1
    assert found.notes == ("none has no labels to train on.",) and "none" not in found.sets
    with pytest.raises(ShapeError, match="two classes"):
        compare_probes([no_a], asked, ("a",) * 40)
    with pytest.raises(ShapeError, match="labels to train on"):
        compare_probes([Fitted("none", ((x, ("",) * 120),))], asked, truth)
    with pytest.raises(Cancelled):
        compare_probes([no_a], asked, truth, should_stop=lambda: True)
