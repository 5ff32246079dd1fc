"""The one runner of long work: a bounded queue, fair between visitors, with progress, time left and cancel."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from core.errors import Cancelled, OrreryError

State = Literal["queued", "running", "done", "failed", "cancelled"]
Work = Callable[[Callable[[float, str], None], Callable[[], bool]], Any]
_WINDOW = 30.0


def estimate(n_items: int, seconds_per_item: float, noun: str = "images") -> str:
    """What a long job will cost, in words: ``estimate(1200, 0.15)`` is "1,200 images, about 3 min"."""
    if n_items == 1:
        noun = noun.removesuffix("s")
    return f"{n_items:,} {noun}, {about(n_items * seconds_per_item)}"


def about(seconds: float) -> str:
    """A duration in words, as coarse as an estimate deserves."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 55:
        return f"about {round(seconds) if seconds < 10 else round(seconds / 5) * 5} s"
    if seconds < 90 * 60:
        return f"about {max(1, round(seconds / 60))} min"
    return f"about {seconds / 3600:.2g} h" if seconds < 36 * 3600 else f"about {seconds / 86400:.2g} days"


class Job:
    """One piece of long work. Every attribute may be read at any time from any thread.

    Attributes
    ----------
    key, visitor : what it is, and for whom.
    state : queued, running, done, failed or cancelled.
    fraction : share done, in [0, 1]; it never falls.
    text : what is going on, for the progress bar.
    started, ended : ``time.time()`` in seconds, None before.
    error : what went wrong, where the state is failed.
    long : whether it takes minutes, and leaves room for shorter work.
    """

    def __init__(self, runner: JobRunner, key: str, visitor: str, work: Work, cost: float | None,
                 long: bool = False) -> None:
        self.key, self.visitor, self.long = key, visitor, long
        self.state: State = "queued"
        self.fraction, self.text = 0.0, "waiting"
        self.started: float | None = None
        self.ended: float | None = None
        self.error: BaseException | None = None
        self._runner, self._work, self._cost = runner, work, cost
        self._waited_for_by = {visitor}
        self._stop, self._finished = threading.Event(), threading.Event()
        self._result: Any = None
        self._marks: deque[tuple[float, float]] = deque()

    @property
    def over(self) -> bool:
        """True once it is done, failed or cancelled."""
        return self._finished.is_set()

    @property
    def position(self) -> int:
        """How many jobs run before this one, 0 once it runs."""
        return self._runner._position(self)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until it is done, from the recent pace, or from stated costs before there is one.

        None where it is unknown, as when it should be done by the recent pace and no more of it is.
        """
        lefts = [job._own_seconds_left() for job in (self, *self._runner._before(self))]
        known = [left for left in lefts if left is not None]
        return sum(known) if len(known) == len(lefts) else None

    @property
    def stopping(self) -> bool:
        """True once it was asked to stop."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """Take it off the queue, or ask the running work to stop; nothing happens once it is over."""
        self._stop.set()
        self._runner._drop(self)

    def join(self, visitor: str) -> None:
        """Another visitor waits for it too."""
        self._waited_for_by.add(visitor)

    def leave(self, visitor: str) -> None:
        """A visitor waits for it no more; it is cancelled when nobody does."""
        self._waited_for_by.discard(visitor)
        if not self._waited_for_by:
            self.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is over (seconds); False if it is not yet."""
        return self._finished.wait(timeout)

    def result(self, timeout: float | None = None) -> Any:
        """What the work returned; waits for it.

        Raises
        ------
        Cancelled
            If it was cancelled.
        OrreryError
            If it is not over after ``timeout`` seconds.
        Exception
            What the work itself raised.
        """
        if not self._finished.wait(timeout):
            raise OrreryError("the work to be finished", f"{self.fraction:.0%} of it after {timeout:g} s of waiting",
                              "Wait longer.")
        if self.error is not None:
            raise self.error
        return self._result

    def _own_seconds_left(self) -> float | None:
        if self.over:
            return 0.0
        now, marks = time.monotonic(), list(self._marks)
        if len(marks) > 1:
            (t0, f0), (t1, f1) = marks[0], marks[-1]
            left = (1 - f1) * (t1 - t0) / (f1 - f0) - (now - t1)
            return left if left >= 0 else None
        if self._cost is None or self.started is None:
            return self._cost
        return max(0.0, self._cost - (time.time() - self.started))

    def _progress(self, fraction: float, text: str = "") -> None:
        now, before = time.monotonic(), self.fraction
        self.fraction = max(before, min(1.0, float(fraction)))
        self.text = text or self.text
        if self.fraction > before:
            self._marks.append((now, self.fraction))
        while len(self._marks) > 2 and now - self._marks[0][0] > _WINDOW:
            self._marks.popleft()

    def _run(self) -> None:
        self.started, self.text = time.time(), "starting"
        self._marks.append((time.monotonic(), 0.0))
        try:
            self._result = self._work(self._progress, self._stop.is_set)
        except BaseException as error:
            stopped = isinstance(error, Cancelled)
            self._end("cancelled" if stopped else "failed", error)
        else:
            self.fraction = 1.0
            self._end("done")

    def _end(self, state: State, error: BaseException | None = None) -> None:
        self.error, self.state, self.ended = error, state, time.time()
        del self._work
        self._finished.set()


class JobRunner:
    """Runs jobs in a few threads. Visitors take turns; each one's own jobs run in the order they came.

    Parameters
    ----------
    workers : jobs that run at once; long ones leave one of several free for others.
    limit : jobs that may wait, of all visitors together.
    limit_per_visitor : jobs of one visitor that may wait.
    """

    def __init__(self, workers: int = 1, *, limit: int = 32, limit_per_visitor: int = 4) -> None:
        self._limit, self._limit_per_visitor, self._n_workers = limit, limit_per_visitor, workers
        self._changed = threading.Condition()
        self._waiting: dict[str, deque[Job]] = {}
        self._running: list[Job] = []
        self._turns: dict[str, int] = {}
        self._turn = 0
        self._threads: list[threading.Thread] = []
        self._closed = False

    def submit(self, key: str, visitor: str, work: Work, *, cost: float | None = None, long: bool = False) -> Job:
        """Queue work, or join the same visitor's waiting or running job of the same key.

        Parameters
        ----------
        key
            What the work is; equal keys are the same work.
        visitor
            Whose turn it takes.
        work
            Called as ``work(on_progress, should_stop)``; it raises Cancelled soon after ``should_stop()`` is True.
        cost
            Estimated seconds, for the time left before the first progress.
        long
            Whether it takes minutes: shorter work does not wait for it.

        Raises
        ------
        OrreryError
            If the queue is full, of all or of this visitor, or the runner is closed.
        """
        with self._changed:
            if self._closed:
                raise OrreryError("a runner that takes work", "one that is closed", "Start the app again.")
            for job in [*self._running, *self._waiting.get(visitor, ())]:
                if job.key == key and job.visitor == visitor and not job._stop.is_set():
                    return job
            mine = len(self._waiting.get(visitor, ()))
            if mine >= self._limit_per_visitor:
                raise OrreryError(f"at most {self._limit_per_visitor} jobs waiting for one visitor", f"{mine} of yours",
                                  "Wait for one to finish, or cancel one.")
            total = sum(map(len, self._waiting.values()))
            if total >= self._limit:
                raise OrreryError(f"at most {self._limit} jobs waiting", f"a full queue of {total}",
                                  "Many people are at work here; try again in a few minutes.")
            job = Job(self, key, visitor, work, cost, long)
            self._waiting.setdefault(visitor, deque()).append(job)
            if len(self._threads) < self._n_workers:
                thread = threading.Thread(target=self._serve, name="orrery-job", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._changed.notify()
            return job

    def jobs(self, visitor: str | None = None) -> list[Job]:
        """Running jobs, then the waiting ones in the order in which they will run; of one visitor, or of all."""
        with self._changed:
            jobs = [*self._running, *self._in_turn()]
        return [job for job in jobs if visitor is None or job.visitor == visitor]

    def leave(self, visitor: str) -> None:
        """A visitor is gone: what nobody else waits for is cancelled."""
        for job in self.jobs():
            if visitor in job._waited_for_by:
                job.leave(visitor)

    def close(self) -> None:
        """Cancel everything; the threads end when their work does."""
        with self._changed:
            self._closed = True
            jobs = [*self._running, *self._in_turn()]
            self._changed.notify_all()
        for job in jobs:
            job.cancel()

    def _in_turn(self) -> list[Job]:
        queues = [deque(self._waiting[visitor]) for visitor in self._by_turn()]
        out = []
        while any(queues):
            out += [jobs.popleft() for jobs in queues if jobs]
        return out

    def _by_turn(self) -> list[str]:
        """Waiting visitors, those first whose last turn was longest ago, or who had none yet."""
        return sorted(self._waiting, key=lambda visitor: self._turns.get(visitor, 0))

    def _position(self, job: Job) -> int:
        with self._changed:
            return len(self._before(job))

    def _before(self, job: Job) -> list[Job]:
        """What has to end before a waiting job starts, were there one worker."""
        with self._changed:
            waiting = self._in_turn()
            return [*self._running, *waiting[:waiting.index(job)]] if job in waiting else []

    def _drop(self, job: Job) -> None:
        with self._changed:
            mine = self._waiting.get(job.visitor)
            if mine is None or job not in mine:
                return
            mine.remove(job)
            if not mine:
                del self._waiting[job.visitor]
            job._end("cancelled", Cancelled("none of it"))

    def _next(self) -> Job | None:
        with self._changed:
            while (job := self._first()) is None and not self._closed:
                self._changed.wait()
            if job is None:
                return None
            visitor = job.visitor
            self._waiting[visitor].remove(job)
            if not self._waiting[visitor]:
                del self._waiting[visitor]
            self._turn += 1
            self._turns[visitor] = self._turn
            if len(self._turns) > 10_000:
                del self._turns[min(self._turns, key=self._turns.__getitem__)]
            self._running.append(job)
            job.state = "running"
            return job

    def _first(self) -> Job | None:
        """The waiting job that may run next; None where all that wait are long, and no more of these may run."""
        room = sum(job.long for job in self._running) < max(1, self._n_workers - 1)
        return next((job for visitor in self._by_turn() for job in self._waiting[visitor] if room or not job.long),
                    None)

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            job._run()
            with self._changed:
                self._running.remove(job)
                self._changed.notify_all()
            del job     # with its result, which would stay while this thread waits
