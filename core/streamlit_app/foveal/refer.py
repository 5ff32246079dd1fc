"""Refer: boxes and a sentence, and which box it means, by every way of pointing at a box."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.attention.foveal.captions import OTHERS
from core.attention.foveal.referring import BoxScores, score_boxes
from core.attention.masks import Steering
from core.attention.prompts import TITLES
from core.errors import Cancelled
from core.figures.foveal import boxes as figures
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code as lines_of
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.foveal import batch, tuned
from core.streamlit_app.foveal.batch import METHODS
from core.streamlit_app.foveal.brought import BroughtBoxes, pick_file
from core.streamlit_app.foveal.choices import Choice, pick_choice, pick_others, pick_sentences
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import as_code, pick_steering
from core.streamlit_app.foveal.python import looked_lines
from core.streamlit_app.state import Settings
from core.types import fingerprint

FEW = 100
EXPLAINED = ("Each box is pointed at in turn, and the view is scored for the sentence: cosine, or that less the mean "
             "cosine with other captions, which takes away what makes a box score high whatever is said. The box with "
             "the highest score is named. Without a prompt all views are one, and no box wins.")


def show(settings: Settings, data: FovealData) -> None:
    """The picture with its boxes by score, all methods beside each other, many sentences at once, and the sweep."""
    steering = pick_steering(data.tower)
    template = _template()
    if template is None:
        return
    brought = pick_file(data)
    with panels.friendly_errors():
        _one_picture(settings, data, steering, template, brought)
    with panels.friendly_errors():
        batch.show(settings, data, steering, template, brought)
    with panels.friendly_errors():
        tuned.show(settings, data)


def _template() -> str | None:
    template = state.pick_text("Prompt, with {} for the sentence", key="refer_template", default="{}", max_chars=200)
    if "{}" in template:
        return template
    panels.notice("Expected {} in the prompt, where the sentence stands.", "warning")
    return None


def _one_picture(settings: Settings, data: FovealData, steering: Steering, template: str,
                 brought: BroughtBoxes | None) -> None:
    st.subheader("This picture", anchor=False)
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        choice = pick_choice(data, None if brought is None else brought.pictures)
        if choice is None:
            return
        sentences = pick_sentences(data, choice)
        others = pick_others(sentences)
        say_unknown(settings.model_id, " ".join((*sentences, *(text for some in others or () for text in some))))
        sentence = state.pick_option("Which box is …", {text: text for text in sentences}, key="refer_sentence")
        method = state.pick_option("Shown in the picture", {key: TITLES[key] for key in METHODS}, key="refer_by")
        subtracted = state.pick_flag("Other captions subtracted", key="refer_less", default=True)
    found = _scores(data, choice, sentences, others, steering, template)
    if found is None:
        return
    row = sentences.index(sentence)
    truth = choice.truths.get(sentence)
    by_title = {TITLES[key]: scores.of(subtracted)[row] for key, scores in found.items()}
    how = TITLES[method] + (", other captions subtracted" if subtracted else "")
    with right:
        ui.show(figures.boxes(data.image, choice.boxes, choice.names, by_title[TITLES[method]], sentence, how,
                              truth=truth, dark=ui.dark()), key="foveal.boxes", how_to_read=EXPLAINED,
                table=lambda: all_scores(choice, sentences, found))
    if len(choice.boxes) > 1:
        ui.show(figures.margins(choice.names, by_title, truth=truth, dark=ui.dark()), key="foveal.margins",
                how_to_read="How clearly each method prefers its winner, whose name stands on its bar; hollow where "
                "another box is meant. Scores of different methods are not of one scale.",
                table=lambda: figures.scores_table(choice.names, by_title))
        st.dataframe(figures.scores_table(choice.names, by_title), hide_index=True, key="foveal.scores",
                     height=min(35 * (len(choice.names) + 3) + 2, 420))
    else:
        panels.notice("One box: there is nothing to choose from.")
    told = others[row] if others is not None else [text for text in sentences if text != sentence] or list(OTHERS)
    if subtracted:
        st.caption(f"Subtracted: the mean score of {panels.plain('; '.join(told), 300)}")
    ui.copy_as_python(_code(settings, data, choice, sentence, method, steering, template, told))


def _scores(data: FovealData, choice: Choice, sentences: Sequence[str], others: list[list[str]] | None,
            steering: Steering, template: str) -> dict[str, BoxScores] | None:
    """By method; None while it is worked on."""
    places = [(box.left, box.top, box.right, box.bottom) for box in choice.boxes]
    key = fingerprint("refer", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, data.looked.content,
                      places, sentences, others, steering, template)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, BoxScores]:
        out = {}
        for i, method in enumerate(METHODS):
            if should_stop():
                raise Cancelled(f"{i} of {len(METHODS)} methods")
            on_progress(i / len(METHODS), f"{len(places):,} boxes, {TITLES[method]}")
            out[method] = score_boxes(data.tower, data.image, choice.boxes, sentences, method, others=others,
                                      template=template, steering=steering if method == "foveal" else None)
        return out

    found: dict[str, BoxScores] | None = work.result_beside(key, measure)
    return found


def all_scores(choice: Choice, sentences: Sequence[str], found: dict[str, BoxScores]) -> pd.DataFrame:
    """One row a sentence, box and method: its place, score as such and with other captions subtracted, the winner."""
    rows = []
    for method, scores in found.items():
        for s, sentence in enumerate(sentences):
            best = {side: figures.winner(scores.of(side)[s])[0] for side in (False, True)}
            for i, (name, box) in enumerate(zip(choice.names, choice.boxes)):
                rows.append({"sentence": sentence, "method": TITLES[method], "box": name, "left": box.left,
                             "top": box.top, "right": box.right, "bottom": box.bottom,
                             "score": scores.raw[s, i], "others subtracted": scores.subtracted[s, i],
                             "wins": best[False] == i, "wins, others subtracted": best[True] == i,
                             "is meant": choice.truths.get(sentence) == i if sentence in choice.truths else None})
    return pd.DataFrame(rows)


def _code(settings: Settings, data: FovealData, choice: Choice, sentence: str, method: str, steering: Steering,
          template: str, others: Sequence[str]) -> str:
    imports, lines = looked_lines(settings, data)
    boxes = ", ".join(f"Box({b.left:.6g}, {b.top:.6g}, {b.right:.6g}, {b.bottom:.6g})" for b in choice.boxes[:FEW])
    return lines_of([*imports, "from core.attention.foveal.referring import score_boxes",
                     "from core.attention.masks import Steering", "from core.attention.regions import Box"], [
        *lines, f"boxes = ({boxes},)",
        f"found = score_boxes(tower, image, boxes, [{sentence!r}], {method!r}, others=[{list(others)!r}],",
        f"                    template={template!r}" + (f", steering={as_code(steering)})" if method == "foveal" else
                                                        ")"),
        "print(found.raw, found.subtracted, found.subtracted.argmax())"])
