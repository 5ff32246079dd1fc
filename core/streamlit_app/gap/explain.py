"""Explain the gap: the landscape along the shift, the cones of an untrained model, and the gap over a training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st

from core.figures.frame import FEWEST_FOR_PERCENT, percent, share
from core.figures.gap import models
from core.figures.gap import shift as figures
from core.geometry.curves import Curve
from core.geometry.gap.landscape import landscape
from core.geometry.gap.reports import Landscape
from core.geometry.intervals import decimals
from core.geometry.retrieval import recall_at
from core.geometry.statistics import sphere_statistics
from core.learning.history import builtin_history
from core.learning.records.record import Record
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.other_models import UNTRAINED
from core.streamlit_app.gap import others, python, sentences
from core.streamlit_app.gap.compare import side_by_side
from core.streamlit_app.gap.data import GapData, gap_pairs, with_classes
from core.streamlit_app.gap.measure import differences, measured
from core.streamlit_app.gap.see import histograms_of, pick_shift
from core.streamlit_app.state import Settings
from core.types import Number

PARTS = {"shift": "Along the shift", "cones": "Before training", "training": "Over the training"}
CONES = ("centroid_gap", "angle_of_means", "cosine_paired", "cosine_unpaired", "uniformity_image", "uniformity_text")


def show(settings: Settings, data: GapData) -> None:
    """One of three explanations."""
    part = state.pick_option("Explanation", PARTS, key="explain", widget="segments", label_visible=False)
    {"shift": _shift, "cones": _cones, "training": _training}[part](settings, data)


def _shift(settings: Settings, data: GapData) -> None:
    if not len(data.pairs.links):
        panels.notice("A landscape needs pairs: neither loss nor retrieval is defined without.")
        return
    data = with_classes(settings, data)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Landscape:
        return landscape(data.pairs, on_progress=on_progress, should_stop=should_stop)

    report: Landscape = work.result_of(f"gap.landscape:{data.key}", measure)
    _live(settings, data, report)


@st.fragment
def _live(settings: Settings, data: GapData, report: Landscape) -> None:
    """A new shift looks its numbers up in the landscape."""
    lam = pick_shift()
    _metrics(report, lam)
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        ui.show(figures.landscape(report, at=lam, dark=ui.dark()), key="gap.landscape",
                how_to_read=f"From left to right the modalities are moved against each other; ½ closes the gap. Bands: "
                            f"95 % intervals; those of retrieval are for other queries in this gallery. The loss is "
                            f"the contrastive one of training, here over batches of {report.batch} pairs whatever "
                            f"the model was trained with.",
                table=lambda: figures.landscape_table(report))
    with right:
        st.subheader("What this says", anchor=False)
        for sentence in sentences.landscape_in_words(report):
            st.markdown(f"- {panels.plain(sentence, 1000)}")
    ui.copy_as_python(python.explain(settings, data))


def _metrics(report: Landscape, lam: float) -> None:
    """The numbers at a shift, each beside its value at 0."""
    here, zero = (int(np.argmin(np.abs(report.shifts - at))) for at in (lam, 0.0))
    shown: dict[str, tuple[Curve, bool]] = {"Gap": (report.gap, False)}
    if report.losses:
        tau = min(report.losses)
        shown[f"Loss, temperature {tau:g}"] = report.losses[tau], False
    shown |= {title: (report.retrieval[key], True) for key, title in
              (("r1_image_to_text", "R@1 image to text"), ("r1_text_to_image", "R@1 text to image"))
              if key in report.retrieval}
    if report.accuracy is not None:
        shown["Zero-shot accuracy"] = report.accuracy, True
    with st.container(horizontal=True, key="gap.metrics"):
        for title, (curve, is_share) in shown.items():
            value, change, around = tile(curve, here, zero, report.n, is_share=is_share)
            with st.container(width=172):
                st.metric(title, value, f"{change} from shift 0" if here != zero else None, delta_color="off")
                st.caption(around + (f" in batches of {report.batch}" if title.startswith("Loss") else ""))


def tile(curve: Curve, here: int, zero: int, n: int, *, is_share: bool) -> tuple[str, str, str]:
    """A number of a curve, its change since ``zero``, and its interval, chance and n; the interval decides on digits.

    A share is in per cent where there are 100 items or more, else it is said how many.
    """
    in_percent = is_share and n >= FEWEST_FOR_PERCENT
    number, before = (percent(curve.at(i)) if in_percent else curve.at(i) for i in (here, zero))
    digits, unit = decimals(number, 0 if in_percent else 2), "\u00a0%" if in_percent else ""
    said = []
    if number.low is not None and number.high is not None:
        said.append(f"{number.low:.{digits}f} to {number.high:.{digits}f}{unit}")
    if number.null is not None:
        said.append(f"by chance {number.null:.{digits}f}{unit}")
    around = "; ".join([*said, f"n {n:,}"])
    if is_share and not in_percent:
        return share(replace(number, n=n)), f"{round((number.value - before.value) * n, 1):+g}", around
    change = f"{number.value - before.value:+.{digits}f}{' points' if in_percent else ''}"
    return f"{number.value:.{digits}f}{unit}", change, around


def _cones(settings: Settings, data: GapData) -> None:
    """The trained model's cosines above those of its architecture before training."""
    if data.ready.opened.vectors is not None:
        panels.notice("These vectors came without a model, so there is no architecture to look at untrained. Open "
                      "images and texts, or the built-in world.")
        return
    other = others.ready_by(UNTRAINED + settings.model_id, data.ready)
    fresh = GapData(other, gap_pairs(other))
    trained = histograms_of(data, data.pairs, "untouched", settings.seed)
    before = histograms_of(fresh, fresh.pairs, "untouched", settings.seed)
    left, right = st.columns([1.3, 1], gap="medium")
    with left:
        ui.show(models.cones(trained, before, dark=ui.dark()), key="gap.cones",
                how_to_read="The same images and texts through the model and through its architecture with random "
                            "weights. A narrow curve near 1 is a narrow cone.",
                table=lambda: models.cones_table(trained, before))
    with right:
        numbers = {"trained": measured(data.ready.key, data.pairs, settings.seed, about="Trained: "),
                   "untrained": measured(other.key, fresh.pairs, settings.seed, about="Untrained: ")}
        st.subheader("What this says", anchor=False)
        changed = differences((fresh.key, fresh.pairs), {"trained": (data.key, data.pairs)}, settings.seed)["trained"]
        for sentence in sentences.cones_in_words(trained, before, changed):
            st.markdown(f"- {panels.plain(sentence, 1000)}")
        st.dataframe(side_by_side(numbers, CONES), hide_index=True, height="content", key="gap.cones.table")
    ui.copy_as_python(python.cones(settings, data))


def _training(settings: Settings, data: GapData) -> None:
    """The gap of the built-in model at the steps of its training."""
    history = builtin_history()

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, list[Curve]]:
        return curves_of(history, on_progress)

    last = len(history) - 1
    changed = differences(("builtin:0", history.pairs(0)), {"trained": (f"builtin:{last}", history.pairs(last))},
                          settings.seed)["trained"]
    curves: dict[str, list[Curve]] = work.result_of("gap.training:builtin", measure)
    n = history.images.shape[1]
    st.caption(f"The built-in model, on the {n:,} probe scenes and captions whose features were kept through its "
               "training; what is open above does not matter here.")
    left, right = st.columns([1.5, 1], gap="medium")
    with left:
        ui.show(models.over_training(history.steps, curves, dark=ui.dark()), key="gap.training",
                how_to_read="Step 0 is before training. Bands: 95 % intervals; dotted: by chance. The temperature is "
                            "learned, and falls as the model gets surer.",
                table=lambda: models.over_training_table(history.steps, curves))
    with right:
        st.subheader("What this says", anchor=False)
        for sentence in sentences.training_in_words(history.steps, curves, changed["centroid_gap"]):
            st.markdown(f"- {panels.plain(sentence, 1000)}")
    ui.copy_as_python(python.training())


def curves_of(history: Record, on_progress: work.Progress) -> dict[str, list[Curve]]:
    """Gap, cosines, retrieval, loss and temperature at each step that was kept, by heading."""
    steps: list[dict[str, Number]] = []
    for i in range(len(history)):
        on_progress(i / len(history), f"Step {history.steps[i]:,} of the training")
        pairs = history.pairs(i)
        found = sphere_statistics(pairs.images, pairs.texts, pairs.links)
        steps.append(found | {"i2t": recall_at(pairs.images, pairs.texts, pairs.links),
                              "t2i": recall_at(pairs.texts, pairs.images, pairs.links[:, ::-1])})

    def curve(title: str, key: str, unit: str = "cosine") -> Curve:
        return replace(Curve.of(title, [step[key] for step in steps]), unit=unit)

    return {"Gap: distance of the means": [curve("Gap", "gap", "length")],
            "Mean cosine": [curve("Image and image", "cosine_image"), curve("Text and text", "cosine_text"),
                            curve("Pair", "cosine_paired"), curve("No pair", "cosine_unpaired")],
            "R@1 among the probe scenes": [curve("Image to text", "i2t", "share"),
                                          curve("Text to image", "t2i", "share")],
            "Contrastive loss": [Curve("Loss", history.measures["loss"], unit="nats")],
            "Temperature": [Curve("Temperature", history.measures["temperature"])]}
