"""What was kept of the built-in model's training: its shape, its last step, and what a broken file says."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import SourceError
from core.learning.history import builtin_history, probe_dataset


def test_the_history_begins_untrained_and_ends_trained():
    history = builtin_history()
    assert history.steps[0] == 0
    assert (np.diff(history.steps) > 0).all()
    assert history.images.shape == history.texts.shape == (len(history), 300, 64)
    np.testing.assert_allclose(np.linalg.norm(history.images, axis=-1), 1, atol=1e-5)
    first, last = history.pairs(0), history.pairs(-1)
    right = [(np.argmax(p.images @ p.texts.T, axis=1) == np.arange(300)).mean() for p in (first, last)]
    assert right[0] < 0.05
    assert right[1] > 0.9
    assert history.measures["loss"][0] > 4 > 0.1 > history.measures["loss"][-1]
    assert history.measures["temperature"][0] == pytest.approx(0.07)
    assert history.some(5)[0] == 0
    assert history.some(5)[-1] == len(history) - 1
    assert len(history.some(5)) == 5


def test_the_last_step_is_what_the_built_in_model_says_of_the_probe_scenes():
    from core.encoding.models import load_model
    from core.geometry.directions import unit

    history, dataset, model = builtin_history(), probe_dataset(), load_model("builtin", device="cpu", dtype="float32")
    texts = unit(model.encode_texts(dataset.texts[:40]))
    images = unit(model.encode_images([dataset.images.decode(i) for i in range(20)]))
    assert (texts * history.texts[-1][:40]).sum(axis=1).min() > 0.99
    assert (images * history.images[-1][:20]).sum(axis=1).min() > 0.97
    assert len(dataset.image_ids) == history.images.shape[1]


def test_a_history_that_cannot_be_read_is_said_in_words(tmp_path):
    with pytest.raises(SourceError, match=r"kept through training in training\.npz; got FileNotFoundError"):
        builtin_history(tmp_path)
    np.savez(tmp_path / "training.npz", step=np.arange(3))
    with pytest.raises(SourceError, match=r"got KeyError.*python -m core train builtin"):
        builtin_history(tmp_path)
    (tmp_path / "training.npz").write_bytes(b"no archive")
    with pytest.raises(SourceError, match="Train the built-in model again"):
        builtin_history(tmp_path)
