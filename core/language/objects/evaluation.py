"""How well objects are recognised from other views, and how well a style is carried over, on the built-in world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.encoding.encoder import Encoder
from core.encoding.store import Store
from core.errors import ShapeError
from core.geometry.objects import transfer
from core.geometry.objects.recognition import recognition_report
from core.geometry.objects.reports import RecognitionReport, StyleReport
from core.geometry.objects.styles import METHODS
from core.geometry.objects.transfer import Setting, StyleTask, score_styles, style_task, tune
from core.geometry.objects.views import ObjectViews
from core.language.objects.world import KINDS, VIEWS, solid_prompts, solid_views
from core.types import Number

SCORED, TUNED, MOST_SETS = 3, 2, 50
FEW_VIEWS = 4
N_VIEWS = (1, 2, FEW_VIEWS, 8)
AS_WRITTEN = "subspace_published"
OWN_RANK, STRANGERS = "at the rank that suits it", "subspaces of other objects"
WITHOUT_THE_ANSWER = ("subspace", "arithmetic")


@dataclass(frozen=True, eq=False)
class ObjectsEvaluation:
    """What the command prints and the page shows.

    Attributes
    ----------
    recognition : by kind of set ("hard", "easy").
    styles : by kind and task ("transfer", "change").
    settings : by task, rank and alpha of each row, chosen on the tuned seeds.
    scored, tuned : seeds of the sets that were scored, and of the hard sets on which rank and alpha were chosen.
    """

    recognition: Mapping[str, RecognitionReport]
    styles: Mapping[tuple[str, str], StyleReport]
    settings: Mapping[str, Mapping[str, Setting]]
    scored: tuple[int, ...]
    tuned: tuple[int, ...]

    def figures(self) -> dict[str, Number]:
        """All numbers by name: those of the hard set under their plain names, those of the easy set with "easy_"."""
        out: dict[str, Number] = {}
        for kind, report in self.recognition.items():
            before = "" if kind == "hard" else f"{kind}_"
            for n in sorted(report.n_views.tolist(), reverse=True):
                after = "" if n == report.n_views.max() else f"_{n}_views"
                out |= {f"{before}recognise_{key}{after}": by_views[n] for key, by_views in report.numbers.items()
                        if n in (FEW_VIEWS, report.n_views.max())}
        for (kind, task), styles in self.styles.items():
            before = "" if kind == "hard" else f"{kind}_"
            for row in styles.rows:
                out[f"{before}{task}_{_short(row.name)}"] = row.right
        return out

    def chosen(self) -> dict[str, object]:
        """Seeds, and rank and alpha by task and method, as plain values."""
        return {"seeds_scored": list(self.scored), "seeds_tuned": list(self.tuned),
                "rank_recognise_subspace": {kind: {str(n): rank for n, rank in report.chosen.items()}
                                            for kind, report in self.recognition.items()},
                **{task: {_short(name): {key: getattr(setting, key) for key in METHODS[name.split(":")[0]].chosen}
                          for name, setting in settings.items()} for task, settings in self.settings.items()}}


def _short(name: str) -> str:
    key, _, remark = name.partition(":")
    return key + {"": "", OWN_RANK: "_own_rank", STRANGERS: "_of_others", transfer.UNSEEN: "_unseen"}[remark]


def evaluate_objects(model: Encoder, store: Store, *, seed: int = 0, scored: int = SCORED, tuned: int = TUNED,
                     views: int = VIEWS, on_progress: Callable[[float, str], None] | None = None) -> ObjectsEvaluation:
    """Recognition and style on ten solids in five styles, one colour (hard) and many (easy).

    Recognition leaves each of 12 views out and fits on the 11 others, or on 4 of them, each in five styles; the rank is
    chosen inside the fitted views. Styles are fitted on every other view, and asked for between them: the nearest of
    all 600 views but the two that were given must show the kept object in the taken style. Rank and alpha are those
    with the most successes on hard sets of other seeds. The subspaces as written stand at the rank of those on
    residuals, and once more at the rank and alpha that suit them best; the subspaces of other objects are what those
    on residuals must beat. The fit has seen the kept object in the taken style from other views; rows of "unseen" are
    fitted without.

    Parameters
    ----------
    model, store : what encodes, and where vectors are kept.
    seed : the sets scored have the seeds ``seed * 100`` and on, the sets tuned on ``seed * 100 + 50`` and on.
    scored, tuned : how many sets of each kind are scored, and how many hard ones are tuned on, 1 to 50 each.
    views : of each solid in each style, at least 6.
    on_progress : called with the finished fraction and a text.
    """
    if not (1 <= scored <= MOST_SETS and 1 <= tuned <= MOST_SETS):
        raise ShapeError(f"1 to {MOST_SETS} sets to score and to tune on", f"{scored} and {tuned}")

    def say(start: float, end: float) -> Callable[[float, str], None]:
        return lambda share, text: on_progress(start + share * (end - start), text) if on_progress else None

    seeds = tuple(100 * seed + i for i in range(scored))
    others = tuple(100 * seed + MOST_SETS + i for i in range(tuned))
    wanted = [*(("hard", s) for s in others), *((kind, s) for kind in KINDS for s in seeds)]
    sets: dict[tuple[str, int], ObjectViews] = {}
    for i, (kind, s) in enumerate(wanted):
        sets[kind, s] = solid_views(kind, model, store, seed=s, views=views,
                                    on_progress=say(0.6 * i / len(wanted), 0.6 * (i + 1) / len(wanted)))
    prompts, texts = solid_prompts(model)
    settings: dict[str, dict[str, Setting]] = {}
    for step, task in enumerate(transfer.TASKS):
        change = task == "change"
        tasks = [style_task(sets["hard", s], texts, change=change, seed=s) for s in others]
        settings[task] = {}
        for key in METHODS:
            say(0.6 + 0.1 * step, 0.7 + 0.1 * step)(len(settings[task]) / len(METHODS), f"Tuning {METHODS[key].title}")
            settings[task][key] = tune(tasks, key)
        best = settings[task][AS_WRITTEN]
        settings[task] |= {AS_WRITTEN: replace(settings[task]["subspace"], tuned=float("nan")),
                           f"{AS_WRITTEN}:{OWN_RANK}": best}
    recognition, styles = {}, {}
    for step, kind in enumerate(KINDS):
        of_kind = [sets[kind, s] for s in seeds]
        recognition[kind] = recognition_report(of_kind, prompts=prompts, n_views=N_VIEWS, seed=seed,
                                               on_progress=say(0.8 + 0.1 * step, 0.85 + 0.1 * step))
        for task in transfer.TASKS:
            tasks = [style_task(v, texts, change=task == "change", seed=s) for v, s in zip(of_kind, seeds)]
            report = score_styles(tasks, settings[task], prompts=prompts, unseen=WITHOUT_THE_ANSWER,
                                  ranks=transfer.RANKS, on_progress=say(0.85 + 0.1 * step, 0.9 + 0.1 * step))
            styles[kind, task] = with_strangers(report, tasks, settings[task]["subspace"], prompts)
    say(1, 1)(1.0, f"{scored} sets of views of each kind are scored")
    return ObjectsEvaluation(recognition, styles, settings, seeds, others)


def with_strangers(report: StyleReport, tasks: list[StyleTask], setting: Setting, prompts: np.ndarray) -> StyleReport:
    """The report with a row more: the subspaces of residuals of OTHER objects, which is what the fit must beat."""
    swapped = []
    for task in tasks:
        numbers = sorted(task.fit.residuals)
        others = dict(zip(numbers, np.roll(numbers, len(numbers) // 2).tolist()))
        fit = replace(task.fit, residuals={k: task.fit.residuals[others[k]] for k in numbers})
        swapped.append(replace(task, fit=fit))
    row = score_styles(swapped, {"subspace": setting}, prompts=prompts).rows[1]
    return replace(report, rows=(*report.rows, replace(row, name=f"subspace:{STRANGERS}")))
