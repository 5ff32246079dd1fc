"""How many labelled examples the prompts are worth."""

from __future__ import annotations

import streamlit as st

from core.figures.words import examples as figures
from core.learning.few_shots import LEARNERS, Shots, few_shots
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import Asked
from core.types import fingerprint

KS = (1, 2, 4, 8, 16, 32, 64)


def show(settings: Settings, ready: Ready, asked: Asked) -> None:
    """The curve over k of a nearest class mean and of a probe, beside the prompts on the same images."""
    named = asked.named
    if len(named.classes) < 2 or not len(named.known):
        panels.notice("Examples need two classes or more, and images with a label among them.")
        return
    left, middle, right = st.columns(3, gap="medium")
    with left:
        most = int(state.pick_option("Up to examples of each class", {str(k): str(k) for k in KS[2:]},
                                     key="zero_shots", default="16"))
    with middle:
        draws = state.pick_number("Draws", 5, 100, key="zero_draws", default=20, step=5)
    with right:
        learners = state.pick_several("Learners", LEARNERS, key="zero_learners", default=tuple(LEARNERS))
    if not learners:
        panels.notice("Choose a learner.")
        return
    ks = tuple(k for k in KS if k <= most)
    key = fingerprint("zero.shots", asked.key, ks, draws, learners, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Shots:
        return few_shots(asked.images.vectors, named.truth, named.classes, named.logits, shots=ks, draws=draws,
                         learners=learners, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: Shots | None = work.result_when_asked(key, "Learn from examples", "zero.shots", measure, long=True)
    if found is None:
        return
    cut = "" if found.ks[-1] == ks[-1] else (f" At most {found.ks[-1]} examples: a quarter of the classes has no more "
                                             "beside the images that are asked.")
    small = f" {found.left_out:,} classes have too few images and take no part." if found.left_out else ""
    st.caption(f"{len(found.asked):,} images are held out and never learnt from; {draws} draws of examples from the "
               f"others (seed {settings.seed}), of {len(found.classes):,} classes.{cut}{small}")
    ui.show(figures.shots(found, dark=ui.dark()), key="zero.shots.curve", how_to_read=figures.CAPTION,
            table=lambda: figures.shots_table(found))
    ui.copy_as_python(as_code([*asked.imports, "from core.figures.words.examples import shots",
                               "from core.learning.few_shots import few_shots"], [
        *asked.lines, "report = few_shots(images.vectors, named.truth, named.classes, named.logits, "
                      f"shots={ks!r}, draws={draws},", f"                   learners={learners!r}, "
                      f"seed={settings.seed})",
        "print({name: report.worth(name) for name in report.hits})", "shots(report).show()"]))
