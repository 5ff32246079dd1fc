"""Steps turned to one of them: a training that only rotates does not flow; what is left is reported."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.errors import ChoiceError
from core.geometry.directions import unit
from core.learning.records.aligned import aligned
from core.learning.records.record import Record
from tests.geometry.test_procrustes import planted
from tests.learning.records.test_file import a_record


def turning(d: int = 6, *, noise: float = 0.0) -> Record:
    """A record whose steps are the last one's points, turned by a matrix each; more images than texts."""
    record = a_record(s=4, n=40, m=12, d=d)
    turns = [planted(d, seed, reflection=seed == 2) for seed in range(3)] + [np.eye(d)]
    rng = np.random.default_rng(5)

    def steps(last: np.ndarray) -> np.ndarray:
        return np.stack([unit(((last + noise * rng.normal(size=last.shape)) @ turn.T).astype(np.float32))
                         for turn in turns[:-1]] + [last])

    return replace(record, images=steps(record.images[-1]), texts=steps(record.texts[-1]))


def test_a_training_that_only_turns_does_not_flow() -> None:
    record = turning()
    found = aligned(record)
    np.testing.assert_allclose(found.record.images, np.broadcast_to(record.images[-1], record.images.shape), atol=1e-6)
    np.testing.assert_allclose(found.record.texts, np.broadcast_to(record.texts[-1], record.texts.shape), atol=1e-6)
    assert found.residuals.max() < 1e-6 < 0.5 < found.before[:-1].min()
    assert found.reflected.tolist() == [False, False, True, False]
    assert (found.turned[:-1] > 0.5).all()
    assert found.turned[-1] == found.largest[-1] == found.residuals[-1] == found.before[-1] == 0


def test_what_is_left_lies_between_none_and_chance_and_both_towers_turn_as_one() -> None:
    record = turning(noise=0.05)
    found = aligned(record)
    assert (found.residuals[:-1] > 0.02).all()
    assert (found.residuals[:-1] < 0.5 * found.chance[:-1]).all()
    assert (found.residuals < found.before + 1e-9).all()
    for i in range(len(record)):
        np.testing.assert_allclose(found.record.images[i] @ found.record.texts[i].T,
                                   record.images[i] @ record.texts[i].T, atol=2e-6)
    apart = record.images.copy()
    apart[0] = apart[0] @ planted(6, 9).astype(np.float32)
    assert aligned(replace(record, images=apart)).residuals[0] > 0.3, "no one matrix turns two towers that part"
    first = aligned(record, reference=0)
    assert first.reference == 0
    assert first.residuals[0] == 0
    with pytest.raises(ChoiceError, match="4 steps"):
        aligned(record, reference=4)


def test_a_probe_of_one_pair_is_turned_onto_itself() -> None:
    record = a_record(s=3, n=1, m=1, d=5)
    found = aligned(record)
    assert np.isfinite([*found.residuals, *found.chance, *found.turned]).all()
    assert not found.reflected.any()
