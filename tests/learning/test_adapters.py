"""Adapters on frozen features: where they begin, what pairs teach them, and intervals over what is asked."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import Cancelled
from core.geometry.differences import Verdict
from core.geometry.directions import unit
from core.learning.adapters import FROZEN, Adapted, _by_item, adapter, compare_adapters
from core.learning.comparing import scores
from core.learning.records.record import Probe


def paired(n: int, seed: int, d: int = 12) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Captions are images under one fixed map that is not the identity, with noise."""
    bent = np.eye(d) + 0.8 * np.random.default_rng(5).normal(size=(d, d)) / np.sqrt(d)
    rng = np.random.default_rng(seed)
    x = unit(rng.normal(size=(n, d)))
    y = unit(x @ bent + 0.15 * rng.normal(size=(n, d)))
    return x.astype(np.float32), y.astype(np.float32), tuple(f"{seed} {i}" for i in range(n))


def test_an_adapter_begins_as_the_model_and_pairs_teach_it_what_shuffled_ones_do_not():
    x, y, said = paired(600, 0)
    images, texts, _ = paired(150, 1)
    for a, b in zip(adapter(x, y, said, images, texts, steps=0), (images, texts)):
        np.testing.assert_allclose(a, b, atol=1e-6)
    probe = Probe(tuple(map(str, range(150))), tuple(f"t{i}" for i in range(150)),
                  np.stack([np.arange(150)] * 2, axis=1), tuple("ab"[i % 2] for i in range(150)))
    dealt = np.random.default_rng(0).permutation(600)
    draws = tuple((x, y[rows], said) for rows in (dealt, np.roll(dealt, 7)))
    found = compare_adapters([Adapted("shuffled", draws), Adapted("right", ((x, y, said),), "shuffled")], images, texts,
                             probe)
    before = scores(images, texts, probe).measures
    for key, value in before.items():
        assert found.numbers[FROZEN, key].value == pytest.approx(value, abs=1e-6), key
    assert found.numbers["right", "r1"].value > max(before["r1"], found.numbers["shuffled", "r1"].value) + 0.03
    assert found.beside == {"right": "shuffled"} and len(found.runs["shuffled", "r1"]) == 2
    for key, better in (("r1", Verdict.HIGHER), ("alignment", Verdict.LOWER)):
        assert found.differences["right", key].verdict is better, key
    assert found.numbers["right", "gap"].low < found.numbers["right", "gap"].value < found.numbers["right", "gap"].high
    first, second = (adapter(x, y, said, images, texts, seed=3, steps=20)[0] for _ in range(2))
    np.testing.assert_array_equal(first, second)
    alone = compare_adapters([Adapted("right", ((x[:3], y[:3], said[:3]),))], images, texts, probe)
    assert alone.beside == {"right": FROZEN}
    with pytest.raises(Cancelled):
        compare_adapters([Adapted("right", ((x, y, said),))], images, texts, probe, should_stop=lambda: True)


def test_uniformity_and_gap_without_each_item_are_those_of_the_others():
    images, texts, _ = paired(8, 2)
    links = np.array([(0, 0), (1, 0), *((i, i - 1) for i in range(2, 8))])
    probe = Probe(tuple(map(str, range(8))), tuple(f"t{i}" for i in range(7)), links)
    found = _by_item(images, texts[:7], probe)
    for i in range(8):
        x = np.delete(images, i, axis=0).astype(float)
        y = texts[:7].astype(float) if i < 2 else np.delete(texts[:7], i - 1, axis=0).astype(float)
        assert found["gap"][i] == pytest.approx(np.linalg.norm(x.mean(axis=0) - y.mean(axis=0)))
        pairs = [np.exp(-2 * ((x[a] - x[b]) ** 2).sum()) for a in range(7) for b in range(7) if a != b]
        assert found["uniformity"][i] == pytest.approx(np.log(np.mean(pairs)), rel=1e-5)
