"""What runs in a process that trains for another: it tells of each snapshot of some runs, or of the ends of many."""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from core.errors import OrreryError
from core.geometry.swaps import Swaps
from core.learning.records.record import Record, Snapshot
from core.learning.towers import wire
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup

if TYPE_CHECKING:
    from core.learning.towers.training import Training

PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from core.learning.towers.child import serve; serve()"
PAUSE, RESUME, STOP = b"p", b"r", b"s"
IDLE_SECONDS = 120.0
LESSONS = 2
"""Lessons that a process remembers which is asked for ends."""

_ROOT = Path(__file__).parents[3]
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def started(program: str = PROGRAM) -> subprocess.Popen[bytes]:
    """A fresh interpreter with one thread that runs `serve`, spoken to by `wire` through its input and output."""
    return subprocess.Popen([sys.executable, "-P", "-c", program, str(_ROOT)], bufsize=0,
                            env={**os.environ, **_THREADS, "PYTHONDONTWRITEBYTECODE": "1"}, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


class Orders:
    """What the other side asked for last; ``held`` is called when a pause begins, ``gone`` when nobody is there any
    more."""

    def __init__(self, source: BinaryIO, held: Callable[[], object], gone: Callable[[], object]) -> None:
        self.stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._source, self._held, self._gone = source, held, gone
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while command := self._source.read(1):
            if command == PAUSE:
                self._go.clear()
                continue
            if command == STOP:
                self.stop.set()
            self._go.set()
        self._gone()

    def may_go_on(self) -> bool:
        """Waits while it is paused."""
        if not self._go.is_set():
            self._held()
            self._go.wait()
        return not self.stop.is_set()


def serve() -> None:
    """The whole of the process. The first message says what it is for: setups to be watched, or ends, one by one."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())       # what libraries print is no message
    import torch  # noqa: F401    it takes seconds, which may pass before there is a message

    first = wire.read(sys.stdin.buffer)
    if "setups" in first[0]:
        _watched(sink, *first)
    else:
        _ends(sink, first)


def _watched(sink: BinaryIO, said: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    from core.learning.towers.training import Training

    orders = Orders(sys.stdin.buffer, lambda: wire.write(sink, {"kind": "held"}), lambda: os._exit(0))
    try:
        lesson = wire.unpacked(said, arrays)
        train_by_turns(sink, [Training(lesson, Setup.from_json(one)) for one in said["setups"]], orders)
        wire.write(sink, {"kind": "done"})
    except Exception as error:
        wire.write(sink, {"kind": "failed", **_in_words(error)})


def _in_words(error: Exception) -> dict[str, str]:
    if isinstance(error, OrreryError):
        return {"expected": error.expected, "got": error.got, "hint": error.hint}
    return {"expected": "the training to run to its end", "got": f"{type(error).__name__}: {error}"[:600],
            "hint": "What was recorded is kept."}


def train_by_turns(sink: BinaryIO, runs: Sequence[Training], orders: Orders) -> None:
    """Train several runs from one snapshot to the next by turns, and tell each snapshot and each end."""
    from core.learning.towers.training import Diverged

    at_work = dict(enumerate(runs))
    for i, run in at_work.items():
        _send(sink, i, run.snapshot())
    while at_work:
        for i, run in tuple(at_work.items()):
            begun = run.at
            ended = ""
            try:
                while not run.finished and orders.may_go_on():
                    run.step()
                    if run.at % run.setup.every == 0:
                        break
                if run.at > begun:
                    _send(sink, i, run.snapshot())
            except Diverged as error:
                ended = error.ended
            if ended or run.finished:
                wire.write(sink, {"kind": "ended", "run": i, "ended": ended})
                del at_work[i]
        if orders.stop.is_set():
            return


def _send(sink: BinaryIO, i: int, snapshot: Snapshot) -> None:
    wire.write(sink, {"kind": "snapshot", "run": i, "step": snapshot.step, "measures": dict(snapshot.measures)},
               {"images": snapshot.images, "texts": snapshot.texts})


def _ends(sink: BinaryIO, first: wire.Message) -> None:
    """One lesson or one setup after another, each setup answered by its `final`, until nobody asks for a while."""
    if hasattr(os, "nice"):
        os.nice(5)      # pages and trainings that are watched go first
    asked: queue.Queue[wire.Message] = queue.Queue()
    asked.put(first)
    threading.Thread(target=_listen, args=(sys.stdin.buffer, asked), daemon=True).start()
    lessons: OrderedDict[str, Lesson] = OrderedDict()
    while True:
        try:
            said, arrays = asked.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            return
        if "setup" not in said:
            lessons[said["key"]] = wire.unpacked(said, arrays)
            while len(lessons) > LESSONS:
                lessons.popitem(last=False)
            continue
        try:
            answer = final(lessons[said["lesson"]], Setup.from_json(said["setup"]))
        except Exception as error:
            answer = {"kind": "failed", **_in_words(error)}
        wire.write(sink, answer)


def _listen(source: BinaryIO, asked: queue.Queue[wire.Message]) -> None:
    """Hear the program that started this one, and end with it, in the middle of a training too."""
    while True:
        try:
            asked.put(wire.read(source))
        except EOFError:
            os._exit(0)


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


def _measured(record: Record, at: int) -> dict[str, float]:
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
