"""R@k both ways on what belongs together, the hubs of what is open, and what repairs of hubs do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.figures.words import retrieved as figures
from core.geometry.hub_repairs import BETA, REPAIRS
from core.geometry.hub_scoring import LEAST_GROUPS, RepairReport, score_repairs
from core.geometry.hubs import Hubs, hubs_among
from core.geometry.jackknife import clusters
from core.geometry.retrieval import median_rank, recalls
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.sample import what_is_shown
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval.python import pairs_code
from core.streamlit_app.words.retrieval.query import View
from core.streamlit_app.words.retrieval.search import MANY, keep_button
from core.types import Modality, Number, fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_POINTS, MOST_HUBS = 10_000, 24
KS = (1, 5, 10)
WITHIN = {"image_to_image": ("image", "image"), "text_to_text": ("text", "text")}
ACROSS = {"image_to_text": ("image", "text"), "text_to_image": ("text", "image")}
TITLES = {**figures.WAYS, "image_to_image": "image to image", "text_to_text": "text to text"}
NO_PAIRS = "Nothing that is open is known to belong together: R@k needs pairs. Hubs are counted without them."


@dataclass(frozen=True, eq=False)
class Recalls:
    """R@k by direction and k, and the median place by direction."""

    by_way: dict[str, dict[int, Number]]
    median: dict[str, Number]


def show(settings: Settings, ready: Ready) -> None:
    """R@k with intervals, hubs, repairs."""
    ready = what_is_shown(ready, MOST_POINTS)
    sets = {kind: part.vectors for kind, part in (("image", ready.images), ("text", ready.texts))
            if part is not None and len(part)}
    own = _own(settings, ready) if not ready.has_gap and len(sets) == 2 else None
    if len(sets) == 2 and len(ready.links):
        with panels.friendly_errors():
            _recalls(ready, sets, own)
    else:
        panels.notice(NO_PAIRS)
    ways = {**(ACROSS if len(sets) == 2 else {}),
            **{way: kinds for way, kinds in WITHIN.items() if len(sets.get(kinds[0], ())) > 1}}
    if not ready.has_gap:
        ways = {way: kinds for way, kinds in ways.items() if kinds != ("text", "text")}
    if not ways:
        panels.notice("One item has no neighbours: hubs need more.")
        return
    st.subheader("Hubs", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        way = state.pick_option("Queries and what they find", {key: TITLES[key] for key in ways}, key="retrieve_way",
                                default="text_to_image" if "text_to_image" in ways else None)
        with st.container(width=220):
            k = state.pick_number("Neighbours", 1, 50, key="retrieve_neighbours", default=10)
    with panels.friendly_errors():
        _hubs(ready, sets, ways[way], way, k, own)
    beta = BETA
    with panels.friendly_errors():
        beta = _repairs(settings, ready, sets, way, k)
    ui.copy_as_python(pairs_code(settings, ready, way, k, beta))


def _own(settings: Settings, ready: Ready) -> np.ndarray:
    """(n, m) scores of images for texts by the model itself."""
    images = ready.images
    assert images is not None

    def score(on_progress: work.Progress, should_stop: work.Stop) -> np.ndarray:
        on_progress(0.1, "Scoring images for texts")
        return cached.encoder(settings.model_id).scores(images.vectors, images.norms, ready.captions)

    found: np.ndarray = work.result_of(fingerprint("own scores", ready.key, ready.captions), score)
    return found


def _recalls(ready: Ready, sets: dict[str, np.ndarray], own: np.ndarray | None) -> None:
    images, texts, links = sets["image"], sets["text"], ready.links

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Recalls:
        on_progress(0.1, "Ranking all texts for images and all images for texts")
        scores = None if own is None else own.T
        ways = {"image_to_text": (images, texts, links, own), "text_to_image": (texts, images, links[:, ::-1], scores)}
        return Recalls({way: recalls(a, b, of, KS, scores=s) for way, (a, b, of, s) in ways.items()},
                       {way: median_rank(a, b, of, scores=s) for way, (a, b, of, s) in ways.items()})

    found: Recalls = work.result_of(fingerprint("recalls", ready.key, own is None), measure)
    ui.show(figures.recalls(found.by_way, dark=ui.dark()), key="retrieve.recalls", how_to_read=figures.OF_RECALLS,
            table=lambda: figures.recalls_table(found.by_way))
    numbers = {f"{figures.WAYS[way]}, R@{k}": n for way, of in found.by_way.items() for k, n in of.items()}
    numbers |= {f"{figures.WAYS[way]}, median place": n for way, n in found.median.items()}
    st.dataframe(panels.numbers_table(numbers), hide_index=True, key="retrieve.recalls.numbers", height="content")
    if own is not None:
        st.caption("Ranked by the photo model's own probabilities, not by cosines.")


def _hubs(ready: Ready, sets: dict[str, np.ndarray], kinds: tuple[str, str], way: str, k: int,
          own: np.ndarray | None) -> None:
    """Who is found how often, and the hubs themselves."""
    a, b = kinds
    queries, gallery = sets[a], sets[b]

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Hubs:
        on_progress(0.1, "Counting who is found how often")
        scores = None
        if a == b:
            scores = queries @ gallery.T
            np.fill_diagonal(scores, -np.inf)
        elif own is not None:
            scores = own if a == "image" else own.T
        return hubs_among(queries, gallery, k=min(k, len(gallery) - (a == b)), scores=scores)

    found: Hubs = work.result_of(fingerprint("hubs", ready.key, way, k, own is None), measure)
    of: Modality = "image" if b == "image" else "text"
    view = View(ready, {}, {}, ready.key)
    ids = view.ids(of)
    ui.show(figures.hubs(found, MANY[of], dark=ui.dark()), key="retrieve.hubs", how_to_read=figures.OF_HUBS,
            table=lambda: figures.hubs_table(found, ids))
    if not len(found.rows):
        st.caption("No item is found more often than chance would give once in 20 galleries.")
        return
    tiles = []
    for row in found.rows[:MOST_HUBS].tolist():
        picture = ready.pictures.small(row) if of == "image" else _picture_of_text(ready, row)
        tiles.append((picture, ids[row] if of == "image" else ready.captions[row],
                      f"found {found.found[row]:.0f} times; by chance {found.expected:.1f}"))
    panels.gallery(tiles, key="retrieve.hub.tiles")
    if len(found.rows) > MOST_HUBS:
        st.caption(f"The first {MOST_HUBS} of {len(found.rows):,} are shown.")
    words = f"{MANY[of]} found more than {found.most:.0f} times among the {found.k} nearest"
    keep_button(view, of, found.rows.tolist(), f"Keep the {len(found.rows):,} hubs as a selection",
                f"Hubs, {TITLES[way]}", words, key="retrieve.keep.hubs")


def _picture_of_text(ready: Ready, row: int) -> Image | None:
    of = ready.links[ready.links[:, 1] == row, 0]
    return ready.pictures.small(int(of[0])) if len(of) else None


def _repairs(settings: Settings, ready: Ready, sets: dict[str, np.ndarray], way: str, k: int) -> float:
    """R@1 and hubs before and after each repair, on queries apart from the bank; the inverse temperature chosen."""
    if way not in ACROSS or not len(ready.links):
        return BETA
    st.subheader("Their repair", anchor=False)
    if not ready.has_gap:
        panels.notice("The photo model ranks by probabilities of its own: repairs of cosines do not apply to it.")
        return BETA
    groups = len(np.unique(clusters([len(sets["image"]), len(sets["text"])], ready.links)[0][ready.links[:, 0]]))
    if groups < LEAST_GROUPS:
        panels.notice(f"Repairs are scored on half of what belongs together with the other half as a bank: that needs "
                      f"{LEAST_GROUPS} groups, and here are {groups}.")
        return BETA
    with st.container(width=320):
        beta = state.pick_number("Inverse temperature of the softmaxes", 1.0, 200.0, key="retrieve_beta_softmax",
                                 default=BETA, step=1.0, help="20 in the published code of QB-Norm. Nothing is tuned "
                                                              "on the queries that are scored.")
    st.caption(" ".join(f"{repair.title}: {repair.explanation}" for repair in list(REPAIRS.values())[1:]))
    a, b = ACROSS[way]
    queries, gallery = sets[a], sets[b]
    links = ready.links if a == "image" else ready.links[:, ::-1]

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> RepairReport:
        return score_repairs(queries, gallery, links, beta=beta, k=k, seed=settings.seed, on_progress=on_progress,
                             should_stop=should_stop)

    report: RepairReport | None = work.result_when_asked(
        fingerprint("repairs of hubs", ready.key, way, k, beta, settings.seed), "Score the repairs",
        "retrieve.repairs.start", measure)
    if report is None:
        return beta
    ui.show(figures.repairs(report, TITLES[way], dark=ui.dark()), key="retrieve.repairs",
            how_to_read=figures.OF_REPAIRS, table=lambda: figures.repairs_table(report))
    st.dataframe(figures.repairs_in_words(report), hide_index=True, key="retrieve.repairs.numbers", height="content")
    st.caption(f"Each half once the bank ({report.bank:,.0f} queries), once scored (galleries of "
               f"{report.gallery:,.0f}, seed {settings.seed}): R@1 does not compare with that above, as galleries "
               "are half as large.")
    return beta
