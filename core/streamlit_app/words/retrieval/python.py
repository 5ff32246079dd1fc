"""What Retrieve shows, as the few lines of core calls that make it."""

from __future__ import annotations

from collections.abc import Sequence

from core.geometry.feedback import Rocchio, Round
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.retrieval.query import WORDS, YOURS, Query, View
from core.types import Modality


def search_code(settings: Settings, view: View, query: Query, of: Modality, rounds: Sequence[Round], dials: Rocchio,
                shown: int, *, own: bool) -> str:
    """Lines that print the hits of a query; ``own`` where the model's own scores rank them."""
    imports, lines = points_lines(settings, view.ready)
    imports.append("import numpy as np")
    if YOURS in query.kinds:
        imports.append("from PIL import Image")
    out = [*query.itself(of), *(row for r in rounds for row in r.marked)]
    if own and of == "image":
        weights = [part.weight for part in query.parts]
        lines.append(f"scores = model.scores(points.images.vectors, points.images.norms, {list(query.texts)!r}) "
                     f"@ np.array({weights!r})")
        out = list(query.itself(of))
    elif own:
        row = query.rows[0]
        lines.append(f"scores = model.scores(points.images.vectors[[{row}]], points.images.norms[[{row}]], "
                     f"points.captions)[0] * {1 if query.parts[0].weight > 0 else -1}")
        out = []
    else:
        imports += ["from core.geometry.directions import unit",
                    "from core.geometry.feedback import Rocchio, Round, path", "from core.geometry.queries import Part"]
        lines += _part_lines(view, query, imports)
        gallery = f"points.{of}s.vectors"
        if view.means:
            gallery = f"centred({gallery}, {gallery}.mean(axis=0, dtype=np.float64))"
        lines += [f"gallery = {gallery}", f"rounds = {list(rounds)!r}",
                  f"steps = path(parts, gallery, {of!r}, rounds, {dials!r})", "scores = gallery @ steps[-1]"]
    if out:
        lines.append(f"scores[{out!r}] = -np.inf")
    lines.append(f"for row in np.argsort(-scores, kind='stable')[:{shown}]:")
    lines.append(f"    print(round(float(scores[row]), 3), points.{of}s.ids[row])")
    return as_code(imports, lines)


def _part_lines(view: View, query: Query, imports: list[str]) -> list[str]:
    lines = []
    if view.means:
        imports.append("from core.geometry.queries import centred")
    for part, kind, code in zip(query.parts, query.kinds, query.code):
        vector = f"unit({code})" if kind in (WORDS, YOURS) else code
        if part.modality in view.means:
            own = f"points.{part.modality}s.vectors"
            vector = f"centred({vector}, {own}.mean(axis=0, dtype=np.float64))"
        lines.append(f"    Part({vector}[0], {part.weight}, {part.modality!r}),")
    return ["parts = [", *lines, "]"]


def pairs_code(settings: Settings, ready: Ready, way: str, k: int, beta: float) -> str:
    """Lines that measure R@k, hubs and repairs of one direction, as far as what is open has them."""
    imports, lines = points_lines(settings, ready)
    imports += ["from core.figures.words.retrieved import hubs", "from core.geometry.hubs import hubs_among"]
    a, b = (f"{kind}s" for kind in way.split("_to_"))
    lines.append(f"queries, gallery = points.{a}.vectors, points.{b}.vectors")
    scored = ""
    if a == b:
        imports.append("import numpy as np")
        lines += ["scores = queries @ gallery.T", "np.fill_diagonal(scores, -np.inf)"]
        scored = ", scores=scores"
    elif not ready.has_gap:
        lines.append("scores = model.scores(points.images.vectors, points.images.norms, points.captions)"
                     + (".T" if a == "texts" else ""))
        scored = ", scores=scores"
    if a != b and len(ready.links):
        imports.append("from core.geometry.retrieval import median_rank, recalls")
        lines += [f"links = points.links{'' if a == 'images' else '[:, ::-1]'}",
                  f"print(recalls(queries, gallery, links, (1, 5, 10){scored}))",
                  f"print(median_rank(queries, gallery, links{scored}))"]
    lines.append(f"hubs(hubs_among(queries, gallery, k={k}{scored}), {b!r}).show()")
    if a != b and len(ready.links) and not scored:
        imports += ["from core.figures.words.retrieved import repairs, repairs_table",
                    "from core.geometry.hub_scoring import score_repairs"]
        lines += [f"report = score_repairs(queries, gallery, links, beta={beta:g}, k={k}, seed={settings.seed})",
                  "print(repairs_table(report))", f"repairs(report, {way.replace('_', ' ')!r}).show()"]
    return as_code(imports, lines)


def many_code(settings: Settings, ready: Ready, truth: str, ask: str, asked: int, k: int, marked: int, rounds: int,
              dials: Rocchio) -> str:
    """Lines that simulate feedback over many queries."""
    imports, lines = points_lines(settings, ready)
    imports += ["import numpy as np", "from core.figures.words.retrieved import feedback, feedback_table",
                "from core.geometry.feedback import Rocchio, simulate"]
    column = truth.partition(":")[2]
    lines.append(f"rng = np.random.default_rng({settings.seed})")
    if column:
        lines.append(f"labels = points.images.table[{column!r}].fillna('').astype(str).to_numpy()")
    if ask == "image":
        lines += [f"rows = np.sort(rng.permutation(np.flatnonzero(labels != ''))[:{asked}])",
                  "queries, itself, together = points.images.vectors[rows], rows, np.unique(labels[rows], "
                  "return_inverse=True)[1]", "right = lambda i: labels == labels[rows[i]]"]
    else:
        lines += ["texts, first = np.unique(points.links[:, 1], return_index=True)", "of = points.links[first, 0]"]
        if column:
            lines += ["texts, of = texts[labels[of] != ''], of[labels[of] != '']"]
        lines += [f"chosen = np.sort(rng.permutation(len(texts))[:{asked}])", "texts, of = texts[chosen], of[chosen]",
                  "queries, itself = points.texts.vectors[texts], None"]
        if column:
            lines += ["together = np.unique(labels[of], return_inverse=True)[1]",
                      "right = lambda i: labels == labels[of[i]]"]
        else:
            imports.append("from core.geometry.jackknife import clusters")
            lines += ["sizes = [len(points.images), len(points.texts)]",
                      "together = clusters(sizes, points.links)[1][texts]",
                      "right = lambda i: np.isin(np.arange(len(points.images)), "
                      "points.links[points.links[:, 1] == texts[i], 0])"]
    lines += [f"report = simulate(queries, points.images.vectors, right, itself=itself, together=together, k={k}, "
              f"marked={marked}, rounds={rounds}, dials={dials!r}, seed={settings.seed})",
              "print(feedback_table(report))", "feedback(report).show()"]
    return as_code(imports, lines)
