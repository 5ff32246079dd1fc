"""The one error family: every message says what was expected, what came and what to do next."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np


class OrreryError(Exception):
    """An error a user can act upon.

    Parameters
    ----------
    expected : what would have been right, as a noun phrase.
    got : what came instead.
    hint : what to do next, as a sentence; may be empty.
    """

    def __init__(self, expected: str, got: str, hint: str = "") -> None:
        self.expected, self.got, self.hint = expected, got, hint
        super().__init__(f"Expected {expected}; got {got}." + (f" {hint}" if hint else ""))

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.expected, self.got, self.hint)


class ShapeError(OrreryError):
    """An array has the wrong shape, length or kind of number."""


class ChoiceError(OrreryError):
    """A name is not among the valid ones."""


class SourceError(OrreryError):
    """A dataset, table or archive cannot be read as a whole."""


class UnreadableItem(OrreryError):
    """One item cannot be read; the others go on."""


class ModelError(OrreryError):
    """A model cannot be found, downloaded, loaded or used."""


class StoreError(OrreryError):
    """The store of vectors cannot be read or written."""


class Cancelled(OrreryError):
    """Long work was stopped by the user; what was finished is kept."""

    def __init__(self, done: str = "part of the work") -> None:
        super().__init__("the work to run to its end", f"a request to stop after {done}",
                         "What was finished is kept; start again to go on from there.")

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:  # type: ignore[override]
        return OrreryError, (self.expected, self.got, self.hint)


def check_choice(what: str, value: object, valid: Iterable[object]) -> None:
    """Raise ChoiceError with the valid names unless ``value`` is one of them."""
    names = list(valid)
    if value not in names:
        raise ChoiceError(f"{what} to be one of {', '.join(map(str, names))}", repr(value))


def check_vectors(x: np.ndarray, *, what: str = "vectors", at_least: int = 1, unit: bool = False) -> None:
    """Raise ShapeError unless ``x`` is a finite (n, d) array of floats with ``n >= at_least`` (and unit rows)."""
    if x.ndim != 2:
        raise ShapeError(f"{what} of shape (n, d)", f"shape {x.shape}")
    if not np.issubdtype(x.dtype, np.floating):
        raise ShapeError(f"{what} of floats", f"dtype {x.dtype}")
    if len(x) < at_least:
        raise ShapeError(f"at least {at_least} {what}", str(len(x)))
    finite = np.isfinite(x).all(axis=1)
    if not finite.all():
        bad = np.flatnonzero(~finite)
        raise ShapeError(f"finite {what}", f"{len(bad)} rows with NaN or infinity, the first at row {bad[0]}",
                         "Remove these rows.")
    if unit:
        norms = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float64))
        off = np.abs(norms - 1)
        if len(off) and off.max() > 1e-4:
            worst = int(off.argmax())
            raise ShapeError(f"{what} with unit rows (to 1e-4)", f"length {norms[worst]:.6g} at row {worst}",
                             "Divide each row by its length.")
