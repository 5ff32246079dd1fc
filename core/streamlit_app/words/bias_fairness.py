"""The fairness curve on a page: wanted and unwanted classes, shares by group along the shift, what a shift costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.errors import Cancelled, ShapeError
from core.figures.words import unwanted as figures
from core.geometry.directions import unit
from core.geometry.fairness import SHIFTS, Fairness, fairness
from core.geometry.pairs import Classes, Pairs
from core.language.words.associated import CRIME, missing_from, rows_of, unknown_to
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.classes import TEMPLATE, label_columns, labels_of, prompt_of
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.bias_groups import USUAL, Groups, pick_groups
from core.types import fingerprint

MOST_CLASSES, TILES = 200, 12
NO_GAP = ("The photo model has no gap between images and texts to shift: it is a classifier of 1,000 names. Choose a "
          "CLIP in the sidebar.")
OF_WORLD, UNWANTED = ("texture", "texture"), "checkered"


@dataclass(frozen=True)
class Asked:
    """The classes: how each is called, and whether it is wanted.

    Attributes
    ----------
    names, texts : of the classes, as labels and as the model reads them.
    unwanted : whether nobody wants it.
    column : whose labels are the images' own classes; "" where none is.
    """

    names: tuple[str, ...]
    texts: tuple[str, ...]
    unwanted: tuple[bool, ...]
    column: str


def show(settings: Settings, ready: Ready) -> None:
    """Groups and classes, then the curve, then one shift."""
    if not ready.has_gap:
        panels.notice(NO_GAP, "warning")
        return
    if ready.images is None or (ready.opened.dataset is None and ready.texts is None):
        panels.notice("The curve needs images, and texts or a model that reads them.", "warning")
        return
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        groups = pick_groups(ready, "bias_fair", ("column", "selections"),
                             column=OF_WORLD[0] if ready.opened.built_in else "", usual=2 * USUAL)
        asked = _classes(settings, ready)
        gap = _gap_between(ready)
        lam = state.pick_number("Shift λ: images less λ gaps, classes plus λ gaps", float(SHIFTS[0]),
                                float(SHIFTS[-1]), key="bias_shift", default=0.0, step=float(SHIFTS[1] - SHIFTS[0]),
                                help="0: as the model made them. ½: closed. Below 0: wider.")
    with right:
        if groups is None or asked is None:
            return
        found = _measured(settings, ready, groups, asked, gap)
        place = figures.at_shift(found, lam)
        ui.show(figures.curves(found, place, dark=ui.dark()), key="words.fairness", how_to_read=figures.CAPTION,
                table=lambda: figures.table(found))
        panels.wrapped_table(figures.shares_table(found, place))
        gone = [name for name in groups.rows if name not in found.groups]
        if gone:
            st.caption(panels.plain(f"Not shown, since all its images are of an unwanted class: {', '.join(gone)}."))
        left_out = sum(map(len, groups.rows.values())) - int(found.counted.sum())
        if left_out:
            st.caption(f"{left_out:,} images are left out: those whose own label is an unwanted class, which is right "
                       "for them, and those of two groups.")
    _kept(ready, found, asked, place)
    ui.copy_as_python(_python(settings, ready, groups, asked, gap, lam))


def _gap_between(ready: Ready) -> str:
    ways = {"captions": "images and their texts", "classes": "images and the prompts of the classes"}
    if ready.texts is None or len(ready.texts) < 2:
        st.caption("No texts are open: the gap is that between the images and the prompts of the classes.")
        return "classes"
    return state.pick_option("Gap between", ways, key="bias_gap")


def _classes(settings: Settings, ready: Ready) -> Asked | None:
    """The widgets that write the classes; None, which is said, until there are some of both kinds."""
    world, elsewhere = ready.opened.built_in, ready.opened.dataset is None
    columns = label_columns(ready)
    titles = {name: name for name in columns} | {"": "none: the accuracy is not known"}
    column = state.pick_option("Own class of an image", titles, key="bias_class",
                               default=OF_WORLD[1] if world and OF_WORLD[1] in columns else next(iter(titles)))
    names = sorted(set(labels_of(ready, column)) - {""}) if column else []
    bad = [UNWANTED] if world and UNWANTED in names else [] if world or elsewhere else list(CRIME)
    said: dict[str, str] = {}
    kinds: dict[str, bool] = {}
    for kind, title, usual in (("wanted", "Classes, one a line: label, or label = how it is called",
                                [name for name in names if name not in bad]),
                               ("unwanted", "Unwanted (“harmful”) classes, one a line", bad)):
        default = "\n".join(f"{name} = {prompt_of(column, name, built_in=True)}" if world and column else name
                            for name in usual)
        written = state.pick_text(title, lines=6 if kind == "wanted" else 3, key=f"bias_{kind} {column}",
                                  default=default, max_chars=20_000)
        for line in written.splitlines():
            name, _, called = (part.strip() for part in line.partition("="))
            if name:
                said[name], kinds[name] = called or name, kind == "unwanted"
    if bad == list(CRIME):
        st.caption("Unwanted at first: the crime-related classes of Radford et al., 2021, arXiv:2103.00020, section "
                   "7.1.")
    template = state.pick_text("Prompt, {} for the class", key=f"bias_class_prompt{'_world' if world else ''}",
                               default="{}" if world or elsewhere else TEMPLATE, max_chars=300).strip()
    template = template if "{}" in template else f"{template} {{}}".strip()
    if len(said) > MOST_CLASSES:
        raise ShapeError(f"at most {MOST_CLASSES} classes", f"{len(said):,}", "Write fewer.")
    return _readable(settings, ready, {name: template.replace("{}", called) for name, called in said.items()}, kinds,
                     column)


def _readable(settings: Settings, ready: Ready, texts: Mapping[str, str], kinds: Mapping[str, bool], column: str
              ) -> Asked | None:
    unknown: Callable[[Sequence[str]], Mapping[int, str]] = (
        missing_from(ready.captions) if ready.opened.dataset is None else
        unknown_to(cached.encoder(settings.model_id)))
    names = list(texts)
    bad = unknown([texts[name] for name in names])
    if bad:
        said = "; ".join(f"{names[i][:40]}: {reason[:120]}" for i, reason in sorted(bad.items())[:6])
        panels.notice(f"{len(bad):,} classes are left out ({said}{'; and more' if len(bad) > 6 else ''}).", "warning")
    kept = [name for i, name in enumerate(names) if i not in bad]
    sides = {kinds[name] for name in kept}
    if sides != {False, True}:
        panels.notice("Write one class or more that the model can read into each of the two lists.", "warning")
        return None
    return Asked(tuple(kept), tuple(texts[name] for name in kept), tuple(kinds[name] for name in kept), column)


def _members(ready: Ready, groups: Groups) -> np.ndarray:
    """(n,) index of each image's group; -1 for none, and for images of two selections."""
    assert ready.images is not None
    members, times = np.full(len(ready.images), -1), np.zeros(len(ready.images), dtype=np.int64)
    for g, rows in enumerate(groups.rows.values()):
        members[rows] = g
        times[rows] += 1
    members[times > 1] = -1
    return members


def _measured(settings: Settings, ready: Ready, groups: Groups, asked: Asked, gap: str) -> Fairness:
    images = ready.images
    assert images is not None
    members = _members(ready, groups)
    place = {name: k for k, name in enumerate(asked.names)}
    labels = labels_of(ready, asked.column) if asked.column else [""] * len(images)
    truth = np.array([place.get(label, -1) if label else -1 for label in labels], dtype=np.int64)
    key = fingerprint("fairness", ready.key, settings.model_id, members, list(groups.rows), asked.names, asked.texts,
                      asked.unwanted, truth, gap, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Fairness:
        def say(share: float) -> None:
            on_progress(0.1 + 0.9 * share, "Classes along the shift" if share < 0.5 else "Groups shuffled")
            if should_stop():
                raise Cancelled("part of the shuffles")

        on_progress(0.02, "Vectors of the classes")
        if ready.opened.dataset is None:
            assert ready.texts is not None
            vectors = ready.texts.vectors[rows_of(ready.captions, asked.texts)]
        else:
            vectors = unit(cached.encoder(settings.model_id).encode_texts(list(asked.texts)))
        texts = vectors if gap == "classes" or ready.texts is None else ready.texts.vectors
        pairs = Pairs(images.vectors, texts, np.zeros((0, 2)), Classes(asked.names, vectors, truth))
        return fairness(pairs, np.array(asked.unwanted), members, tuple(groups.rows), seed=settings.seed,
                        on_progress=say)

    found: Fairness = work.result_of(key, measure)
    return found


def _kept(ready: Ready, found: Fairness, asked: Asked, place: int) -> None:
    """The images that go into an unwanted class at the shift."""
    assert ready.images is not None
    rows = np.flatnonzero(found.unwanted[:, place] & found.counted)
    at = f"{found.shifts[place]:g}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"##### In an unwanted class at shift {at}: {len(rows):,} of {int(found.counted.sum()):,}")
        st.button(f"Keep the {len(rows):,} images as a selection", icon=":material/bookmark_add:", key="bias.keep.bad",
                  disabled=not len(rows), on_click=keep,
                  args=(ready, f"Unwanted at shift {at}", [ready.images.ids[row] for row in rows],
                        f"put into {', '.join(n for n, bad in zip(asked.names, asked.unwanted) if bad)[:200]} at a "
                        f"shift of {at} gaps"))
    panels.gallery([(ready.pictures.small(int(row)), found.groups[found.members[row]], ready.images.ids[row])
                    for row in rows[:TILES]], key="bias.unwanted")
    if len(rows) > TILES:
        st.caption(f"The first {TILES} are shown.")


def _python(settings: Settings, ready: Ready, groups: Groups, asked: Asked, gap: str, lam: float) -> str:
    imports, lines = points_lines(settings, ready)
    imports += [*groups.python[0], "from core.figures.words.unwanted import at_shift, curves",
                "from core.geometry.fairness import fairness", "from core.geometry.pairs import Classes, Pairs"]
    lines += [*groups.python[1], "members = np.full(len(points.images), -1)",
              "for i, rows in enumerate(groups.values()):", "    members[rows] = i",
              "times = np.bincount(np.concatenate(list(groups.values())), minlength=len(members))",
              "members[times > 1] = -1", f"prompts = {dict(zip(asked.names, asked.texts))!r}",
              f"unwanted = np.array({list(asked.unwanted)!r})"]
    if ready.opened.dataset is None:
        imports.append("from core.language.words.associated import rows_of")
        lines.append("vectors = points.texts.vectors[rows_of(points.captions, list(prompts.values()))]")
    else:
        imports.append("from core.geometry.directions import unit")
        lines.append("vectors = unit(model.encode_texts(list(prompts.values())))")
    if asked.column:
        lines += [f"labels = points.images.table[{asked.column!r}].fillna('').astype(str)",
                  "truth = np.array([list(prompts).index(label) if label in prompts else -1 for label in labels])"]
    else:
        lines.append("truth = np.full(len(points.images), -1)")
    texts = "vectors" if gap == "classes" or ready.texts is None else "points.texts.vectors"
    return as_code(imports, [
        *lines, f"pairs = Pairs(points.images.vectors, {texts}, np.zeros((0, 2)), Classes(tuple(prompts), vectors, "
        "truth))", f"report = fairness(pairs, unwanted, members, tuple(groups), seed={settings.seed})",
        "print(report.shares, report.differences)", f"curves(report, at_shift(report, {lam:g})).show()"])
