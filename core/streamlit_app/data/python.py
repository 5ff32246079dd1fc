"""What is open, as the few lines of core calls that make it."""

from __future__ import annotations

from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings

OPENERS = {"images": ("images.opening", 'open_zip("photos.zip")'),
           "table": ("tables.opening", 'open_table("captions.csv")'),
           "folder": ("images.opening", 'open_folder("photos")')}


def points_lines(settings: Settings, ready: Ready) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``points`` of what is open; a visitor's own files have made-up names in them."""
    imports = ["from core.figures.scenes.embedding import Points"]
    if ready.opened.vectors is not None:
        imports.append("from core.sources.vectors.opening import open_vectors")
        pictures = ', pictures="pictures.zip"' if ready.opened.vectors.pictures is not None else ""
        lines = [f'found = open_vectors("vectors.npz"{pictures})',
                 "points = Points(found.images, found.texts, found.texts.ids if found.texts else (), found.links)"]
    else:
        imports += ["from core.encoding.models import load_model", "from core.encoding.pipeline import embed",
                    "from core.encoding.store import Store"]
        more, lines = dataset_lines(ready.opened)
        imports += more
        lines += [f"model = load_model({settings.model_id!r})", "found = embed(dataset, model, Store())",
                  "points = Points(found.images, found.texts, found.captions, found.links"
                  + (")" if ready.has_gap else ", gap=False)")]
    if ready.selection:
        imports += ["import pandas as pd", "from core.figures.scenes.thinning import only"]
        lines += ['table = pd.read_csv("selections.csv", dtype=str)',
                  f'rows = table[table["selection"] == {ready.selection!r}].groupby("modality")["id"].apply(list)',
                  'points = only(points, rows.get("image", ()), rows.get("text", ())).points']
    if ready.sampled_from:
        imports.append("from core.figures.scenes.thinning import thin")
        shown = sum(0 if part is None else len(part) for part in (ready.images, ready.texts))
        lines.append(f"points = thin(points, {shown}).points")
    return imports, lines


def dataset_lines(opened: Opened) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``dataset`` of what is open; a visitor's own files have made-up names in them."""
    if opened.built_in:
        _, n, seed = opened.key.split("-")[:3]
        imports = ["from core.sources.solids.world import open_world"]
        lines = [f"dataset = open_world({n}, seed={seed})"]
    elif opened.python[1]:
        imports, lines = list(opened.python[0]), list(opened.python[1])
    else:
        module, call = OPENERS[opened.source]
        imports = [f"from core.sources.{module} import {call.split('(')[0]}"]
        lines = [f"dataset = {call}"]
    sampled = opened.key.removeprefix("world-").split("-")[2 if opened.built_in else 1:]
    if sampled and sampled[0].isdecimal():
        imports.append("from core.sources.sampling import sample")
        lines.append(f"dataset = sample(dataset, {sampled[0]}, 0)")
    return imports, lines


def as_code(imports: list[str], lines: list[str]) -> str:
    """Sorted imports, each once, then the lines."""
    return "\n".join([*sorted(set(imports)), "", *lines]) + "\n"
