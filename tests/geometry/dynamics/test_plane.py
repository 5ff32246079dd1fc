"""The alignment-uniformity plane against naive double loops, with chance and intervals beside."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.geometry.directions import unit
from core.geometry.dynamics.plane import plane
from core.geometry.uniformity import uniformity_by_chance
from tests.geometry.dynamics.planted import gathering, random_turn


def test_both_axes_are_what_a_double_loop_finds_at_each_step():
    record = gathering(3)
    found = plane(record.images, record.texts, record.probe.links, record.steps)
    linked = {tuple(link) for link in record.probe.links.tolist()}
    for t, (x, y) in enumerate(zip(record.images.astype(np.float64), record.texts.astype(np.float64))):
        near = [((x[i] - y[j]) ** 2).sum() for i, j in linked]
        far = [((a - b) ** 2).sum() for i, a in enumerate(x) for j, b in enumerate(y) if (i, j) not in linked]
        assert found.alignment.values[t] == pytest.approx(np.mean(near), abs=1e-6)
        assert found.alignment.null[t] == pytest.approx(np.mean(far), abs=1e-6)
        for name, points in (("images", x), ("texts", y)):
            potential = [np.exp(-2 * ((a - b) ** 2).sum()) for i, a in enumerate(points) for b in points[:i]]
            assert found.uniformity[name].values[t] == pytest.approx(np.log(np.mean(potential)), abs=1e-5)
            assert found.uniformity[name].null[t] == pytest.approx(uniformity_by_chance(3))
    assert (found.alignment.low <= found.alignment.values).all()
    change = found.changes["alignment"]
    assert change.value == pytest.approx(found.alignment.values[-1] - found.alignment.values[0])
    assert change.high < 0, "pairs come nearer"


def test_a_turn_of_everything_moves_nothing_in_the_plane():
    record, q = gathering(3), random_turn(1)
    first = plane(record.images, record.texts, record.probe.links, record.steps)
    second = plane((record.images @ q.T).astype(np.float32), (record.texts @ q.T).astype(np.float32),
                   record.probe.links, record.steps)
    np.testing.assert_allclose(first.alignment.values, second.alignment.values, atol=1e-5)
    np.testing.assert_allclose(first.uniformity["images"].values, second.uniformity["images"].values, atol=1e-5)


def test_the_interval_of_a_change_covers():
    rng, covered, n = np.random.default_rng(0), 0, 40
    links = np.repeat(np.arange(n)[:, None], 2, axis=1)

    def draw() -> tuple[np.ndarray, np.ndarray]:
        y = unit(rng.normal(size=(n, 3)))
        near = [unit(y + s * rng.normal(size=(n, 3))) for s in (0.6, 0.3)]
        return np.stack(near).astype(np.float32), np.stack([y, y]).astype(np.float32)

    found = [plane(*draw(), links, np.array([0, 1])).changes["alignment"] for _ in range(200)]
    truth = np.mean([one.value for one in found])
    covered = sum(one.low <= truth <= one.high for one in found)
    assert 180 <= covered <= 199


def test_one_text_has_no_uniformity_and_no_links_no_alignment():
    record = gathering(2)
    found = plane(record.images, record.texts[:, :1], np.array([[0, 0]]), record.steps)
    assert set(found.uniformity) == {"images"}
    assert found.alignment.low is None
    with pytest.raises(ShapeError, match="that are linked"):
        plane(record.images, record.texts, np.zeros((0, 2)), record.steps)
