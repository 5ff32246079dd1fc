"""What an action is told: numbers in a range, texts and choices, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from core.errors import ShapeError, check_choice

Value = str | float | int | bool | None
MOST_LETTERS = 2_000


@dataclass(frozen=True)
class Parameter:
    """What an action needs to be told.

    Attributes
    ----------
    title : what it is called.
    kind : of value.
    default : taken where nothing is said; None where the finding itself proposes a value.
    low, high : range of a number, both ends allowed.
    choices : values of a choice.
    unit : of a number.
    needed : whether an empty text is refused.
    """

    title: str
    kind: Literal["number", "whole", "text", "choice"]
    default: Value
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    unit: str = ""
    needed: bool = False

    def checked(self, value: object) -> Value:
        """The value as the action takes it.

        Raises
        ------
        ShapeError, ChoiceError
            If it is of another kind or outside the range.
        """
        what = self.title[:1].lower() + self.title[1:]
        if value is None and self.default is None:
            return None
        if self.kind in ("number", "whole"):
            return self._number(what, value)
        if not isinstance(value, str):
            raise ShapeError(f"{what} as text", _told(value), "Put it in quotes.")
        if self.kind == "choice":
            check_choice(what, value, self.choices)
        if len(value) > MOST_LETTERS:
            raise ShapeError(f"{what} of at most {MOST_LETTERS:,} letters", f"{len(value):,}")
        if self.needed and not value.strip():
            raise ShapeError(what, "nothing", "Write some words, such as: a dog.")
        return value

    def _number(self, what: str, value: object) -> Value:
        whole = self.kind == "whole"
        span = f"{what} {'as a whole number' if whole else 'as a number'} from {self.low:g} to {self.high:g}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ShapeError(span, _told(value))
        if (isinstance(value, float) and not math.isfinite(value)) or not self.low <= value <= self.high:
            raise ShapeError(span, _told(value))
        if whole and value != int(value):
            raise ShapeError(span, _told(value))
        return int(value) if whole else float(value)


def _told(value: object) -> str:
    """A value in few words, whatever it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**15:
        return "a number of more than 15 digits"
    if isinstance(value, Mapping | list | tuple):
        return "a list" if isinstance(value, list | tuple) else "a mapping"
    return repr(value)[:80]
