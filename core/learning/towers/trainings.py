"""Trainings of many visitors: one each, a few at once, and the others wait their turn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress

from core.errors import OrreryError
from core.learning.towers.pairs import Lesson
from core.learning.towers.process import TowerProcess
from core.learning.towers.setup import Setup

MOST_SETUPS = 4
MOST_WAITING = 32
PAUSED_SECONDS = 120.0       # a training that is paused longer makes room for one that waits


class Trainings:
    """The trainings of a server.

    Parameters
    ----------
    at_once : processes that are there at once, paused ones included.
    """

    def __init__(self, at_once: int = 2) -> None:
        self._at_once = at_once
        self._lock = threading.RLock()
        self._of: dict[str, TowerProcess] = {}
        self._line: list[str] = []
        self._paused_at: dict[str, float] = {}

    def start(self, visitor: str, lesson: Lesson, setups: Sequence[Setup], names: Sequence[str]) -> TowerProcess:
        """Train for a visitor, now or when there is room; what trained for it before is ended.

        Raises
        ------
        OrreryError
            If too many setups are asked for, or too many visitors wait.
        """
        if len(setups) > MOST_SETUPS:
            raise OrreryError(f"at most {MOST_SETUPS} runs side by side", str(len(setups)))
        training = TowerProcess(lesson, setups, names, begin=False)
        with self._lock:
            if visitor not in self._line and len(self._line) >= MOST_WAITING:
                raise OrreryError(f"at most {MOST_WAITING} trainings that wait", f"a full line of {len(self._line)}",
                                  "Many people train here; try again in a few minutes.")
            self.leave(visitor)
            self._of[visitor] = training
            self._line.append(visitor)
        self.go_on()
        return training

    def of(self, visitor: str) -> TowerProcess | None:
        """What trains, waits or has trained for a visitor."""
        return self._of.get(visitor)

    def position(self, visitor: str) -> int:
        """How many are before a training that waits: those at work and those earlier in the line; else 0."""
        with self._lock:
            return len(self._at_work()) + self._line.index(visitor) if visitor in self._line else 0

    def go_on(self) -> None:
        """Begin what there is room for; whoever waits asks this now and then."""
        now = time.monotonic()
        with self._lock:
            at_work = self._at_work()
            paused = {visitor for visitor in at_work if self._of[visitor].state == "paused"}
            self._paused_at = {visitor: self._paused_at.get(visitor, now) for visitor in paused}
            self._line = [visitor for visitor in self._line if not self._of[visitor].over]
            free = self._at_once - len(at_work)
            for visitor, since in self._paused_at.items():
                if free < len(self._line) and now - since > PAUSED_SECONDS:
                    self._of[visitor].close("it was paused while others waited, and ended")
                    free += 1
            for visitor in [self._line.pop(0) for _ in range(min(max(free, 0), len(self._line)))]:
                self._of[visitor].begin()

    def leave(self, visitor: str) -> None:
        """A visitor is gone: its training ends."""
        with self._lock:
            training = self._of.pop(visitor, None)
            with suppress(ValueError):
                self._line.remove(visitor)
        if training is not None:
            training.close()
            self.go_on()

    def close(self) -> None:
        """End all."""
        for visitor in tuple(self._of):
            self.leave(visitor)

    def __iter__(self) -> Iterator[TowerProcess]:
        with self._lock:
            return iter(tuple(self._of.values()))

    def _at_work(self) -> list[str]:
        return [visitor for visitor, training in self._of.items()
                if visitor not in self._line and not training.over]
