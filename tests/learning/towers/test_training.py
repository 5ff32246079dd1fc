"""Training of the towers: it learns, the same again to the bit, and ends in words where it cannot go on."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import Cancelled, OrreryError
from core.learning.records.measuring import chance_r1, interval_of
from core.learning.records.record import MEASURES, Snapshot
from core.learning.towers import training as module
from core.learning.towers.concepts import concept_lesson
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup
from core.learning.towers.training import Diverged, Training, _in_batches, one_torch_thread, train
from tests.learning.towers.made import cubes, lesson_of

SHORT = Setup(steps=6, every=4, batch=8)


@pytest.fixture(scope="module")
def cubes_of() -> Lesson:
    return cubes()


def test_the_live_run_learns_the_concepts() -> None:
    record = train(concept_lesson(), Setup(), name="live")
    assert record.steps.tolist() == list(range(0, 601, 10))
    assert list(record.measures) == list(MEASURES)
    first, last = ({key: float(values[at]) for key, values in record.measures.items()} for at in (0, -1))
    assert chance_r1(record.probe) == pytest.approx(1 / 12)
    assert first["r1"] < 0.4
    assert last["r1"] >= 0.9
    assert last["r1_text"] >= 0.9
    assert last["worst_class"] > 0.7
    assert last["alignment"] < 0.2
    assert last["uniformity"] < -1.8
    assert first["gap"] > 0.2 > last["gap"]
    assert last["temperature"] < first["temperature"] == pytest.approx(0.07)
    assert last["loss"] < 0.5 < first["loss"]
    r1 = interval_of(record)["r1"]
    assert r1.low > 0.8 and r1.n == 360


def test_the_same_lesson_and_setup_give_the_same_bits_on_however_many_threads(cubes_of: Lesson) -> None:
    setup = Setup(steps=12, every=5, batch=16, caption_noise=0.3)
    before = torch.get_num_threads()
    once = train(cubes_of, setup)
    try:
        torch.set_num_threads(2 if before == 1 else 1)
        torch.rand(5)
        again = train(cubes_of, setup)
        assert torch.get_num_threads() == (2 if before == 1 else 1), "the setting is as it was"
    finally:
        torch.set_num_threads(before)
    assert once.fingerprint == again.fingerprint
    assert once.steps.tolist() == [0, 5, 10, 12]
    assert train(cubes_of, setup.but(seed=1)).fingerprint != once.fingerprint


def test_steps_one_by_one_are_the_steps_of_a_run(cubes_of: Lesson) -> None:
    told = []
    record = train(cubes_of, SHORT, on_snapshot=told.append)
    training = Training(cubes_of, SHORT)
    training.snapshot()
    for _ in range(4):
        training.step()
    shot = training.snapshot()
    assert [one.step for one in told] == [0, 4, 6]
    np.testing.assert_array_equal(shot.images, record.images[1])
    assert shot.measures == pytest.approx({key: values[1] for key, values in record.measures.items()})
    training.advance()
    assert training.finished and training.at == 6
    with pytest.raises(OrreryError, match="Set more steps"):
        training.step()


@pytest.mark.parametrize(("dial", "choice"), [(name, choice) for name, dial in DIALS.items() if dial.choices
                                              for choice in list(dial.choices)[1:]])
def test_every_choice_learns(cubes_of: Lesson, dial: str, choice: str) -> None:
    record = train(cubes_of, Setup(steps=80, every=40, batch=16, dim=3).but(**{dial: choice}))
    assert not record.ended
    assert record.measures["r1"][-1] >= 0.6, "three colours"
    assert np.isnan(record.measures["temperature"]).all() == (choice == "alignment_uniformity")
    if choice == "closed":
        assert record.measures["gap"][0] < 0.05


def test_a_fixed_temperature_stays_and_a_learned_one_moves(cubes_of: Lesson) -> None:
    fixed, learned = (train(cubes_of, SHORT.but(temperature=t)).measures["temperature"] for t in (0.2, 0))
    assert fixed.tolist() == pytest.approx([0.2] * 3)
    assert learned[0] == pytest.approx(0.07) and learned[-1] != learned[0]


def test_batches_take_each_pair_once_before_any_again() -> None:
    for n, size in ((10, 4), (7, 7), (5, 64), (1, 8)):
        batches = list(islice(_in_batches(n, size, 3), 4 * n))
        assert {len(batch) for batch in batches} == {min(size, n)}
        rows = np.concatenate(batches)
        for epoch in range(len(rows) // n):
            assert sorted(rows[epoch * n:(epoch + 1) * n].tolist()) == list(range(n))
    first, other = (np.concatenate(list(islice(_in_batches(50, 10, seed), 5))).tolist() for seed in (0, 1))
    assert first != other


@pytest.mark.parametrize("faults", [{"missing": 0.75}, {"imbalance": 1.5}, {"unique": 0.01}, {"vague": 1.0},
                                    {"mismatched": 1.0}])
def test_faults_to_the_utmost_are_trained_on(cubes_of: Lesson, faults: dict[str, float]) -> None:
    record = train(cubes_of, SHORT.but(**faults))
    assert not record.ended and len(record) == 3


@pytest.mark.parametrize("loss", DIALS["loss"].choices)
@pytest.mark.parametrize(("train_on", "look_at"), [
    (["a red cube"], ["a red cube"]),
    (["a red cube"] * 9, ["a red cube"] * 3),
    (["", "!", ""], ["", "?"]),
    (["a red cube", "a blue cube"] * 5, ["a dog"]),
])
def test_lessons_with_little_in_them(loss: str, train_on: list[str], look_at: list[str]) -> None:
    record = train(lesson_of(train_on, look_at), SHORT.but(loss=loss))
    assert not record.ended
    assert np.isfinite(record.measures["loss"]).all()
    assert np.isnan(record.measures["uniformity"]).all() == (len(look_at) == 1)
    assert interval_of(record)["r1"].n == len(look_at)


@pytest.mark.parametrize("start", ["turned", "closed"])
def test_a_start_of_one_caption_moves_it_to_the_images(start: str) -> None:
    record = train(lesson_of(["a red cube"] * 9, ["a red cube"] * 5), SHORT.but(start=start))
    assert np.isfinite(record.images).all()
    assert record.measures["gap"][0] < (0.2 if start == "closed" else 1.5)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_few_steps(cubes_of: Lesson, steps: int) -> None:
    assert train(cubes_of, Setup(steps=steps, every=10)).steps.tolist() == [0, steps]


def test_nothing_to_train_on_is_said(cubes_of: Lesson) -> None:
    empty = Lesson("empty", cubes_of.train.part(np.empty(0, int)), cubes_of.probe)
    with pytest.raises(OrreryError, match="at least one pair to train on"):
        train(empty, SHORT)


class Broken(Training):
    """A training whose weights are no numbers from a step on."""

    breaks = 7

    def step(self) -> float:
        self.break_at(self.breaks)
        return super().step()

    def snapshot(self) -> Snapshot:
        self.break_at(0 if self.breaks == 0 else -1)
        return super().snapshot()

    def break_at(self, step: int) -> None:
        if self.at == step:
            with torch.no_grad():
                next(self._towers.parts["images"].parameters()).fill_(float("nan"))


def test_a_run_that_diverges_keeps_what_was_before_and_says_what_to_do(cubes_of: Lesson,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    setup = Setup(steps=20, every=5, batch=8)
    training = Broken(cubes_of, setup)
    training.advance()
    with pytest.raises(Diverged, match="stays finite; got the loss is not a number, at step 8"):
        training.advance()
    monkeypatch.setattr(module, "Training", Broken)
    record = train(cubes_of, setup, name="broken")
    assert record.steps.tolist() == [0, 5]
    assert record.ended == ("it diverged at step 8: the loss is not a number. Lower the learning rate, or raise the "
                            "temperature.")
    assert (record.name, record.setup) == ("broken", setup.as_json())
    monkeypatch.setattr(Broken, "breaks", 0)
    with pytest.raises(Diverged, match="a feature is not a number, or has no direction, at step 0"):
        train(cubes_of, setup)


@pytest.mark.parametrize("dials", [{"distance": "euclidean", "loss": "alignment_uniformity"}, {"temperature": 0.001},
                                   {"temperature": 0.001, "loss": "sigmoid", "distance": "geodesic"}])
def test_a_learning_rate_far_too_high_is_gone_through_with_finite_numbers(dials: dict[str, Any]) -> None:
    wild = Setup(steps=60, every=5, batch=8, learning_rate=10).but(**dials)
    record = train(cubes(), wild)
    assert (record.steps[-1], record.ended) == (60, ""), "steps of AdamW are bounded"
    assert np.isfinite(record.images).all() and np.isfinite(record.measures["loss"]).all()


def test_a_stop_is_heard_at_a_snapshot(cubes_of: Lesson) -> None:
    told: list[tuple[float, str]] = []
    with pytest.raises(Cancelled, match="4 of 6 steps"):
        train(cubes_of, SHORT, on_progress=lambda share, text: told.append((share, text)),
              should_stop=lambda: bool(told) and told[-1][0] > 0.5)
    assert told[-1] == (pytest.approx(4 / 6), "4 of 6 steps")


def test_one_thread_holds_also_where_the_work_fails() -> None:
    before = torch.get_num_threads()

    def fail() -> None:
        with one_torch_thread():
            raise ValueError(str(torch.get_num_threads()))

    with pytest.raises(ValueError, match=r"^1$"):
        fail()
    assert torch.get_num_threads() == before
