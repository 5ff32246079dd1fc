"""The live film: a player, the strip of its frames and the sphere with its path, which go together in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urljoin

import numpy as np
import streamlit as st

from core.errors import ShapeError
from core.figures.scenes.globe import sphere
from core.scene import Colouring, SphereScene
from core.streamlit_app.live.packing import frame
from core.streamlit_app.live.pictures import answer_view
from core.streamlit_app.live.scripts import component
from core.streamlit_app.live.sphere_view import placed

Colour = Literal["time", "film"]
_HTML = '<div class="orrery-film"></div>'


@dataclass(frozen=True, eq=False)
class FilmShown:
    """A film as it is played, and its path through the points of a scene.

    Attributes
    ----------
    name : what a user calls it, unlike that of any other film of the view.
    rows : (n,) int, n >= 1: the points of the scene that are its frames, in order.
    times : (n,) float64, strictly increasing, seconds from the film's beginning.
    starts : (s,) int, frames at which a shot begins; the step that leads there is drawn as a cut.
    url : where the browser fetches the film (`serving.serve_file`); "" where there is nothing that it could play:
        then the pictures of the points are shown one after another.
    duration : of the whole film, seconds; at least the last of the times counts.
    said : points beside the path (subtitles) and the second each belongs to.
    note : a line below the player, as on a version that is being made; a plain text.

    Raises
    ------
    ShapeError
        If there is no frame, the times do not fit the rows or do not increase, or a shot begins outside.
    """

    name: str
    rows: np.ndarray
    times: np.ndarray
    starts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    url: str = ""
    duration: float = 0.0
    said: Mapping[int, float] = field(default_factory=dict)
    note: str = ""

    def __post_init__(self) -> None:
        rows, times = np.asarray(self.rows, dtype=np.int64), np.asarray(self.times, dtype=np.float64)
        starts = np.unique(np.asarray(self.starts, dtype=np.int64))
        if rows.ndim != 1 or not len(rows) or times.shape != rows.shape:
            raise ShapeError("at least one frame, each with a row and a time",
                             f"rows of shape {rows.shape} and times of shape {times.shape}")
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise ShapeError("times that strictly increase", "times that stand still, go back or are not finite")
        if len(starts) and (starts[0] < 0 or starts[-1] >= len(rows)):
            raise ShapeError(f"shots that begin at frames 0 to {len(rows) - 1}", f"{starts[0]} to {starts[-1]}")
        for name, array in (("rows", rows), ("times", times), ("starts", starts)):
            object.__setattr__(self, name, array)


@dataclass(frozen=True)
class Seek:
    """Where the page sends the player: to a second of a film; another ``number`` asks for the same place again."""

    seconds: float
    number: int
    film: int = 0


@dataclass(frozen=True)
class FilmEvents:
    """What the user did.

    Attributes
    ----------
    clicked : the point of the scene clicked in this run, on the sphere, its path or the strip; or None.
    camera : where the camera is, or None before a drag.
    film : index of the film that is chosen.
    at : seconds at which it was left standing last: paused, or sought while it stood.
    unplayable : indices of films whose file at ``url`` this browser cannot play: they want another one.
    """

    clicked: int | None = None
    camera: str | None = None
    film: int = 0
    at: float = 0.0
    unplayable: tuple[int, ...] = ()


def film_view(scene: SphereScene, films: Sequence[FilmShown], *, key: str, height: int = 480, colour: Colour = "time",
              picked: int | None = None, seek: Seek | None = None, camera: str | None = None, dark: bool = False,
              data: str = "") -> FilmEvents:
    """Show films that are played beside the sphere, on which the point of the current frame moves along the path.

    The paths have the colours of their points. A click on a point, a path or the strip takes the player there; between
    two frames the point moves on their great circle, over a cut it jumps. Play, speed, time and camera stay through
    every rerun, also where a film gets another ``url``.

    Parameters
    ----------
    scene
        Frames of all films and whatever else lies on the sphere; the pictures of the frames are its thumbnails. Keep it
        in a cache between reruns.
    films
        At least one, with rows of the scene.
    key
        Name of the view on its page.
    height
        Of the sphere, CSS pixels; on a narrow page it is as high as it is wide.
    colour
        What colours say where the scene has none of its own: the time in its film, or the film.
    picked
        A point to ring, or None.
    seek
        Where to send the player, once.
    camera
        ``FilmEvents.camera`` of another visit, for a page opened from a link; used when the view is new.
    dark
        Theme of the plotly figure that stands in where the browser has no WebGL 2.
    data
        What is shown, by any name that changes with it: other data face the viewer, unless the visitor has turned the
        camera.

    Raises
    ------
    ShapeError
        If there is no film, two have one name, or a row is outside the scene.
    """
    _check(scene, films)
    scene = scene if scene.colouring is not None else replace(scene, colouring=colouring(len(scene), films, colour))
    state = st.session_state.get(key) or {}
    if state.get("unsupported"):
        return _plain(scene, films, key, dark)
    header, arrays = placed(scene, key=key, height=height, picked=picked, camera=camera, data=data)
    header |= {"films": [_header(film) for film in films], "seek": None if seek is None else
               {"seconds": float(seek.seconds), "number": int(seek.number), "film": int(seek.film)}}
    arrays += [array for film in films for array in (film.rows.astype(np.uint32), film.times)]
    with st.container(gap=None):
        result = component("film", _HTML)(key=key, data=frame(header, arrays), height="content",
                                          on_clicked_change=lambda: None, on_camera_change=lambda: None,
                                          on_at_change=lambda: None, on_unplayable_change=lambda: None,
                                          on_unsupported_change=lambda: None)
        with st.container():
            answer_view(scene.thumbnails, str(header["pictures"]), key)
    return events(films, len(scene), clicked=result.clicked, camera=result.camera, at=result.at,
                  unplayable=result.unplayable)


def events(films: Sequence[FilmShown], n: int, *, clicked: object = None, camera: object = None, at: object = None,
           unplayable: object = None) -> FilmEvents:
    """What the browser says, as far as it fits these films and the n points of their scene."""
    at = at if isinstance(at, Mapping) else {}
    film, seconds = at.get("film"), at.get("seconds")
    urls = unplayable if isinstance(unplayable, list | tuple) else ()
    return FilmEvents(
        clicked=clicked if type(clicked) is int and 0 <= clicked < n else None,
        camera=camera if isinstance(camera, str) else None,
        film=film if type(film) is int and 0 <= film < len(films) else 0,
        at=float(seconds) if isinstance(seconds, int | float) and np.isfinite(seconds) else 0.0,
        unplayable=tuple(i for i, shown in enumerate(films) if shown.url and shown.url in urls))


def seen_from(camera: str | None) -> tuple[np.ndarray, np.ndarray] | None:
    """Where a camera of the live view looks from and what is up for it, as pictures of the sphere take them.

    Returns
    -------
    direction and up, (3,) float64 unit each; None where there is no camera, or it is none of the live view's.
    """
    try:
        x, y, z, w, _ = np.array((camera or "").split(","), dtype=np.float64)
    except ValueError:
        return None
    length = np.sqrt(x * x + y * y + z * z + w * w)
    if not np.isfinite(length) or length < 0.1:
        return None
    x, y, z, w = np.array([x, y, z, w]) / length
    up = np.array([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)])
    return np.array([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]), up


def colouring(n: int, films: Sequence[FilmShown], colour: Colour) -> Colouring:
    """Colours of the n points of a scene by the time in their film or by their film; none for all others."""
    if colour == "film":
        groups = [""] * n
        for film in films:
            for row in (*film.rows.tolist(), *film.said):
                groups[row] = film.name
        return Colouring("film", groups=tuple(groups))
    values = np.full(n, np.nan)
    for film in films:
        values[film.rows] = film.times
        values[list(film.said)] = list(film.said.values())
    return Colouring("time in the film, s", values=values, whole=True)


def _check(scene: SphereScene, films: Sequence[FilmShown]) -> None:
    names = [film.name for film in films]
    if not names or len(set(names)) < len(names):
        raise ShapeError("at least one film, each with a name of its own", ", ".join(names) or "none")
    for film in films:
        rows = np.array([*film.rows, *film.said])
        if rows.min() < 0 or rows.max() >= len(scene):
            raise ShapeError(f"rows of the {len(scene)} points of the scene", f"{rows.min()} to {rows.max()}")


def _header(film: FilmShown) -> dict[str, object]:
    return {"name": film.name, "count": len(film.rows), "starts": film.starts.tolist(), "url": film.url,
            "duration": float(film.duration), "said": [[int(row), float(s)] for row, s in film.said.items()],
            "note": film.note}


def _plain(scene: SphereScene, films: Sequence[FilmShown], key: str, dark: bool) -> FilmEvents:
    """What stands in where there is no WebGL 2: Streamlit's player beside the plotly figure."""
    player, figure = st.columns(2)
    with player:
        names = [film.name for film in films]
        film = names.index(st.selectbox("Film", names, key=f"{key}.film")) if len(films) > 1 else 0
        if films[film].url:
            st.video(urljoin(st.context.url or "", films[film].url))
        st.caption(films[film].note or "This browser has no WebGL 2, which the live sphere needs: a plainer figure is "
                   "shown, in which nothing moves.")
    steps = [np.stack([f.rows[:-1], f.rows[1:]], axis=1) for f in films if len(f.rows) > 1]
    drawn = sphere(replace(scene, pairs=np.concatenate([scene.pairs, *steps])), dark)
    drawn.for_each_trace(lambda trace: trace.update(name=(trace.name or "").replace("pairs", "steps of the paths")))
    figure.plotly_chart(drawn, key=f"{key}.figure", width="stretch", config={"scrollZoom": True})
    return FilmEvents(film=film)
