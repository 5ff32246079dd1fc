"""From what is open to vectors, once: what it will cost, the work with its progress, and the offer of a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import Cancelled, SourceError
from core.jobs import about
from core.streamlit_app import cached, panels
from core.streamlit_app.data.opened import Opened, counts
from core.streamlit_app.data.panel import take_part
from core.streamlit_app.data.pictures import Pictures
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.visits import visitor
from core.streamlit_app.work import Progress, Stop, as_error, forget, joined, running, start, watch

if TYPE_CHECKING:
    from core.encoding.embedding import Cost
    from core.sources.vectors.opening import VectorSource
    from core.types import Dataset, EmbeddingSet

ASK_ABOVE_SECONDS = 45.0
SAMPLE = 1_000
MOST_KEPT = 4


def ensure_embedded(model_id: str, opened: Opened) -> Ready:
    """The dataset as vectors; draws the progress and stops the page until they are there.

    Raises
    ------
    OrreryError
        If the model cannot be loaded or used.
    """
    if opened.vectors is not None:
        return _of_vectors(opened, opened.vectors)
    part = st.session_state.setdefault("parts", {}).get(opened.key)
    opened = part or opened
    key = f"embed:{model_id}:{opened.key}"
    done: dict[str, Ready] = st.session_state.setdefault("embedded", {})
    if key in done:
        done[key] = done.pop(key)
        _say_part(opened, part)
        return done[key]
    if key not in st.session_state.setdefault("stopped", {}):
        work = _work(model_id, opened, ask=key not in _accepted())
        job = running(key) or joined(key) or start(key, work)
        if job.over and job.error is not None and job.visitor != visitor():
            job = start(key, work)
        job.wait(0.5)
        if not job.over:
            watch(job, partial(_leave, key))
            st.stop()
        if isinstance(job.error, Cancelled):
            st.session_state["stopped"][key] = job.error
        if job.error is not None:
            forget(key)
    if key in st.session_state["stopped"]:
        _after_stop(model_id, opened, key)
        st.stop()
    if job.error is not None:
        raise as_error(job.error)
    outcome = job.result()
    if not isinstance(outcome, Ready):
        _ask(outcome, opened, key)
        st.stop()
    forget(key)
    done[key] = outcome
    while len(done) > MOST_KEPT:
        done.pop(next(iter(done)))
    _say_part(opened, part)
    return outcome


def _leave(key: str) -> None:
    """Wait no more for the run of another visit, which goes on as long as anyone waits for it."""
    job = running(key)
    if job is not None:
        job.leave(visitor())
    forget(key)
    st.session_state["stopped"][key] = Cancelled("waiting for another run of the same work")


def _of_vectors(opened: Opened, vectors: VectorSource) -> Ready:
    captions: tuple[str, ...] = ()
    if vectors.texts is not None:
        named = {str(c).lower(): c for c in vectors.texts.table.columns}
        column = next((named[c] for c in ("caption", "text", "prompt", "name") if c in named), None)
        captions = vectors.texts.ids if column is None else tuple(map(str, vectors.texts.table[column]))
    return Ready(opened, vectors.images, vectors.texts, vectors.links, captions, vectors.refused,
                 pictures=Pictures(vectors.pictures, vectors.picture_places, opened.key))


def _accepted() -> set[str]:
    """Keys of work whose cost this visitor has agreed to."""
    return st.session_state.setdefault("accepted", set())


def _work(model_id: str, opened: Opened, *, ask: bool) -> Callable[[Progress, Stop], Ready | Cost]:
    """The work as a job: what it would cost, where that is to be asked about, or the vectors."""
    dataset, store = opened.dataset, cached.store()
    assert dataset is not None

    def work(on_progress: Progress, should_stop: Stop) -> Ready | Cost:
        from core.encoding.embedding import cost_of, embed_with

        if ask:
            cost = cost_of(model_id, dataset, store, should_stop=should_stop,
                           on_progress=lambda f, text: on_progress(0.05 * f, text))
            if cost.seconds > ASK_ABOVE_SECONDS:
                return cost
        found = embed_with(model_id, dataset, store, should_stop=should_stop,
                           on_progress=lambda f, text: on_progress(0.05 + 0.95 * f, text))
        if not len(found.images or ()) and not len(found.texts or ()):
            first = f", the first {found.refused[0].name}: {found.refused[0].reason}" if found.refused else ""
            raise SourceError(f"an image or text of {opened.name} that can be encoded",
                              f"{len(found.refused):,} that cannot{first}", "Bring others, or take another model.")
        return Ready(opened, found.images, found.texts, found.links, found.captions, found.refused, found.truncated,
                     _pictures(opened, dataset, found.images), unread=found.unread)

    return work


def _pictures(opened: Opened, dataset: Dataset, images: EmbeddingSet | None) -> Pictures:
    """Small pictures of the embedded images; none is made yet."""
    if dataset.images is None or images is None:
        return Pictures()
    place = {name: i for i, name in enumerate(dataset.image_ids)}
    return Pictures(dataset.images, [place[name] for name in images.ids], opened.key)


def _ask(cost: Cost, opened: Opened, key: str) -> None:
    """What all of it would take, and the offer to take a sample first."""
    whole = about(cost.seconds)
    panels.notice(f"{opened.name} holds {counts(opened)}; {cost.items:,} items are not encoded yet, "
                  f"which takes {whole} with this model on this machine.")
    with st.container(horizontal=True):
        n = min(SAMPLE, max(100, int(20 * cost.items / cost.seconds)))
        if opened.source != "frames" and st.button(f"Take a sample of {n:,} images first", type="primary",
                                                   icon=":material/casino:"):
            part = take_part(opened, n)
            _accepted().add(key.replace(opened.key, part.key))
            forget(key)
            st.rerun()
        if st.button(f"Encode all ({whole})", icon=":material/all_inclusive:"):
            _accepted().add(key)
            forget(key)
            st.rerun()


def _after_stop(model_id: str, opened: Opened, key: str) -> None:
    """What a stopped run leaves: go on, or look at what is finished."""
    panels.error_panel(st.session_state["stopped"][key])
    with st.container(horizontal=True):
        if st.button("Go on", type="primary", icon=":material/play_arrow:"):
            del st.session_state["stopped"][key]
            _accepted().add(key)
            st.rerun()
        if st.button("Show what is finished", icon=":material/visibility:"):
            part = _finished(model_id, opened)
            if part is None:
                panels.notice("Nothing is finished yet.")
            else:
                del st.session_state["stopped"][key]
                st.session_state.setdefault("parts", {})[opened.key] = part
                st.rerun()


def _finished(model_id: str, opened: Opened) -> Opened | None:
    """What is open, as far as its vectors are in the store."""
    from core.encoding.embedding import finished_part

    assert opened.dataset is not None
    part = finished_part(model_id, opened.dataset, cached.store())
    if part is None:
        return None
    return replace(opened, name=part.name, dataset=part, key=f"{opened.key}-finished-{len(part.image_ids)}")


def _say_part(opened: Opened, part: Opened | None) -> None:
    """Say that this is a part of the data, with a button for the whole."""
    if part is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{part.name}: {counts(part)}")
        whole = next(k for k, v in st.session_state["parts"].items() if v is part)
        if st.button("Take all", key="part.all", icon=":material/all_inclusive:", type="tertiary"):
            del st.session_state["parts"][whole]
            st.rerun()
