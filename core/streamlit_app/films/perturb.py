"""Change an image: blur, noise, rotation, shift, zoom or a fade, step by step; where is the model smooth, where not?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.films import changes as figures
from core.geometry.films.changes import ChangeReport, change_report
from core.geometry.films.trajectory import Trajectory
from core.sources.films.changes import CHANGES, Change, changed
from core.sources.films.film import clock
from core.sources.images.readers import decode_image
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.image_prompt import TYPES
from core.streamlit_app.data.uploading import refuse, say_refused, take, upload
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData, once, pick_film
from core.streamlit_app.state import Settings
from core.types import Dataset, EmbeddingSet, fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

FROM = {"frame": "A frame of a film", "own": "An image of yours"}
STEPS = (10, 200)
SHOWN = 9


def show(settings: Settings, data: FilmsData) -> None:
    """The image and its change, the path that it takes, and what it looks like where it jumps."""
    if data.ready.opened.dataset is None and not st.session_state.get("changed.images"):
        panels.notice("Vectors made elsewhere have no pictures: bring an image of your own.")
    images = _images(data)
    if not images:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = state.pick_option("Change", {key: how.title for key, how in CHANGES.items()
                                            if key != "fade" or len(images) > 1}, key="change")
        how = CHANGES[kind]
        most = state.pick_number("Up to", 0.0, how.limit, key=f"most_{kind}", default=how.most,
                                 step=how.limit / 100, help=how.unit)
        steps = state.pick_number("Steps", *STEPS, key="change_steps", default=60)
    change = changed(images[0], kind, steps, most or how.most, other=images[1] if kind == "fade" else None,
                     seed=settings.seed)
    path = _path(settings, change)
    report: ChangeReport = once(("change", path.fingerprint, settings.seed),
                                lambda: change_report(path, seed=settings.seed))
    step = ui.show(figures.changes(report, unit=change.unit, dark=ui.dark()), key="films.change", clicks=True,
                   how_to_read=figures.CAPTION, table=lambda: figures.table(report))
    _gallery(change, report, step)
    ui.copy_as_python(python.change(settings, kind, steps, float(most or how.most)))


def _images(data: FilmsData) -> list[Image]:
    """The image that changes, and the one that it may fade to."""
    source = state.pick_option("Image", FROM, key="changed_from", widget="segments", label_visible=False)
    if source == "own":
        return _own()
    if data.ready.opened.dataset is None:
        return []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = pick_film(data)
        path, rows = data.paths[number], data.rows[number]
        frames = [state.pick_number(label, 0, len(path) - 1, key=key, default=default, unit="") for label, key, default
                  in (("Frame", "changed_frame", 0), ("Frame that a fade ends at", "fade_frame", len(path) // 2))] \
            if len(path) > 1 else [0]
    st.caption(" and ".join(f"{data.names[number]} at {clock(path.times[frame])}" for frame in frames))
    found = [data.ready.pictures.whole(int(rows[frame])) for frame in frames]
    if any(picture is None for picture in found):
        panels.notice("This frame cannot be read any more.", "warning")
    return [picture for picture in found if picture is not None]


def _own() -> list[Image]:
    held: list[tuple[str, Image]] = st.session_state.get("changed.images", [])
    if held:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(" and ".join(name for name, _ in held), width="content")
            if st.button("Close", key="changed.close", icon=":material/close:", type="tertiary"):
                st.session_state.pop("changed.images")
                st.rerun()
        return [picture for _, picture in held]
    say_refused("changed")
    files = upload("An image; with a second one, the first can fade to it", TYPES, "changed.upload", several=True)
    if not files:
        return []
    try:
        opened = [(file.name[:80], decode_image(file.getvalue(), file.name, max_side=1024)) for file in files[:2]]
    except Exception as error:
        refuse("changed", files, error)
    else:
        st.session_state["changed.images"] = opened
        take("changed", files)
    st.rerun()


def _path(settings: Settings, change: Change) -> Trajectory:
    """The changed images as a path; encoded once."""
    n = len(change)
    dataset = Dataset("changed images", tuple(f"step {i}" for i in range(n)), change.frames, (), (),
                      np.empty((0, 2)), pd.DataFrame(index=range(n)), pd.DataFrame(index=range(0)))
    store = cached.store()

    def encode(on_progress: work.Progress, should_stop: work.Stop) -> EmbeddingSet:
        from core.encoding.embedding import embed_with

        found = embed_with(settings.model_id, dataset, store, on_progress=on_progress, should_stop=should_stop).images
        assert found is not None
        return found

    images: EmbeddingSet = work.result_of(fingerprint("changed", change.fingerprint, settings.model_id), encode)
    return Trajectory(images.vectors, change.strengths, CHANGES[change.kind].title)


def _gallery(change: Change, report: ChangeReport, clicked: object) -> None:
    """The image at some strengths: those before and after each jump, and the one that was clicked, among them."""
    n = len(change)
    step = clicked[0] if isinstance(clicked, list | tuple) and clicked else clicked
    if isinstance(step, int | float):
        st.session_state["films.changed.step"] = int(step)
    own = st.session_state.get("films.changed.step", 0)
    jumps = [i for jump in np.flatnonzero(report.jumps).tolist() for i in (jump, jump + 1)][:SHOWN - 3]
    spread = np.linspace(0, n - 1, SHOWN).round().astype(int).tolist() if not jumps else []
    shown = sorted({0, n // 2, n - 1, *jumps, *spread, *([own] if 0 < own < n else [])})
    panels.gallery([(change.frames.decode(i), f"{change.strengths[i]:.3g}",
                     f"{np.degrees(report.from_start[i]):.1f}° from the start") for i in shown], key="films.changed")
