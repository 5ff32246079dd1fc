"""Objects side by side: angles between their subspaces, what belongs to which, and how well a view is told right."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.figures.objects import angles as figures
from core.figures.objects import recognition as telling
from core.figures.objects import subspaces as belonging
from core.geometry.objects.angles import grassmann_distance, principal_angles
from core.geometry.objects.profiles import angles_report, membership_report
from core.geometry.objects.recognition import recognition_report
from core.geometry.objects.reports import AnglesReport, MembershipReport, RecognitionReport
from core.geometry.objects.subspaces import fit_span
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.image_prompt import pick_image
from core.streamlit_app.objects import python
from core.streamlit_app.objects.data import ObjectsData, pick_object, prompts_of, takes_prompts, vectors_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

N_VIEWS = (1, 2, 4, 8, 16)


def show(settings: Settings, data: ObjectsData) -> None:
    """Distances and their map, memberships, recognition."""
    n = len(data.views.names)
    fewest = min(len(data.rows(number)) for number in range(n))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rank = state.pick_number("Rank of the subspaces", 1, max(2, min(fewest, 30)), key="rank", default=5)
        prompts = prompts_of(settings, data)
    if n == 1:
        panels.notice("One object: bring another to compare it with. Below, what belongs to its subspace.")
    elif n == 2:
        _two(data, rank)
    else:
        _apart(settings, data, rank)
    _membership(settings, data, rank, prompts)
    if n > 1:
        _recognition(settings, data, prompts)
    ui.copy_as_python(python.compare(settings, data, rank))


def _two(data: ObjectsData, rank: int) -> None:
    """The principal angles of the only pair there is."""
    spans = [fit_span(data.views.of(number), rank) for number in (0, 1)]
    degrees = ", ".join(f"{angle:.0f}°" for angle in np.degrees(principal_angles(*spans)))
    panels.facts([("Principal angles", degrees), ("Grassmann distance", f"{grassmann_distance(*spans):.2f} rad"),
                  ("Ranks", f"{spans[0].rank} and {spans[1].rank}")])
    st.caption("A third object makes a matrix and a map of it.")


def _apart(settings: Settings, data: ObjectsData, rank: int) -> None:
    report: AnglesReport = work.result_of(
        fingerprint("apart", data.key, rank, settings.seed),
        lambda on_progress, should_stop: angles_report(data.views, rank=rank, seed=settings.seed))
    left, right = st.columns(2, gap="medium")
    with left:
        ui.show(figures.matrix(report, dark=ui.dark()), key="objects.distances",
                how_to_read="Grassmann distance of two subspaces, the root of the sum of squared principal angles. "
                            "Dark pairs of objects share directions.", table=lambda: figures.angles_table(report))
    with right:
        ui.show(figures.distance_map(report, dark=ui.dark()), key="objects.map",
                how_to_read="Objects as points, so that distances in the plane follow those of the matrix as well as "
                            "they can.", table=lambda: figures.angles_table(report))


def _membership(settings: Settings, data: ObjectsData, rank: int, prompts: tuple[str, ...]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_object(data, key="member_of", label="What belongs to the subspace of")
        own = state.pick_text("A caption of yours", key="member",
                              placeholder="a photo of a chair").strip() if takes_prompts(settings) else ""
        with st.popover("An image of yours", icon=":material/image_search:"):
            image = pick_image(settings, "An image, to see which subspace it belongs to")
    texts = list(dict.fromkeys([*prompts, *([own] if own else [])]))[:24]
    vectors = vectors_of(settings, texts) if texts else ()
    others = {f"“{text[:40]}”": vector[None] for text, vector in zip(texts, vectors)}
    if image is not None:
        others[image.name] = image.vector
    report: MembershipReport = work.result_of(
        fingerprint("member", data.key, number, rank, *(part for title in others for part in (title, others[title]))),
        lambda on_progress, should_stop: membership_report(data.views, number, rank=rank, others=others))
    ui.show(belonging.memberships(report, dark=ui.dark()), key="objects.membership",
            how_to_read="Length of the part of a unit vector that lies in the subspace. The telling comparison is with "
                        "the views of other objects, not with random directions.",
            table=lambda: belonging.memberships_table(report))


def _recognition(settings: Settings, data: ObjectsData, prompts: tuple[str, ...]) -> None:
    texts = vectors_of(settings, prompts) if prompts else None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> RecognitionReport:
        return recognition_report([data.views], prompts=texts, n_views=N_VIEWS, seed=settings.seed,
                                  on_progress=on_progress)

    report: RecognitionReport = work.result_of(fingerprint("told", data.key, prompts, settings.seed), measure)
    left, right = st.columns(2, gap="medium")
    with left:
        ui.show(telling.by_views(report, dark=ui.dark()), key="objects.over_views",
                how_to_read="Each view is left out and told from others. The rank of the subspace is chosen inside the "
                            "fitted views." + (" A prompt fits nothing, so it needs no view." if prompts else ""),
                table=lambda: telling.recognition_table(report))
    with right:
        ui.show(telling.by_rank(report, dark=ui.dark()), key="objects.over_rank",
                how_to_read="The subspace alone over its rank, with the fewest and the most fitted views: with few "
                            "views too high a rank loses.", table=lambda: telling.recognition_table(report))
