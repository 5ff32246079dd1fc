"""Two sets of prompts against each other: what they flag, and their error rates where labels say what is right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.encoding.registry import BUILTIN, PHOTO
from core.figures.words import flags as figures
from core.geometry.flagging import Flagged, flag_odds
from core.language.words.prompt_sets import CAUTION, NO_SENTIMENT, PHOTO_SETS, SETS, WORLD_SETS, PromptSet
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.classes import label_columns, labels_of
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import NONE
from core.streamlit_app.words.data import encoder_of
from core.types import fingerprint

MOST_PROMPTS, TILES = 200, 24


def show(settings: Settings, ready: Ready) -> None:
    """The two sets, the truth, the threshold; what is flagged, and how often wrongly."""
    encoder = encoder_of(settings, ready)
    if encoder is None or ready.images is None:
        return
    world = settings.model_id == BUILTIN
    sets = WORLD_SETS if world else PHOTO_SETS | SETS if settings.model_id == PHOTO else SETS
    if world:
        panels.notice(NO_SENTIMENT)
    left, right = st.columns([1, 1.7], gap="medium")
    with left:
        which = state.pick_option("Prompts", {key: one.title for key, one in sets.items()}, key="zero_set",
                                  help="To start from; both sides can be edited.")
        one = sets[which]
        yes = _prompts("What flags, a prompt a line", f"zero_yes {which}", one.flagged)
        no = _prompts("Against: what does not", f"zero_no {which}", one.other)
        column, truth, bad = _truth(ready, which, one)
        threshold = state.pick_number("Flagged from a probability of", 0.005, 0.995, key="zero_at", default=0.5,
                                      step=0.005)
    with right:
        flags, others = _read(settings, encoder, yes, no)
        if not flags or not others:
            panels.notice("Write a prompt on either side: one that flags, and one that does not.", "warning")
            return
        odds = _odds(ready, encoder, flags, others)
        found = Flagged(odds, truth, threshold)
        _answer(ready, found, one.title)
        _gallery(ready, found)
    imports, lines = points_lines(settings, ready)
    lines += ["images = points.images", f"flags, others = {list(flags)!r}, {list(others)!r}",
              "odds = flag_odds(model.logits(images.vectors, images.norms, [*flags, *others]),",
              "                 np.arange(len(flags) + len(others)) < len(flags))"]
    lines += [f"cells = images.table[{column!r}].fillna('').astype(str)",
              f"truth = np.where(cells == '', -1, cells.isin({sorted(bad)!r}))"] if column else [
                  "truth = np.full(len(images), -1)"]
    ui.copy_as_python(as_code([*imports, "import numpy as np", "from core.figures.words.flags import histogram",
                               "from core.geometry.flagging import Flagged, flag_odds"], [
        *lines, f"report = Flagged(odds, truth, {threshold!r})",
        "print(report.share, report.false_positives, report.false_negatives, report.auc)",
        "histogram(report).show()"]))


def _prompts(label: str, key: str, usual: Sequence[str]) -> list[str]:
    rows = state.pick_text(label, key=key, default="\n".join(usual), lines=5, max_chars=20_000).splitlines()
    return list(dict.fromkeys(" ".join(row.split()) for row in rows if row.strip()))[:MOST_PROMPTS]


def _truth(ready: Ready, which: str, one: PromptSet) -> tuple[str, np.ndarray, tuple[str, ...]]:
    """The column of truth, (n,) 1, 0 or -1 of each image, and the labels that should be flagged."""
    assert ready.images is not None
    columns = label_columns(ready)
    column = state.pick_option("Truth", {NONE: "none: no error rates"} | {c: c for c in columns},
                               key=f"zero_truth {which}", default=one.column if one.column in columns else NONE)
    if column == NONE:
        return "", np.full(len(ready.images), -1), ()
    cells = labels_of(ready, column)
    names = {name: panels.plain(name, 40) for name in sorted(set(cells) - {""})}
    bad = state.pick_several("Should be flagged", names, key=f"zero_bad {which} {column}",
                             default=[name for name in one.labels if name in names] if column == one.column else ())
    if not bad:
        return "", np.full(len(ready.images), -1), ()
    wanted = set(bad)
    return column, np.array([-1 if not cell else int(cell in wanted) for cell in cells]), bad


def _read(settings: Settings, encoder: Encoder, yes: Sequence[str], no: Sequence[str]
          ) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The prompts of either side of which the model reads something; what it does not know is said."""
    both = [*yes, *no]
    unread = {both[i]: reason for i, reason in encoder.unread(both).items()}
    for text, reason in list(unread.items())[:6]:
        panels.notice(f"“{text[:80]}” is left out: {reason}.", "warning")
    say_unknown(settings.model_id, " ".join(text for text in both if text not in unread))
    cut = int(encoder.truncated(both).sum()) if both else 0
    if cut:
        panels.notice(f"{cut:,} of {len(both):,} prompts are longer than the model reads: their ends are not seen.",
                      "warning")
    same = sorted(set(yes) & set(no))
    if same:
        panels.notice(f"On both sides, so that it tells nothing: {', '.join(same[:4])[:200]}.", "warning")
    return tuple(t for t in yes if t not in unread), tuple(t for t in no if t not in unread)


def _odds(ready: Ready, encoder: Encoder, flags: tuple[str, ...], others: tuple[str, ...]) -> np.ndarray:
    images = ready.images
    assert images is not None
    key = fingerprint("zero.flags", encoder.spec.fingerprint, encoder.dtype, images.fingerprint, flags, others)

    def score(on_progress: work.Progress, should_stop: work.Stop) -> np.ndarray:
        on_progress(0.0, f"Asking {len(images):,} images {len(flags) + len(others)} prompts")
        logits = encoder.logits(images.vectors, images.norms, [*flags, *others])
        return flag_odds(logits, np.arange(len(flags) + len(others)) < len(flags))

    found: np.ndarray = work.result_of(key, score)
    return found


def _answer(ready: Ready, found: Flagged, title: str) -> None:
    ui.show(figures.histogram(found, dark=ui.dark()), key="zero.flags", how_to_read=figures.CAPTION,
            table=lambda: figures.items_table(found, ready.images.ids if ready.images is not None else ()))
    numbers = {"flagged": found.share}
    rates = {"false positives": found.false_positives,
             "false negatives": found.false_negatives,
             "precision": found.precision, "AUC": found.auc}
    numbers |= {name: number for name, number in rates.items() if number is not None}
    panels.wrapped_table(panels.numbers_table(numbers))
    if found.false_positives is None and found.false_negatives is None:
        panels.notice("Error rates need labels: choose a column as truth and which of its labels should be flagged. "
                      "Without them a share that is flagged says nothing of right or wrong.")
    elif found.false_positives is not None and found.false_negatives is not None:
        ui.show(figures.roc(found, dark=ui.dark()), key="zero.roc", how_to_read=figures.CAPTION_OF_ROC,
                table=lambda: figures.roc_table(found))
    st.caption(CAUTION)
    assert ready.images is not None
    rows = np.flatnonzero(found.flagged)
    if st.button(f"Keep the {len(rows):,} flagged as a selection", icon=":material/bookmark_add:",
                 disabled=not len(rows), key="zero.keep_flagged"):
        keep(ready, f"Flagged: {title}"[:60], [ready.images.ids[row] for row in rows.tolist()],
             f"flagged by prompts, {title}, from {100 * found.threshold:g} % on")


def _gallery(ready: Ready, found: Flagged) -> None:
    """The images that are flagged surest; where the truth is known, those that are flagged wrongly and missed."""
    assert ready.images is not None
    ids = ready.images.ids
    groups = {"Flagged surest": np.flatnonzero(found.flagged)}
    if (found.truth >= 0).any():
        groups = {"Flagged wrongly": np.flatnonzero(found.flagged & found.good),
                  "Missed": np.flatnonzero(~found.flagged & found.bad)}
    shown = state.pick_option("Images", {str(i): f"{name}: {len(rows):,}" for i, (name, rows) in
                                         enumerate(groups.items())}, key="zero_shown", widget="segments",
                              label_visible=False)
    name, rows = list(groups.items())[int(shown)]
    order = rows[np.argsort(-found.odds[rows] if name != "Missed" else found.odds[rows], kind="stable")][:TILES]
    if not len(order):
        st.caption("No image.")
        return
    panels.gallery([(ready.pictures.small(row), ids[row], f"{100 * found.probability[row]:.3g} %")
                    for row in order.tolist()], key="zero.flagged")
    if len(rows) > TILES:
        st.caption(f"{TILES} of {len(rows):,} are shown.")
