"""Of what A and B are composed: the share of each label, cluster or zero-shot class in both."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import OrreryError
from core.figures.quality import composition as figures
from core.geometry.quality.composition import Composition, composition, nearest_class
from core.geometry.quality.regions import regions
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.quality.sides import Sides
from core.streamlit_app.state import Settings
from core.types import fingerprint

BY = {"label": "Label", "cluster": "Cluster", "class": "Zero-shot class"}
EXAMPLE = "a photo of a dog\na photo of a cat\na photo of a person"
IN_WORLD = "a red cube\na blue sphere\na green cone"
MOST_CLASSES = 100


def show(settings: Settings, data: QualityData, sides: Sides) -> None:
    """By what they are composed, the shares of both, and whether they differ."""
    offered = {key: title for key, title in BY.items() if _offered(key, sides)}
    by = state.pick_option("By", offered, key="composed_by", widget="segments")
    names = _names(settings, sides, by)
    if names is None:
        return

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Composition:
        on_progress(0.1, "Dealing labels")
        return composition(*names, together=sides.together, seed=settings.seed)

    found: Composition = work.result_of(fingerprint("composition", sides.key, by, *names, settings.seed), measure)
    ui.show(figures.composition(found, sides.short, what=by, dark=ui.dark()), key="quality.composition",
            how_to_read=figures.CAPTION, table=lambda: figures.composition_table(found, sides.two.names))
    if found.note:
        panels.notice(found.note, one_line=True)
    if any(found.left_out):
        st.caption(f"{found.left_out[0]:,} items of A and {found.left_out[1]:,} of B have no label and are left out.")


def _offered(by: str, sides: Sides) -> bool:
    if by == "label":
        return sides.of == "image" and all(any(side.looked.items.labels) for side in sides.data)
    return by == "cluster" or bool(sides.a.looked.prompts_by)


def _names(settings: Settings, sides: Sides, by: str) -> tuple[Sequence[str], Sequence[str]] | None:
    """What each item is called."""
    if by == "label":
        return sides.a.looked.items.labels, sides.b.looked.items.labels
    if by == "cluster":
        def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[list[str], list[str]]:
            found = regions(*sides.vectors, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)
            return [found.names[i] for i in found.of_a], [found.names[i] for i in found.of_b]

        clusters: tuple[list[str], list[str]] = work.result_of(
            fingerprint("clusters of two", sides.key, settings.seed), measure)
        return clusters
    in_world = sides.a.ready.opened.built_in or sides.a.ready.opened.in_world
    typed = state.pick_text("Classes, a prompt a line", key="zero_shot", default=IN_WORLD if in_world else EXAMPLE,
                            lines=4)
    prompts = tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))[:MOST_CLASSES]
    if len(prompts) < 2:
        panels.notice("Write at least two classes.")
        return None
    encoder = cached.encoder(sides.a.looked.prompts_by)
    if unread := encoder.unread(prompts):
        raise OrreryError("prompts that the model knows words of", "; ".join(f"{prompts[i]}: {why}" for i, why in
                                                                            unread.items()), "Use other words.")
    vectors = cached.prompt_vectors(encoder.spec.fingerprint, prompts, sides.a.looked.prompts_by)
    a, b = (nearest_class(x, vectors, prompts) for x in sides.vectors)
    return a, b
