"""What a section shows, as the few lines of core calls that make it."""

from __future__ import annotations

from collections.abc import Sequence

from core.attention.masks import Steering
from core.geometry.objects.styles import METHODS
from core.streamlit_app.data.python import as_code
from core.streamlit_app.objects.data import ObjectsData
from core.streamlit_app.state import Settings


def _views(settings: Settings, data: ObjectsData) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``views`` (an ObjectViews) and ``directions``; brought files have made-up names."""
    imports = ["import numpy as np", "from core.encoding.embedding import embed_with",
               "from core.geometry.objects.views import ObjectViews"]
    if data.rendering is None:
        imports.append("from core.sources.images.opening import open_folder")
        return imports, [
            'dataset = open_folder("photos")', f"images = embed_with({settings.model_id!r}, dataset).images",
            "names = tuple(dict.fromkeys(images.table['label']))", "n = len(images)",
            "views = ObjectViews(images.vectors, images.table['label'].map(names.index).to_numpy(), np.arange(n),",
            "                    np.zeros(n, int), names)"]
    known = data.ready.opened.python
    return [*imports, *known[0]], [
        *known[1], f"images = embed_with({settings.model_id!r}, dataset).images", "table = images.table",
        "names, styles = (tuple(dict.fromkeys(table[column])) for column in ('object', 'style'))",
        "views = ObjectViews(images.vectors, table['object'].map(names.index).to_numpy(), table['view'].to_numpy(),",
        "                    table['style'].map(styles.index).to_numpy(), names, styles)",
        "directions = cameras[views.views]"]


def _code(settings: Settings, data: ObjectsData, imports: Sequence[str], lines: Sequence[str]) -> str:
    before, made = _views(settings, data)
    return as_code([*before, *imports], [*made, "", *lines])


def views(settings: Settings, data: ObjectsData) -> str:
    """The views as vectors."""
    return _code(settings, data, [], ["print(views.vectors.shape, views.names)"])


def subspace(settings: Settings, data: ObjectsData, name: str) -> str:
    """The energies of an object."""
    return _code(settings, data, ["from core.geometry.objects.profiles import energy_report",
                                  "from core.figures.objects.subspaces import energies"],
                 [f"report = energy_report(views, names.index({name!r}), seed={settings.seed})",
                  "energies([report]).show()"])


def compare(settings: Settings, data: ObjectsData, rank: int) -> str:
    """Memberships, distances and recognition."""
    lines = [f"print(membership_report(views, 0, rank={rank}).rows)"]
    imports = ["from core.geometry.objects.profiles import angles_report, membership_report"]
    if len(data.views.names) > 2:
        lines.append(f"print(angles_report(views, rank={rank}, seed={settings.seed}).distances)")
    if len(data.views.names) > 1:
        imports.append("from core.geometry.objects.recognition import recognition_report")
        lines.append(f"print(recognition_report([views], seed={settings.seed}).numbers)")
    return _code(settings, data, imports, lines)


def style(settings: Settings, data: ObjectsData, method: str, content: int, source: int, rank: int, alpha: float,
          *, change: bool) -> str:
    """One composed vector and the renderings nearest to it."""
    assert data.rendering is not None
    imports, lines, texts = ["from core.geometry.objects.styles import Requests, compose, fit_styles"], [], ""
    if METHODS[method].needs == "texts":
        imports += ["from core.encoding.models import load_model", "from core.geometry.directions import unit"]
        said = [data.rendering.text(name) for name in data.views.style_names]
        lines, texts = [f"texts = unit(load_model({settings.model_id!r}).encode_texts({said!r}))"], ", texts"
    return _code(settings, data, imports, [
        *lines, f"content, source = {content}, {source}",
        "fitted = views.part(~np.isin(views.views, views.views[[content, source]]))",
        "requests = Requests.of(views, np.array([content]), np.array([source]))",
        f"found = compose({method!r}, fit_styles(fitted{texts}), requests, rank={rank}, alpha={alpha:g}, "
        f"change={change})", "nearest = [images.ids[i] for i in np.argsort(-views.vectors @ found.vectors[0])[:10]]"])


def recognise(settings: Settings, names: Sequence[str], template: str, cameras: str, up: str,
              steering: Steering | None = None) -> str:
    """The classes of a mesh, and with a mask on what is drawn."""
    imports = ["from core.encoding.models import load_model", "from core.geometry.directions import unit",
               "from core.language.objects.classes import class_scores, poses_of",
               "from core.sources.meshes.opening import open_mesh_path"]
    lines = [
        'shape = open_mesh_path("chair.obj").objects[0]', f"model = load_model({settings.model_id!r})",
        f"names = {list(names)!r}",
        f"classes = unit(model.encode_texts([{template!r}.replace('{{}}', name) for name in names]))",
        f"found = class_scores(shape, classes, model, cameras={cameras!r}, up={up!r})",
        "print(names[found.best], found.scores)",
        f"print(poses_of(shape, classes, names, model, cameras={cameras!r}, up={up!r}).winners)"]
    if steering is not None:
        imports += ["from core.attention.masks import Steering", "from core.figures.objects.pointed import beside",
                    "from core.language.objects.classes import pointed_scores"]
        lines += [f"steering = Steering(alpha={steering.alpha:g}, hard={steering.hard})",
                  "pointed = pointed_scores(found, classes, model, steering)",
                  "print(names[pointed.best], pointed.scores)",
                  "beside(shape.name, names, found, pointed, model.logit_scale).show()",
                  f"print(poses_of(shape, classes, names, model, cameras={cameras!r}, up={up!r}, steering=steering)"
                  ".winners)"]
    return as_code(imports, lines)
