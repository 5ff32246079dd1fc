"""What a visitor chooses on the Embedding Sphere: map, axes, colours, overlays, prompts; all of it in the URL."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.encoding.registry import PHOTO
from core.geometry.maps.registry import MAPS, available
from core.sources.tables.columns import is_plain
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.image_prompt import SearchImage, pick_image
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings

if TYPE_CHECKING:
    from core.encoding.encoder import Encoder

MOST_PROMPTS = 12
MOST_LABELS = 60
SKIPPED_COLUMNS = ("id", "text", "norm", "modality")


@dataclass(frozen=True)
class Choices:
    """What the visitor chose for the sphere.

    Attributes
    ----------
    method : key of MAPS; ``axes`` are its three prompts or labels (of ``axis_column``) where it needs them.
    colour : modality, norm, density, distortion, kmeans (with ``groups``), hdbscan, picked, "prompt:<n>" or
        "column:<name>".
    arcs, means, pictures, heat : what is drawn besides the points.
    prompts, prompt_vectors : what was typed, and its (p, d) unit vectors; the last is ``image`` where there is one.
    """

    method: str = "pca"
    colour: str = "modality"
    arcs: bool = False
    means: bool = True
    pictures: bool = True
    heat: bool = False
    groups: int = 8
    prompts: tuple[str, ...] = ()
    axes: tuple[str, ...] = ()
    axis_column: str = ""
    prompt_vectors: np.ndarray | None = field(default=None, compare=False)
    image: SearchImage | None = None


def pick_choices(settings: Settings, ready: Ready) -> Choices:
    """The widgets beside the sphere."""
    maps = _maps(ready)
    method = state.pick_option("Map", {key: MAPS[key].title for key in maps}, key="map",
                               help="\n".join(f"- **{MAPS[k].title}**: {MAPS[k].explanation}" for k in maps))
    axes, column = _pick_axes(method, ready, photo=settings.model_id == PHOTO)
    slot = st.container()
    with st.container(horizontal=True, gap="small", key="sphere.bar"):
        with st.popover("Show", icon=":material/layers:"):
            means = state.pick_flag("Means, caps and gap" if ready.has_gap else "Means and caps", key="means",
                                    default=True, help="Each cap holds half of its modality.")
            arcs = state.pick_flag("Arcs between pairs", key="arcs", disabled=not len(ready.links))
            pictures = state.pick_flag("Pictures on the sphere", key="pictures", default=True)
            heat = state.pick_flag("Heat", key="heat", help="Where the most similar fifth of the points lies, when "
                                   "colours show a cosine, to a prompt or to the point picked; else where points are.")
        prompts, vectors, image = _pick_prompts(settings, ready)
    with slot:
        colour = state.pick_option("Colour by", _colours(ready, prompts), key="colour")
    groups = 8
    if colour == "kmeans":
        groups = state.pick_number("Groups", 2, 24, key="groups", default=8)
    if MAPS[method].warning and ready.has_both:
        panels.notice(MAPS[method].warning, "warning", one_line=True)
    return Choices(method, colour, arcs, means, pictures, heat, groups, prompts, axes, column, vectors,
                   image)


def say_what_is_odd(ready: Ready) -> None:
    """Texts whose end was not seen."""
    if ready.truncated:
        n = len(ready.truncated)
        panels.notice(f"{n:,} {'text is' if n == 1 else 'texts are'} longer than the model reads: "
                      f"the end was not seen. The table marks them.", "warning", one_line=True)


def columns_of(ready: Ready) -> tuple[str, ...]:
    """Names of the columns that images or texts carry and that can be coloured: single values, no lists."""
    tables = [part.table for part in (ready.images, ready.texts) if part is not None]
    return tuple(dict.fromkeys(str(c) for table in tables for c in table.columns
                               if str(c) not in SKIPPED_COLUMNS and is_plain(table[c])))


def labels_of(ready: Ready, column: str) -> np.ndarray:
    """(n,) the cells of a column as text, "" where a point has none; images, then texts."""
    parts = []
    for part in (ready.images, ready.texts):
        if part is not None:
            has = column in part.table
            parts.append(part.table[column].fillna("").astype(str).to_numpy(dtype=object) if has
                         else np.full(len(part), "", dtype=object))
    return np.concatenate(parts)


def _maps(ready: Ready) -> list[str]:
    can_type, has_columns = ready.opened.vectors is None, bool(columns_of(ready))
    possible = available(ready.vectors.shape[1], both=ready.has_both)
    return [key for key in possible
            if MAPS[key].needs != "axes" or (can_type if key == "prompt_axes" else has_columns)]


def _pick_axes(method: str, ready: Ready, *, photo: bool) -> tuple[tuple[str, ...], str]:
    if method == "prompt_axes":
        typed = state.pick_text("Three prompts, one a line: the ends of the axes", key="axes", lines=3,
                                default="a cat\na bird\na vehicle" if photo else
                                "a red thing\na green thing\na blue thing")
        axes = tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
        return axes[:3], ""
    if method != "label_axes":
        return (), ""
    columns = columns_of(ready)
    column = state.pick_option("Labels of the column", dict(zip(columns, columns)), key="axis_column")
    values, counts = np.unique(labels_of(ready, column).astype(str), return_counts=True)
    frequent = [str(v) for v in values[np.argsort(-counts, kind="stable")] if v][:MOST_LABELS]
    chosen = []
    for number, place in enumerate(st.columns(3)):
        rest = {v: v for v in frequent if v not in chosen}
        if rest:
            with place:
                chosen.append(state.pick_option(f"Axis {number + 1}", rest, key=f"axis{number + 1}"))
    return tuple(chosen), column


def _colours(ready: Ready, prompts: tuple[str, ...]) -> dict[str, str]:
    options = {"modality": "modality"}
    options |= {f"column:{column}": column for column in columns_of(ready)}
    options |= {f"prompt:{i}": f"{'cosine to' if ready.has_gap else 'probability of'} “{prompt[:40]}”"
                for i, prompt in enumerate(prompts)}
    return options | {"picked": "cosine to the point picked", "kmeans": "group (spherical k-means)",
                      "hdbscan": "group (HDBSCAN)", "density": "density", "norm": "norm of the raw vector",
                      "distortion": "distortion by the map"}


def _pick_prompts(settings: Settings, ready: Ready) -> tuple[tuple[str, ...], np.ndarray | None, SearchImage | None]:
    """Prompts typed in, one a line, then an image; their unit vectors; the image."""
    if ready.opened.vectors is not None:
        return (), None, None
    with st.popover("Your prompts", icon=":material/edit_note:"):
        typed = state.pick_text("One prompt a line; each becomes a point", key="prompts", lines=4,
                                placeholder="a cat\na bird on a boat" if settings.model_id == PHOTO else
                                "a photo of a red cube\na pencil sketch of a star")
        prompts = tuple(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
        if len(prompts) > MOST_PROMPTS:
            panels.notice(f"The first {MOST_PROMPTS} prompts are shown.", "warning")
            prompts = prompts[:MOST_PROMPTS]
        image = pick_image(settings)
    vectors = None
    if prompts:
        encoder = cached.encoder(settings.model_id)
        prompts = _readable(encoder, prompts)
    if prompts:
        _say_prompts(encoder, prompts)
        vectors = cached.prompt_vectors(encoder.spec.fingerprint, prompts, settings.model_id)
    if image is None:
        return prompts, vectors, None
    both = image.vector if vectors is None else np.concatenate([vectors, image.vector])
    return (*prompts, image.name), both, image


def _readable(encoder: Encoder, prompts: tuple[str, ...]) -> tuple[str, ...]:
    """The prompts that the model knows anything of; the others are said."""
    unread = encoder.unread(prompts)
    for i, reason in unread.items():
        panels.notice(f"“{prompts[i][:80]}” is left out: {reason}.", "warning")
    return tuple(prompt for i, prompt in enumerate(prompts) if i not in unread)


def _say_prompts(encoder: Encoder, prompts: tuple[str, ...]) -> None:
    """The prompts, words the model never saw underlined, and what of them it does not see."""
    chips, strange = [], False
    for prompt in prompts:
        unknown = set(encoder.unknown_words(prompt))
        strange |= bool(unknown)
        words = (html.escape(part) for part in re.split(r"(\W+)", prompt[:200]))
        chips.append("<span>" + "".join(f"<u>{w}</u>" if w.lower() in unknown else w for w in words) + "</span>")
    st.html(f'<div class="orrery-chips">{"".join(chips)}</div>')
    if strange:
        st.caption("Underlined: words that are part of no name the photo model knows; they count for nothing."
                   if encoder.spec.id == PHOTO else
                   "Underlined: words this model has never seen. They are letters without meaning to it.")
    n = int(encoder.truncated(prompts).sum())
    if n:
        panels.notice(f"{n} of your prompts {'is' if n == 1 else 'are'} longer than the model reads "
                      f"({encoder.context_length} tokens): the end is not seen.", "warning")
