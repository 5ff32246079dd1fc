"""What runs in the process that trains for another: it reads a lesson and setups, and tells of each snapshot."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO

from core.errors import OrreryError
from core.learning.records.record import Snapshot
from core.learning.towers import wire
from core.learning.towers.setup import Setup

if TYPE_CHECKING:
    from core.learning.towers.training import Training

PAUSE, RESUME, STOP = b"p", b"r", b"s"


class Orders:
    """What the other side asked for last; ``gone`` is called when nobody is there any more."""

    def __init__(self, source: BinaryIO, gone: Callable[[], object]) -> None:
        self.stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self._source, self._gone = source, gone
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
        self._go.wait()
        return not self.stop.is_set()


def serve() -> None:
    """The whole of the process: one message with the lesson and the setups, then snapshots until all are trained."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())       # what libraries print is no message
    from core.learning.towers.training import Training

    said, arrays = wire.read(sys.stdin.buffer)
    orders = Orders(sys.stdin.buffer, lambda: os._exit(0))
    try:
        lesson = wire.unpacked(said, arrays)
        train_by_turns(sink, [Training(lesson, Setup.from_json(one)) for one in said["setups"]], orders)
        wire.write(sink, {"kind": "done"})
    except OrreryError as error:
        wire.write(sink, {"kind": "failed", "expected": error.expected, "got": error.got, "hint": error.hint})
    except Exception as error:
        wire.write(sink, {"kind": "failed", "expected": "the training to run to its end",
                          "got": f"{type(error).__name__}: {error}"[:600], "hint": "What was recorded is kept."})


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
