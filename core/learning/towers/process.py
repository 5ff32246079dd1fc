"""Trainings of the small towers in a process of their own, which does not hold up whoever looks at them.

A fresh interpreter with one thread, spoken to through its standard input and output: two threads of torch on a busy
machine take a hundred times as long. Several setups are trained by turns, snapshot by snapshot, so that their runs
grow side by side. The process ends with whoever started it.
"""

from __future__ import annotations

import queue
import signal
import subprocess
import threading
from collections.abc import Sequence
from typing import Any, BinaryIO, Literal, cast

from core.errors import OrreryError, ShapeError
from core.learning.records.record import Record, Snapshot
from core.learning.towers import wire
from core.learning.towers.child import PAUSE, RESUME, STOP, started
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup

State = Literal["waiting", "starting", "running", "paused", "finished", "stopped", "failed"]
MOST_BYTES = 512 * 1024**2
STOP_SECONDS = 10.0      # a process that was asked to stop has this long
HOLD_SECONDS = 5.0       # whoever pauses a training waits so long until it is held
SPARE_SECONDS = 180.0    # a process that nobody needed ends after this long


class TowerProcess:
    """One or several trainings of the same lesson. Every attribute may be read at any time from any thread.

    Parameters
    ----------
    lesson : what is learnt; faults are put into it by each setup.
    setups : the dials of each run, at least one.
    names : of the records; "run 1" and so on by default.
    begin : whether to begin at once, or when `begin` is called.

    Attributes
    ----------
    state : waiting until it is begun; starting until the first snapshot; running or paused; finished, stopped on
        request, or failed.
    error : why the state is failed, or None.

    Raises
    ------
    ShapeError
        If there is no setup, the names do not fit, or the snapshots would take too much memory.
    """

    def __init__(self, lesson: Lesson, setups: Sequence[Setup], names: Sequence[str] = (), *, begin: bool = True
                 ) -> None:
        self.lesson, self.setups = lesson, tuple(setups)
        self.names = tuple(names) or tuple(f"run {i + 1}" for i in range(len(self.setups)))
        if not self.setups or len(self.names) != len(self.setups):
            raise ShapeError("at least one setup, with a name each",
                             f"{len(self.setups)} setups and {len(self.names)} names")
        self.probe = lesson.as_probe()
        _check_size(len(self.probe.images) + len(self.probe.texts), self.setups)
        self.state: State = "waiting"
        self.error: OrreryError | None = None
        self._snapshots: list[list[Snapshot]] = [[] for _ in self.setups]
        self._ended = [""] * len(self.setups)
        self._finished = [False] * len(self.setups)
        self._built: list[tuple[int, str, Record] | None] = [None] * len(self.setups)
        self._lock, self._over, self._held = threading.Lock(), threading.Event(), threading.Event()
        self._commands: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._stopping, self._reason = False, ""
        self._process: subprocess.Popen[bytes] | None = None
        if begin:
            self.begin()

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over.is_set()

    @property
    def count(self) -> int:
        """Snapshots that came, of all runs together; it only grows."""
        return sum(map(len, self._snapshots))

    @property
    def at(self) -> tuple[int, ...]:
        """The step of the last snapshot of each run; 0 before the first."""
        return tuple(kept[-1].step if kept else 0 for kept in self._snapshots)

    @property
    def fraction(self) -> float:
        """Share of all steps that is done, in [0, 1]."""
        return sum(self.at) / sum(setup.steps for setup in self.setups)

    @property
    def pid(self) -> int | None:
        """Of the process, once there is one."""
        return None if self._process is None else self._process.pid

    def begin(self) -> None:
        """Start the process, unless it was started or ended before."""
        with self._lock:
            if self.state != "waiting":
                return
            self.state = "starting"
            self._process = _SPARE.take()
        for work in (self._tell, self._hear):
            threading.Thread(target=work, name="orrery-training", daemon=True).start()

    def pause(self) -> None:
        """Hold it before its next step; what it told until then has come when this returns."""
        with self._lock:
            if self.state != "running":
                return
            self.state = "paused"
            self._held.clear()
            self._commands.put(PAUSE)
        self._held.wait(HOLD_SECONDS)

    def resume(self) -> None:
        """Let it go on."""
        with self._lock:
            if self.state == "paused":
                self.state = "running"
                self._commands.put(RESUME)

    def stop(self) -> None:
        """Have it end with a last snapshot of where it is; what was recorded is kept."""
        with self._lock:
            if self.over:
                return
            self._stopping, self._reason = True, "it was stopped"
            at_work = self.state in ("running", "paused")
            if at_work:
                self.state = "running"      # to its end
                self._commands.put(STOP)
        if not at_work:
            self.close()
            return
        killer = threading.Timer(STOP_SECONDS, self.close)
        killer.daemon = True
        killer.start()

    def close(self, why: str = "it was stopped") -> None:
        """End it now; what was recorded is kept, and says why it ends there."""
        with self._lock:
            if not self._stopping:
                self._stopping, self._reason = True, why
            process = self._process
        if process is None:
            self._end("stopped")
        else:
            process.kill()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing more will come; gives whether that is so."""
        return self._over.wait(timeout)

    def records(self) -> tuple[Record, ...]:
        """A record of each run as far as it is, without runs that have no snapshot yet; the same object while nothing
        new came."""
        found = (self._record(i) for i in range(len(self.setups)))
        return tuple(record for record in found if record is not None)

    def _record(self, i: int) -> Record | None:
        with self._lock:
            kept, ended, built = tuple(self._snapshots[i]), self._ended[i], self._built[i]
        if not kept:
            return None
        if built is None or built[:2] != (len(kept), ended):
            record = Record.of(self.names[i], self.probe, kept, setup=self.setups[i].as_json(), ended=ended)
            built = self._built[i] = len(kept), ended, record
        return built[2]

    def _tell(self) -> None:
        """The thread that speaks to the process."""
        assert self._process is not None and self._process.stdin is not None
        try:
            said, arrays = wire.packed(self.lesson)
            said["setups"] = [setup.as_json() for setup in self.setups]
            wire.write(cast("BinaryIO", self._process.stdin), said, arrays)
            while command := self._commands.get():
                self._process.stdin.write(command)
        except (OSError, ValueError):
            return      # it is gone; the other thread says so

    def _hear(self) -> None:
        """The thread that listens to the process."""
        assert self._process is not None and self._process.stdout is not None
        done = False
        try:
            while not done:
                said, arrays = wire.read(cast("BinaryIO", self._process.stdout))
                done = self._take(said, arrays)
        except (EOFError, OSError, LookupError, TypeError, ValueError):
            pass
        self._process.kill()
        code = self._process.wait()
        self._commands.put(b"")
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._end("finished" if done and not self._stopping else "stopped" if self._stopping else "failed", code)

    def _take(self, said: dict[str, Any], arrays: dict[str, Any]) -> bool:
        """One message; gives whether it is the last."""
        kind, i = said["kind"], int(said.get("run", 0))
        with self._lock:
            if kind == "snapshot":
                self._snapshots[i].append(
                    Snapshot(int(said["step"]), arrays["images"], arrays["texts"], dict(said["measures"])))
                if self.state == "starting":
                    self.state = "running"
            elif kind == "held":
                self._held.set()
            elif kind == "ended":
                self._ended[i], self._finished[i] = str(said["ended"]), True
            elif kind == "failed":
                self.error = OrreryError(said["expected"], said["got"], said["hint"])
        return kind in ("done", "failed")

    def _end(self, state: State, code: int = 0) -> None:
        with self._lock:
            if self.over:
                return
            if self.error is not None:
                state = "failed"
            for i, finished in enumerate(self._finished):
                if not finished:
                    at = self.at[i]
                    self._ended[i] = (f"{self._reason} at step {at}" if state == "stopped" else
                                      f"its process {_how(code)} after step {at}")
            if state == "failed" and self.error is None:
                self.error = OrreryError("the training to run to its end", f"a process that {_how(code)}",
                                         "What was recorded until then is kept. Start it again.")
            self.state = state
            self._over.set()
            self._held.set()


def prepare() -> None:
    """Have a process ready that has loaded what takes it seconds, for whoever begins next; it ends if nobody does."""
    _SPARE.prepare()


class _Spare:
    """At most one process that waits for a lesson."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = started()
                timer = threading.Timer(SPARE_SECONDS, self._drop, (self._process,))
                timer.daemon = True
                timer.start()

    def take(self) -> subprocess.Popen[bytes]:
        """The one that is ready, or a new one."""
        with self._lock:
            found, self._process = self._process, None
        return found if found is not None and found.poll() is None else started()

    def _drop(self, process: subprocess.Popen[bytes]) -> None:
        with self._lock:
            unused = self._process is process
            if unused:
                self._process = None
        if unused:
            process.kill()
            process.wait()


_SPARE = _Spare()


def _check_size(points: int, setups: Sequence[Setup]) -> None:
    size = sum(4 * points * setup.dim * (setup.steps // setup.every + 2) for setup in setups)
    if size > MOST_BYTES:
        raise ShapeError(f"snapshots of at most {MOST_BYTES / 1e6:,.0f} MB together", f"{size / 1e6:,.0f} MB",
                         "Take fewer steps or dimensions, or more steps between two snapshots.")


def _how(code: int) -> str:
    return f"was ended by the system ({signal.Signals(-code).name})" if code < 0 else f"ended with status {code}"
