"""The only caches of the app. Keys are ids and fingerprints, never arrays; what is underscored is not part of a key.

Any visitor can have Streamlit clear its own caches, for everyone. Nothing stands there but what is quickly made again:
the store, the runner, models and what work gave are kept here.
"""

from __future__ import annotations

import logging
import math
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import streamlit as st

from core.errors import OrreryError
from core.streamlit_app.visits import visitor

if TYPE_CHECKING:
    import numpy as np

    from core.encoding.encoder import Encoder
    from core.encoding.store import Store
    from core.figures.scenes.embedding import Points
    from core.jobs import JobRunner
    from core.learning.towers.trainings import Trainings
    from core.scene import SphereScene
    from core.streamlit_app.data.ready import Ready
    from core.types import Dataset

_log = logging.getLogger("orrery")
T = TypeVar("T")

MOST_STATES = 8
MOST_RESULTS = 64
MOST_SCENES = 8
MOST_VIEWS = 3


def _one_of_the_process(make: Callable[[], T]) -> Callable[[], T]:
    """Make it once, for as long as the process lives."""
    lock, made = threading.Lock(), []  # type: ignore[var-annotated]

    @wraps(make)
    def one() -> T:
        with lock:
            if not made:
                made.append(make())
            return made[0]

    return one


@_one_of_the_process
def store() -> Store:
    """The store of vectors that all visitors share; what it holds is addressed by content."""
    from core.encoding.store import Store

    return Store()


@_one_of_the_process
def runner() -> JobRunner:
    """The one runner of long work of this server."""
    from core.jobs import JobRunner

    return JobRunner(workers=2)


@_one_of_the_process
def trainings() -> Trainings:
    """The trainings of the visitors of this server, each in a process with one thread."""
    from core.learning.towers.trainings import Trainings

    return Trainings(at_once=max(2, os.cpu_count() or 2))


@dataclass
class ModelState:
    """A model that is being loaded, or is loaded, or cannot be."""

    facts: dict[str, str] = field(default_factory=dict)
    error: OrreryError | None = None
    finished: threading.Event = field(default_factory=threading.Event)


_states: OrderedDict[str, ModelState] = OrderedDict()
_states_lock = threading.Lock()


def model_state(model_id: str) -> ModelState:
    """Starts to load a model in a thread, so that a page can be drawn meanwhile; says how far it is."""
    with _states_lock:
        if model_id not in _states:
            _states[model_id] = _start_to_load(model_id)
        _states.move_to_end(model_id)
        while len(_states) > MOST_STATES:
            _states.popitem(last=False)
        return _states[model_id]


def _start_to_load(model_id: str) -> ModelState:
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


class Shared:
    """Values by key for all visitors, each as long as a visit that used it is here, and ``most`` of them at most."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._kept: OrderedDict[str, tuple[Any, set[str]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: str) -> Any:
        """The value of a key, which this visit uses from now on; None where there is none."""
        name = visitor()
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            value, users = self._kept[key]
            users.add(name)
            return value

    def of(self, key: str, make: Callable[[], Any]) -> Any:
        """The value of a key, made where there is none; never None."""
        value = self.get(key)
        if value is not None:
            return value
        value, name = make(), visitor()
        with self._lock:
            self._kept[key] = value, {name}
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value

    def leave(self, visit: str) -> None:
        """A visit is over: what only it used goes."""
        with self._lock:
            for _, users in self._kept.values():
                users.discard(visit)
            self._kept = OrderedDict((key, kept) for key, kept in self._kept.items() if kept[1])


_results, _points, _scenes = Shared(MOST_RESULTS), Shared(MOST_SCENES), Shared(MOST_SCENES)
_views = Shared(MOST_VIEWS)


def results() -> Shared:
    """What long work on the pages gave: maps and the like, keyed by fingerprints."""
    return _results


def points(key: str, make: Callable[[], Points]) -> Points:
    """The points that ``key`` is the fingerprint of."""
    return _points.of(key, make)


def scene(key: str, make: Callable[[], SphereScene]) -> SphereScene:
    """The scene that ``key`` is the fingerprint of."""
    return _scenes.of(key, make)


def views(key: str, make: Callable[[], Dataset]) -> Dataset:
    """The views of objects that ``key`` is the fingerprint of, with the pictures drawn so far."""
    return _views.of(key, make)


def leave(visit: str) -> None:
    """A visit is over: its work stops unless another visit waits for it, and what only it used is let go."""
    runner().leave(visit)
    trainings().leave(visit)
    for kept in (_results, _points, _scenes, _views):
        kept.leave(visit)


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
    return None if ready.images is None or ready.has_gap else _scores(ready.key, texts, ready)


def caption_scores(ready: Ready, row: int) -> np.ndarray | None:
    """(m,) float32 by which the model itself ranks the captions for an image; None where that is the cosine."""
    return None if ready.has_gap or not ready.captions else _caption_scores(ready.key, row, ready)


@st.cache_data(max_entries=32, show_spinner=False)
def _caption_scores(ready_key: str, row: int, _ready: Ready) -> np.ndarray:
    images = _ready.images
    assert images is not None
    return encoder(images.model.id).scores(images.vectors[[row]], images.norms[[row]], _ready.captions)[0]


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
