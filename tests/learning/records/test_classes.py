"""Zero-shot by class from a probe: by hand, against a naive loop, and what cannot be asked."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.geometry.directions import unit
from core.learning.records.classes import zero_shot_hits, zero_shot_shares


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 20), st.integers(0, 10))
def test_it_is_what_a_loop_over_images_finds(n: int, seed: int):
    rng = np.random.default_rng(seed)
    x, y = (unit(rng.normal(size=(n, 4))) for _ in range(2))
    labels = ["abc"[k] if k < 3 else "" for k in rng.integers(0, 4, n)]
    links = np.stack([np.arange(n)] * 2, axis=1)
    names = sorted(set(labels) - {""})
    naive: dict[str, list[float]] = {}
    for i, label in enumerate(labels):
        if not label or len(names) < 2 or labels.count(label) < 2:
            continue
        means = {name: unit(sum(y[j] for j in range(n) if labels[j] == name and j != i)[None])[0] for name in names}
        naive.setdefault(label, []).append(float(max(names, key=lambda name: float(means[name] @ x[i])) == label))
    found = zero_shot_hits(x, y, links, labels)
    assert set(found) == set(naive)
    for name, hits in found.items():
        np.testing.assert_allclose(hits, naive[name])
    shares = zero_shot_shares(x, y, links, labels)
    of_classes = {f"zero_shot/{names.index(name) + 1}" for name in found}
    assert set(shares) == of_classes | ({"zero_shot/0"} if found else set())


def test_equal_classes_are_guessed_and_one_class_is_none():
    x = np.eye(3)[[0, 0, 0, 0]]
    links = np.stack([np.arange(4)] * 2, axis=1)
    hits = zero_shot_hits(x, x, links, ["a", "a", "b", "b"])
    assert hits["a"].tolist() == [0.5, 0.5] and hits["b"].tolist() == [0.5, 0.5]
    assert zero_shot_hits(x, x, links, ["a"] * 4) == {} == zero_shot_shares(x, x, links, [""] * 4)
