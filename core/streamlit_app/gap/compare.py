"""Compare models on the same pairs: the same measures side by side, and how far they agree about the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.gap import models as figures
from core.geometry.comparison import COMPARISONS, linear_cka, neighbour_overlap
from core.geometry.gap.measures import MEASURES
from core.geometry.intervals import decimals
from core.geometry.pairs import Pairs
from core.learning.history import builtin_history, probe_dataset
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.other_models import UNTRAINED, pick_models, title_of
from core.streamlit_app.gap import images, python, sentences
from core.streamlit_app.gap.data import GapData, gap_pairs
from core.streamlit_app.gap.measure import differences, measured
from core.streamlit_app.gap.others import Other, encoded, ready_by, second_file
from core.streamlit_app.gap.sentences import say
from core.streamlit_app.state import Settings
from core.types import Number, fingerprint

ON = {"open": "On what is open", "probe": "On the probe scenes of the built-in training",
      "images": "On the images alone, the photo model too"}
STEP = "step:"
CHECKPOINTS = 8
SHOWN = ("centroid_gap", "angle_of_means", "cosine_paired", "cosine_unpaired", "rmg", "separability",
         "uniformity_image", "uniformity_text", "r1_image_to_text", "r1_text_to_image", "kendall_tau",
         "hubness_image_to_text")

Agreement = dict[tuple[int, int], dict[str, Number]]


def show(settings: Settings, data: GapData) -> None:
    """The models chosen, their measures, what these say, and how far the models agree."""
    on = state.pick_option("Pairs", ON, key="compare", widget="segments", label_visible=False)
    if on == "images":
        images.show(settings, data.ready)
        return
    chosen: tuple[str, ...] = ()
    second = on == "open" and data.ready.opened.dataset is None
    if on == "probe":
        others = _on_probes(settings)
    elif second:
        others = _two_files(data)
    else:
        chosen = pick_models(settings, (settings.model_id, UNTRAINED + settings.model_id), {}, key="models")
        others = [_on_open(model, settings, data) for model in chosen]
    if len(others) < 2:
        panels.notice("Give a second file: vectors of the same items, by another model." if second else
                      "Choose at least two models to compare.")
        return
    numbers = {other.name: measured(other.key, other.pairs, settings.seed, about=f"{other.name}: ")
               for other in others}
    st.subheader("What the numbers say", anchor=False)
    first, *rest = others
    changed = differences((first.key, first.pairs), {o.name: (o.key, o.pairs) for o in rest}, settings.seed)
    for sentence in sentences.models_in_words(numbers, changed):
        st.markdown(f"- {panels.plain(sentence, 1000)}")
    agreed = _agreement(others, settings.seed)
    left, right = st.columns(2, gap="medium")
    with left:
        titles = {key: MEASURES[key].title for key in SHOWN}
        ui.show(figures.models_compared(numbers, titles=titles, dark=ui.dark()), key="gap.models",
                how_to_read="A point is a model's number with its 95 % interval, a short bar what chance would give. "
                            "All models see the same pairs.",
                table=lambda: figures.models_compared_table(numbers))
    with right:
        _show_agreement(others, agreed)
    st.dataframe(side_by_side(numbers), hide_index=True, height="content", key="gap.models.table")
    if chosen:
        ui.copy_as_python(python.compare(chosen, settings, data))


def _two_files(data: GapData) -> list[Other]:
    """Vectors made elsewhere beside a second file of them."""
    second = second_file(data.ready)
    return [Other(data.ready.opened.name[:60], data.ready.key, data.pairs), *([second] if second else [])]


def _on_open(model: str, settings: Settings, data: GapData) -> Other:
    """What is open, by a model."""
    ready = data.ready if model == settings.model_id else ready_by(model, data.ready)
    return Other(title_of(model), ready.key, gap_pairs(ready))


def _on_probes(settings: Settings) -> list[Other]:
    """The probe scenes, by the built-in model at steps of its training and by other models."""
    history = builtin_history()
    steps = {f"{STEP}{i}": f"Built-in at step {history.steps[i]:,}" for i in history.some(CHECKPOINTS)}
    first, *_, last = steps
    found = []
    for model in pick_models(settings, (first, list(steps)[len(steps) // 2], last), steps, key="probe_models"):
        if model in steps:
            pairs = history.pairs(int(model.removeprefix(STEP)))
            found.append(Other(steps[model], fingerprint("probe", pairs.images, pairs.texts), pairs))
            continue
        images, texts = encoded(model, probe_dataset(), "probe")
        found.append(Other(title_of(model), fingerprint("probe", images.fingerprint, texts.fingerprint),
                           Pairs.row_by_row(images.vectors, texts.vectors)))
    return found


def _agreement(others: Sequence[Other], seed: int) -> Agreement:
    """CKA and neighbour overlap of each two, of images and of texts."""

    def compare(on_progress: work.Progress, should_stop: work.Stop) -> Agreement:
        pairs = list(combinations(range(len(others)), 2))
        found: Agreement = {}
        for done, (i, j) in enumerate(pairs):
            on_progress(done / len(pairs), f"{others[i].name} and {others[j].name}")
            found[i, j] = agreement_of(others[i].pairs, others[j].pairs, seed)
        return found

    done: Agreement = work.result_of(fingerprint("gap.agreement", [other.key for other in others], seed), compare)
    return done


def agreement_of(a: Pairs, b: Pairs, seed: int) -> dict[str, Number]:
    """By "cka_image", "overlap_text" and the like; what is not defined for so few items is left out."""
    found = {}
    for modality, x, y in (("image", a.images, b.images), ("text", a.texts, b.texts)):
        if len(x) >= 13:
            found[f"cka_{modality}"] = linear_cka(x, y)
            found[f"overlap_{modality}"] = neighbour_overlap(x, y, seed=seed)
    return found


def _show_agreement(others: Sequence[Other], agreed: Agreement) -> None:
    sides = {"image": "Of the images", "text": "Of the texts"}
    modality = state.pick_option("Agreement", sides, key="agree", widget="segments", label_visible=False)
    names = [other.name for other in others]
    cka, overlap = (square(len(others), agreed, f"{what}_{modality}") for what in COMPARISONS)
    if not all(np.isfinite(number.value) for row in (*cka, *overlap) for number in row):
        panels.notice("Too few items, or all of them one point: agreement is not defined.")
        return
    ui.show(figures.agreement(names, cka, overlap, dark=ui.dark()), key="gap.agreement",
            how_to_read=" ".join(f"{c.title}: {c.explanation}" for c in COMPARISONS.values()),
            table=lambda: figures.agreement_table(names, cka, overlap))
    with st.expander("With intervals and chance", icon=":material/table:"):
        st.dataframe(agreement_shown(names, agreed), hide_index=True, key="gap.agreement.table")


def square(m: int, agreed: Agreement, key: str) -> list[list[Number]]:
    """(m, m) numbers of that key, 1 on the diagonal, NaN where it is not defined."""
    unknown = Number(float("nan"))
    return [[Number(1.0) if i == j else agreed[min(i, j), max(i, j)].get(key, unknown) for j in range(m)]
            for i in range(m)]


def agreement_shown(names: Sequence[str], agreed: Agreement) -> pd.DataFrame:
    """One row a pair of models and number, as text: value, interval, chance, n."""
    named = {f"{names[i]} and {names[j]}: {COMPARISONS[key.split('_')[0]].title}, {key.split('_')[1]}s": number
             for (i, j), numbers in agreed.items() for key, number in numbers.items()}
    return panels.numbers_table(named)


def side_by_side(numbers: Mapping[str, Mapping[str, Number]], keys: Sequence[str] = tuple(MEASURES)) -> pd.DataFrame:
    """One row a measure, with its unit; one column a model, with intervals; what chance gives each of them."""
    rows = []
    for key in keys:
        known = [found[key] for found in numbers.values() if key in found]
        if not known:
            continue
        cells = {"": ", ".join(part for part in (MEASURES[key].title, MEASURES[key].unit) if part)}
        cells |= {name: _cell(found[key]) if key in found else "" for name, found in numbers.items()}
        chance = [f"{n.null:.{decimals(n)}f}" for n in known if n.null is not None]
        rows.append(cells | {"by chance": " / ".join(dict.fromkeys(chance))})
    return pd.DataFrame(rows)


def _cell(number: Number) -> str:
    return f"{number.value:.3g}" if number.low is None else say(number)
