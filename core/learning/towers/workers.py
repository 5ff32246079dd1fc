"""Processes that train small towers, one thread each, so that neither a page nor another training waits for them.

Each is a fresh interpreter that loads torch once and then trains as often as it is asked. It is spoken to through its
standard input and output, and ends with the program that started it, or when nobody asks for a while. One that dies is
replaced, and what it did is asked for once more.
"""

from __future__ import annotations

import atexit
import os
import queue
import threading
from collections.abc import Callable
from typing import Any

from core.errors import Cancelled, OrreryError
from core.learning.towers import wire
from core.learning.towers.child import LESSONS, PROGRAM, started
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.settings import settings

MOST_WORKERS, MOST_HOSTED = 8, 2
_WAIT = 0.1


class Worker:
    """One process; a thread at a time may ask it."""

    program = PROGRAM

    def __init__(self) -> None:
        self._lessons: list[str] = []
        self.process = started(self.program)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self.process.poll() is None

    def final(self, lesson: Lesson, setup: Setup) -> dict[str, Any]:
        """What `core.learning.towers.child.final` gives, made by the process.

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
            wire.write(sink, {**said, "key": key}, arrays)
            self._lessons = [*self._lessons, key][-LESSONS:]
        wire.write(sink, {"lesson": key, "setup": setup.as_json()})
        answer, _ = wire.read(source)
        if "expected" in answer:
            raise OrreryError(answer["expected"], answer["got"], answer["hint"])
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
        """What `core.learning.towers.child.final` gives; a stop ends the process that is at it.

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
