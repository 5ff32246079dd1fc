"""Binding and order: two captions of an image, one of them wrong, of scenes of the built-in world or of a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.encoding.encoder import Encoder
from core.figures.frame import as_percent, points
from core.figures.words import shares as figures
from core.geometry.differences import Verdict
from core.language.words.binding import COUNTS, KINDS, Counted, Judged, count, judge, scene_choices
from core.language.words.scenes import SCORED, TUNED, look
from core.sources.solids.world import SceneImages
from core.sources.tables.choices import FORMS, choices_of
from core.sources.tables.reading import ENDINGS
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.data.uploading import bring
from core.streamlit_app.state import Settings
from core.streamlit_app.words.typed import read_one, say_unread
from core.types import fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image

SOURCE = "two_captions"
SCENES, TILES, SIDE = 150, 12, 128
TWINS = {"text": "both images right (text)", "image": "both captions right (image)", "group": "all right (group)"}


@dataclass(frozen=True, eq=False)
class OfScenes:
    """What was judged of scenes: their pictures, the choices, the counts."""

    pictures: SceneImages
    judged: Judged
    counted: Counted


def show(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    """Right choices by kind beside chance, and the pictures of those that are wrong."""
    sources = {"world": "Scenes of the built-in world"} | ({} if ready.images is None else {"file": "A table"})
    if state.pick_option("Scored on", sources, key="two_captions_from", widget="segments") == "file":
        _of_table(settings, ready, encoder)
    else:
        _of_scenes(settings, encoder)


def _of_scenes(settings: Settings, encoder: Encoder) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = state.pick_number("Scenes of each kind", 50, 300, key="two_captions_scenes", default=SCENES, step=10)
        seed = state.pick_number("Seed", 0, 99, key="two_captions_seed", default=0)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> OfScenes:
        def say(start: float) -> Callable[[float], None]:
            return lambda share: on_progress(start + share / 3, "Looking at scenes of held-out combinations")

        two = look(encoder, n, SCORED + seed, count=2, on_progress=say(0))
        judged = judge(encoder, two.images, scene_choices(two.scenes, seed=seed), seed=seed, should_stop=should_stop)
        mixed = look(encoder, n, SCORED + seed, count=None, on_progress=say(1 / 3))
        tuned = look(encoder, n, TUNED + seed, count=None, on_progress=say(2 / 3))
        return OfScenes(SceneImages(two.scenes, SIDE), judged, count(encoder, mixed, tuned, seed=seed))

    key = fingerprint("two captions", encoder.spec.fingerprint, encoder.dtype, n, seed)
    found: OfScenes | None = work.result_when_asked(key, "Look at scenes and choose", "two_captions.go", measure)
    if found is None:
        st.caption("Scenes of combinations that training never showed, with two captions each. Of the kind “order of "
                   "mention” both are true, so that 50 % is right; of all others one is wrong.")
        return
    say_unread(encoder, [*found.judged.choices.right, *found.judged.choices.wrong])
    _figure(found.judged, KINDS, f"of {n:,} scenes of two solids")
    counted = found.counted
    st.text(f"Counting: {as_percent(replace(counted.right, null=None))} of {counted.right.n:,} scenes of one to three "
            f"solids are counted right, said as “{COUNTS[counted.phrasing][1]}” (of three phrasings the best on other "
            f"scenes); the commonest count, always given, is right for {100 * (counted.right.null or 0):.0f} %; the "
            f"difference is {points(counted.over_majority)}.")
    ui.copy_as_python(as_code(
        ["from core.encoding.models import load_model", "from core.language.words.binding import judge, scene_choices",
         "from core.language.words.scenes import SCORED, look"],
        [f"model = load_model({settings.model_id!r})", f"scenes = look(model, {n}, SCORED + {seed}, count=2)",
         f"found = judge(model, scenes.images, scene_choices(scenes.scenes, seed={seed}), seed={seed})",
         "print(found.shares, found.over_chance)"]))
    _wrong(found.judged, KINDS, found.pictures.decode)


def _of_table(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    assert ready.images is not None
    st.caption(FORMS)
    brought = bring(SOURCE, "A table of images with two captions each", ENDINGS, read_one)
    if brought is None:
        return
    choices = choices_of(brought[0], ready.images.ids)
    panels.refused_panel(choices.refused, key="two_captions.refused")
    say_unread(encoder, [*choices.right, *choices.wrong])
    images = ready.images.vectors

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Judged:
        return judge(encoder, images, choices, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    key = fingerprint("judged", encoder.spec.fingerprint, ready.key, choices.image, choices.kinds, choices.right,
                      choices.wrong, settings.seed)
    found: Judged = work.result_of(key, measure)
    _figure(found, {}, f"of {len(choices):,} rows")
    if found.twins:
        panels.wrapped_table(panels.numbers_table({TWINS[name]: number for name, number in found.twins.items()}))
    imports, lines = points_lines(settings, ready)
    model = [] if any(line.startswith("model =") for line in lines) else [f"model = load_model({settings.model_id!r})"]
    ui.copy_as_python(as_code(
        [*imports, "from pathlib import Path", "from core.encoding.models import load_model",
         "from core.language.words.binding import judge", "from core.sources.tables.choices import choices_of",
         "from core.sources.tables.reading import read_table"],
        [*lines, *model, 'choices = choices_of(read_table(Path("choices.csv"), "choices.csv"), points.images.ids)',
         f"found = judge(model, points.images.vectors, choices, seed={settings.seed})",
         "print(found.shares, found.over_chance)"]))
    wrong = np.flatnonzero(found.hits < 0.5)
    rows = list(dict.fromkeys(choices.image[wrong].tolist()))
    if st.button(f"Keep the {len(rows):,} images that are told wrong as a selection", icon=":material/bookmark_add:",
                 disabled=not rows, key="two_captions.keep"):
        keep(ready, "Wrong of two captions", [ready.images.ids[row] for row in rows], "the wrong caption is nearer")
    _wrong(found, {}, ready.pictures.whole)


def _figure(found: Judged, titles: Mapping[str, str], of: str) -> None:
    kinds = sorted(found.kinds, key=lambda kind: list(KINDS).index(kind) if kind in titles else 0)
    numbers = {titles.get(kind, kind): found.shares[kind] for kind in kinds}
    against = {titles.get(kind, kind): d for kind, d in found.over_chance.items()}
    ui.show(figures.shares(numbers, finding(found, titles, of), "images nearer to the right caption", against,
                           dark=ui.dark()),
            key="texts.two_captions", how_to_read=figures.CAPTION, table=lambda: figures.shares_table(numbers, against))
    with st.expander("How far apart the two captions themselves lie", icon=":material/straighten:"):
        st.caption("Mean angle between the right and the wrong caption, in degrees; “by chance” is between the right "
                   "captions of two rows. What lies near together the text side hardly tells apart, whatever the "
                   "image.")
        panels.wrapped_table(panels.numbers_table({titles.get(k, k): v for k, v in found.text_angle.items()}))


def finding(found: Judged, titles: Mapping[str, str], of: str) -> str:
    """What is seen, what is not told apart from chance, and what goes the wrong way."""
    by: dict[Verdict, list[str]] = {verdict: [] for verdict in Verdict}
    for kind, difference in found.over_chance.items():
        by[difference.verdict].append(titles.get(kind, kind).partition(" (")[0])
    said = [f"{words}: {', '.join(by[verdict])}" for verdict, words in (
        (Verdict.HIGHER, "seen"), (Verdict.NOT_TOLD_APART, "not told apart from chance"),
        (Verdict.LOWER, "chosen wrong more often than by chance"), (Verdict.NOT_MEASURABLE, "too few to say"))
        if by[verdict]]
    return f"{'; '.join(said)} ({of})".capitalize() if len(said) > 1 else f"{said[0]} ({of})".capitalize()


def _wrong(found: Judged, titles: Mapping[str, str], picture: Callable[[int], Image | None]) -> None:
    kinds = {kind: titles.get(kind, kind) for kind in found.kinds}
    kind = state.pick_option("Wrong of the kind", kinds, key="two_captions_kind")
    own = [i for i, name in enumerate(found.choices.kinds) if name == kind and found.hits[i] < 0.5]
    if not own:
        panels.notice("None of this kind is chosen wrong.")
        return
    own.sort(key=lambda i: float(found.margins[i]))
    tiles = [(picture(int(found.choices.image[i])), f"{found.choices.wrong[i]}",
              f"right: {found.choices.right[i]} ({-found.margins[i]:.3f} of cosine less)") for i in own[:TILES]]
    st.caption(f"{len(own):,} of {found.shares[kind].n:,}; under each picture the wrong caption that is nearer. The "
               f"widest margins come first.")
    panels.gallery(tiles, key="texts-wrong")
