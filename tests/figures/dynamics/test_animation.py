"""An animation holds each snapshot's places, and its table what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ShapeError
from core.figures.dynamics.animation import animation, record_table
from core.geometry.directions import unit
from core.learning.records.record import Probe, Record


def record(s: int = 4, n: int = 5) -> Record:
    rng = np.random.default_rng(0)
    probe = Probe(tuple(f"i{k}" for k in range(n)), ("a <b>red</b> cube", "a cone"),
                  np.array([[k, k % 2] for k in range(n)]))
    images, texts = (unit(rng.normal(size=(s * k, 3)).astype(np.float32)).reshape(s, k, 3) for k in (n, 2))
    return Record("a run", probe, np.arange(s) * 10, images, texts, {"loss": np.arange(s) + 0.5})


def test_every_frame_has_the_places_of_its_snapshot():
    made = record()
    figure = animation(made, made.images, made.texts)
    assert [frame.name for frame in figure.frames] == ["0", "10", "20", "30"]
    for k, frame in enumerate(figure.frames):
        drawn = np.concatenate([np.stack([t.x, t.y, t.z], 1) for t in frame.data])
        np.testing.assert_allclose(drawn, np.concatenate([made.images[k], made.texts[k]]), atol=1e-6)
    assert "<b>red" not in figure.to_html(include_plotlyjs=False)
    with pytest.raises(ShapeError, match="places"):
        animation(made, made.images[:2], made.texts[:2])


def test_the_table_has_a_row_a_snapshot():
    table = record_table(record())
    assert table["step"].tolist() == [0, 10, 20, 30] and table.iloc[2, 1] == 2.5
