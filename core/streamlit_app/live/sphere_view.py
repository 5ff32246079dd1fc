"""The live sphere: a scene drawn by WebGL 2 inside the page, with clicks, hover pictures and a camera that stays."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import streamlit as st

from core.figures.colours import legend
from core.figures.scenes.globe import looking_at, sphere
from core.figures.theme import DARK, LIGHT, Palette, two_way, warmth
from core.scene import SphereScene
from core.streamlit_app.data.pictures import key_of
from core.streamlit_app.live.packing import Same, frame, serve
from core.streamlit_app.live.pictures import answer_view
from core.streamlit_app.live.scripts import component

Packed = tuple[dict[str, object], list[np.ndarray], dict[str, list[bytes]]]
LABELS_A_FILE = 256
MOST_PACKED = 8
_LONGEST_LABEL = 400
_HTML = '<div class="orrery-sphere"></div>'
# By fingerprint, without the scenes: their pictures, and the files that these come from, go with the visit.
_packed: OrderedDict[str, Packed] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True)
class SphereEvents:
    """What the user did: the point clicked in this run (or None), and where the camera is (or None before a drag)."""

    clicked: int | None
    camera: str | None


def sphere_view(scene: SphereScene, *, key: str, height: int = 640, picked: int | None = None,
                camera: str | None = None, dark: bool = False, linked: str = "",
                facing: np.ndarray | None = None, data: str = "") -> SphereEvents:
    """Show a scene that can be turned, hovered over and clicked.

    Parameters
    ----------
    scene
        What to draw; keep it in a cache between reruns, so that it is packed only once.
    key
        Name of the view on its page; the camera belongs to it and stays through every rerun.
    height
        Of the canvas, CSS pixels; on a narrow page the canvas is as high as it is wide.
    picked
        A point to ring, or None.
    camera
        ``SphereEvents.camera`` of another visit, for a page opened from a link; used when the view is new.
    dark
        Theme of the plotly figure that stands in where the browser has no WebGL 2; the live view follows the page.
    linked
        Views of one name, of the same points in the same order, turn together and ring each other's points; "" for a
        view that stands alone.
    facing
        (3,) unit, where to look from at first; the middle of the points by default.
    data
        What is shown, by any name that changes with it: other data face the viewer, unless the visitor has turned the
        camera.
    """
    state = st.session_state.get(key) or {}
    if state.get("unsupported"):
        st.plotly_chart(sphere(scene, dark), key=f"{key}.figure", width="stretch", config={"scrollZoom": True})
        return SphereEvents(None, None)
    header, arrays = placed(scene, key=key, height=height, picked=picked, camera=camera, linked=linked,
                            facing=facing, data=data)
    with st.container(gap=None):
        result = component("sphere", _HTML)(key=key, data=frame(header, arrays), height="content",
                              on_clicked_change=lambda: None, on_camera_change=lambda: None,
                              on_unsupported_change=lambda: None)
        with st.container():   # a place of its own: of a fragment whose rerun overtakes its page, Streamlit may lose it
            answer_view(scene.thumbnails, str(header["pictures"]), key)
    clicked = result.clicked
    return SphereEvents(None if clicked is None else int(clicked), result.camera)


def placed(scene: SphereScene, *, key: str, height: int, picked: int | None, camera: str | None, data: str,
           linked: str = "", facing: np.ndarray | None = None) -> tuple[dict[str, object], list[np.ndarray]]:
    """A scene packed, at its place on a page: header and arrays; arguments as of `sphere_view`."""
    header, arrays, files = pack(scene)
    urls = {name: [serve(blob, f"{key}.{name}.{i}") for i, blob in enumerate(blobs)] for name, blobs in files.items()}
    header = {**header, "key": key, "height": height, "picked": picked, "camera": camera, "urls": urls,
              "linked": linked, "pictures": key_of(scene.thumbnails), "data": data}
    if facing is not None:
        header["looking"] = np.asarray(facing, dtype=np.float64).tolist()
    return header, arrays


def pack(scene: SphereScene) -> tuple[dict[str, object], list[np.ndarray], dict[str, list[bytes]]]:
    """What the view needs of a scene.

    Returns
    -------
    header : JSON-able, of a size that does not grow with the number of points.
    arrays : coordinates float32 (n, 3), colour index uint8 (n,), flags uint8 (n,) (kind, +64 where there is a
        picture, +128 where not selected), pairs uint32 (m, 2), heat uint8: 14 bytes a point and 8 a pair.
    files : labels, which the browser fetches when it needs them; pictures it asks for, see `answer_view`.
    """
    with _lock:
        found = _packed.get(scene.fingerprint)
    if found is None:
        found = _pack(scene)
    with _lock:
        _packed[scene.fingerprint] = found
        _packed.move_to_end(scene.fingerprint)
        while len(_packed) > MOST_PACKED:
            _packed.popitem(last=False)
    return found


def _pack(scene: SphereScene) -> Packed:
    light, night = legend(scene, dark=False), legend(scene, dark=True)
    flags = scene.kinds + np.where(np.ones(len(scene), bool) if scene.selected is None else scene.selected, 0, 128)
    flags[np.fromiter(scene.thumbnails, dtype=np.int64)] += 64
    heat = np.zeros((0, 0)) if scene.heat is None else np.asarray(scene.heat)
    arrays = [scene.coords, light.index.astype(np.uint8), flags.astype(np.uint8), scene.pairs.astype(np.uint32),
              np.round(np.clip(heat, 0, 1) * 255).astype(np.uint8)]
    arrows = np.asarray(scene.arrows, dtype=np.float64)
    header: dict[str, object] = {
        "fingerprint": scene.fingerprint, "n": len(scene), "pairs": len(scene.pairs),
        "title": scene.title, "note": scene.note, "looking": looking_at(scene).tolist(),
        "heat": {"rows": heat.shape[0], "columns": heat.shape[1], "title": scene.heat_title,
                 "range": [float(v) for v in scene.heat_range], "two_way": scene.heat_two_way},
        "legend": {"title": light.title, "names": light.names, "counts": light.counts,
                   "low": light.low, "high": light.high, "values": light.values is not None,
                   "kinds": [int((scene.kinds == code).sum()) for code in range(3)],
                   "others": scene.others,
                   "unselected": 0 if scene.selected is None else int((~np.asarray(scene.selected, bool)).sum())},
        "themes": {"light": _colours(LIGHT, light.table, two_way() if scene.heat_two_way else warmth()),
                   "dark": _colours(DARK, night.table, two_way(True) if scene.heat_two_way else warmth(True))},
        "arcs": [{"start": _list(a.start), "end": _list(a.end), "label": a.label, "kind": a.kind} for a in scene.arcs],
        "caps": [{"centre": _list(c.centre), "radius": float(c.radius), "label": c.label, "kind": c.kind}
                 for c in scene.caps],
        "marks": [{"place": _list(m.place), "label": m.label, "kind": m.kind} for m in scene.marks],
        "arrows": arrows.round(5).tolist(),
        "lines": [np.asarray(line, dtype=np.float64).round(4).tolist() for line in scene.lines],
        "labels_a_file": LABELS_A_FILE, "shown": [i for i in scene.shown if i in scene.thumbnails],
    }
    files = {"labels": _label_files(Same(scene.labels))}
    return header, arrays, files


@lru_cache(maxsize=4)
def _label_files(labels: Same[tuple[str, ...]]) -> list[bytes]:
    texts = labels.thing
    return [json.dumps([_short(text) for text in texts[i:i + LABELS_A_FILE]]).encode()
            for i in range(0, len(texts), LABELS_A_FILE)]


def _colours(palette: Palette, table: np.ndarray, heat: np.ndarray) -> dict[str, object]:
    return {"background": palette.background, "panel": palette.panel, "text": palette.text, "muted": palette.muted,
            "grid": palette.grid, "unselected": palette.unselected, "sphere": palette.sphere, "kinds": palette.kinds,
            "table": table.reshape(-1).tolist(), "heat": heat.reshape(-1).tolist()}


def _list(vector: np.ndarray) -> list[float]:
    return [float(v) for v in np.asarray(vector)]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_LABEL else text[:_LONGEST_LABEL].rstrip() + " …"
