"""Negation: how close a negated text stays, and which images it is put to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.frame import share
from core.figures.words import shares as figures
from core.language.words.negation import Negated, negate
from core.language.words.questions import PLACE, statements
from core.language.world_evaluation import BARE
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.classes import TEMPLATE, class_columns, labels_as_classes, labels_of
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.typed import say_unread
from core.types import fingerprint

TITLES = {"closer": "not X nearer to X than Y", "present": "not X over X, on X", "absent": "not X over X, on Y",
          "told": "not Y over not X, on X"}
IDEAL = ("X and Y are two classes. From the top down: “not X” lies nearer to “X” than “Y” does; “not X” beats “X” on "
         "images of X (0 % for who reads “not”), and on images of Y (100 %); of two negations the true one wins on "
         "images of X (100 %). Dots: shares with 95 % intervals by images (the first by classes); diamonds: by chance. "
         "Filled where a share is told apart from chance (Holm).")


def show(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    """Classes of a column, each affirmed and negated."""
    columns = class_columns(ready)
    if not columns or ready.images is None:
        panels.notice("Negation is tested on images whose classes are known: what is open has no column of 2 to 100 "
                      "labels. The part “Binding and order” has a test of it on scenes.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = state.pick_option("Classes", {c: c for c in columns}, key="negation_column")
        yes = state.pick_text("Affirmed", key="negation_yes", default="{}" if ready.opened.built_in else
                              TEMPLATE, max_chars=200)
        no = state.pick_text("Negated", key="negation_no", default="not {}" if ready.opened.built_in else
                             "a photo without a {}", max_chars=200)
    if PLACE not in yes or PLACE not in no or yes == no:
        panels.notice("Both texts need {} where the class goes, and must differ.", "warning")
        return
    names, truth = labels_as_classes(labels_of(ready, column))
    said = [BARE[column].get(name, name) if ready.opened.built_in and column in BARE else name for name in names]
    affirmed, negated = statements(yes, said), statements(no, said)
    say_unread(encoder, (*affirmed, *negated))
    images = ready.images.vectors

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Negated:
        return negate(encoder, images, truth, names, affirmed, negated, seed=settings.seed, on_progress=on_progress,
                      should_stop=should_stop)

    found: Negated = work.result_of(fingerprint("negation", encoder.spec.fingerprint, ready.key, truth, affirmed,
                                                negated, settings.seed), measure)
    numbers = {title: getattr(found, name) for name, title in TITLES.items()}
    against = {title: found.against_half[name] for name, title in TITLES.items()}
    title = (f"Like “{negated[0]}” from “{affirmed[0]}”, negations lie {found.apart.mean():.0f}° off on average, "
             f"other classes {found.others[~np.eye(len(names), dtype=bool)].mean():.0f}°; the true one of two "
             f"negations wins for {share(found.told)}")
    ui.show(figures.shares(numbers, title, "pairs in which it wins", against, dark=ui.dark()), key="texts.negation",
            how_to_read=IDEAL, table=lambda: figures.shares_table(numbers, against))
    panels.wrapped_table(panels.numbers_table({"classes told right by affirmed texts": found.affirmed_right,
                                               "and by negated ones (0 for who reads “not”)": found.negated_right}))
    with st.expander("Each class", icon=":material/list:"):
        panels.wrapped_table(_classes(found))
    imports, lines = points_lines(settings, ready)
    model = [] if any(line.startswith("model =") for line in lines) else [f"model = load_model({settings.model_id!r})"]
    ui.copy_as_python(as_code(
        [*imports, "import numpy as np", "from core.encoding.models import load_model",
         "from core.language.words.negation import negate"],
        [*lines, *model, f"names = {list(names)!r}",
         f"labels = points.images.table[{column!r}].astype(str)",
         "truth = np.array([names.index(label) if label in names else -1 for label in labels])",
         f"found = negate(model, points.images.vectors, truth, names, {list(affirmed)!r}, {list(negated)!r})",
         "print(found.told, found.present, found.apart)"]))


def _classes(found: Negated) -> pd.DataFrame:
    nearest = np.where(np.eye(len(found.names), dtype=bool), np.inf, found.others)
    return pd.DataFrame({"class": found.names, "affirmed": found.affirmed, "negated": found.negated,
                         "apart": [f"{v:.1f}°" for v in found.apart],
                         "nearest other class": [f"{found.names[j]}, {nearest[i, j]:.1f}°"
                                                 for i, j in enumerate(nearest.argmin(axis=1))]})
