"""k examples beside the prompts: the mean against a loop, what a prompt is worth, and that the intervals cover."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.learning.few_shots import Shots, few_shots
from core.learning.probes import linear_probe


def clustered(n: int, classes: int = 4, d: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    centres = np.random.default_rng(99).normal(size=(classes, d))
    truth = np.arange(n) % classes
    x = unit(centres[truth] + 1.6 * np.random.default_rng(seed).normal(size=(n, d))).astype(np.float32)
    return x, truth, unit(centres + 0.4 * np.random.default_rng(5).normal(size=centres.shape))


def test_examples_are_never_asked_and_each_learner_is_that_of_a_loop():
    x, truth, prompts = clustered(160)
    truth[:10] = -1
    told = []
    found = few_shots(x, truth, "abcd", x @ prompts.T, shots=(1, 2, 4), draws=3, seed=7,
                      on_progress=lambda share, text: told.append((share, text)))
    assert found.classes == tuple("abcd") and found.ks == (1, 2, 4) and found.left_out == 0
    assert found.hits["mean"].shape == found.hits["probe"].shape == (3, 3, len(found.asked))
    assert not set(found.asked) & set(range(10)) and 70 <= len(found.asked) <= 78
    assert [share for share, _ in told] == sorted(share for share, _ in told) and "4 examples of each" in told[-1][1]
    zero = (x[found.asked] @ prompts.T).argmax(axis=1) == truth[found.asked]
    np.testing.assert_array_equal(found.zero_shot, zero)

    rng = np.random.default_rng((7, 0))
    pools = {}
    for k in range(4):
        rows = rng.permutation(np.flatnonzero(truth == k))
        pools[k] = rows[int(np.ceil(len(rows) / 2)):]
        assert not set(pools[k]) & set(found.asked)
    rng.permutation(len(found.asked))
    for draw in range(3):
        drawn = [rng.permutation(pools[k])[:4] for k in range(4)]
        for i, k in enumerate((1, 2, 4)):
            means = np.stack([x[rows[:k]].mean(axis=0) for rows in drawn])
            means /= np.linalg.norm(means, axis=1, keepdims=True)
            expected = (x[found.asked] @ means.T).argmax(axis=1) == truth[found.asked]
            np.testing.assert_array_equal(found.hits["mean"][i, draw], expected)
            rows = np.concatenate([own[:k] for own in drawn])
            said = linear_probe(x[rows], [str(truth[row]) for row in rows], x[found.asked])
            np.testing.assert_array_equal(found.hits["probe"][i, draw], [int(s) == t for s, t in
                                                                         zip(said, truth[found.asked])])
    curve = found.curve("probe")
    assert (curve.low <= curve.values).all() and (curve.values <= curve.high).all()
    assert curve.values[-1] > curve.values[0] and found.prompts.null == 0.25


def made(values: list[float], line: float, ks: tuple[int, ...] = (1, 2, 4, 8)) -> Shots:
    hits = np.stack([np.resize((np.arange(1000) < 1000 * v).astype(np.float32), (20, 1000)) for v in values])
    return Shots(("a", "b"), 0, ks, {"mean": hits}, (np.arange(1000) < 1000 * line).astype(np.float64),
                 np.arange(1000))


def test_what_the_prompt_is_worth_lies_where_the_curve_crosses_its_line():
    found = made([0.5, 0.6, 0.7, 0.8], 0.65).worth("mean")
    assert found.value == pytest.approx(2 * np.sqrt(2)) and found.low < found.value < found.high
    assert made([0.5, 0.6, 0.7, 0.8], 0.7).worth("mean").value == pytest.approx(4)
    assert made([0.5, 0.6, 0.7, 0.8], 0.9).worth("mean").value == np.inf
    assert made([0.5, 0.6, 0.7, 0.8], 0.5).worth("mean").value == 1
    best = made([0.5, 0.6, 0.7, 0.8], 0.2).worth("mean")
    assert best.value == best.low == best.high == 0
    assert made([0.5, 0.7, 0.6, 0.8], 0.65).worth("mean").value == pytest.approx(2**0.75)


def test_the_intervals_cover_over_draws_and_items_together():
    rng, inside = np.random.default_rng(0), 0
    for seed in range(120):
        items, draws = rng.normal(size=80), 0.4 * rng.normal(size=(20, 1))
        chance = 1 / (1 + np.exp(-(0.5 + items + draws)))
        hits = (rng.random((1, 20, 80)) < chance).astype(np.float32)
        curve = Shots(("a", "b"), 0, (1,), {"mean": hits}, np.zeros(80), np.arange(80), seed).curve("mean")
        inside += bool(curve.low[0] <= 0.5985 <= curve.high[0])
    assert inside >= 108     # 114 are expected


def test_small_classes_are_left_out_and_too_few_are_refused():
    x, truth, prompts = clustered(40)
    truth[truth == 3] = -1
    truth[3] = 3
    found = few_shots(x, truth, "abcd", x @ prompts.T, draws=2, learners=("mean",))
    assert found.classes == tuple("abc") and found.left_out == 1 and found.ks == (1, 2, 4)
    with pytest.raises(ShapeError, match="two classes with two items"):
        few_shots(x[:4], np.arange(4), "abcd", x[:4] @ prompts.T)
    with pytest.raises(Cancelled):
        few_shots(x, truth, "abcd", x @ prompts.T, draws=2, should_stop=lambda: True)
