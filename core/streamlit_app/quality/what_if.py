"""What if: actions on the dataset, what is left after them, and how every measure changes beside chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import streamlit as st

from core.figures.quality import measures as figures
from core.geometry.quality.at_random import Beside, beside_random
from core.geometry.quality.finding import Finding
from core.geometry.quality.items import Kept
from core.geometry.quality.measures import Sheet, sheet
from core.language.quality.actions import Action, Step, replay, what_is_left
from core.language.quality.evidence import KINDS, possible
from core.language.quality.kept import as_bytes, dropped_table, kept_table
from core.language.quality.recipe import Recipe, actions_as_text, read_recipe
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.selections import keep
from core.streamlit_app.quality import editor, python, stack
from core.streamlit_app.quality.data import QualityData, find_all, finding, found_so_far, made_of, threshold_of
from core.streamlit_app.quality.flagged import tile
from core.streamlit_app.state import Settings
from core.types import fingerprint

TILES = 18
FILES = {".csv": "CSV", ".parquet": "Parquet", ".jsonl": "JSON lines"}
MIME = {".csv": "text/csv", ".parquet": "application/vnd.apache.parquet", ".jsonl": "application/jsonl"}
_LOADED = "quality.recipe.loaded"


def show(settings: Settings, data: QualityData) -> None:
    """The actions, what each drops, every measure before and after, what goes, and the ways out."""
    actions = stack.actions()
    steps = replay(actions, data.looked, seed=settings.seed, finding_of=lambda key: finding(settings, data, key))
    kept = what_is_left(steps, data.looked)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        editor.show(steps, data.looked.prompts_by)
        _take_away(settings, data, actions, steps)
    with right:
        if steps:
            named = [(step.action.words, step.kept) for step in steps]
            whole = Kept.all_of(data.looked.items)
            ui.show(figures.drops(named, whole, dark=ui.dark()), key="quality.drops",
                    how_to_read="What each action leaves, and at the end of its bar what it drops.",
                    table=lambda: figures.drops_table(named, whole))
        else:
            panels.notice("No action yet. Add one here, or take what a finding flags from “Health”: every measure is "
                          "then shown before and after, beside as many items dropped at random.")
    if find_all(settings, data, possible(data.looked)):
        panels.notice("Every measure follows as soon as what it counts is found.")
    elif steps:
        _measures(settings, data, actions, kept)
    _dropped(data, steps)
    ui.copy_as_python(python.what_if(settings, data, actions))


def _measures(settings: Settings, data: QualityData, actions: Sequence[Action], kept: Kept) -> None:
    found = found_so_far(settings, data)
    at = {key: threshold_of(one) for key, one in found.items()}
    report = measured(settings, data, actions, kept, found, at)
    sizes = " and ".join(f"{n:,} {noun}" for n, noun in zip(report.n, ("images", "captions")) if n)
    ui.show(figures.measures(report, dark=ui.dark()), key="quality.measures",
            how_to_read=f"{figures.CAPTION} {len(next(iter(report.random.values()), ()))} random drops. What grows "
                        f"with n is measured on {sizes} each time.",
            table=lambda: figures.measures_table(report))
    with st.expander("All measures as a table, with differences and p", icon=":material/table:"):
        st.dataframe(figures.measures_table(report), hide_index=True, key="quality.measures.table")
        st.caption("Difference: after less the mean of the random drops; its interval is where such a difference lies "
                   "in 95 of 100 random drops. p is corrected for all measures (Holm).")


def measured(settings: Settings, data: QualityData, actions: Sequence[Action], kept: Kept,
             found: Mapping[str, Finding], at: Mapping[str, float]) -> Beside:
    """All measures of the whole, of what is kept, and of as many kept at random; made once."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Beside:
        near = data.looked.neighbours(seed=settings.seed, on_progress=on_progress,
                                      should_stop=should_stop).rows if data.looked.items.n_images > 1 else None
        asked, memory = (tuple(sorted(at.items())), settings.seed), data.looked.memory
        made: tuple[object, Sheet] | None = memory.get("sheet")  # type: ignore[assignment]
        if made is None or made[0] != asked:
            made = memory["sheet"] = asked, sheet(data.looked.items, found, thresholds=at, near=near,
                                                  seed=settings.seed,
                                                  titles={name: KINDS[name].title for name in found})
        return beside_random(made[1], kept, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    name = fingerprint("measures", data.key, actions_as_text([a for a in actions if a.on]), sorted(at.items()),
                       settings.seed)
    report: Beside = work.result_of(name, measure)
    return report


def _dropped(data: QualityData, steps: Sequence[Step]) -> None:
    """Pictures of what an action drops, and of what is left."""
    if not steps:
        return
    options = {str(i): f"dropped by {i + 1}. {step.action.words}" for i, step in enumerate(steps)
               if len(step.images) or len(step.texts)} | {"left": "left after all"}
    chosen = state.pick_option("Look at what is", options, key="dropped_by")
    kept = what_is_left(steps, data.looked)
    if chosen == "left":
        images, texts = np.flatnonzero(kept.images), np.flatnonzero(kept.texts)
    else:
        images, texts = steps[int(chosen)].images, steps[int(chosen)].texts
    some = np.random.default_rng(0).permutation(len(images) or len(texts))[:TILES]
    rows = np.sort((images if len(images) else texts)[some])
    panels.gallery([tile(data, "image" if len(images) else "text", row, "") for row in rows.tolist()],
                   key="quality.dropped")
    more = max(len(images), len(texts)) - len(rows)
    if more > 0:
        st.caption(f"{len(rows)} drawn at random, {more:,} more.")
    if st.button("Keep these as a selection", icon=":material/bookmark_add:", key="quality.keep.dropped",
                 disabled=not len(images) and not len(texts)):
        keep(data.ready, options[chosen][:1].upper() + options[chosen][1:], [data.ids("image")[i] for i in images],
             "what-if: " + options[chosen], [data.ids("text")[i] for i in texts])


def _take_away(settings: Settings, data: QualityData, actions: Sequence[Action], steps: Sequence[Step]) -> None:
    """The name, the kept list in three forms, the recipe, and a recipe that is brought."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="quality.away"):
        name = state.pick_text("Name", key="recipe", default="My selection of data", max_chars=80)
        with st.popover("Export", icon=":material/download:"):
            for ending, title in FILES.items():
                st.download_button(f"Kept list, {title}", partial(_kept, data, steps, ending), f"kept{ending}",
                                   MIME[ending], key=f"quality{ending}", on_click="ignore", icon=":material/table:")
            st.download_button("Dropped list, with the action", lambda: as_bytes(
                dropped_table(data.looked, steps), ".csv"), "dropped.csv", "text/csv", key="quality.dropped.csv",
                on_click="ignore", icon=":material/table:")
            recipe = Recipe.of(name, actions, data.looked, seed=settings.seed, data=made_of(data))
            st.download_button("Recipe, YAML", lambda: recipe.written().encode(), "recipe.yaml",
                               "application/yaml", key="quality.yaml", on_click="ignore",
                               icon=":material/receipt_long:")
            st.caption("Replayed without a browser by `python -m core recipe recipe.yaml --data … --out kept.csv`: "
                       "the same list. Cells are written as they are, so that it is the same to the letter: a "
                       "spreadsheet would run one that begins with =, +, - or @, so import it as text.")
        with st.popover("Load a recipe", icon=":material/upload:"):
            upload = st.file_uploader("A recipe (YAML or JSON)", type=["yaml", "yml", "json"], key="quality.recipe",
                                      max_upload_size=16)
    if not stack.fits_the_address():
        panels.notice("These actions are too long for the address of the page: share the recipe instead.")
    if upload is not None and st.session_state.get(_LOADED) != upload.file_id:
        st.session_state[_LOADED] = upload.file_id
        st.session_state["quality.recipe.differs"] = ()
        with panels.friendly_errors():
            loaded = read_recipe(upload.getvalue())
            st.session_state["quality.recipe.differs"] = loaded.differs(data.looked)
            stack.put(loaded.actions)
            st.rerun()
    for sentence in st.session_state.get("quality.recipe.differs", ()):
        panels.notice(f"The recipe that was loaded: {sentence}", "warning")


def _kept(data: QualityData, steps: Sequence[Step], ending: str) -> bytes:
    return as_bytes(kept_table(data.looked, steps), ending)
