"""Trainings beside the page: what comes is what a training here gives; what is stopped or killed keeps what it had."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from core.errors import OrreryError, ShapeError
from core.learning.towers import child, process, trainings, wire
from core.learning.towers.pairs import Lesson, SmallPairs
from core.learning.towers.process import TowerProcess
from core.learning.towers.setup import Setup
from core.learning.towers.trainings import Trainings

LIMIT = 180.0
ROOT = Path(__file__).parents[3]
LONG = Setup(steps=20_000, every=10, batch=16)


def small_lesson(n: int = 48) -> Lesson:
    """Squares of four colours, with captions that say so."""
    rng = np.random.default_rng(0)
    colours = np.array([[220, 40, 40], [40, 200, 60], [50, 70, 220], [230, 210, 50]])
    names = ("red", "green", "blue", "yellow")

    def pairs(first: int) -> SmallPairs:
        kind = np.arange(n) % 4
        images = np.clip(colours[kind][:, None, None] + rng.normal(0, 25, (n, 16, 16, 3)), 0, 255).astype(np.uint8)
        return SmallPairs(images, tuple(f"a {names[k]} square" for k in kind), tuple(names[k] for k in kind),
                          tuple(f"square {first + i}" for i in range(n)))

    return Lesson("squares", pairs(0), pairs(n))


@pytest.fixture
def begun() -> Iterator[Callable[..., TowerProcess]]:
    """``begun(*setups, **more)``; ended after the test."""
    made: list[TowerProcess] = []

    def begin(*setups: Setup, **more: object) -> TowerProcess:
        made.append(TowerProcess(small_lesson(), setups, **more))  # type: ignore[arg-type]
        return made[-1]

    yield begin
    for one in made:
        one.close()
        assert one.wait(LIMIT)


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.02)


def rested(running: TowerProcess) -> bool:
    before = running.count
    time.sleep(0.5)
    return running.count == before


def alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def test_it_records_what_a_training_here_records_and_trains_by_turns(begun: Callable[..., TowerProcess]) -> None:
    from core.learning.towers.training import train

    setups = [Setup(steps=45, every=10, batch=16), Setup(steps=20, every=5, batch=16, temperature=0.5)]
    running = begun(*setups, names=("learned", "hot"))
    seen: list[tuple[int, ...]] = []
    while not running.over:
        seen.append(running.at)
        time.sleep(0.002)
    assert (running.state, running.error, running.fraction) == ("finished", None, 1.0)
    for record, setup, name in zip(running.records(), setups, ("learned", "hot"), strict=True):
        here = train(small_lesson(), setup, name=name)
        assert record.steps.tolist() == here.steps.tolist() == [*range(0, setup.steps, setup.every), setup.steps]
        assert (record.name, record.ended, record.setup) == (name, "", here.setup)
        np.testing.assert_array_equal(record.images, here.images)
        np.testing.assert_array_equal(record.texts, here.texts)
        assert record.measures.keys() == here.measures.keys()
        for key, values in record.measures.items():
            np.testing.assert_array_equal(values, here.measures[key])
    assert all(abs(a / 10 - b / 5) <= 1 for a, b in seen if a < 40 and b < 20), "neither runs ahead"
    assert running.records()[0] is running.records()[0]


def test_it_pauses_goes_on_and_stops_where_it_is(begun: Callable[..., TowerProcess]) -> None:
    running = begun(LONG)
    assert running.state == "starting" and running.records() == ()
    until(lambda: running.count > 3)
    running.pause()
    held = running.count
    assert running.state == "paused" and rested(running) and running.count == held, "all had come that was told"
    running.resume()
    until(lambda: running.count > held + 3)
    running.stop()
    assert running.wait(LIMIT) and running.state == "stopped" and running.error is None
    record = running.records()[0]
    assert record.ended == f"it was stopped at step {record.steps[-1]}" and 30 < record.steps[-1] < 20_000
    until(lambda: not alive(running.pid))


def test_a_killed_process_keeps_what_it_had_and_says_so(begun: Callable[..., TowerProcess]) -> None:
    running = begun(LONG)
    until(lambda: running.count > 3)
    os.kill(running.pid, signal.SIGKILL)
    assert running.wait(LIMIT) and running.state == "failed"
    assert "ended by the system (SIGKILL)" in str(running.error) and "is kept" in running.error.hint
    record = running.records()[0]
    assert len(record) > 3
    assert record.ended == f"its process was ended by the system (SIGKILL) after step {record.steps[-1]}"


def test_a_run_that_diverges_ends_alone() -> None:
    from core.learning.towers.training import Diverged, Training

    class Wild(Training):
        def step(self) -> float:
            if self.at == 15:
                raise Diverged(16, "the loss is not a number")
            return super().step()

    source, orders_of = os.pipe()
    with os.fdopen(source, "rb", buffering=0) as listened, os.fdopen(orders_of, "wb"):
        told = io.BytesIO()
        setup = Setup(steps=30, every=10, batch=16)
        orders = child.Orders(listened, held=lambda: None, gone=lambda: None)
        child.train_by_turns(told, [Wild(small_lesson(), setup), Training(small_lesson(), setup)], orders)
    told.seek(0)
    said = [wire.read(told)[0] for _ in range(8)]
    assert [(one["run"], one.get("step"), one.get("ended")) for one in said] == [
        (0, 0, None), (1, 0, None), (0, 10, None), (1, 10, None),
        (0, None, Diverged(16, "the loss is not a number").ended), (1, 20, None), (1, 30, None), (1, None, "")]


def test_nothing_to_train_on_is_said() -> None:
    bare = small_lesson()
    nothing = TowerProcess(Lesson("nothing", bare.train.part(np.arange(0)), bare.probe), [Setup(steps=10)])
    assert nothing.wait(LIMIT) and nothing.state == "failed" and nothing.records() == ()
    assert nothing.error.expected == "at least one pair to train on"


def test_what_was_prepared_is_used_once_or_ends(begun: Callable[..., TowerProcess], monkeypatch: pytest.MonkeyPatch
                                               ) -> None:
    process.prepare()
    process.prepare()
    ready = process._SPARE._process
    running = begun(Setup(steps=10, batch=16))
    assert running.pid == ready.pid and process._SPARE._process is None
    assert running.wait(LIMIT) and running.state == "finished"
    monkeypatch.setattr(process, "SPARE_SECONDS", 0.5)
    process.prepare()
    unused = process._SPARE._process
    until(lambda: process._SPARE._process is None and not alive(unused.pid))


def test_it_dies_with_whoever_started_it() -> None:
    code = ("import sys, time; sys.path.insert(0, sys.argv[1])\n"
            "from tests.learning.towers.test_process import LONG, small_lesson\n"
            "from core.learning.towers.process import TowerProcess\n"
            "running = TowerProcess(small_lesson(), [LONG])\n"
            "while running.count < 3: time.sleep(0.05)\n"
            "print(running.pid, flush=True); time.sleep(600)")
    parent = subprocess.Popen([sys.executable, "-c", code, str(ROOT)], stdout=subprocess.PIPE, text=True)
    try:
        child = int(parent.stdout.readline())  # type: ignore[union-attr]
        assert alive(child)
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not alive(child))


def test_what_cannot_be_trained_is_said_before_anything_starts() -> None:
    with pytest.raises(ShapeError, match="at least one setup"):
        TowerProcess(small_lesson(), [])
    with pytest.raises(ShapeError, match="snapshots of at most 537 MB together; got 2,1"):
        TowerProcess(small_lesson(), [Setup(steps=20_000, every=1, dim=512)])


def test_visitors_have_one_training_each_and_wait_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Trainings(at_once=1)
    try:
        a = server.start("a", small_lesson(), [LONG], ["of a"])
        b = server.start("b", small_lesson(), [LONG], ["of b"])
        c = server.start("c", small_lesson(), [LONG], ["of c"])
        assert [server.position(v) for v in "abc"] == [0, 1, 2] and (b.state, c.state) == ("waiting", "waiting")
        again = server.start("b", small_lesson(), [LONG.but(seed=1)], ["again"])
        assert b.state == "stopped" and server.of("b") is again and [server.position(v) for v in "bc"] == [2, 1]
        with pytest.raises(OrreryError, match="at most 4 runs side by side"):
            server.start("d", small_lesson(), [LONG] * 5, list("abcde"))
        until(lambda: a.state == "running")
        server.leave("a")
        assert a.wait(LIMIT) and a.state == "stopped" and server.of("a") is None
        until(lambda: c.state == "running")
        assert again.state == "waiting"
        c.pause()
        server.go_on()
        assert again.state == "waiting", "a pause keeps its place for a while"
        monkeypatch.setattr(trainings, "PAUSED_SECONDS", 0.0)
        server.go_on()
        assert c.wait(LIMIT) and "paused while others waited" in c.records()[0].ended
        until(lambda: again.state == "running")
        monkeypatch.setattr(trainings, "MOST_WAITING", 0)
        with pytest.raises(OrreryError, match="trainings that wait"):
            server.start("e", small_lesson(), [LONG], ["of e"])
    finally:
        server.close()
    assert not list(server)
