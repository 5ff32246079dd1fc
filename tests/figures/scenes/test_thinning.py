"""A sample of very many points: shares to within one, pairs kept together, seeded, and said."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from core.errors import ShapeError
from core.figures.scenes.embedding import Points
from core.figures.scenes.thinning import stratified, thin
from core.geometry.directions import unit
from core.types import EmbeddingSet, ModelSpec


def part(n: int, modality: str, labels: list[str] | None, seed: int = 0) -> EmbeddingSet:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(index=range(n)) if labels is None else pd.DataFrame({"Label": labels})
    return EmbeddingSet(unit(rng.standard_normal((n, 4)).astype(np.float32)), rng.uniform(1, 2, n),
                        tuple(f"{modality} {i}" for i in range(n)), modality, table, ModelSpec("m", "0", 4, "0"))


def pairs(n: int = 300, each: int = 5, extra: int = 300) -> Points:
    rng = np.random.default_rng(1)
    labels = rng.choice(["cat", "dog", "emu"], n, p=[0.7, 0.25, 0.05]).tolist()
    links = np.stack([np.repeat(np.arange(n), each), np.arange(n * each)], axis=1)
    return Points(part(n, "image", labels), part(n * each + extra, "text", None, 2),
                  tuple(f"caption {i}" for i in range(n * each + extra)), links)


def test_each_stratum_keeps_its_share_to_within_one_row():
    strata = np.random.default_rng(0).choice(list("abcdef"), 5_000, p=[0.5, 0.3, 0.1, 0.06, 0.03, 0.01])
    for n in (1, 7, 333, 4_999):
        rows = stratified(strata, n, seed=n)
        assert len(np.unique(rows)) == len(rows) == n
        assert (np.diff(rows) > 0).all()
        whole, mine = Counter(strata), Counter(strata[rows])
        assert all(abs(mine[s] - n * whole[s] / 5_000) < 1 + 1e-9 for s in whole)


def test_every_row_is_as_likely_as_any_other():
    strata = np.array(["a"] * 17 + ["b"] * 3)
    times = np.bincount(np.concatenate([stratified(strata, 5, seed) for seed in range(4_000)]), minlength=20)
    assert np.abs(times / 4_000 - 0.25).max() < 0.03   # standard error 0.007


def test_all_rows_where_there_are_few_and_none_where_none_are_asked_for():
    assert list(stratified(np.array(["a", "b"]), 5)) == [0, 1]
    assert len(stratified(np.array(["a", "b"]), 0)) == 0
    with pytest.raises(ShapeError, match="a sample of zero rows or more"):
        stratified(np.array(["a"]), -1)


def test_a_sample_keeps_modalities_labels_and_pairs():
    points = pairs()
    found = thin(points, 700)
    few = found.points
    assert len(few) == 700
    assert few.n_images == 100                      # 300 of 2,100
    assert found.column == "Label"
    whole, mine = Counter(points.images.table["Label"]), Counter(few.images.table["Label"])
    assert all(abs(mine[label] - whole[label] / 3) < 1 + 1e-9 for label in whole)
    naive = {(points.images.ids[i], points.captions[j]) for i, j in points.links if i in set(found.images)}
    kept = {(few.images.ids[i], few.captions[j]) for i, j in few.links}
    assert kept == naive                            # 500 captions of the 100 images, and 100 texts without an image
    assert (found.texts >= 1_500).sum() == 100
    for kind, rows in (("images", found.images), ("texts", found.texts)):
        a, b = getattr(points, kind), getattr(few, kind)
        assert b.ids == tuple(a.ids[i] for i in rows)
        assert np.array_equal(b.vectors, a.vectors[rows])
        assert np.array_equal(b.norms, a.norms[rows])


def test_a_sample_repeats_with_its_seed():
    points = pairs()
    a, b, c = thin(points, 200, 5), thin(points, 200, 5), thin(points, 200, 6)
    assert a.points.images.ids == b.points.images.ids
    assert a.points.captions == b.points.captions
    assert a.points.images.ids != c.points.images.ids


def test_few_points_stay_as_they_are_and_one_modality_is_enough():
    points = pairs()
    assert thin(points).points is points
    texts = Points(None, part(50, "text", None), tuple(map(str, range(50))))
    assert len(thin(texts, 20).points) == 20
    images = Points(part(50, "image", ["x"] * 50), None)
    assert len(thin(images, 20).points) == 20


def test_prompts_are_added_after_the_sample():
    points = Points(part(5, "image", None), None, prompts=("a",), prompt_vectors=np.eye(4, dtype=np.float32)[:1])
    with pytest.raises(ShapeError, match="points without prompts"):
        thin(points, 3)
