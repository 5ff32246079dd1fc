"""The runner of long work: fair, bounded, honest about progress, and stoppable at any moment."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import Cancelled, OrreryError, SourceError
from core.jobs import Job, JobRunner, about, estimate

LIMIT = 120
Report = Callable[[float, str], None]
Stop = Callable[[], bool]


@pytest.fixture
def runner() -> Iterator[JobRunner]:
    runner = JobRunner(1)
    yield runner
    runner.close()


class Gate:
    """Work that waits until it is let go."""

    def __init__(self, result: object = None) -> None:
        self.entered, self.go, self.result = threading.Event(), threading.Event(), result

    def __call__(self, on_progress: Report, should_stop: Stop) -> object:
        self.entered.set()
        while not self.go.wait(0.01):
            if should_stop():
                raise Cancelled("nothing")
        return self.result


def nothing(on_progress: Report, should_stop: Stop) -> None:
    return None


def test_work_runs_and_its_result_comes_back(runner: JobRunner) -> None:
    def work(on_progress: Report, should_stop: Stop) -> str:
        on_progress(0.5, "half way")
        return "done it"

    before = time.time()
    job = runner.submit("k", "me", work)
    assert job.result(LIMIT) == "done it"
    assert (job.state, job.fraction, job.text, job.over) == ("done", 1.0, "half way", True)
    assert job.error is None
    assert job.started is not None
    assert job.ended is not None
    assert before <= job.started <= job.ended
    assert (job.seconds_left, job.position) == (0.0, 0)


def test_states_and_positions(runner: JobRunner) -> None:
    gate = Gate()
    first = runner.submit("a", "me", gate)
    gate.entered.wait(LIMIT)
    second, third = runner.submit("b", "me", nothing), runner.submit("c", "me", nothing)
    assert (first.state, second.state, third.state) == ("running", "queued", "queued")
    assert (first.position, second.position, third.position) == (0, 1, 2)
    assert second.text == "waiting"
    assert runner.jobs("me") == [first, second, third]
    assert runner.jobs("another") == []
    gate.go.set()
    assert third.wait(LIMIT)
    assert runner.jobs() == []


def test_visitors_take_turns(runner: JobRunner) -> None:
    order: list[str] = []
    gate = Gate()
    runner.submit("gate", "hog", gate)
    gate.entered.wait(LIMIT)

    def named(name: str) -> Callable[[Report, Stop], None]:
        return lambda on_progress, should_stop: order.append(name)

    jobs = [runner.submit(f"h{i}", "hog", named(f"h{i}")) for i in range(4)]
    jobs += [runner.submit(f"a{i}", "ann", named(f"a{i}")) for i in range(2)]
    jobs += [runner.submit("b0", "bob", named("b0"))]
    planned = [job.key for job in runner.jobs()[1:]]
    assert planned == ["a0", "b0", "h0", "a1", "h1", "h2", "h3"]
    assert [jobs[i].position for i in (4, 6, 0)] == [1, 2, 3]
    gate.go.set()
    for job in jobs:
        job.result(LIMIT)
    assert order == planned


def test_several_workers_run_at_once_and_no_more() -> None:
    runner = JobRunner(3)
    gates = [Gate(i) for i in range(4)]
    jobs = [runner.submit(str(i), f"v{i}", gate) for i, gate in enumerate(gates)]
    assert all(gate.entered.wait(LIMIT) for gate in gates[:3])
    assert not gates[3].entered.wait(0.1)
    for gate in gates:
        gate.go.set()
    assert [job.result(LIMIT) for job in jobs] == [0, 1, 2, 3]
    runner.close()


def test_long_work_of_many_leaves_room_for_short_work_and_all_of_it_is_done() -> None:
    runner = JobRunner(2)
    gates = [Gate(i) for i in range(3)]
    long = [runner.submit(f"long {i}", f"visitor {i}", gate, long=True) for i, gate in enumerate(gates)]
    assert gates[0].entered.wait(LIMIT)
    for visitor in ("visitor 1", "another"):        # one of whom waits for long work of its own
        assert runner.submit("short", visitor, nothing).wait(LIMIT)
    assert [job.state for job in long] == ["running", "queued", "queued"]
    long[1].cancel()
    gates[0].go.set()
    assert long[0].result(LIMIT) == 0
    assert gates[2].entered.wait(LIMIT) and not gates[1].entered.is_set()
    waiting = runner.submit("long 3", "another", Gate(), long=True)
    runner.close()
    assert waiting.wait(LIMIT) and long[2].wait(LIMIT)
    for thread in runner._threads:
        thread.join(LIMIT)
        assert not thread.is_alive()
    one = JobRunner(1)
    one.submit("long", "me", nothing, long=True).result(LIMIT)
    one.close()


def test_the_same_key_joins_what_waits_or_runs(runner: JobRunner) -> None:
    gate = Gate()
    running = runner.submit("k", "me", gate)
    gate.entered.wait(LIMIT)
    assert runner.submit("k", "me", nothing) is running
    waiting = runner.submit("other", "me", nothing)
    assert runner.submit("other", "me", nothing) is waiting
    theirs = runner.submit("k", "you", nothing)
    assert theirs is not running
    gate.go.set()
    running.result(LIMIT)
    again = runner.submit("k", "me", nothing)
    assert again is not running
    again.result(LIMIT)


def test_a_cancelled_job_is_not_joined(runner: JobRunner) -> None:
    gate = Gate()
    running = runner.submit("k", "me", gate)
    gate.entered.wait(LIMIT)
    running.cancel()
    assert running.stopping
    assert runner.submit("k", "me", nothing) is not running


def test_the_queue_is_bounded_for_one_and_for_all() -> None:
    runner = JobRunner(1, limit=3, limit_per_visitor=2)
    gate = Gate()
    runner.submit("gate", "me", gate)
    gate.entered.wait(LIMIT)
    for i in range(2):
        runner.submit(str(i), "me", nothing)
    with pytest.raises(OrreryError, match=r"at most 2 jobs waiting for one visitor; got 2 of yours\. Wait for"):
        runner.submit("2", "me", nothing)
    last = runner.submit("3", "you", nothing)
    with pytest.raises(OrreryError, match=r"at most 3 jobs waiting; got a full queue of 3\. Many people are"):
        runner.submit("4", "they", nothing)
    gate.go.set()
    last.result(LIMIT)
    runner.close()
    with pytest.raises(OrreryError, match="a runner that takes work; got one that is closed"):
        runner.submit("5", "me", nothing)


def test_cancel_while_queued(runner: JobRunner) -> None:
    gate, ran = Gate(), threading.Event()
    runner.submit("gate", "me", gate)
    gate.entered.wait(LIMIT)
    job = runner.submit("k", "you", lambda on_progress, should_stop: ran.set())
    job.cancel()
    assert (job.state, job.over, job.position) == ("cancelled", True, 0)
    with pytest.raises(Cancelled, match="a request to stop after none of it"):
        job.result(0)
    gate.go.set()
    runner.submit("after", "you", nothing).result(LIMIT)
    assert not ran.is_set()
    job.cancel()
    assert job.state == "cancelled"


def test_cancel_while_running(runner: JobRunner) -> None:
    gate = Gate()
    job = runner.submit("k", "me", gate)
    gate.entered.wait(LIMIT)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result(LIMIT)
    assert job.state == "cancelled"
    assert runner.submit("k2", "me", lambda on_progress, should_stop: 7).result(LIMIT) == 7


def test_work_that_finishes_before_it_hears_of_the_cancel_is_done(runner: JobRunner) -> None:
    entered, go = threading.Event(), threading.Event()

    def deaf(on_progress: Report, should_stop: Stop) -> int:
        entered.set()
        go.wait(LIMIT)
        return 3

    job = runner.submit("k", "me", deaf)
    entered.wait(LIMIT)
    job.cancel()
    go.set()
    assert job.result(LIMIT) == 3
    assert job.state == "done"


def test_an_error_is_kept_and_the_runner_goes_on(runner: JobRunner) -> None:
    error = SourceError("a zip", "a zap", "Zip it.")

    def fails(on_progress: Report, should_stop: Stop) -> None:
        on_progress(0.25, "a quarter")
        raise error

    job = runner.submit("k", "me", fails)
    with pytest.raises(SourceError) as caught:
        job.result(LIMIT)
    assert caught.value is error is job.error
    assert (job.state, job.fraction) == ("failed", 0.25)
    assert runner.submit("k", "me", lambda on_progress, should_stop: 1).result(LIMIT) == 1


def test_progress_never_falls_and_stays_in_bounds(runner: JobRunner) -> None:
    gate, seen = Gate(), []

    def work(on_progress: Report, should_stop: Stop) -> None:
        for fraction in (-1, 0.2, 0.1, 0.6, 0.3, 7):
            on_progress(fraction, f"at {fraction}")
            seen.append(job.fraction)
        on_progress(0.9, "")
        gate(on_progress, should_stop)

    ready = threading.Event()
    job: Job = runner.submit("k", "me", lambda report, stop: (ready.wait(LIMIT), work(report, stop)))
    ready.set()
    gate.entered.wait(LIMIT)
    assert seen == [0, 0.2, 0.2, 0.6, 0.6, 1.0]
    assert job.text == "at 7"
    gate.go.set()
    job.result(LIMIT)


def test_time_left_follows_the_pace(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("core.jobs.time.monotonic", lambda: now[0])
    gate = Gate()

    def work(on_progress: Report, should_stop: Stop) -> None:
        now[0] += 10
        on_progress(0.2, "")
        gate(on_progress, should_stop)

    job = runner.submit("k", "me", work, cost=500)
    gate.entered.wait(LIMIT)
    assert job.seconds_left == pytest.approx(40)
    now[0] += 5
    assert job.seconds_left == pytest.approx(35)
    now[0] += 1000      # by that pace it should be done long ago: nobody knows
    assert job.seconds_left is None
    gate.go.set()


def test_no_time_left_is_made_of_a_fraction_that_does_not_move(runner: JobRunner,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    now, left = [1000.0], []
    monkeypatch.setattr("core.jobs.time.monotonic", lambda: now[0])

    def work(on_progress: Report, should_stop: Stop) -> None:
        now[0] += 2
        on_progress(0.2, "")
        for _ in range(60):
            now[0] += 1
            on_progress(0.2, "Waiting for another run")
            left.append(jobs[0].seconds_left)

    jobs: list[Job] = []
    gate = Gate()
    first = runner.submit("first", "me", gate)
    gate.entered.wait(LIMIT)
    jobs.append(runner.submit("k", "me", work))
    gate.go.set()
    first.result(LIMIT)
    jobs[0].result(LIMIT)
    known = [value for value in left if value is not None]
    assert known == sorted(known, reverse=True)
    assert max(known) <= 8
    assert left[10:] == [None] * 50


def test_time_left_forgets_a_slow_start(runner: JobRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("core.jobs.time.monotonic", lambda: now[0])
    gate = Gate()

    def work(on_progress: Report, should_stop: Stop) -> None:
        now[0] += 600  # loading the model
        on_progress(0.0, "")
        for step in range(1, 51):
            now[0] += 1
            on_progress(step / 100, "")
        gate(on_progress, should_stop)

    job = runner.submit("k", "me", work)
    gate.entered.wait(LIMIT)
    assert job.seconds_left == pytest.approx(50, rel=0.02)
    gate.go.set()


def test_time_left_before_the_first_progress(runner: JobRunner) -> None:
    gate = Gate()
    job = runner.submit("k", "me", gate, cost=60)
    gate.entered.wait(LIMIT)
    waiting, later = runner.submit("l", "me", nothing, cost=30), runner.submit("m", "me", nothing, cost=5)
    unknown, after = runner.submit("n", "me", nothing), runner.submit("o", "me", nothing, cost=1)
    left = job.seconds_left
    assert left is not None
    assert 59 < left <= 60
    also = waiting.seconds_left
    assert also is not None
    assert 89 < also <= 90, "its own and what runs before it"
    last = later.seconds_left
    assert last is not None
    assert 94 < last <= 95
    assert unknown.seconds_left is None
    assert after.seconds_left is None
    gate.go.set()


def test_waiting_for_a_result_can_time_out(runner: JobRunner) -> None:
    gate = Gate()
    job = runner.submit("k", "me", gate)
    gate.entered.wait(LIMIT)
    with pytest.raises(OrreryError, match=r"the work to be finished; got 0% of it after 0.01 s of waiting"):
        job.result(0.01)
    gate.go.set()


def test_closing_cancels_everything() -> None:
    runner = JobRunner(1)
    gate = Gate()
    running = runner.submit("a", "me", gate)
    gate.entered.wait(LIMIT)
    waiting = runner.submit("b", "me", nothing)
    runner.close()
    assert waiting.state == "cancelled"
    assert running.wait(LIMIT)
    assert running.state == "cancelled"
    assert all(not t.is_alive() for t in runner._threads if not t.join(LIMIT))


def test_many_threads_submit_at_once() -> None:
    runner = JobRunner(2, limit=10_000, limit_per_visitor=1_000)
    done: list[Any] = []
    lock = threading.Lock()

    def visitor(name: str) -> None:
        def work(on_progress: Report, should_stop: Stop) -> None:
            with lock:
                done.append(name)

        for i in range(50):
            runner.submit(str(i), name, work).result(LIMIT)

    threads = [threading.Thread(target=visitor, args=(f"v{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)
    assert sorted(done) == sorted(f"v{i}" for i in range(8) for _ in range(50))
    runner.close()


def test_work_stops_when_the_last_who_waits_for_it_is_gone(runner: JobRunner) -> None:
    shared, queued = Gate(), Gate()
    job, waiting = runner.submit("shared", "a", shared), runner.submit("mine", "a", queued)
    assert shared.entered.wait(LIMIT)
    job.join("b")
    runner.leave("a")
    assert waiting.state == "cancelled" and not queued.entered.is_set()
    assert not job.stopping
    runner.leave("nobody")
    assert not job.stopping
    runner.leave("b")
    assert job.wait(LIMIT) and job.state == "cancelled"


def test_a_result_lives_as_long_as_its_job(runner: JobRunner) -> None:
    class Large:
        pass

    made: list[weakref.ref[Large]] = []

    def work(on_progress: Report, should_stop: Stop) -> Large:
        large = Large()
        made.append(weakref.ref(large))
        return large

    assert runner.submit("k", "me", work).wait(LIMIT)
    until = time.monotonic() + LIMIT
    while made[0]() is not None:
        assert time.monotonic() < until, "an idle thread keeps nothing"
        gc.collect()


def test_estimates_in_words() -> None:
    assert estimate(1200, 0.15) == "1,200 images, about 3 min"
    assert estimate(1, 1.0) == "1 image, about a second"
    assert estimate(30, 1, "films") == "30 films, about 30 s"
    assert about(4.4) == "about 4 s"
    assert about(33) == "about 35 s"
    assert about(70) == "about 1 min"
    assert about(3600) == "about 60 min"
    assert about(2 * 3600) == "about 2 h"
    assert about(3 * 86400) == "about 3 days"
