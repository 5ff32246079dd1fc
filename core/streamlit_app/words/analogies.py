"""Analogies: a - b + c ~ d, with the inputs left out and in, beside c alone."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.frame import as_percent, points
from core.figures.words import shares as figures
from core.language.words.analogies import Solved, grammar_analogies, read_analogies, solve
from core.sources.solids.vocabulary import ATTRIBUTES
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.typed import lines_of, say_unread, typed_or_brought
from core.types import fingerprint

SHOWN = 12
PLACEHOLDER = "a king - a man + a woman = a queen"
DEFAULT = ("a red cube - a red cone + a blue cone = a blue cube\n"
           "a photo of a star - a photo of a heart + a pencil sketch of a heart = a pencil sketch of a star")
READ = ("The answer is looked for among all candidates, by nearness to a - b + c. Published successes mostly leave a, "
        "b and c out; with them in, the nearest is often one of them. The last line uses no arithmetic: the text "
        "nearest to c. Diamonds: a candidate at random.")


def show(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    """Analogies of the grammar of the built-in world, typed, or of a table."""
    sources = {"grammar": "The grammar of the built-in world", "own": "Your own"}
    if state.pick_option("Analogies", sources, key="analogies_from", default="grammar" if ready.opened.built_in else
                         "own", widget="segments") == "grammar":
        with st.container(horizontal=True, vertical_alignment="bottom"):
            names = {name: name for name in ATTRIBUTES}
            first = state.pick_option("a and b differ in", names, key="analogies_first", default="solid")
            second = state.pick_option("b and c differ in", names, key="analogies_second", default="colour")
            n = state.pick_number("At most", 20, 400, key="analogies_n", default=200, step=20)
        if first == second:
            panels.notice("Choose two different attributes.", "warning")
            return
        asked, others = grammar_analogies(first, second, n, seed=settings.seed)
        made = f"grammar_analogies({first!r}, {second!r}, {n}, seed={settings.seed})"
    else:
        text = typed_or_brought("Analogies, one a line: a - b + c = d", key="analogies_typed", default=DEFAULT if
                                ready.opened.built_in else "", placeholder=PLACEHOLDER, source="analogies_file")
        others = lines_of(state.pick_text("Further texts to answer with, one a line", key="analogies_others", lines=4))
        asked = read_analogies(text)
        if not asked:
            panels.notice("Type or bring an analogy: a - b + c = d, or a table with the columns a, b, c, d.")
            return
        made = f"read_analogies({text!r}), {list(others)!r}" if len(text) < 2000 else (
            f'read_analogies(open("analogies.txt").read()), {list(others)!r}')
    say_unread(encoder, [text for q in asked for text in (q.a, q.b, q.c, q.d)])

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Solved:
        return solve(encoder, asked, others, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: Solved = work.result_of(fingerprint("analogies", encoder.spec.fingerprint, repr(asked), others,
                                               settings.seed), measure)
    numbers = {"inputs left out": found.out, "inputs left in": found.within, "nearest is an input": found.inputs_first,
               "nearest to c alone": found.near}
    ui.show(figures.shares(numbers, finding(found), "analogies", dark=ui.dark()), key="texts.analogies",
            how_to_read=READ, table=lambda: solved_table(found))
    panels.wrapped_table(solved_table(found).head(SHOWN).astype(str))
    starred = "*" if made.startswith("grammar") else ""
    ui.copy_as_python(as_code(
        ["from core.encoding.models import load_model",
         f"from core.language.words.analogies import {made.split('(')[0]}, solve"],
        [f"model = load_model({settings.model_id!r})", f"found = solve(model, {starred}{made})",
         "print(found.out, found.within, found.near, found.over_near)"]))


def finding(found: Solved) -> str:
    """How often right, what the inputs take, and what arithmetic adds."""
    return (f"d is first of {len(found.candidates):,} texts for {as_percent(found.out)} of {found.out.n:,} analogies "
            f"with the inputs left out, {as_percent(found.within)} with them in; over the nearest of c alone "
            f"{points(found.over_near)}")


def solved_table(found: Solved) -> pd.DataFrame:
    """One row an analogy: its texts, the place of d, what is nearest, and the cosine of a - b + c and d."""
    return pd.DataFrame([{"a": q.a, "b": q.b, "c": q.c, "d": q.d, "place of d, inputs out": int(found.rank_out[i]),
                          "inputs in": int(found.rank_in[i]), "by c alone": int(found.rank_near[i]),
                          "nearest, inputs in": found.candidates[int(found.first[i])]}
                         for i, q in enumerate(found.analogies)])
