"""The only caches of the app. Keys are ids and fingerprints, never arrays; what is underscored is not part of a key."""

from __future__ import annotations

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.encoding.registry import PHOTO
from core.errors import OrreryError

if TYPE_CHECKING:
    import numpy as np

    from core.encoding.encoder import Encoder
    from core.encoding.store import Store
    from core.figures.scenes.embedding import Points
    from core.jobs import JobRunner
    from core.scene import SphereScene
    from core.streamlit_app.data.ready import Ready
    from core.types import Dataset

_log = logging.getLogger("orrery")


@st.cache_resource(max_entries=1, show_spinner=False)
def store() -> Store:
    """The store of vectors that all visitors share; what it holds is addressed by content."""
    from core.encoding.store import Store

    return Store()


@st.cache_resource(max_entries=1, show_spinner=False)
def runner() -> JobRunner:
    """The one runner of long work of this server."""
    from core.jobs import JobRunner

    return JobRunner(workers=2)


@dataclass
class ModelState:
    """A model that is being loaded, or is loaded, or cannot be."""

    facts: dict[str, str] = field(default_factory=dict)
    error: OrreryError | None = None
    finished: threading.Event = field(default_factory=threading.Event)


@st.cache_resource(max_entries=8, show_spinner=False)
def model_state(model_id: str) -> ModelState:
    """Starts to load a model in a thread, so that a page can be drawn meanwhile; says how far it is."""
    state = ModelState()

    def load() -> None:
        try:
            loaded = encoder(model_id)
            state.facts = {"device": loaded.device, "dtype": loaded.dtype, "dimensions": str(loaded.spec.dim),
                           "image side": f"{loaded.image_size} px", "longest text": f"{loaded.context_length} tokens",
                           "revision": loaded.spec.revision[:12]}
            if math.isfinite(loaded.logit_scale):
                state.facts["temperature"] = f"{1 / loaded.logit_scale:.3g}"
        except OrreryError as error:
            state.error = error
        except Exception as error:
            _log.exception("a model could not be loaded")
            state.error = OrreryError("a model that loads", f"{type(error).__name__}: {error}",
                                      "The log of the server has the details.")
        finally:
            state.finished.set()

    threading.Thread(target=load, name="orrery-model", daemon=True).start()
    return state


def encoder(model_id: str) -> Encoder:
    """The loaded model; `load_model` keeps the two used last."""
    from core.encoding.models import load_model

    return load_model(model_id)


@st.cache_resource(max_entries=4, show_spinner=False)
def world(n: int, seed: int) -> Dataset:
    """A sample of the built-in world."""
    from core.sources.solids.world import open_world

    return open_world(n=n, seed=seed)


class Results:
    """Results of long work by key, for all visitors; the one used longest ago goes when there are too many."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[str, Any] = OrderedDict()

    def __contains__(self, key: str) -> bool:
        return key in self._kept

    def __getitem__(self, key: str) -> Any:
        with self._lock:
            self._kept.move_to_end(key)
            return self._kept[key]

    def __setitem__(self, key: str, value: Any) -> None:
        with self._lock:
            self._kept[key] = value
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


@st.cache_resource(max_entries=1, show_spinner=False)
def results() -> Results:
    """What long work on the pages gave: maps and the like, keyed by fingerprints."""
    return Results(64)


@st.cache_resource(max_entries=8, show_spinner=False)
def points(key: str, _make: Callable[[], Points]) -> Points:
    """The points that ``key`` is the fingerprint of."""
    return _make()


@st.cache_resource(max_entries=8, show_spinner=False)
def scene(key: str, _make: Callable[[], SphereScene]) -> SphereScene:
    """The scene that ``key`` is the fingerprint of."""
    return _make()


@st.cache_data(max_entries=64, show_spinner=False)
def prompt_vectors(model_fingerprint: str, prompts: tuple[str, ...], _model_id: str) -> np.ndarray:
    """(p, d) float32 unit vectors of texts that a visitor typed."""
    from core.geometry.directions import unit

    return unit(encoder(_model_id).encode_texts(list(prompts)))


@st.cache_data(max_entries=64, show_spinner=False)
def _scores(ready_key: str, texts: tuple[str, ...], _ready: Ready) -> np.ndarray:
    images = _ready.images
    assert images is not None
    return encoder(images.model.id).scores(images.vectors, images.norms, list(texts))


def own_scores(ready: Ready, texts: tuple[str, ...]) -> np.ndarray | None:
    """(n, m) float32 by which the model itself ranks the images for texts; None where that is the cosine."""
    if ready.images is None or ready.images.model.id != PHOTO:
        return None
    return _scores(ready.key, texts, ready)


@st.cache_data(max_entries=32, show_spinner=False)
def unmatched(ready_key: str, a: str, b: str, _ready: Ready) -> np.ndarray:
    """Sorted cosines of pairs that do not belong together, to compare a cosine with; empty where there are none."""
    import numpy as np

    from core.geometry.neighbours import unmatched_cosines

    sets = {"image": _ready.images, "text": _ready.texts}
    first, second = sets[a], sets[b]
    if first is None or second is None:
        return np.zeros(0, dtype=np.float32)
    links = {("image", "text"): _ready.links, ("text", "image"): _ready.links[:, ::-1]}.get((a, b))
    return unmatched_cosines(first.vectors, second.vectors, links)
