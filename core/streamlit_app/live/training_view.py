"""The live training: spheres on which images and texts move from snapshot to snapshot, at one step for all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.figures.scenes.globe import looking_at, sphere
from core.learning.records.file import LAST_STEP
from core.learning.records.record import Record
from core.scene import Colouring, SphereScene
from core.streamlit_app.live.packing import frame, serve
from core.streamlit_app.live.scripts import component
from core.streamlit_app.live.sphere_view import placed
from core.types import fingerprint

Colour = Literal["kind", "class"]
WHOLE = 32767
MOST_NAMES = 40
_HTML = '<div class="orrery-training"></div>'


@dataclass(frozen=True, eq=False)
class TrainingShown:
    """A run as it is looked at: first its images, then its texts.

    Attributes
    ----------
    name : what a user calls it.
    steps : (s,) int, strictly increasing, s >= 1.
    coords : (s, n, 3) float32, unit rows.
    kinds : (n,) uint8, 0 for images and 1 for texts.
    labels : n, what a point says when one hovers over it.
    groups : n classes, "" where there is none.
    names : texts that stand on the sphere, by point.
    told : what is said of each step below the sphere: sentences with "{}" for the number, and (s,) numbers, NaN where
        none is known.
    planned : the last step it will have.
    running : whether more may come.
    id : of the run: what has the same grows or is the same.

    Raises
    ------
    ShapeError
        If lengths do not agree or steps do not grow.
    """

    name: str
    steps: np.ndarray
    coords: np.ndarray
    kinds: np.ndarray
    labels: tuple[str, ...]
    groups: tuple[str, ...]
    names: Mapping[int, str] = field(default_factory=dict)
    told: Mapping[str, np.ndarray] = field(default_factory=dict)
    planned: int = 0
    running: bool = False
    id: str = ""

    def __post_init__(self) -> None:
        steps, coords = np.asarray(self.steps, dtype=np.int64), np.asarray(self.coords, dtype=np.float32)
        s, n = len(steps), len(self.labels)
        if steps.ndim != 1 or not s or (np.diff(steps) <= 0).any():
            raise ShapeError("at least one step, and steps that grow", f"{steps.tolist()[:5]} ...")
        if coords.shape != (s, n, 3) or not len(self.kinds) == len(self.groups) == n:
            raise ShapeError(f"coordinates of shape ({s}, {n}, 3), {n} kinds and classes",
                             f"shape {coords.shape}, {len(self.kinds)} kinds and {len(self.groups)} classes")
        for words, values in self.told.items():
            if len(values) != s:
                raise ShapeError(f"{s} numbers for “{words}”", str(len(values)))
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "coords", coords)

    def scene(self, at: int, colour: Colour = "kind") -> SphereScene:
        """The points at the snapshot of that index."""
        colouring = Colouring("class", groups=self.groups) if colour == "class" else None
        return SphereScene(self.coords[at], self.kinds, self.labels, colouring=colouring, title=self.name)


@dataclass(frozen=True)
class TrainingEvents:
    """What the user did.

    Attributes
    ----------
    clicked : run and point clicked in this run of the page, or None.
    step : where the view was left standing; None where it follows the newest.
    camera : where the camera is, or None before a drag.
    """

    clicked: tuple[int, int] | None = None
    step: int | None = None
    camera: str | None = None


@dataclass(frozen=True)
class StepSought:
    """A step to which the page sends the view; another ``number`` asks for the same again."""

    step: int
    number: int


def training_view(runs: Sequence[TrainingShown], *, key: str, height: int = 480, colour: Colour = "kind",
                  trails: int = 4, flow: float = 0.0, picked: int | None = None, seek: StepSought | None = None,
                  camera: str | None = None, dark: bool = False, data: str = "") -> TrainingEvents:
    """Show runs that can be played, stepped through and followed while they grow; the camera is one for all.

    Between two snapshots a point moves on their great circle. What is drawn goes to the browser once: snapshots in
    files of some each, and the newest of them with the page.

    Parameters
    ----------
    runs
        At least one.
    key
        Name of the view on its page; step and camera belong to it and stay through every rerun.
    height
        Of each sphere, CSS pixels; on a narrow page as high as it is wide.
    colour
        What colours say: images and texts, or classes.
    trails
        Over how many snapshots back the way of each point is drawn; 0 for none.
    flow
        Arrows this many times as long as the way to the next snapshot; 0 for none.
    picked
        A point to ring, or None.
    seek
        Where to send the view, once.
    camera
        ``TrainingEvents.camera`` of another visit; used when the view is new.
    dark
        Theme of the plotly figure that stands in where the browser has no WebGL 2.
    data
        What is shown, by any name that changes with it: other data are followed from their beginning.

    Raises
    ------
    ShapeError
        If there is no run.
    """
    if not runs:
        raise ShapeError("at least one run to look at", "none")
    scenes = [run.scene(0, colour) for run in runs]
    state = st.session_state.get(key) or {}
    if state.get("unsupported"):
        return _plain(runs, key, colour, dark)
    headers: list[dict[str, Any]] = []
    arrays: list[np.ndarray] = []
    for i, (run, scene) in enumerate(zip(runs, scenes)):
        header, of_scene = placed(scene, key=f"{key}.{i}", height=height, picked=picked, camera=camera, data=data,
                                  linked=key)
        towards = headers[0]["looking"] if headers else looking_at(run.scene(-1)).tolist()
        chunks, tail, per = _chunks(run)
        headers.append({**header, "looking": towards, "id": run.id or run.name, "steps": run.steps.tolist(), "per": per,
                        "items": fingerprint("items", run.labels), "inline": len(tail), "trails": trails, "flow": flow,
                        "chunks": [serve(blob, f"{key}.{i}.snapshots.{k}") for k, blob in enumerate(chunks)],
                        "told": [[words, _numbers(values)] for words, values in run.told.items()],
                        "names": [{"point": point, "label": text, "kind": "text" if colour == "kind" else ""}
                                  for point, text in run.names.items()]})
        arrays += [*of_scene, tail]
    whole = {"key": key, "runs": headers, "data": data, "running": any(run.running for run in runs),
             "planned": max(max(run.planned, int(run.steps[-1])) for run in runs),
             "seek": None if seek is None else {"step": seek.step, "number": seek.number}}
    result = component("training", _HTML)(key=key, data=frame(whole, arrays), height="content",
                                          on_clicked_change=lambda: None, on_camera_change=lambda: None,
                                          on_at_change=lambda: None, on_unsupported_change=lambda: None)
    return events(runs, clicked=result.clicked, camera=result.camera, at=result.at)


def shown_of(record: Record, *, coords: np.ndarray | None = None, told: Mapping[str, np.ndarray] | None = None,
             planned: int | None = None, running: bool = False) -> TrainingShown:
    """A record of a training on S^2 as it is looked at.

    Parameters
    ----------
    record
        With features in three dimensions, or of any where ``coords`` are given.
    coords
        (s, n + m, 3) unit, where its images and then its texts lie on the sphere one looks at.
    told, planned, running
        See `TrainingShown`; the setup's steps by default.

    Raises
    ------
    ShapeError
        If the record has no three dimensions and there are no coordinates, or these do not fit.
    """
    if coords is None:
        if record.dim != 3:
            raise ShapeError("a run whose features lie on S^2, or coordinates of them", f"{record.dim} dimensions",
                             "Set the dimensions to 3, or look at it on a map.")
        coords = np.concatenate([record.images, record.texts], axis=1)
    probe, n = record.probe, len(record.probe.images)
    captions: list[list[str]] = [[] for _ in range(n)]
    classes: list[set[str]] = [set() for _ in probe.texts]
    for image, text in probe.links.tolist():
        captions[image].append(probe.texts[text])
        classes[text].add(probe.labels[image])
    of_texts = tuple(next(iter(found)) if len(found) == 1 else "" for found in classes)
    labels = tuple("\n".join(dict.fromkeys(filter(None, (probe.images[i], *captions[i], probe.labels[i]))))
                   for i in range(n)) + tuple(f"“{text}”" for text in probe.texts)
    names = {n + j: text for j, text in enumerate(probe.texts)} if len(probe.texts) <= MOST_NAMES else {}
    steps = record.setup.get("steps")
    return TrainingShown(
        record.name, record.steps, coords, np.repeat(np.array([0, 1], np.uint8), [n, len(probe.texts)]), labels,
        (*probe.labels, *of_texts), names, told or {},
        planned if planned is not None else steps if isinstance(steps, int) and steps <= LAST_STEP else
        int(record.steps[-1]), running,
        fingerprint("run", record.name, str(sorted(record.setup.items())), coords[0], labels))


def events(runs: Sequence[TrainingShown], *, clicked: object = None, camera: object = None, at: object = None
           ) -> TrainingEvents:
    """What the browser says, as far as it fits these runs."""
    point = None
    if isinstance(clicked, list | tuple) and len(clicked) == 2 and all(type(i) is int for i in clicked):
        run, i = clicked
        point = (run, i) if 0 <= run < len(runs) and 0 <= i < len(runs[run].labels) else None
    step = max(0, round(at)) if isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at) else None
    return TrainingEvents(point, step, camera if isinstance(camera, str) else None)


def _chunks(run: TrainingShown) -> tuple[list[bytes], np.ndarray, int]:
    """Snapshots as whole numbers: files of so many each, what is over them, and how many a file holds."""
    every = int(run.steps[1] - run.steps[0]) if len(run.steps) > 1 else 1
    per = min(64, max(8, math.isqrt(max(run.planned, 1) // every)))
    whole = np.rint(run.coords * WHOLE).astype(np.int16)
    full = len(whole) // per
    return [whole[k * per:(k + 1) * per].tobytes() for k in range(full)], whole[full * per:], per


def _numbers(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.5g}") if math.isfinite(value) else None for value in np.asarray(values).tolist()]


def _plain(runs: Sequence[TrainingShown], key: str, colour: Colour, dark: bool) -> TrainingEvents:
    """What stands in where there is no WebGL 2: a plotly figure of one step."""
    longest = max(runs, key=lambda run: int(run.steps[-1]))
    steps = longest.steps.tolist()
    step = steps[-1] if len(steps) == 1 else int(st.select_slider("Step", steps, value=steps[-1], key=f"{key}.step"))
    st.caption("This browser has no WebGL 2, which the live spheres need: a plainer figure of one step is shown.")
    for i, (run, column) in enumerate(zip(runs, st.columns(len(runs)))):
        at = int(np.searchsorted(run.steps, step, side="right")) - 1
        column.plotly_chart(sphere(run.scene(max(at, 0), colour), dark), key=f"{key}.figure.{i}", width="stretch",
                            config={"scrollZoom": True})
    return TrainingEvents(step=step)
