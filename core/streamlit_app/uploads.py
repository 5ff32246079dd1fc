"""What visitors have uploaded, counted against the totals of the budget: each visitor's, and everyone's together.

The server counts a file in before it reads it (`core.streamlit_app.server`), and throws away what is over a total; the
page says why. What is open stays counted until it is closed or its visit ends.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import SourceError
from core.settings import MB, settings

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

LEAST = 4096     # bytes that a file counts at least
MOST_REFUSALS = 10_000


class Ledger:
    """Bytes of uploads by visit, those on their way among them. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bytes: dict[str, dict[str, int]] = {}
        self._of_visit: dict[str, int] = {}
        self._total = 0
        self._kept: dict[str, set[str]] = {}
        self._refusals: dict[str, SourceError] = {}

    def take(self, visit: str, file: str, n_bytes: int) -> bool:
        """Count a file in; where it is over a total it is not, and `refusal` says why."""
        budget, n_bytes = settings().budget, max(n_bytes, LEAST)
        with self._lock:
            before = self._bytes.get(visit, {}).get(file, 0)
            mine, all_of_it = self._of_visit.get(visit, 0) - before + n_bytes, self._total - before + n_bytes
            for held, limit, whose, advice in (
                    (mine, budget.visitor_mb, "of uploads that one visitor has open",
                     "Close what you no longer look at, or bring a part of it."),
                    (all_of_it, budget.server_mb, "of uploads that all visitors together have open",
                     "Try again in a few minutes, or run Orrery on your own machine.")):
                if held > limit * MB:
                    while len(self._refusals) >= MOST_REFUSALS:
                        self._refusals.pop(next(iter(self._refusals)))
                    self._refusals[visit] = SourceError(f"at most {limit:,} MB {whose}",
                                                        f"{held / MB:,.0f} MB with this one", advice)
                    return False
            self._set(visit, file, n_bytes)
            return True

    def drop(self, visit: str, file: str) -> None:
        """Count a file out, kept or not."""
        with self._lock:
            self._set(visit, file, 0)
            self._kept.get(visit, set()).discard(file)

    def keep(self, visit: str, files: Iterable[str]) -> None:
        """These are open: they stay counted whatever the browser says, until they are dropped or the visit ends."""
        with self._lock:
            self._kept.setdefault(visit, set()).update(files)

    def is_kept(self, visit: str, file: str) -> bool:
        """Whether a file of a visit is open."""
        with self._lock:
            return file in self._kept.get(visit, ())

    def not_kept(self, visit: str) -> list[str]:
        """Files of a visit that are counted and not open."""
        with self._lock:
            return [file for file in self._bytes.get(visit, ()) if file not in self._kept.get(visit, ())]

    def leave(self, visit: str) -> None:
        """Count out all of a visit."""
        with self._lock:
            for file in list(self._bytes.get(visit, ())):
                self._set(visit, file, 0)
            self._kept.pop(visit, None)
            self._refusals.pop(visit, None)

    def visits(self) -> list[str]:
        """Visits that have something counted."""
        with self._lock:
            return list(self._bytes)

    def total(self, visit: str | None = None) -> int:
        """Bytes of a visit, or of all."""
        with self._lock:
            return self._total if visit is None else self._of_visit.get(visit, 0)

    def refusal(self, visit: str) -> SourceError | None:
        """Why something of this visit was not taken since this was last asked; None where all was."""
        with self._lock:
            return self._refusals.pop(visit, None)

    def _set(self, visit: str, file: str, n_bytes: int) -> None:
        files = self._bytes.setdefault(visit, {})
        change = n_bytes - files.pop(file, 0)
        if n_bytes:
            files[file] = n_bytes
        self._total += change
        self._of_visit[visit] = self._of_visit.get(visit, 0) + change
        if not files:
            del self._bytes[visit], self._of_visit[visit]


LEDGER = Ledger()


def refusal() -> SourceError | None:
    """Why something that this visitor uploaded was not taken; what came with it and is not open is gone then too."""
    context = get_script_run_ctx()
    error = None if context is None else LEDGER.refusal(context.session_id)
    if context is not None and error is not None:
        drop(LEDGER.not_kept(context.session_id))
    return error


def keep(source: str, uploads: Sequence[UploadedFile]) -> None:
    """What is open now of a source was made of these files; those of what was open before are gone."""
    context = get_script_run_ctx()
    files = [upload.file_id for upload in uploads]
    drop(file for file in st.session_state.get(f"{source}.kept", ()) if file not in files)
    st.session_state[f"{source}.kept"] = files
    if context is not None:
        LEDGER.keep(context.session_id, files)


def close(source: str) -> None:
    """What a source had open is closed: its files are gone."""
    drop(st.session_state.pop(f"{source}.kept", ()))


def drop(files: Iterable[str]) -> None:
    """Forget uploaded files of this visit, by id."""
    context = get_script_run_ctx()
    if context is None:
        return
    for file in files:
        context.uploaded_file_mgr.remove_file(context.session_id, file)  # type: ignore[attr-defined]
        LEDGER.drop(context.session_id, file)
