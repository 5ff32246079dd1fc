"""What each section of the Modality Gap page shows, as lines of core calls."""

from __future__ import annotations

from collections.abc import Sequence

from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.gap.data import GapData, Side
from core.streamlit_app.state import Settings


def pairs_lines(settings: Settings, data: GapData) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``pairs`` of what is open, with the classes that were chosen."""
    imports, lines = points_lines(settings, data.ready)
    imports.append("from core.geometry.pairs import Pairs")
    classes = data.pairs.classes
    if classes is None:
        return imports, [*lines, "pairs = Pairs(points.images.vectors, points.texts.vectors, points.links)"]
    imports += ["from core.geometry.pairs import Classes", "from core.geometry.directions import unit",
                "import numpy as np"]
    return imports, [
        *lines, f"prompts = {dict(zip(classes.names, data.prompts))!r}",
        f"labels = points.images.table[{data.column!r}].fillna('').astype(str)",
        "truth = np.array([list(prompts).index(label) if label in prompts else -1 for label in labels])",
        "classes = Classes(tuple(prompts), unit(model.encode_texts(list(prompts.values()))), truth)",
        "pairs = Pairs(points.images.vectors, points.texts.vectors, points.links, classes)"]


def _code(settings: Settings, data: GapData, imports: Sequence[str], lines: Sequence[str]) -> str:
    before = pairs_lines(settings, data)
    return as_code([*before[0], *imports], [*before[1], *lines])


def see(settings: Settings, data: GapData, lam: float) -> str:
    """The cosines before and after a shift."""
    seed = settings.seed
    after = f", cosine_histograms(shifted(pairs, {lam:g}), seed={seed})" if lam else ""
    return _code(settings, data, [
        "from core.figures.gap.shift import histograms", "from core.geometry.gap.profiles import cosine_histograms",
        *(["from core.geometry.shift import shifted"] if lam else [])],
        [f"histograms(cosine_histograms(pairs, seed={seed}){after}).show()"])


def matrix(settings: Settings, data: GapData, most: int) -> str:
    """The matrix of all cosines."""
    return _code(settings, data, ["from core.figures.gap.matrix import matrix",
                                  "from core.geometry.gap.seriation import similarity_matrix"],
                 [f"report = similarity_matrix(pairs, most={most}, seed={settings.seed})", "matrix(report).show()"])


def measure(settings: Settings, data: GapData) -> str:
    """All measures."""
    return _code(settings, data, ["from core.geometry.gap.measures import gap_measures"],
                 [f"measures = gap_measures(pairs, seed={settings.seed})",
                  "for name, number in measures.items():", "    print(name, number)"])


def explain(settings: Settings, data: GapData) -> str:
    """The landscape along the shift."""
    return _code(settings, data, ["from core.geometry.gap.landscape import landscape",
                                  "from core.figures.gap import shift as figures"],
                 ["report = landscape(pairs)", "figures.landscape(report).show()"])


def cones(settings: Settings, data: GapData) -> str:
    """The cones of the trained model and of its architecture untrained."""
    lines, shown = _rows(data)
    part = ".part(image_rows, text_rows)" if shown else ""
    return _code(settings, data, [
        "from core.encoding.models import untrained", "from core.figures.gap.models import cones",
        "from core.geometry.gap.profiles import cosine_histograms"],
        [f"fresh = embed(dataset, untrained({settings.model_id!r}), Store())", *lines,
         f"before = Pairs(fresh.images.vectors, fresh.texts.vectors, fresh.links){part}",
         "cones(cosine_histograms(pairs), cosine_histograms(before)).show()"])


def _rows(data: GapData) -> tuple[list[str], str]:
    """Lines that find the rows of what is shown where that is a part of the dataset, and how a line takes them."""
    if not data.ready.selection and not data.ready.sampled_from:
        return [], ""
    return ["image_rows = [found.images.ids.index(name) for name in points.images.ids]",
            "text_rows = [found.texts.ids.index(name) for name in points.texts.ids]"], "[image_rows]"


def training() -> str:
    """The gap over the training of the built-in model."""
    return as_code(["from core.geometry.gap.measures import gap_measures",
                    "from core.learning.history import builtin_history"],
                   ["history = builtin_history()", "for i in history.some(5):",
                    '    print(history.steps[i], gap_measures(history.pairs(i))["centroid_gap"])'])


def close(settings: Settings, data: GapData, method: str, strength: float) -> str:
    """The closing table, and one way of closing at a strength."""
    return _code(settings, data, [
        "from core.figures.gap.closing import closing", "from core.geometry.gap.closing import fit_closing",
        "from core.geometry.gap.scoring import score_closings", "from core.geometry.gap.splits import fit_half",
        "import numpy as np"],
        [f"report = score_closings(pairs, seed={settings.seed})", "closing(report).show()",
         f"images, texts = fit_half(pairs, {settings.seed})",
         "half = pairs.part(np.flatnonzero(images), np.flatnonzero(texts))",
         f"moved = fit_closing({method!r}, half, strength={strength:g}, seed={settings.seed}).apply(pairs)"])


def why(settings: Settings, data: GapData, first: Side, second: Side, what: str) -> str:
    """One cosine taken apart."""
    imports = ["from core.figures.gap.explained import explained",
               "from core.geometry.gap.explain import explain_cosine"]
    lines = []
    for name, side, kind in (("first", first, "texts" if what == "prompts" else "images"), ("second", second, "texts")):
        if side.row is not None:
            lines.append(f"{name} = pairs.{kind}[{side.row}]")
            continue
        imports.append("from core.geometry.directions import unit")
        if kind == "texts":
            lines.append(f"{name} = unit(model.encode_texts([{side.name!r}]))[0]")
        else:
            imports.append("from PIL import Image")
            lines.append(f'{name} = unit(model.encode_images([Image.open("photo.png").convert("RGB")]))[0]')
    among = "Pairs.row_by_row(pairs.texts, pairs.texts)" if what == "prompts" else "pairs"
    return _code(settings, data, imports, [*lines, f"parts = explain_cosine(first, second, {among}, "
                                                   f"seed={settings.seed})", "explained(parts).show()"])


def compare(model_ids: Sequence[str], settings: Settings, data: GapData) -> str:
    """CKA and neighbour overlap of the first model of a list with each other one."""
    lines, shown = _rows(data)
    for i, model_id in enumerate(model_ids):
        made = f"untrained({model_id.removeprefix('untrained:')!r})" if model_id.startswith("untrained:") else \
            f"load_model({model_id!r})"
        lines.append(f"other_{i} = embed(dataset, {made}, Store())")
        other = f"other_{i}.images.vectors{shown}"
        lines.append(f"print({model_id!r}, linear_cka(points.images.vectors, {other}), "
                     f"neighbour_overlap(points.images.vectors, {other}))")
    return _code(settings, data, ["from core.geometry.comparison import linear_cka, neighbour_overlap",
                                  "from core.encoding.models import load_model, untrained"], lines)
