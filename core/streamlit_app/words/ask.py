"""Ask: a question, its answers as statements, scored for an image and over a column, beside no image at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.words import asked as figures
from core.figures.words import shares
from core.language.words.questions import (
    MOST_ANSWERS,
    QUESTIONS,
    Answered,
    Scored,
    answer,
    as_statement,
    score,
    statements,
)
from core.language.world_evaluation import BARE
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.classes import class_columns, label_columns, labels_as_classes, labels_of
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.data import encoder_of, pick_image
from core.streamlit_app.words.typed import lines_of, say_unread
from core.types import fingerprint

TILES = 12
TYPED, NONE = "typed", ""


@dataclass(frozen=True)
class Question:
    """Answers, the statements that stand for them, and the column that the answers are labels of ("" for none)."""

    answers: tuple[str, ...]
    texts: tuple[str, ...]
    column: str


def show(settings: Settings, ready: Ready) -> None:
    """A question, one image, a column."""
    encoder = encoder_of(settings, ready)
    if encoder is None:
        return
    if ready.images is None:
        panels.notice("What is open holds texts alone; questions are asked of images.")
        return
    left, right = st.columns([1, 2], gap="medium")
    with left:
        row = pick_image(ready)
    with right:
        question = _question(ready)
        question = None if question is None else _readable(encoder, question)
        if question is None:
            return
        say_unread(encoder, question.texts)
        found = _answered(encoder, ready, question)
        ui.show(figures.answers(found, row, dark=ui.dark()), key="ask.answers", how_to_read=figures.caption(found),
                table=lambda: figures.answers_table(found, row))
    _over_a_column(settings, ready, question, found)
    ui.copy_as_python(_code(settings, ready, question, row))


def _question(ready: Ready) -> Question | None:
    """What is asked: a template of the built-in world, the labels of a column, or what was typed."""
    columns = class_columns(ready)
    known = {c: QUESTIONS[c] if ready.opened.built_in and c in QUESTIONS else f"Which {panels.plain(c, 40)}?"
             for c in columns}
    kind = state.pick_option("Question", known | {TYPED: "Your own"}, key="ask_kind",
                             default="colour" if "colour" in known else next(iter(known), TYPED))
    if kind != TYPED and ready.opened.built_in and kind in BARE:
        return Question(tuple(BARE[kind]), tuple(BARE[kind].values()), kind)
    if kind != TYPED:
        names, _ = labels_as_classes(labels_of(ready, kind))
        said = state.pick_text("Statement, with {} where the answer goes", key="ask_labelled",
                               default="a photo of a {}", max_chars=300)
        return Question(names, statements(said, names), kind)
    asked = state.pick_text("Question", key="ask_question", default="What is it?", max_chars=300)
    given = state.pick_text("Answers, one a line", key="ask_answers", lines=4,
                            default="\n".join(("cube", "sphere", "star") if ready.opened.built_in else
                                              ("cat", "dog", "bird")))
    rule = as_statement(asked)
    own = state.pick_text("Statement, with {} where the answer goes", key="ask_statement", placeholder=rule,
                          max_chars=300, help="By a rule, from the question; write your own in its place.")
    said = own.strip() or rule
    st.caption(panels.plain(f"Asked as: {said}"))
    names = lines_of(given)
    if not 2 <= len(names) <= MOST_ANSWERS:
        panels.notice(f"Type 2 to {MOST_ANSWERS} answers, one a line.", "warning")
        return None
    return Question(names, statements(said, names), NONE)


def _readable(encoder: Encoder, question: Question) -> Question | None:
    """The answers of whose statements the model knows something; None, which is said, where fewer than two are left."""
    unread = encoder.unread(question.texts)
    if not unread:
        return question
    kept = [i for i in range(len(question.texts)) if i not in unread]
    named = ", ".join(f"“{question.texts[i]}”" for i in list(unread)[:5])
    panels.notice(f"{len(unread):,} statements of which this model knows nothing are left out: {named}."
                  + ("" if len(kept) > 1 else " Fewer than two answers are left."), "warning")
    if len(kept) < 2:
        return None
    return Question(tuple(question.answers[i] for i in kept), tuple(question.texts[i] for i in kept), question.column)


def _answered(encoder: Encoder, ready: Ready, question: Question) -> Answered:
    images = ready.images
    assert images is not None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Answered:
        return answer(encoder, images.vectors, images.norms, question.answers, question.texts, images.vectors,
                      images.norms)

    found: Answered = work.result_of(fingerprint("asked", encoder.spec.fingerprint, ready.key, question.answers,
                                                 question.texts), measure)
    return found


def _over_a_column(settings: Settings, ready: Ready, question: Question, found: Answered) -> None:
    assert ready.images is not None
    usable: dict[str, str] = {NONE: "(none)"}
    names = {name.casefold(): i for i, name in enumerate(question.answers)}
    for column in label_columns(ready):
        if any(label.casefold() in names for label in set(labels_of(ready, column))):
            usable[column] = column
    st.subheader("Over all images", anchor=False)
    if len(usable) == 1:
        st.caption("No column of what is open holds any of these answers: how often they are right cannot be told.")
        return
    default = question.column if question.column and question.column in usable else list(usable)[1]
    column = state.pick_option("Column with the right answers", usable, key=f"ask_truth_{question.column or TYPED}",
                               default=default)
    if not column:
        return
    truth = np.array([names.get(label.casefold(), -1) for label in labels_of(ready, column)])
    scored = score(found, truth, seed=settings.seed)
    if len(scored.rows) < len(truth):
        st.caption(f"{len(truth) - len(scored.rows):,} of {len(truth):,} images have none of these answers and are "
                   f"left out.")
    best = panels.plain(found.answers[int(found.without.argmax())], 40)
    numbers = {"with the image": scored.right, "without an image": scored.without,
               "the commonest answer": scored.majority}
    against = {"with the image": scored.over_without}
    ui.show(shares.shares(numbers, figures.scored_finding(scored), "images answered right", dark=ui.dark()),
            key="ask.scored", how_to_read=f"Without an image the same answer, “{best}”, is given for all: the one that "
            f"the texts alone prefer at the mean direction of the {found.references:,} images. No answer for all is "
            f"right more often than the commonest. The difference is on the same images. Diamonds: by chance.",
            table=lambda: shares.shares_table(numbers, against))
    _wrong(ready, found, scored, column)


def _wrong(ready: Ready, found: Answered, scored: Scored, column: str) -> None:
    assert ready.images is not None
    at = np.flatnonzero(scored.hits < 0.5)
    rows = scored.rows[at].tolist()
    if st.button(f"Keep the {len(rows):,} that are wrong as a selection", icon=":material/bookmark_add:",
                 disabled=not rows, key="ask.keep"):
        keep(ready, f"Wrong {column}", [ready.images.ids[row] for row in rows], f"answered wrong ({column})")
    if rows:
        panels.gallery([(ready.pictures.whole(row), f"{found.answers[int(found.chosen[row])]}",
                         f"{100 * found.probabilities[row].max():.0f} %; right: {found.answers[int(scored.truth[i])]}")
                        for i, row in zip(at[:TILES].tolist(), rows)], key="ask-wrong")


def _code(settings: Settings, ready: Ready, question: Question, row: int) -> str:
    imports, lines = points_lines(settings, ready)
    model = [] if any(line.startswith("model =") for line in lines) else [f"model = load_model({settings.model_id!r})"]
    return as_code(
        [*imports, "from core.encoding.models import load_model", "from core.figures.words.asked import answers",
         "from core.language.words.questions import answer"],
        [*lines, *model, "x = points.images", f"found = answer(model, x.vectors, x.norms, {list(question.answers)!r},",
         f"               {list(question.texts)!r}, x.vectors, x.norms)",
         f"print(dict(zip(found.answers, found.probabilities[{row}])))", f"answers(found, {row}).show()"])
