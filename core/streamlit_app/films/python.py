"""What a section shows, as the few lines of core calls that make it."""

from __future__ import annotations

from collections.abc import Sequence

from core.streamlit_app.data.python import as_code
from core.streamlit_app.films.data import FilmsData
from core.streamlit_app.state import Settings


def _paths(settings: Settings, data: FilmsData) -> tuple[list[str], list[str]]:
    """Imports and lines that make ``paths``, ``names`` and ``labels``; brought files have made-up names."""
    imports = ["import numpy as np", "from core.geometry.films.trajectory import Trajectory"]
    if data.ready.opened.vectors is not None:
        imports.append("from core.sources.films.vectors import open_frame_vectors")
        lines = ['images = open_frame_vectors("path.parquet").images']
    else:
        known = data.ready.opened.python
        imports += ["from core.encoding.embedding import embed_with", *known[0]]
        lines = [*known[1], f"images = embed_with({settings.model_id!r}, dataset).images"]
    return imports, [
        *lines, "table = images.table", "names = tuple(dict.fromkeys(table['film']))",
        "rows = [np.flatnonzero(table['film'] == name) for name in names]",
        "paths = [Trajectory(images.vectors[r], table['time'].to_numpy()[r], name) for name, r in zip(names, rows)]"]


def _code(settings: Settings, data: FilmsData, imports: Sequence[str], lines: Sequence[str]) -> str:
    before, made = _paths(settings, data)
    return as_code([*before, *imports], [*made, "", *lines])


def _shots() -> tuple[list[str], list[str]]:
    return (["from core.geometry.films.islands import islands", "from core.geometry.films.shots import shot_starts"],
            ["starts = [shot_starts(path) for path in paths]",
             "found = [islands(path, s) for path, s in zip(paths, starts)]"])


def watch(settings: Settings, data: FilmsData, number: int) -> str:
    """A path and its shots."""
    imports, lines = _shots()
    return _code(settings, data, imports, [*lines, f"print(paths[{number}].times[starts[{number}]])"])


def compare(settings: Settings, data: FilmsData, frames: int) -> str:
    """Distances of films."""
    imports, lines = _shots()
    return _code(settings, data, [*imports, "from core.geometry.films.between import film_distances"], [
        *lines, f"distances = film_distances(paths, starts, frames={frames}, seed={settings.seed})",
        "print(np.degrees(distances.distances['warped']))"])


def genres(settings: Settings, data: FilmsData) -> str:
    """Genres told by the path."""
    imports, lines = _shots()
    return _code(settings, data, [*imports, "from core.geometry.films.features import feature_table, path_features",
                                  "from core.geometry.films.genres import classify"], [
        *lines, "features = feature_table([path_features(p, s, f.of_frames) for p, s, f in zip(paths, starts, found)])",
        "labels = [table['label'].iloc[r[0]] for r in rows]",
        f"told = classify(features, labels, seed={settings.seed})", "print(told.accuracy, told.p)"])


def read(settings: Settings, data: FilmsData, number: int, degrees: int) -> str:
    """Speed, turning and the nulls of a path."""
    imports, lines = _shots()
    return _code(settings, data, [*imports, "from core.geometry.films.nulls import nulls_report",
                                  "from core.geometry.films.paths import path_report"], [
        *lines, f"report = path_report(paths[{number}], radius=np.radians({degrees}))", "print(report.numbers)",
        f"nulls = nulls_report(paths[{number}], starts[{number}], radius=np.radians({degrees}), seed={settings.seed})",
        "for (null, measure), test in nulls.tests.items():", "    print(null, measure, test.words)"])


def correlate(settings: Settings, data: FilmsData, number: int) -> str:
    """Speed and turning beside signals of the film."""
    made = data.ready.opened.vectors is None
    imports, lines = _shots()
    imports = [*imports, "from core.geometry.films.correlation import correlation_report",
               "from core.geometry.films.paths import path_report"]
    if made:
        imports.append("from core.sources.films.signals import signals")
    return _code(settings, data, imports, [
        *lines, f"report = path_report(paths[{number}])",
        f"found = signals(films[{number}]).named()" if made else "found = {'time': report.times}",
        "for key, row in correlation_report(report, found).table.items():",
        "    print(key, row.number.value, row.difference.p, row.why)"])


def change(settings: Settings, kind: str, steps: int, most: float) -> str:
    """The path of an image that changes; the files have made-up names."""
    other = ', other=Image.open("other.jpg")' if kind == "fade" else ""
    return as_code(
        ["import numpy as np", "from PIL import Image", "from core.encoding.models import load_model",
         "from core.geometry.directions import unit", "from core.geometry.films.changes import change_report",
         "from core.geometry.films.trajectory import Trajectory", "from core.sources.films.changes import changed"],
        [f'change = changed(Image.open("photo.jpg"), {kind!r}, {steps}, {most:g}{other}, seed={settings.seed})',
         f"model = load_model({settings.model_id!r})",
         "vectors = unit(model.encode_images([change.frames.decode(i) for i in range(len(change))]))",
         "report = change_report(Trajectory(vectors, change.strengths), unit=change.unit)", "print(report)"])


def islands(settings: Settings, data: FilmsData, number: int, degrees: int) -> str:
    """Islands of a film and the moves between them."""
    return _code(settings, data, ["from core.geometry.films.islands import islands",
                                  "from core.geometry.films.shots import find_shots",
                                  "from core.geometry.films.transitions import transitions"], [
        f"path = paths[{number}]", "shots = find_shots(path)",
        f"found = islands(path, shots.starts, cut=np.radians({degrees}))",
        "print(len(found), found.dwell, found.counts)",
        f"moves = transitions(found, seed={settings.seed})", "print(moves.counts)"])


def through_models(settings: Settings, data: FilmsData, number: int, models: Sequence[str]) -> str:
    """Islands of a film through several models."""
    imports = ["from core.encoding.models import load_model, untrained", "from core.encoding.pipeline import embed",
               "from core.encoding.store import Store", "from core.geometry.films.across_models import across_models"]
    return _code(settings, data, imports, [
        f"times = paths[{number}].times", "seen = []", f"for name in {list(models)!r}:",
        "    plain = name.removeprefix('untrained:')",
        "    model = load_model(plain) if plain == name else untrained(plain)",
        f"    vectors = embed(dataset, model, Store()).images.vectors[rows[{number}]]",
        "    seen.append(Trajectory(vectors, times, name))", f"print(across_models(seen, seed={settings.seed}))"])
