"""Trainings in processes of their own: the same numbers as here, each done once, stopped and gone on with."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import Cancelled, OrreryError
from core.geometry.swaps import Swaps
from core.learning.towers import finals as module
from core.learning.towers import wire
from core.learning.towers.concepts import concept_lesson
from core.learning.towers.finals import finals, key_of, known_of
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.learning.towers.training import train
from core.learning.towers.workers import Pool, Worker
from core.settings import settings

QUICK = Setup(steps=3, batch=12)      # no other test trains with such batches: what is kept is known of these alone


@pytest.fixture(scope="module")
def lesson() -> Lesson:
    return concept_lesson(train=48, probe=24, seed=7)


def each(lesson: Lesson, setups: list[Setup]) -> list[tuple[Lesson, Setup]]:
    return [(lesson, setup) for setup in setups]


class Broken(Worker):
    """A worker that cannot train."""

    program = "raise SystemExit(3)"


class BrokenPool(Pool):
    worker = Broken


class Wild(Worker):
    """A worker whose losses are no number from the third step on."""

    program = """
import sys
sys.path.insert(0, sys.argv[1])
from core.learning.towers import child, training
sound = training.Training._loss_of
training.Training._loss_of = lambda self, rows: sound(self, rows) * (float("nan") if self.at > 1 else 1)
child.serve()
"""


class WildPool(Pool):
    worker = Wild


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    one = Pool(2)
    yield one
    one.close()


def test_the_same_numbers_as_a_training_here_and_none_done_twice(lesson: Lesson, pool: Pool) -> None:
    setups = [QUICK.but(seed=seed, caption_noise=noise) for noise in (0.0, 0.5) for seed in (0, 1)]
    said: list[tuple[float, str]] = []
    table = finals(each(lesson, [*setups, setups[0]]), pool=pool, on_progress=lambda *told: said.append(told))
    assert table["seed"].tolist() == [0, 1, 0, 1, 0] and table["dial_caption_noise"].tolist() == [0, 0, 0.5, 0.5, 0]
    assert said[0][0] == 0 and said[-1] == (1, "4 of 4 trainings") and sorted(said) == said
    for setup, (_, row) in zip(setups, table.iterrows()):
        record = train(lesson, setup)
        for name, values in record.measures.items():
            assert row[name] == values[-1] and row[f"{name}_start"] == values[0], name
    pairs = record.pairs(-1)
    swaps = Swaps.within(24, len(pairs.texts), pairs.links)
    by_chance = swaps.gap(swaps.sums(np.concatenate([pairs.images, pairs.texts]).astype(np.float64)))[0]
    assert table["gap_chance"].iloc[3] == pytest.approx(by_chance)
    assert (table["ended"] == "").all() and (table["seconds"] > 0).all()
    again = finals(each(lesson, setups), pool=BrokenPool(1))
    assert again.equals(table.iloc[:4]), "nothing is trained again"
    assert known_of(lesson, setups) == 4 and known_of(lesson, [QUICK.but(seed=9)]) == 0
    same = (key_of(lesson, one) for one in (QUICK, QUICK.but(blur=0), QUICK.but(every=1)))
    assert len(set(same)) == 1 and key_of(lesson, QUICK) != key_of(lesson, QUICK.but(steps=4))


def test_a_stopped_call_keeps_what_is_finished_and_goes_on_there(lesson: Lesson, pool: Pool) -> None:
    setups = [QUICK.but(seed=seed, blur=0.05) for seed in range(3)] + [QUICK.but(blur=0.05, steps=20_000)]
    finished: list[float] = []
    stop = threading.Event()
    with pytest.raises(Cancelled, match="3 of 4 trainings"):
        finals(each(lesson, setups), pool=pool, should_stop=stop.is_set,
               on_progress=lambda share, _: (finished.append(share), share >= 0.75 and stop.set()))
    asked = time.monotonic()
    assert known_of(lesson, setups) == 3
    table = finals(each(lesson, [*setups[:3], QUICK.but(blur=0.05, steps=4)]), pool=pool)
    assert len(table) == 4 and known_of(lesson, setups) == 3
    assert time.monotonic() - asked < 120, "the long training was ended, and another did not wait for it"
    with pytest.raises(Cancelled):
        finals(each(lesson, [QUICK.but(blur=0.06)]), pool=pool, should_stop=lambda: True)


def test_a_process_that_dies_is_replaced_and_one_that_always_dies_is_said(lesson: Lesson) -> None:
    pool = Pool(1)
    try:
        finals(each(lesson, [QUICK.but(seed=20)]), pool=pool)
        worker = pool._idle.get()
        assert worker is not None
        pool._idle.put(worker)
        os.kill(worker.process.pid, signal.SIGKILL)
        assert len(finals(each(lesson, [QUICK.but(seed=21)]), pool=pool)) == 1
    finally:
        pool.close()
    with pytest.raises(OrreryError, match="status 3, twice"):
        finals(each(lesson, [QUICK.but(seed=22)]), pool=BrokenPool(1))


def test_a_process_ends_with_the_program_that_started_it_in_the_middle_of_a_training(lesson: Lesson) -> None:
    worker = Worker()
    try:
        worker.final(lesson, QUICK.but(seed=60))
        sink = worker.process.stdin
        assert sink is not None
        wire.write(sink, {"lesson": lesson.fingerprint, "setup": QUICK.but(steps=20_000).as_json()})
        sink.close()
        assert worker.process.wait(timeout=60) == 0
    finally:
        worker.close()


def test_what_a_training_refuses_is_said_and_what_diverges_is_a_row(lesson: Lesson, pool: Pool) -> None:
    one = dataclasses.replace(lesson, train=lesson.train.part(np.zeros(8, np.int64)))
    with pytest.raises(OrreryError, match="at least two concepts"):
        finals(each(one, [QUICK.but(caption_noise=0.5)]), pool=pool)
    wild = WildPool(1)
    try:
        table = finals(each(lesson, [QUICK.but(seed=40), QUICK.but(seed=40, steps=2)]), pool=wild)
    finally:
        wild.close()
    assert "diverged at step 3" in table["ended"].iloc[0] and table["ended"].iloc[1] == ""
    assert np.isnan(table["r1"].iloc[0]) and np.isfinite(table["gap_start"].iloc[0]), "its last numbers are no result"
    assert np.isfinite(table["r1"].iloc[1])


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"start": {}, "end": {"r1": "x"}, "ended": "", "seconds": 1.0}',
                                    b'{"start": 3}', b"\xff\x00"])
def test_a_broken_result_is_made_anew(lesson: Lesson, pool: Pool, broken: bytes) -> None:
    setup = QUICK.but(seed=30)
    before = finals(each(lesson, [setup]), pool=pool)
    path = settings().cache / "trainings" / f"{key_of(lesson, setup)}.json"
    path.write_bytes(broken)
    after = finals(each(lesson, [setup]), pool=pool)
    assert after["r1"].tolist() == before["r1"].tolist() and path.stat().st_size > len(broken)


def test_a_public_server_has_bounds(lesson: Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hosted = dataclasses.replace(settings(), hosted=True)
    monkeypatch.setattr(module, "settings", lambda: hosted)
    with pytest.raises(OrreryError, match="at most 200 trainings of 3,000 steps"):
        finals(each(lesson, [QUICK.but(steps=3_001)]), pool=BrokenPool(1))
    with pytest.raises(OrreryError, match="got 201 of 3"):
        finals(each(lesson, [QUICK.but(seed=1000 + i) for i in range(201)]), pool=BrokenPool(1))
