"""Many sentences at once: how often each method finds the box that is meant, and where it does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from core.attention.foveal.referring import ReferringReport, refer
from core.attention.foveal.scenes import world_references
from core.attention.masks import Steering
from core.attention.prompts import TITLES
from core.attention.regions import Box
from core.figures import theme
from core.figures.foveal import referred as figures
from core.figures.foveal.outlines import marked
from core.sources.foveal.boxed import BoxedPictures, as_dataset
from core.sources.solids.world import SceneImages
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.choose import look_at
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.selections import keep_from
from core.streamlit_app.foveal.brought import SCORED_ON, BroughtBoxes
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import as_code as steering_code
from core.streamlit_app.state import Settings
from core.types import fingerprint

METHODS = ("foveal", "crop", "blur", "grey", "hard_mask", "red_ellipse", "none")
TILES = 24
SCENES, SEED = 60, 1


def show(settings: Settings, data: FovealData, steering: Steering, template: str,
         brought: BroughtBoxes | None) -> None:
    """Scenes of the built-in world or a file: accuracies, differences, and the sentences that a method gets wrong."""
    st.subheader("Many sentences", anchor=False)
    sources = {"world": "Scenes of the built-in world"} | ({} if brought is None else {"file": "The file"})
    source = state.pick_option("Scored on", sources, key=SCORED_ON, widget="segments")
    pictures, key, made = world() if source == "world" else _of_file(brought)
    key = fingerprint("referred", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, key, steering,
                      template, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[BoxedPictures, ReferringReport]:
        known = pictures()
        return known, refer(data.tower, known, METHODS, steering={"foveal": steering}, template=template,
                            seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: tuple[BoxedPictures, ReferringReport] | None = work.result_when_asked(key, "Score all methods",
                                                                                 "foveal.score", measure)
    if found is None:
        return
    scored, report = found
    panels.refused_panel(report.refused, key="refer.not_scored")
    ui.show(figures.accuracies(report, dark=ui.dark()), key="foveal.accuracies", how_to_read=figures.CAPTION,
            table=lambda: figures.accuracies_table(report))
    panels.wrapped_table(figures.differences_table(report))
    _wrong(settings, scored, report, made)
    ui.copy_as_python(as_code(
        [*made[0], "from core.attention.foveal.referring import refer", "from core.attention.masks import Steering",
         "from core.attention.towers import ImageTower", "from core.encoding.models import load_model",
         "from core.figures.foveal.referred import accuracies"],
        [*made[1], f"tower = ImageTower(load_model({settings.model_id!r}))",
         f"report = refer(tower, pictures, {METHODS!r}, steering={{'foveal': {steering_code(steering)}}},",
         f"               template={template!r}, seed={settings.seed})", "print(report.accuracy)",
         "accuracies(report).show()"]))


Made = tuple[list[str], list[str]]


def world(prefix: str = "refer", most: int = 400, default: int = SCENES) -> tuple[
        Callable[[], BoxedPictures], str, Made]:
    """Scenes of the built-in world: how they are made, what tells them from others, and the lines of Python."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = state.pick_number("Scenes", 10, most, key=f"{prefix}_scenes", default=default, step=10)
        objects = int(state.pick_option("Solids in each", {"2": "two", "3": "three"}, key=f"{prefix}_objects",
                                        default="3", widget="segments"))
        seed = state.pick_number("Seed", 0, 99, key=f"{prefix}_seed", default=SEED,
                                 help="Another seed, other scenes. Those that chose the first setting of the mask have "
                                      "seeds that cannot be picked here.")
        by_name = state.pick_flag("Named by their solid alone", key=f"{prefix}_by_name",
                                  help="“a cube” in place of “a red cube”: harder.")
    said = f"{n}, {seed}, objects={objects}" + (", by_name=True" if by_name else "")
    return (lambda: world_references(n, seed, objects=objects, by_name=by_name), f"world-{said}",
            (["from core.attention.foveal.scenes import world_references"], [f"pictures = world_references({said})"]))


def _of_file(brought: BroughtBoxes | None) -> tuple[Callable[[], BoxedPictures], str, Made]:
    assert brought is not None
    return lambda: brought.pictures, brought.pictures.fingerprint, brought.python


def _wrong(settings: Settings, data: BoxedPictures, report: ReferringReport, made: Made) -> None:
    """The sentences that a method gets wrong: a gallery, and the ways on."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = state.pick_option("Wrong by", {key: TITLES[key] for key in report.methods}, key="refer_wrong")
        subtracted = state.pick_flag("Other captions subtracted", key="refer_wrong_less", default=True)
    chosen = report.chosen[method, subtracted]
    meant = np.array([data.references[row].gold for row in report.rows.tolist()])
    wrong = np.flatnonzero(chosen != meant)
    opened = Opened(data.name, fingerprint("boxed", data.fingerprint), as_dataset(data), source="boxed",
                    in_world=isinstance(data.images, SceneImages), python=(
                        (*made[0], "from core.sources.foveal.boxed import as_dataset"),
                        (*made[1], "dataset = as_dataset(pictures)")))
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(f"Keep the {len(wrong):,} wrong as a selection", icon=":material/bookmark_add:",
                     disabled=not len(wrong), key="foveal.keep"):
            _keep(opened, data, report, wrong, f"wrong by {TITLES[method]}")
        if st.button("Look at these pictures on every page", icon=":material/public:", key="foveal.everywhere",
                     help="Then the kept selections of them are offered there."):
            look_at(opened)
            st.switch_page("pages/1_Embedding_Sphere.py")
        ui.download_table(lambda: sentences_table(data, report), "foveal-sentences", label="Sentences")
    if not len(wrong):
        panels.notice("No sentence is wrong by this method.")
        return
    p = theme.palette(ui.dark())
    colours = (p.kinds["text"], p.kinds["prompt"])
    tiles = []
    for at in wrong[:TILES].tolist():
        reference = data.references[int(report.rows[at])]
        boxes = data.boxes[reference.picture]
        picture = marked(data.images.decode(reference.picture),
                         [Box(*map(float, boxes[i])) for i in (int(chosen[at]), reference.gold)], colours)
        tiles.append((picture, reference.sentence, f"{data.image_ids[reference.picture]}: box {chosen[at] + 1} of "
                      f"{report.boxes[at]}, meant box {reference.gold + 1}"))
    st.caption(f"{len(wrong):,} of {len(meant):,} sentences are wrong"
               + (f"; the first {TILES} are shown" if len(wrong) > TILES else "")
               + ". Orange: the box that was chosen. Green: the box that is meant.")
    panels.gallery(tiles, key="foveal.wrong")


def _keep(opened: Opened, data: BoxedPictures, report: ReferringReport, wrong: np.ndarray, words: str) -> None:
    assert opened.dataset is not None
    rows = report.rows[wrong].tolist()
    pictures = sorted({data.references[row].picture for row in rows})
    keep_from(opened.name, words.capitalize(), [data.image_ids[i] for i in pictures], words,
              [opened.dataset.text_ids[row] for row in rows])


def sentences_table(data: BoxedPictures, report: ReferringReport) -> pd.DataFrame:
    """One row a scored sentence: its picture, the box that is meant, and the box that each method names, from 1."""
    said = [data.references[row] for row in report.rows.tolist()]
    table = pd.DataFrame({"picture": [data.image_ids[r.picture] for r in said], "sentence": [r.sentence for r in said],
                          "boxes": report.boxes, "meant": [r.gold + 1 for r in said]})
    for method in report.methods:
        for subtracted, title in figures.SIDES.items():
            table[f"{TITLES[method]}, {title}"] = report.chosen[method, subtracted] + 1
    return table
