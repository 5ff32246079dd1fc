"""Whether a path tells shots, islands and the order of a film, on films of the built-in world of known truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import Cancelled, ShapeError
from core.geometry.clusters import hdbscan
from core.geometry.differences import Difference, holm, statistics_differ
from core.geometry.films import features as told
from core.geometry.films.agreement import adjusted_rand
from core.geometry.films.classified import PERMUTATIONS, Classified
from core.geometry.films.genres import classify, told_apart
from core.geometry.films.islands import CUT, islands
from core.geometry.films.shots import (
    ALONE,
    FACTOR,
    FAR,
    FLOOR,
    LOCAL,
    Matched,
    f1_by_chance,
    find_shots,
    match_cuts,
    shot_of_frames,
)
from core.geometry.films.trajectory import Trajectory
from core.geometry.intervals import proportion
from core.geometry.jackknife import bounded
from core.sources.films.detectors import DETECTORS, SHORTEST_SCENE, detected_starts
from core.sources.films.film import films_dataset
from core.sources.films.made import world_film
from core.sources.solids.films import ORDERS, make_film
from core.sources.solids.films import Film as SolidsFilm
from core.types import Number

SCORED, MOST_SCORED, FEWEST_SCORED = 60, 999, 6
TUNED_SEEDS = tuple(range(1000, 1084))   # of the films that the thresholds of shots and islands were chosen on
SIZE, TOLERANCE, DRAWS = 64, 1, 20
RULES: Mapping[str, Mapping[str, float]] = {
    "path": {}, "path_without_flash_rule": {"flashes": False},
    "path_by_median_alone": {"flashes": False, "alone": 0.0, "far": np.inf}}
ASPECTS = ("path", "order_free", "mean_step", "content")


@dataclass(frozen=True, eq=False)
class FilmsEvaluation:
    """What the command prints and the page shows.

    Attributes
    ----------
    shots : by rule (RULES, DETECTORS), F1 of cuts of all films together; its null is that of as many cuts at random.
    shots_over : by detector, F1 of the path less its own, on the same films; p corrected for all (Holm).
    islands : adjusted Rand of frames with the scenes they show ("shots": by islands; "frames": by HDBSCAN on frames);
        the null is that of the same groups with whole shots shuffled.
    counted : share of films with as many islands as scenes.
    kinds : by ASPECTS, how often the kind of a left-out film is told, which lies in the order of its shots alone.
    path_over_order_free : how much more often a path tells than its frames in any order.
    scored, tuned : seeds of the films.
    """

    shots: Mapping[str, Number]
    shots_over: Mapping[str, Difference]
    islands: Mapping[str, Number]
    counted: Number
    kinds: Mapping[str, Classified]
    path_over_order_free: Difference
    scored: tuple[int, ...]
    tuned: tuple[int, ...] = TUNED_SEEDS

    def figures(self) -> dict[str, Number]:
        """All numbers by name."""
        out = {{"path": "shot_f1", "path_without_flash_rule": "shot_f1_without_flash_rule",
                "path_by_median_alone": "shot_f1_by_median_alone"}.get(key, f"shot_f1_scenedetect_{key}"): number
               for key, number in self.shots.items()}
        out |= {f"shot_f1_over_scenedetect_{key}": d.change for key, d in self.shots_over.items()}
        out |= {f"shot_f1_over_scenedetect_{key}_p": Number(d.p, n=d.change.n)
                for key, d in self.shots_over.items() if d.p is not None}
        out |= {"island_ari": self.islands["shots"], "island_ari_hdbscan": self.islands["frames"],
                "islands_counted_right": self.counted}
        for key, found in self.kinds.items():
            out[f"kind_from_{key}"] = found.accuracy
            if found.p is not None:
                out[f"kind_from_{key}_p"] = Number(found.p, n=len(found.labels))
        return out | {"kind_from_path_over_order_free": self.path_over_order_free.change}

    def chosen(self) -> dict[str, object]:
        """Seeds and thresholds, as plain values."""
        return {"seeds_scored": list(self.scored), "seeds_tuned": list(self.tuned),
                "shots": {"steps_about": LOCAL, "medians": FACTOR, "of_steps_beside": ALONE, "of_far_frames": FAR,
                          "floor_degrees": round(float(np.degrees(FLOOR)), 6), "tolerance_frames": TOLERANCE},
                "islands": {"cut_degrees": round(float(np.degrees(CUT)), 6)},
                "scenedetect": {"min_scene_len": SHORTEST_SCENE}, "size_px": SIZE}


def evaluate_films(model: Encoder, store: Store, *, seed: int = 0, scored: int = SCORED,
                   permutations: int = PERMUTATIONS, on_progress: Callable[[float, str], None] | None = None,
                   should_stop: Callable[[], bool] | None = None) -> FilmsEvaluation:
    """Shots, islands and kinds of films that differ in the order of their shots alone.

    Each film has eight shots of four scenes, two flashes and one whip pan. Kinds take turns, and each film is drawn
    with a seed of its own, so that content says nothing of the kind. Thresholds are fixed; they were chosen on films of
    other seeds.

    Parameters
    ----------
    model, store : what encodes, and where vectors are kept. Frames are rendered at 64 px in any case, for PySceneDetect
        looks at them.
    seed : films have the seeds ``10,000 + 1,000 * seed`` and on.
    scored : how many films, 6 to 999.
    permutations : shuffles of the kinds, at least 1.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between films and folds; a request to stop raises Cancelled.
    """
    if not FEWEST_SCORED <= scored <= MOST_SCORED or seed < 0:
        raise ShapeError(f"{FEWEST_SCORED} to {MOST_SCORED} films to score and a seed of 0 or more",
                         f"{scored} and {seed}")
    seeds = tuple(10_000 + 1_000 * seed + i for i in range(scored))
    say = on_progress or (lambda share, text: None)
    seen: list[_Seen] = []
    for i, (kind, film_seed) in enumerate(zip(_turns(), seeds)):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{i} of {scored} films")
        say(0.9 * i / scored, f"Film {i + 1} of {scored}: {kind}")
        seen.append(_look(make_film(kind, seed=film_seed), model, store, film_seed))
    shots = {key: _pooled([s.matched[key] for s in seen], [s.by_chance[key] for s in seen]) for key in seen[0].matched}
    kinds = {}
    for i, key in enumerate(ASPECTS):
        say(0.9 + 0.1 * i / len(ASPECTS), f"Telling kinds by {key.replace('_', ' ')}")
        kinds[key] = classify(np.stack([s.features[key] for s in seen]), [s.kind for s in seen],
                              permutations=permutations, seed=seed, should_stop=should_stop)
    found = FilmsEvaluation(
        shots, _over(seen), {key: _mean([s.rand[key] for s in seen], [s.rand_by_chance[key] for s in seen])
                             for key in seen[0].rand},
        proportion(sum(s.counted for s in seen), scored), kinds,
        told_apart(kinds["order_free"], kinds["path"]), seeds)
    say(1.0, f"{scored} films are scored")
    return found


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is known of one film."""

    kind: str
    matched: Mapping[str, Matched]
    by_chance: Mapping[str, float]
    rand: Mapping[str, float]
    rand_by_chance: Mapping[str, float]
    counted: bool
    features: Mapping[str, np.ndarray]


def _turns() -> Iterator[str]:
    while True:
        yield from ORDERS


def _look(film: SolidsFilm, model: Encoder, store: Store, seed: int) -> _Seen:
    shown = world_film(film, SIZE)
    vectors = embed(films_dataset([shown]), model, store).images
    assert vectors is not None
    path = Trajectory(vectors.vectors, shown.times, film.kind)
    truth, n, rng = np.array(film.cuts), len(path), np.random.default_rng(seed)
    starts = {key: find_shots(path, **rule).starts for key, rule in RULES.items()}  # type: ignore[arg-type]
    pictures = (np.asarray(shown.frames.decode(i)) for i in range(n))
    of_path = islands(path, starts["path"])
    starts |= detected_starts(pictures, film.fps)
    grouped = {"shots": of_path.of_frames, "frames": hdbscan(path.points)}
    shot = shot_of_frames(starts["path"], n)
    orders = [np.argsort(rng.permutation(shot.max() + 1)[shot], kind="stable") for _ in range(DRAWS)]
    return _Seen(
        film.kind, {key: match_cuts(found, truth, tolerance=TOLERANCE) for key, found in starts.items()},
        {key: f1_by_chance(len(found) - 1, truth, n, rng, tolerance=TOLERANCE, draws=DRAWS)
         for key, found in starts.items()},
        {key: adjusted_rand(film.scenes, labels) for key, labels in grouped.items()},
        {key: float(np.mean([adjusted_rand(film.scenes, labels[order]) for order in orders]))
         for key, labels in grouped.items()},
        len(of_path) == len(set(film.visits)),
        {"path": _row(told.path_features(path, starts["path"], of_path.of_frames)),
         "order_free": _row(told.order_free_features(path, starts["path"], of_path.of_frames)),
         "mean_step": np.array([told.mean_step(path)]), "content": told.content_features(path)})


def _row(found: Mapping[str, float]) -> np.ndarray:
    return told.feature_table([found])[0]


def _f1(sums: np.ndarray) -> np.ndarray:
    """F1 of (..., 3) sums of hits, cuts found and cuts there."""
    return 2 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1)


def _without_each(matched: Sequence[Matched]) -> tuple[float, np.ndarray]:
    """F1 of all films together, and without each."""
    counts = np.array([(m.hits, m.found, m.there) for m in matched], dtype=np.float64)
    return float(_f1(counts.sum(axis=0))), _f1(counts.sum(axis=0) - counts)


def _pooled(matched: Sequence[Matched], by_chance: Sequence[float]) -> Number:
    return bounded(*_without_each(matched), float(np.mean(by_chance)))


def _mean(values: Sequence[float], by_chance: Sequence[float]) -> Number:
    x = np.array(values)
    return bounded(float(x.mean()), (x.sum() - x) / (len(x) - 1), float(np.mean(by_chance)))


def _over(seen: Sequence[_Seen]) -> dict[str, Difference]:
    after = _without_each([s.matched["path"] for s in seen])
    out = {}
    for key in DETECTORS:
        before = _without_each([s.matched[key] for s in seen])
        out[key] = statistics_differ(before[0], after[0], before[1], after[1])
    return holm(out)
