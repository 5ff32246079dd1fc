"""Genres: what the path tells of a film's label, what its content tells, what both, and what prompts tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from core.figures.films import genres as figures
from core.geometry.differences import holm
from core.geometry.films.between import film_distances
from core.geometry.films.carriers import Carriers, families, singles, what_carries
from core.geometry.films.classified import Classified
from core.geometry.films.features import content_features, feature_table, order_free_features, path_features
from core.geometry.films.genres import classify, told_apart
from core.geometry.films.many_labels import ManyClassified, classify_many
from core.geometry.films.unfitted import WAYS, by_nearest, from_scores, prompt_scores
from core.language.films.evaluation import FilmsEvaluation, evaluate_films
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.films import python
from core.streamlit_app.films.data import FilmsData, likeness, readable, takes_prompts, vectors_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

TITLES = {"path": "the path", "content": "the content (mean frame)", "both": "path and content",
          "order_free": "the frames in any order"}
FAMILY_OR_ONE = {"families": "Families of features", "single": "Single features"}
ASPECTS = {"path": "the path", "content": "the content (mean frame)", "order_free": "the frames in any order",
           "mean_step": "the mean step"}
PERMUTATIONS = 999


@dataclass(frozen=True, eq=False)
class Features:
    """Features of films, a film a row, by key of TITLES, and the names of those of the path."""

    tables: Mapping[str, np.ndarray]
    path_keys: tuple[str, ...]


def features_of(data: FilmsData, rows: Sequence[int]) -> Features:
    """All features of some films."""
    paths = [data.paths[i] for i in rows]
    found = [(data.starts(i), data.islands(i).of_frames) for i in rows]
    path = [path_features(p, *f) for p, f in zip(paths, found)]
    content = np.stack([content_features(p) for p in paths])
    tables = {"path": feature_table(path), "content": content,
              "both": np.concatenate([feature_table(path), content], axis=1),
              "order_free": feature_table([order_free_features(p, *f) for p, f in zip(paths, found)])}
    return Features(tables, tuple(path[0]))


def show(settings: Settings, data: FilmsData) -> None:
    """Accuracy beside chance, confusion, what carries it, several labels, and prompts."""
    labels = data.labels()
    rows = [i for i, own in enumerate(labels) if own]
    if len(rows) < len(labels):
        panels.notice(f"{len(labels) - len(rows):,} of {len(labels):,} films have no label and are left out. Labels "
                      "come from folders (a folder a genre), a table that names films and labels, or, of the built-in "
                      "world, from the kind.")
    if not rows:
        return
    many = any(len(labels[i]) > 1 for i in rows)
    told = _told(settings, data, rows, [labels[i] for i in rows], many)
    if many:
        _many(settings, data, rows, [labels[i] for i in rows])
    first = [labels[i][0] for i in rows]
    _accuracy(settings, data, rows, first, told, many)
    ui.copy_as_python(python.genres(settings, data))
    if data.brought.opened.in_world:
        _evaluation(settings)


def _told(settings: Settings, data: FilmsData, rows: Sequence[int], labels: Sequence[tuple[str, ...]],
          many: bool) -> tuple[Features, dict[str, Classified]]:
    first = [own[0] for own in labels]

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> tuple[Features, dict[str, Classified]]:
        on_progress(0.05, "Features of the films")
        found = features_of(data, rows)
        return found, {key: classify(table, first, permutations=PERMUTATIONS, seed=settings.seed,
                                     should_stop=should_stop, on_progress=partial(_share, on_progress, i))
                       for i, (key, table) in enumerate(found.tables.items())}

    done: tuple[Features, dict[str, Classified]] = work.result_of(
        fingerprint("genres", data.key, list(rows), first, settings.seed), measure)
    return done


def _share(on_progress: work.Progress, i: int, fraction: float, text: str) -> None:
    on_progress(0.1 + 0.9 * (i + fraction) / len(TITLES), text)


def _accuracy(settings: Settings, data: FilmsData, rows: Sequence[int], first: Sequence[str],
              told: tuple[Features, dict[str, Classified]], many: bool) -> None:
    found, classified = told
    reason = classified["path"].reason
    if reason:
        panels.notice(f"{'By the first label of each film, genres' if many else 'Genres'} are {reason}. " + (
            "Take more films of each kind above." if data.brought.opened.in_world else "Bring more labelled films."))
        return
    if many:
        panels.notice("Below, films count by the first of their labels.")
    asked = _prompts(settings, data, rows, first)
    nearest = {"the nearest film (warping)": _nearest(settings, data, rows, first)}
    all_told = {TITLES[key]: value for key, value in classified.items()} | nearest | asked
    changes = holm({(TITLES[b], TITLES[a]): told_apart(classified[b], classified[a])
                    for a, b in (("path", "content"), ("both", "content"), ("both", "path"), ("path", "order_free"))})
    left, right = st.columns([1.2, 1], gap="medium")
    with left:
        ui.show(figures.accuracies(all_told, dark=ui.dark()), key="films.genres",
                how_to_read=figures.HOW_TO_READ["accuracies"], table=lambda: figures.accuracies_table(all_told))
    with right:
        by = state.pick_option("Confusion by", {title: title for title in all_told}, key="confusion_by")
        ui.show(figures.confusion(all_told[by], dark=ui.dark()), key="films.confusion",
                how_to_read=figures.HOW_TO_READ["confusion"], table=lambda: figures.confusion_table(all_told[by]))
    st.markdown(panels.plain(figures.differences_sentence(changes), 1000))
    names = [data.names[i] for i in rows]
    with st.expander("What each film was told to be", icon=":material/table:"):
        st.dataframe(figures.predictions_table(all_told, names), hide_index=True, key="films.predictions")
    _carriers(settings, data, rows, first, found)


def _nearest(settings: Settings, data: FilmsData, rows: Sequence[int], first: Sequence[str]) -> Classified:
    """Each film told by the nearest of the others, in order: no feature is chosen and nothing is fitted."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Classified:
        found = film_distances([data.paths[i] for i in rows], on_progress=on_progress, should_stop=should_stop)
        return by_nearest(found.distances["warped"], first, permutations=PERMUTATIONS, seed=settings.seed)

    told: Classified = work.result_of(
        fingerprint("nearest film", [data.paths[i].fingerprint for i in rows], list(first), settings.seed), measure)
    return told


def _carriers(settings: Settings, data: FilmsData, rows: Sequence[int], first: Sequence[str],
              found: Features) -> None:
    by = state.pick_option("What carries it", FAMILY_OR_ONE, key="carriers", widget="segments")
    parts = (families if by == "families" else singles)(found.path_keys)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Carriers:
        return what_carries(found.tables["path"], first, parts, permutations=PERMUTATIONS, seed=settings.seed,
                            on_progress=on_progress, should_stop=should_stop)

    carriers: Carriers = work.result_of(fingerprint("carriers", data.key, list(rows), list(first), by, settings.seed),
                                        measure)
    ui.show(figures.carriers(carriers, dark=ui.dark()), key="films.carriers",
            how_to_read=figures.HOW_TO_READ["carriers"], table=lambda: figures.carriers_table(carriers))


def _prompts(settings: Settings, data: FilmsData, rows: Sequence[int], first: Sequence[str]) -> dict[str, Classified]:
    """Zero-shot: one prompt a genre."""
    if not takes_prompts(settings, data):
        return {}
    classes = tuple(sorted(set(first)))
    with st.popover("Prompts of the genres", icon=":material/edit:"):
        prompts = [state.pick_text(f"Prompt for {name}", key=f"genre {name}", default=f"a {name} film").strip() or name
                   for name in classes]
        way = state.pick_option("A film is judged by", WAYS, key="judged")
    if data.ready.has_gap:
        scores = prompt_scores([data.paths[i] for i in rows], vectors_of(settings, prompts), way=way)
    elif len(readable(settings, prompts)) < len(prompts):
        panels.notice("Not all of the prompts of the genres name something that the photo model knows: zero-shot is "
                      "left out. Write names of things for them.")
        return {}
    else:
        scores = np.stack([likeness(settings, data, i, prompts)[0].mean(axis=0) for i in rows])
    return {"prompts (zero-shot)": from_scores(scores, classes, first, permutations=PERMUTATIONS, seed=settings.seed)}


def _many(settings: Settings, data: FilmsData, rows: Sequence[int], labels: Sequence[tuple[str, ...]]) -> None:
    """Several labels a film: mean average precision of path, content and both."""

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> dict[str, ManyClassified]:
        found = features_of(data, rows)
        return {TITLES[key]: classify_many(table, labels, permutations=PERMUTATIONS, seed=settings.seed,
                                           on_progress=on_progress, should_stop=should_stop)
                for key, table in found.tables.items()}

    found: dict[str, ManyClassified] = work.result_of(
        fingerprint("many genres", data.key, list(rows), list(map(list, labels)), settings.seed), measure)
    if all(told.reason for told in found.values()):
        panels.notice(f"Several labels a film: {next(iter(found.values())).reason}.")
        return
    by = state.pick_option("Genres ranked by", {title: title for title in found}, key="ranked_by")
    ui.show(figures.many(found[by], dark=ui.dark()), key="films.map", how_to_read=figures.HOW_TO_READ["many"],
            table=lambda: figures.many_table(found[by]))
    st.dataframe([{"by": title, "mean average precision": told.mean_precision.value,
                   "by chance": told.mean_precision.null, "p": told.p, "films": told.mean_precision.n}
                  for title, told in found.items()], hide_index=True, height="content", key="films.precisions")


def _evaluation(settings: Settings) -> None:
    """What `python -m core evaluate films` prints, run here when asked for."""
    st.subheader("On sixty films of the built-in world", anchor=False)
    st.caption("Films of three kinds that differ in the order of their shots alone, with flashes and whip pans: how "
               "well cuts and islands are found, and whether the path tells the kind. The same as "
               "`python -m core evaluate films`; thresholds were chosen on other seeds than those scored.")
    key = fingerprint("evaluate films", settings.model_id, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> FilmsEvaluation:
        return evaluate_films(cached.encoder(settings.model_id), cached.store(), seed=settings.seed,
                              on_progress=on_progress, should_stop=should_stop)

    found: FilmsEvaluation | None = work.result_when_asked(
        key, "Run it (a minute or two)", "films.evaluate", measure)
    if found is None:
        return
    told = {title: found.kinds[key] for key, title in ASPECTS.items() if key in found.kinds}
    ui.show(figures.accuracies(told, dark=ui.dark()), key="films.kinds",
            how_to_read=figures.HOW_TO_READ["accuracies"], table=lambda: figures.accuracies_table(told))
    numbers = {name: number for name, number in found.figures().items() if not name.startswith("kind_from")}
    st.dataframe(panels.numbers_table(numbers), hide_index=True, height="content", key="films.evaluated")
    st.json(found.chosen(), expanded=False)
