"""What every section of the page looks at: pairs to learn from, the dials, and the runs of this visit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.learning.records.record import Record
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import Setup
from core.streamlit_app import state
from core.streamlit_app.data.opened import Opened
from core.types import fingerprint


@dataclass(frozen=True, eq=False)
class DynamicsData:
    """What is learnt, how, and what was recorded.

    Attributes
    ----------
    opened : what is open on all pages.
    lesson : pairs to train on and to look at.
    setup : the dials as they stand.
    records : runs of this visit, newest first; the first may still grow.
    """

    opened: Opened
    lesson: Lesson
    setup: Setup
    records: tuple[Record, ...] = ()

    @property
    def key(self) -> str:
        """Of the pairs and the dials; no other visitor's own pairs have it."""
        return fingerprint("dynamics", self.lesson.fingerprint, self.own, self.setup.as_json())

    @property
    def own(self) -> str:
        """"" for the concepts of the built-in world, which all visitors share; else the opening of a visitor's own."""
        return "" if self.lesson.world else self.opened.key


def pick_record(data: DynamicsData, *, key: str = "run", label: str = "Run") -> Record | None:
    """One of the records; no widget where there is one, None where there is none."""
    if len(data.records) < 2:
        return next(iter(data.records), None)
    names = named(data.records)
    return names[state.pick_option(label, {name: name for name in names}, key=key)]


def named(records: Sequence[Record]) -> dict[str, Record]:
    """Records by names unlike each other."""
    names: dict[str, Record] = {}
    for record in records:
        times = sum(one.name == record.name for one in names.values())
        names[f"{record.name} ({times + 1})" if times else record.name] = record
    return names
