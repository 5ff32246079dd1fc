"""Hits that were marked right or wrong, round by round, as they stand in the address."""

from __future__ import annotations

import re
from collections.abc import Sequence

import streamlit as st

from core.geometry.feedback import Rocchio, Round
from core.streamlit_app import state
from core.streamlit_app.words.retrieval.query import View
from core.types import Modality

KEY = "retrieve_marks"
_ROUND = re.compile(r"r([\d.]*)w([\d.]*)")


def rounds_of(view: View, of: Modality) -> tuple[Round, ...]:
    """The rounds of marks of what is searched; none where they were made in other data or of the other modality."""
    name, _, rest = state.value_of(KEY, "").partition("_")
    if name != _name(view, of):
        return ()
    n, seen, rounds = len(view.sets[of]), set[int](), []
    for part in rest.split("_"):
        found = _ROUND.fullmatch(part)
        if found is None:
            continue
        sides = []
        for side in found.groups():
            rows = [int(row) for row in side.split(".") if row and len(row) < 12]
            rows = [row for row in dict.fromkeys(rows) if row < n and row not in seen]
            seen.update(rows)
            sides.append(tuple(rows))
        if any(sides):
            rounds.append(Round(*sides))
    return tuple(rounds)


def put(view: View, of: Modality, rounds: Sequence[Round]) -> None:
    """Keep these rounds, and no others."""
    parts = [f"r{'.'.join(map(str, r.right))}w{'.'.join(map(str, r.wrong))}" for r in rounds]
    said = "_".join([_name(view, of), *parts]) if parts else ""
    state.kept()[KEY] = said
    state.write_url(KEY, said if said and len(said) <= state.MOST_URL_TEXT else None)


def add(view: View, of: Modality, rows: Sequence[int], rounds: Sequence[Round]) -> None:
    """One more round, of what the buttons below these rows say; none where nothing is marked."""
    said = {row: st.session_state.get(mark_key(of, row, len(rounds))) for row in rows}
    new = Round(tuple(row for row in rows if said[row] == "right"), tuple(row for row in rows if said[row] == "wrong"))
    if new.marked:
        put(view, of, [*rounds, new])


def mark_key(of: Modality, row: int, step: int) -> str:
    """Key of the buttons below a hit."""
    return f"retrieve.mark.{step}.{of}.{row}"


def pick_dials() -> Rocchio:
    """How far marks move the query."""
    usual = Rocchio()
    with st.popover("Rocchio", icon=":material/tune:"):
        st.caption("The query as asked times α, plus β times the mean of the right ones, less γ times the mean of the "
                   "wrong ones (Rocchio 1971; the defaults are those of Manning, Raghavan and Schütze 2008).")
        alpha = state.pick_number("α, the query as asked", 0.0, 2.0, key="retrieve_alpha", default=usual.alpha,
                                  step=0.05)
        beta = state.pick_number("β, towards the right ones", 0.0, 2.0, key="retrieve_beta", default=usual.beta,
                                 step=0.05)
        gamma = state.pick_number("γ, away from the wrong ones", 0.0, 2.0, key="retrieve_gamma", default=usual.gamma,
                                  step=0.05)
    return Rocchio(alpha, beta, gamma)


def _name(view: View, of: Modality) -> str:
    return f"{of[0]}{view.ready.key[:6]}"
