"""From what is open to vectors, once: what it will cost, the work with its progress, and the offer of a sample."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.errors import Cancelled
from core.jobs import about
from core.streamlit_app import cached, panels
from core.streamlit_app.data.opened import Opened, counts
from core.streamlit_app.data.panel import take_part
from core.streamlit_app.data.pictures import Pictures
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.work import Progress, Stop, as_error, forget, joined, running, start, visitor, watch

if TYPE_CHECKING:

    from core.encoding.encoder import Encoder
    from core.encoding.pipeline import Embedded
    from core.sources.vectors.opening import VectorSource

ASK_ABOVE_SECONDS = 45.0
SAMPLE = 1_000
MOST_KEPT = 4


@dataclass(frozen=True)
class Cost:
    """What embedding would take: items still to encode, seconds for one of them."""

    items: int
    seconds_each: float


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
    if isinstance(outcome, Cost):
        _ask(outcome, opened, key)
        st.stop()
    forget(key)
    done[key] = outcome
    while len(done) > MOST_KEPT:
        done.pop(next(iter(done)))
    _say_part(opened, part)
    return outcome


def _leave(key: str) -> None:
    """Wait no more for the run of another visit, which goes on."""
    forget(key)
    st.session_state["stopped"][key] = Cancelled("waiting for another run of the same work")


def _of_vectors(opened: Opened, vectors: VectorSource) -> Ready:
    captions: tuple[str, ...] = ()
    if vectors.texts is not None:
        named = {str(c).lower(): c for c in vectors.texts.table.columns}
        column = next((named[c] for c in ("caption", "text", "prompt", "name") if c in named), None)
        captions = vectors.texts.ids if column is None else tuple(map(str, vectors.texts.table[column]))
    return Ready(opened, vectors.images, vectors.texts, vectors.links, captions, vectors.refused)


def _accepted() -> set[str]:
    """Keys of work whose cost this visitor has agreed to."""
    return st.session_state.setdefault("accepted", set())


def _work(model_id: str, opened: Opened, *, ask: bool) -> Callable[[Progress, Stop], Ready | Cost]:
    store, rates = cached.store(), cached.seconds_per_item()

    def work(on_progress: Progress, should_stop: Stop) -> Ready | Cost:
        from core.encoding.pipeline import embed, missing
        from core.sources.images.readers import content_hashes

        dataset = opened.dataset
        assert dataset is not None
        on_progress(0.0, "Loading the model")
        model = cached.encoder(model_id)
        if dataset.images is not None and len(dataset.images) > 500:
            content_hashes(dataset.images, should_stop=should_stop,
                           on_progress=lambda f, text: on_progress(0.05 * f, text))
        items = missing(dataset, model, store)
        if ask and items > 50:
            each = rates.get(model_id) or _time_one(model)
            if items * each > ASK_ABOVE_SECONDS:
                return Cost(items, each)
        began = time.monotonic()
        embedded = embed(dataset, model, store, should_stop=should_stop,
                         on_progress=lambda f, text: on_progress(0.05 + 0.95 * f, text))
        if embedded.encoded > 50:
            rates[model_id] = (time.monotonic() - began) / embedded.encoded
        caption_of = dict(zip(dataset.text_ids, dataset.texts))
        captions = () if embedded.texts is None else tuple(caption_of[name] for name in embedded.texts.ids)
        return Ready(opened, embedded.images, embedded.texts, embedded.links, captions, embedded.refused,
                     embedded.truncated, _pictures(opened, embedded))

    return work


def _time_one(model: Encoder) -> float:
    """Seconds for one image, from one small batch and 20 ms of decoding."""
    import torch

    blank = torch.zeros((4, 3, model.preprocessor.size[0], model.preprocessor.size[1]))
    model.encode_pixels(blank[:1])
    began = time.monotonic()
    model.encode_pixels(blank)
    return (time.monotonic() - began) / len(blank) + 0.02


def _pictures(opened: Opened, embedded: Embedded) -> Pictures:
    """Small pictures of the embedded images; none is made yet."""
    dataset = opened.dataset
    if dataset is None or dataset.images is None or embedded.images is None:
        return Pictures()
    place = {name: i for i, name in enumerate(dataset.image_ids)}
    return Pictures(dataset.images, [place[name] for name in embedded.images.ids], opened.key)


def _ask(cost: Cost, opened: Opened, key: str) -> None:
    """What all of it would take, and the offer to take a sample first."""
    whole = about(cost.items * cost.seconds_each)
    panels.notice(f"{opened.name} holds {counts(opened)}; {cost.items:,} items are not encoded yet, "
                  f"which takes {whole} with this model on this machine.")
    with st.container(horizontal=True):
        n = min(SAMPLE, max(100, int(20 / cost.seconds_each)))
        if st.button(f"Take a sample of {n:,} images first", type="primary", icon=":material/casino:"):
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
    """The part of a dataset whose vectors are in the store."""
    from core.encoding.pipeline import text_hash
    from core.sources.sampling import take

    dataset, spec = opened.dataset, cached.encoder(model_id).spec
    assert dataset is not None
    hashes = [] if dataset.images is None else [dataset.images.content_hash(i) for i in range(len(dataset.images))]
    images = np.flatnonzero(cached.store().has(spec.fingerprint, hashes)) if hashes else np.array([], dtype=np.int64)
    known = cached.store().has(spec.fingerprint, [text_hash(t) for t in dataset.texts])
    linked = np.unique(dataset.links[np.isin(dataset.links[:, 0], images), 1])
    texts = np.union1d(linked, np.flatnonzero(known)) if hashes else np.flatnonzero(known)
    if not len(images) and not len(texts):
        return None
    part = take(dataset, images, texts, name=f"{dataset.name}, the finished part")
    return replace(opened, name=part.name, dataset=part, key=f"{opened.key}-finished-{len(images)}")


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
