"""Trainings to their end, many of them, in processes of their own: each is kept, and none is done twice."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from core.encoding.export import whole_file
from core.errors import Cancelled, OrreryError, SourceError
from core.learning.records.classes import ZERO_SHOT
from core.learning.records.record import MEASURES
from core.learning.towers.pairs import Lesson
from core.learning.towers.setup import DIALS, Setup
from core.settings import settings
from core.types import fingerprint

if TYPE_CHECKING:
    from core.learning.towers.workers import Pool

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]

CHANCES = ("gap_chance", "angle")
"""What is known of each run besides `MEASURES`: the gap by chance, and the angle of the means in degrees."""

MOST_RUNS_HOSTED, MOST_STEPS_HOSTED = 200, 3_000
MOST_KEPT = 20_000
_SOURCES = ("towers/child.py", "towers/faults.py", "towers/losses.py", "towers/model.py", "towers/pairs.py",
            "towers/training.py", "records/classes.py", "records/measuring.py", "records/record.py")


def finals(runs: Sequence[tuple[Lesson, Setup]], *, workers: int = 2, on_progress: Progress | None = None,
           should_stop: Stop | None = None, pool: Pool | None = None) -> pd.DataFrame:
    """Train each setup in a process with one thread, and measure before and after; what was trained once is read.

    Parameters
    ----------
    runs
        Pairs to train on and to look at, and dials, one row each; ``every`` does not matter.
    workers
        Processes at once, at most those of the pool.
    on_progress
        Called with the finished fraction and a text.
    should_stop
        Asked ten times a second; a request to stop raises Cancelled at once, and what was finished is kept.
    pool
        Of processes; the shared one where None.

    Returns
    -------
    One row a run, in their order: what it says by name, its dials as ``dial_<name>``; each measure at the end, and
    before training as ``<measure>_start`` (`MEASURES`, ``gap_chance``, and ``angle`` of the means in degrees; NaN where
    a run did not go to its end); zero-shot by class at the end (`core.learning.records.classes.zero_shot_shares`);
    ``ended``, why; ``seconds`` of the processor when it was trained.

    Raises
    ------
    Cancelled
        If it is to stop.
    OrreryError
        If a training raises, or there are more than a public server allows.
    """
    keys = [key_of(lesson, setup) for lesson, setup in runs]
    found = {key: known for key in dict.fromkeys(keys) if (known := _kept(key)) is not None}
    missing = {key: run for key, run in zip(keys, runs) if key not in found}
    _check_bounds([setup for _, setup in missing.values()])
    count = len(set(keys))

    def told() -> None:
        if on_progress is not None:
            on_progress(len(found) / max(count, 1), f"{len(found)} of {count} trainings")

    told()
    for key, answer in _trained(missing, workers, should_stop or (lambda: False), pool):
        found[key] = answer
        told()
    return pd.DataFrame([_row(setup, found[key]) for (_, setup), key in zip(runs, keys)])


def key_of(lesson: Lesson, setup: Setup) -> str:
    """What a result is kept under: pairs, dials, and the code that trains."""
    said = Setup.from_json(setup.as_json()).as_json()     # a whole number is the same dose with a point and without
    said.pop("every")
    return fingerprint("final", lesson.fingerprint, said, _code())


def known_of(lesson: Lesson, setups: Iterable[Setup]) -> int:
    """How many of these are trained and kept already."""
    return sum(_path(key_of(lesson, setup)).is_file() for setup in setups)


def _trained(missing: Mapping[str, tuple[Lesson, Setup]], workers: int, should_stop: Stop,
             pool: Pool | None) -> Iterable[tuple[str, dict[str, Any]]]:
    if not missing:
        return
    if pool is None:
        from core.learning.towers.workers import shared_pool

        pool = shared_pool()
    over = threading.Event()

    def stopped() -> bool:
        return over.is_set() or should_stop()

    with ThreadPoolExecutor(max(1, min(workers, pool.size, len(missing)))) as threads:
        at_work: dict[Future[dict[str, Any]], str] = {
            threads.submit(pool.final, lesson, setup.but(every=setup.steps), stopped): key
            for key, (lesson, setup) in missing.items()}
        done = 0
        try:
            while at_work:
                for future in wait(at_work, timeout=0.1, return_when=FIRST_COMPLETED).done:
                    key, answer = at_work.pop(future), future.result()
                    _keep(key, answer)
                    done += 1
                    yield key, answer
                if should_stop():
                    raise Cancelled(f"{done} of {len(missing)} trainings")
        except Cancelled as error:
            raise Cancelled(f"{done} of {len(missing)} trainings") from error
        finally:
            over.set()


def _check_bounds(missing: Sequence[Setup]) -> None:
    steps = max((setup.steps for setup in missing), default=0)
    if settings().hosted and (len(missing) > MOST_RUNS_HOSTED or steps > MOST_STEPS_HOSTED):
        raise OrreryError(f"at most {MOST_RUNS_HOSTED} trainings of {MOST_STEPS_HOSTED:,} steps at a time on a public "
                          "server", f"{len(missing)} of {steps:,}",
                          "Take fewer seeds or steps, or run Orrery on a machine of your own.")


def _row(setup: Setup, answer: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {f"dial_{name}" if name in DIALS else name: value for name, value in setup.as_json().items()}
    for name in (*MEASURES, *CHANCES):
        row[name] = answer["end"].get(name, math.nan)
        row[f"{name}_start"] = answer["start"].get(name, math.nan)
    row |= {name: value for name, value in answer["end"].items() if name.startswith(ZERO_SHOT)}
    return row | {"ended": answer["ended"], "seconds": answer["seconds"]}


@cache
def _code() -> str:
    """The code that a result depends on, and the torch that runs it."""
    folder = Path(__file__).parents[1]
    return fingerprint(version("torch"), *((folder / name).read_bytes() for name in _SOURCES
                                           if (folder / name).is_file()))


def _path(key: str) -> Path:
    return settings().cache / "trainings" / f"{key}.json"


def _kept(key: str) -> dict[str, Any] | None:
    try:
        answer = json.loads(_path(key).read_bytes())
        sound = all(isinstance(answer[part], dict) and all(isinstance(v, float) for v in answer[part].values())
                    for part in ("start", "end")) and isinstance(answer["ended"], str)
        return answer if sound and isinstance(answer["seconds"], float) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(key: str, answer: Mapping[str, Any]) -> None:
    """Write a result whole, quietly doing without where that is impossible; the oldest go where there are too many."""
    path = _path(key)
    try:
        with whole_file(path) as part:
            part.write_text(json.dumps(dict(answer)))
        if int(key[:3], 16) == 0:
            files = sorted(path.parent.iterdir(), key=lambda one: one.stat().st_mtime)
            for old in files[:max(0, len(files) - MOST_KEPT)]:
                old.unlink(missing_ok=True)
    except (OSError, SourceError):
        return
