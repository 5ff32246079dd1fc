"""What is loaded, on every page: counts, samples, columns, what was refused, what it will cost, and a part of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import streamlit as st

from core.errors import OrreryError
from core.jobs import about
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.opened import Opened, counts
from core.types import EmbeddingSet, fingerprint

if TYPE_CHECKING:
    from PIL.Image import Image
    from streamlit.delta_generator import DeltaGenerator

    from core.types import Dataset

SAMPLES = 8
SAMPLE_SIDE = 128
SAMPLE_OF = 1_000
COUNTED_BELOW = 4_000   # items whose contents are looked up one by one
_ALL = "all"


def dataset_panel(opened: Opened, model_id: str) -> Opened:
    """A button that shows what is loaded; gives the part of it that the visitor wants to look at."""
    said = "".join(f" · {len(items):,} {what}" for items, what in (
        (opened.refused, "refused"), (opened.left_out, "left out"), (opened.notices, "guessed")) if items)
    panel = st.popover(f"What is loaded{said}", icon=":material/inventory_2:", key="dataset", on_change="rerun")
    if not panel.open:
        return opened if opened.dataset is None else _narrowed(opened, None)
    with panel, panels.friendly_errors():
        title = st.container()
        part = opened if opened.dataset is None else _narrowed(opened, st.container(horizontal=True))
        title.markdown(f"**{panels.plain(part.name, 120)}**")
        _show(part, model_id)
        return part
    return opened


def _narrowed(opened: Opened, row: DeltaGenerator | None) -> Opened:
    """The split and language that were chosen, where there are several; widgets for them in ``row``."""
    from core.sources.overview import counted, narrowed

    assert opened.dataset is not None
    chosen: dict[str, str] = {}
    for column, title in (("split", "Split"), ("language", "Language of the texts")):
        found = _counted(opened, column, counted)
        options = {_ALL: f"all of {len(found)}", **{value: f"{value} ({n:,})" for value, n in found.items()}}
        if len(found) > 1 and row is not None:
            with row:
                value = state.pick_option(title, options, key=f"data.{column}")
        else:
            value = state.value_of(f"data.{column}", _ALL)
        chosen[column] = value if value in found and len(found) > 1 else ""
    if not any(chosen.values()):
        return opened
    key = f"{opened.key}-{fingerprint(chosen)[:12]}"
    known: dict[str, Opened] = st.session_state.setdefault("narrowed", {})
    if key not in known:
        part = narrowed(opened.dataset, chosen["split"], chosen["language"])
        known.clear()
        known[key] = replace(opened, name=part.name, key=key, dataset=part)
    return known[key]


def _counted(opened: Opened, column: str, counted: object) -> Mapping[str, int]:
    """Values of a column with their counts, counted once for each opening."""
    known = st.session_state.setdefault("counted", {})
    if (opened.key, column) not in known:
        if len(known) > 32:
            known.clear()
        known[opened.key, column] = counted(opened.dataset, column)  # type: ignore[operator]
    return known[opened.key, column]


def _show(opened: Opened, model_id: str) -> None:
    if opened.dataset is not None:
        _show_dataset(opened, opened.dataset, model_id)
    elif opened.vectors is not None:
        _show_vectors(opened)
    for notice in opened.notices:
        panels.notice(notice)
    for title, items in (("Refused", opened.refused), ("Left out", opened.left_out)):
        if items:
            st.caption(f"{title}: {len(items):,}, each with its reason")
            panels.refused_table(items, key=f"dataset.{title.lower().replace(' ', '_')}")


def _show_dataset(opened: Opened, dataset: Dataset, model_id: str) -> None:
    said = _told(opened, dataset)
    panels.facts([*said.facts, ("To encode", _cost(dataset, model_id))])
    if said.samples:
        panels.gallery(said.samples, key="dataset.samples")
    elif dataset.texts:
        panels.facts([("For example", "; ".join(dataset.texts[:3]))])
    n_columns = len(said.columns)
    if n_columns:
        st.dataframe(said.columns, hide_index=True, height=min(36 * n_columns + 38, 220), key="dataset.columns")
    n = len(dataset.image_ids) or len(dataset.text_ids)
    if n > SAMPLE_OF and st.button(f"Take a sample of {SAMPLE_OF:,} first", icon=":material/casino:",
                                   key="dataset.sample"):
        take_part(opened, SAMPLE_OF)
        st.rerun()


@dataclass(frozen=True)
class _Told:
    """What the panel says of a dataset, worked out once for each opening."""

    facts: list[tuple[str, str]]
    columns: pd.DataFrame
    samples: list[tuple[Image | None, str, str]]


def _told(opened: Opened, dataset: Dataset) -> _Told:
    from core.sources.overview import columns, facts

    known: dict[str, _Told] = st.session_state.setdefault("told", {})
    if opened.key not in known:
        said = _Told(facts(dataset), columns(dataset), _samples(dataset))
        known.clear()
        known[opened.key] = said
    return known[opened.key]


def _show_vectors(opened: Opened) -> None:
    vectors = opened.vectors
    assert vectors is not None
    rows = [("Holds", counts(opened)), ("Pairs", f"{len(vectors.links):,}")]
    for part in (vectors.images, vectors.texts):
        if part is not None:
            rows += [("Dimensions", f"{part.vectors.shape[1]:,}")] if len(rows) == 2 else []
            rows.append((f"Columns of {part.modality}s", ", ".join(map(str, part.table.columns[:12])) or "none"))
            rows.append((f"Names of {part.modality}s", _first(part)))
    panels.facts(rows)


def _first(part: EmbeddingSet) -> str:
    return ", ".join(part.ids[:3]) + (", …" if len(part.ids) > 3 else "")


def _cost(dataset: Dataset, model_id: str) -> str:
    """What is still to encode, and how long that takes by the pace of this model on this machine so far."""
    from core.encoding.embedding import cost_of, seconds_each

    n = len(dataset.image_ids) + len(dataset.text_ids)
    model = cached.model_state(model_id)
    if n <= COUNTED_BELOW and model.finished.is_set() and model.error is None:
        cost = cost_of(model_id, dataset, cached.store(), measure=False)
        if not cost.items:
            return "nothing: all are encoded"
        return f"{cost.items:,} items" + (f", {about(cost.seconds)} with this model" if cost.seconds else "")
    each = seconds_each.get(model_id)
    if each is None:
        return f"up to {n:,} items; how long that takes is measured first"
    return f"up to {n:,} items, {about(n * each)} with this model; nothing is encoded twice"


def _samples(dataset: Dataset) -> list[tuple[Image | None, str, str]]:
    """A few images, drawn at random but always the same, with their first text or their name."""
    from core.sources.images.readers import decode_small

    first = {int(i): int(j) for i, j in dataset.links[::-1]}
    rows: list[tuple[Image | None, str, str]] = []
    for i in np.sort(np.random.default_rng(0).permutation(len(dataset.image_ids))[:SAMPLES]).tolist():
        picture = None
        if dataset.images is not None:
            with contextlib.suppress(OrreryError):
                picture = decode_small(dataset.images, i, SAMPLE_SIDE)
        label = str(dataset.image_table["label"].iloc[i]) if "label" in dataset.image_table else ""
        rows.append((picture, dataset.texts[first[i]] if i in first else dataset.image_ids[i], label))
    return rows


def take_part(opened: Opened, n: int) -> Opened:
    """From now on a sample of n images stands for what is opened, until all is asked for."""
    from core.sources.sampling import sample

    assert opened.dataset is not None
    dataset = sample(opened.dataset, n, 0)
    part = replace(opened, name=dataset.name, dataset=dataset, key=f"{opened.key}-{n}")
    st.session_state.setdefault("parts", {})[opened.key] = part
    return part
