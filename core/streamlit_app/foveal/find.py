"""Find: a sentence and no boxes; where in the picture it points, and how well that holds on scenes whose boxes are
known."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.attention.foveal.captions import OTHERS
from core.attention.foveal.finding import (
    METHODS,
    SEARCH,
    FindingReport,
    Found,
    Search,
    WindowViews,
    find,
    finding_report,
    look_through,
    windows_of,
)
from core.attention.masks import Steering
from core.attention.prompts import STEERED, TITLES
from core.attention.regions import Box
from core.figures.foveal import found as scored
from core.figures.foveal import heat as figures
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.foveal.batch import world
from core.streamlit_app.foveal.choices import of_solids
from core.streamlit_app.foveal.data import FovealData
from core.streamlit_app.foveal.dials import as_code as steering_code
from core.streamlit_app.foveal.dials import pick_steering
from core.streamlit_app.foveal.python import looked_lines
from core.streamlit_app.foveal.region import look_at_box
from core.streamlit_app.state import Settings
from core.types import fingerprint

SIDES = {"0.125": "1/8", "0.25": "1/4", "0.375": "3/8", "0.5": "1/2", "0.625": "5/8", "0.75": "3/4", "1.0": "all"}
MOST_WINDOWS = 2000
SCENES, MOST_SCENES = 20, 100
EXPLAINED = ("Windows of every chosen size slide over the picture, each is looked through, and its view is scored for "
             "the sentence, less the mean score of other captions. The heat of a patch is the mean of the windows over "
             "it, above the mean of all. What was found is the window that holds most heat above a height, or the one "
             "that scores highest by itself.")


def show(settings: Settings, data: FovealData) -> None:
    """The heat of a sentence with the best box, and the same scored on scenes whose boxes are known."""
    steering = pick_steering(data.tower)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        method = state.pick_option("Looked through by", {key: TITLES[key] for key in METHODS}, key="find_by")
        search = _search()
    if search is None:
        return
    n = len(windows_of(data.tower.grid, search))
    if n > MOST_WINDOWS:
        panels.notice(f"{n:,} windows; at most {MOST_WINDOWS:,} are looked through. Choose fewer sizes.", "warning")
        return
    with panels.friendly_errors():
        _one_picture(settings, data, steering, method, search)
    with panels.friendly_errors():
        _scored(settings, data, steering, method, search)


def _search() -> Search | None:
    with st.container(width=300):
        sides = state.pick_several("Sides of the windows, of the picture's", SIDES, key="find_sides",
                                   default=tuple(f"{side:g}" for side in SEARCH.sides))
    step = state.pick_option("Step", {f"{1 / part:g}": f"1/{part}" for part in (32, 16, 8, 4)}, key="find_step",
                             default=f"{SEARCH.steps:g}", help="Of the picture's sides, and at least one patch.")
    per_size = state.pick_flag("Compared within a size", key="find_per_size", default=SEARCH.per_size,
                               help="The mean score of the windows of a size is subtracted from each of them: large "
                                    "windows score higher or lower whatever they show.")
    by_heat = state.pick_flag("Box from the heat", key="find_by_heat", default=SEARCH.threshold is not None,
                              help="The window with most heat above a height, in place of the one that scores highest "
                                   "by itself.")
    if not sides:
        panels.notice("Choose a size of the windows or two.")
        return None
    return Search(tuple(sorted(map(float, sides))), float(step), SEARCH.longest, per_size,
                  SEARCH.threshold if by_heat else None)


def _one_picture(settings: Settings, data: FovealData, steering: Steering, method: str, search: Search) -> None:
    known = of_solids(data) if data.looked.scene is not None else None
    usual = known.sentences[0] if known is not None and known.sentences else data.prompts[0]
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        sentence = state.pick_text("Find …", key="find", placeholder=usual, max_chars=300).strip() or usual
        beside = [text for text in (() if known is None else known.sentences) if text != sentence] or list(OTHERS)
        written = state.pick_text("Other captions, one a line: their mean score is subtracted", key="find_others",
                                  placeholder="\n".join(beside), lines=4, max_chars=8000)
    others = [line.strip()[:300] for line in written.splitlines() if line.strip()] or beside
    with left:
        say_unknown(settings.model_id, " ".join((sentence, *others)))
    truth = None if known is None or sentence not in known.truths else known.boxes[known.truths[sentence]]
    views = _views(data, steering, method, search)
    if views is None:
        return
    found = find(data.tower, views, sentence, others, search=search, truth=truth)
    with right:
        ui.show(figures.heat(data.image, found.heat, found.box, sentence, seen=data.seen, truth=truth,
                             overlap=found.iou, chance=found.chance, dark=ui.dark()),
                key="foveal.heat", how_to_read=EXPLAINED, table=lambda: figures.heat_table(found.heat, data.seen))
    with left:
        _told(found, truth, views, "its size" if search.per_size else "all")
        st.button("Take this box as the region", icon=":material/crop_free:", key="foveal.as_region",
                  on_click=look_at_box, args=(found.box,),
                  help="All sections then look at it: what the picture is compared with, the heads, the table of ways "
                       "to point.")
    ui.copy_as_python(_code(settings, data, sentence, others, method, steering, search, truth))


def _views(data: FovealData, steering: Steering, method: str, search: Search) -> WindowViews | None:
    """The picture through every window; None while it is worked on."""
    used = steering if method in STEERED and method != "hard_mask" else None
    key = fingerprint("through", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, data.looked.content,
                      method, used, search.sides, search.steps, search.longest)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> WindowViews:
        return look_through(data.tower, data.image, method, search=search, steering=used, on_progress=on_progress,
                            should_stop=should_stop)

    views: WindowViews | None = work.result_beside(key, measure)
    return views


def _told(found: Found, truth: Box | None, views: WindowViews, among: str) -> None:
    box, n = found.box, len(views.boxes)
    score = found.scores[views.boxes.index(box)]
    rows = [("found", f"{box.left:.0f}, {box.top:.0f} to {box.right:.0f}, {box.bottom:.0f} px"),
            ("score", f"{score:+.4f} beside the mean of {among}; {int((found.scores > score).sum()):,} of {n:,} "
                      "windows score higher")]
    if truth is not None and found.iou is not None and found.chance is not None:
        rows += [("meant", f"{truth.left:.0f}, {truth.top:.0f} to {truth.right:.0f}, {truth.bottom:.0f} px"),
                 ("overlap", f"{found.iou:.3f} intersection over union; a window at random {found.chance:.3f}")]
    panels.facts(rows)


def _scored(settings: Settings, data: FovealData, steering: Steering, method: str, search: Search) -> None:
    """Overlap with the true boxes of scenes, beside cropping, the window in the middle and windows at random."""
    st.subheader("How well does that hold?", anchor=False)
    pictures, made_key, made = world("find", MOST_SCENES, SCENES)
    methods = tuple(dict.fromkeys((method, "foveal", "crop")))
    key = fingerprint("finding", data.tower.encoder.spec.fingerprint, data.tower.encoder.dtype, made_key, methods,
                      steering, search, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> FindingReport:
        return finding_report(data.tower, pictures(), methods, search=search, steering={"foveal": steering},
                              seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    report: FindingReport | None = work.result_when_asked(key, "Score it on these scenes", "foveal.find.score", measure)
    if report is None:
        return
    panels.refused_panel(report.refused, key="find.not_scored")
    ui.show(scored.overlaps(report, dark=ui.dark()), key="foveal.overlaps", how_to_read=scored.CAPTION,
            table=lambda: scored.overlaps_table(report))
    ui.copy_as_python(as_code(
        [*made[0], "from core.attention.foveal.finding import Search, finding_report",
         "from core.attention.masks import Steering", "from core.attention.towers import ImageTower",
         "from core.encoding.models import load_model", "from core.figures.foveal.found import overlaps"],
        [*made[1], f"tower = ImageTower(load_model({settings.model_id!r}))",
         f"report = finding_report(tower, pictures, {methods!r}, search={search!r},",
         f"                        steering={{'foveal': {steering_code(steering)}}}, seed={settings.seed})",
         "print(report.iou)", "overlaps(report).show()"]))


def _code(settings: Settings, data: FovealData, sentence: str, others: Sequence[str], method: str, steering: Steering,
          search: Search, truth: Box | None) -> str:
    imports, lines = looked_lines(settings, data)
    used = f", steering={steering_code(steering)}" if method == "foveal" else ""
    meant = "" if truth is None else f", truth={truth!r}"
    return as_code([*imports, "from core.attention.foveal.finding import Search, find, look_through",
                    "from core.attention.masks import Steering", "from core.attention.regions import Box"], [
        *lines, f"search = {search!r}", f"views = look_through(tower, image, {method!r}, search=search{used})",
        f"found = find(tower, views, {sentence!r}, {list(others)!r}, search=search{meant})",
        "print(found.box, found.iou, found.chance)"])
