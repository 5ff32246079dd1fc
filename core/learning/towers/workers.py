"""Processes that train small towers, one thread each, so that neither a page nor another training waits for them.

Each is a fresh interpreter that loads torch once and then trains as often as it is asked. It is spoken to through its
standard input and output, and ends with the program that started it, or when nobody asks for a while. One that dies is
replaced, and what it did is asked for once more.
"""

from __future__ import annotations

import atexit
import os
import queue
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from core.errors import Cancelled, OrreryError
from core.learning.towers import wire
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.settings import settings

IDLE_SECONDS = 120.0
MOST_WORKERS, MOST_HOSTED = 8, 2
LESSONS = 2
"""Lessons that a worker remembers."""

THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_ROOT = Path(__file__).parents[3]
_WAIT = 0.1


class Worker:
    """One process; a thread at a time may ask it."""

    program = "import sys; sys.path.insert(0, sys.argv[1]); from core.learning.towers.workers import serve; serve()"

    def __init__(self) -> None:
        self._lessons: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", self.program, str(_ROOT)], bufsize=0, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**os.environ, **THREADS, "PYTHONDONTWRITEBYTECODE": "1"})

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None

    def final(self, lesson: Lesson, setup: Setup) -> dict[str, Any]:
        """What `final` gives, made by the process.

        Raises
        ------
        EOFError or OSError
            If the process dies.
        OrreryError
            What the training raises.
        """
        sink, source = self.process.stdin, self.process.stdout
        assert sink is not None and source is not None
        key = lesson.fingerprint
        if key not in self._lessons:
            said, arrays = wire.packed(lesson)
            wire.write(sink, {"ask": "lesson", "key": key, **said}, arrays)
            self._lessons = [*self._lessons, key][-LESSONS:]
        wire.write(sink, {"ask": "final", "lesson": key, "setup": setup.as_json()})
        answer, _ = wire.read(source)
        if "error" in answer:
            raise OrreryError(*answer["error"])
        return answer

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


class Pool:
    """A few workers, started when first needed; any number of threads may ask at once and wait their turn.

    Parameters
    ----------
    size : number of processes (default: one a core, at most 8; 2 on a public server).
    """

    worker: type[Worker] = Worker

    def __init__(self, size: int | None = None) -> None:
        most = MOST_HOSTED if settings().hosted else MOST_WORKERS
        self.size = size or max(MOST_HOSTED, min(most, os.cpu_count() or 1))
        self._idle: queue.LifoQueue[Worker | None] = queue.LifoQueue()
        for _ in range(self.size):
            self._idle.put(None)

    def final(self, lesson: Lesson, setup: Setup, should_stop: Callable[[], bool]) -> dict[str, Any]:
        """What `final` gives; a stop ends the process that is at it.

        Raises
        ------
        Cancelled
            If it is to stop, at most a moment after.
        OrreryError
            What the training raises, or if its process dies twice.
        """
        while True:
            if should_stop():
                raise Cancelled("none of it")
            try:
                worker = self._idle.get(timeout=_WAIT)
                break
            except queue.Empty:
                continue
        try:
            for _ in range(2):
                if worker is None or not worker.alive:
                    if worker is not None:
                        worker.close()
                    worker = self.worker()
                over = threading.Event()
                guard = threading.Thread(target=_kill_when, args=(worker, should_stop, over), daemon=True)
                guard.start()
                try:
                    return worker.final(lesson, setup)
                except (EOFError, OSError):
                    pass
                finally:
                    over.set()
                    guard.join()
                worker.close()
                code, worker = worker.process.returncode, None
                if should_stop():
                    raise Cancelled("none of it")
            raise OrreryError("a training that runs to its end", f"a process that ended with status {code}, twice",
                              "Its memory may be full: train with fewer pairs or a smaller batch.")
        finally:
            self._idle.put(worker)

    def close(self) -> None:
        """End those that do nothing; a later `final` starts new ones."""
        for _ in range(self.size):
            try:
                worker = self._idle.get_nowait()
            except queue.Empty:
                break
            if worker is not None:
                worker.close()
            self._idle.put(None)


def _kill_when(worker: Worker, should_stop: Callable[[], bool], over: threading.Event) -> None:
    while not over.wait(_WAIT):
        if should_stop():
            worker.process.kill()
            return


_shared: Pool | None = None
_lock = threading.Lock()


def shared_pool() -> Pool:
    """The one pool of this process, ended with it."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = Pool()
            atexit.register(_shared.close)
        return _shared


def final(lesson: Lesson, setup: Setup) -> dict[str, Any]:
    """Train once, here; the measures before and after, as plain values.

    Returns
    -------
    ``start`` and ``end``: measures by name, with ``gap_chance`` (the gap where the names image and text change places
    within a concept) and ``angle`` (of the means, degrees); ``ended``: why it did not go to its end, "" where it did;
    ``seconds``: of the processor.
    """
    from core.learning.towers.training import train

    began = time.process_time()
    record = train(lesson, setup.but(every=setup.steps))
    return {"start": _measured(record, 0), "end": {} if record.ended else _measured(record, -1), "ended": record.ended,
            "seconds": time.process_time() - began}


def serve() -> None:
    """The loop of a worker: one request, one reply, until its input ends or nobody asks."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)       # what a library prints is no reply
    if hasattr(os, "nice"):
        os.nice(5)      # pages and live trainings go first
    asked: queue.Queue[wire.Message] = queue.Queue()
    threading.Thread(target=_listen, args=(source, asked), daemon=True).start()
    lessons: OrderedDict[str, Lesson] = OrderedDict()
    while True:
        try:
            said, arrays = asked.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return
        if said["ask"] == "lesson":
            lessons[said["key"]] = wire.unpacked(said, arrays)
            while len(lessons) > LESSONS:
                lessons.popitem(last=False)
            continue
        try:
            answer = final(lessons[said["lesson"]], Setup.from_json(said["setup"]))
        except OrreryError as error:
            answer = {"error": [error.expected, error.got, error.hint]}
        except Exception as error:
            answer = {"error": ["a training that runs to its end", f"{type(error).__name__}: {error}"[:600],
                                "This is a fault of Orrery's."]}
        wire.write(sink, answer)


def _listen(source: BinaryIO, asked: queue.Queue[wire.Message]) -> None:
    """Hear the program that started this one, and end with it, in the middle of a training too."""
    while True:
        try:
            asked.put(wire.read(source))
        except EOFError:
            os._exit(0)


def _measured(record: Any, at: int) -> dict[str, float]:
    import numpy as np

    from core.geometry.swaps import Swaps
    from core.learning.records.classes import zero_shot_shares

    pairs = record.pairs(at)
    swaps = Swaps.within(len(pairs.images), len(pairs.texts), pairs.links)
    by_chance, _ = swaps.gap(swaps.sums(np.concatenate([pairs.images, pairs.texts]).astype(np.float64)))
    a, b = (x.astype(np.float64).mean(axis=0) for x in (pairs.images, pairs.texts))
    a, b = a / max(np.linalg.norm(a), 1e-12), b / max(np.linalg.norm(b), 1e-12)
    angle = 2 * np.arctan2(np.linalg.norm(a - b), np.linalg.norm(a + b))
    found = {name: float(values[at]) for name, values in record.measures.items()}
    found |= {"gap_chance": by_chance, "angle": float(np.degrees(angle))}
    found |= zero_shot_shares(pairs.images, pairs.texts, pairs.links, record.probe.labels)
    return {name: value for name, value in found.items() if np.isfinite(value)}
