"""Does a composed vector lie where the kept object in the taken style is? Cases, tuning and shares of success.

Two tasks. Transfer: another object in the style of this scene, for all ordered pairs of objects and of styles. Change:
this object in another style, for all its views and all other styles. Both keep the object of one view (the content) and
take the style of another (the source).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ShapeError
from core.geometry.curves import Curve
from core.geometry.objects.reports import StyleReport, StyleRow
from core.geometry.objects.shares import Cases, share, shares_differ
from core.geometry.objects.styles import METHODS, Composed, Requests, StyleFit, compose, fit_styles
from core.geometry.objects.views import ObjectViews
from core.geometry.retrieval import chance_of_a_hit
from core.geometry.threads import one_thread
from core.types import Number

TASKS = {"transfer": "another object in the style of this scene", "change": "this object in another style"}
RANKS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 30)
ALPHAS = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
REFERENCE = "arithmetic"
UNSEEN = "the object never seen in that style"
OF_A_RANK = ("subspace", "subspace_published")


@dataclass(frozen=True, eq=False)
class StyleTask:
    """Cases of one set of views, and what was fitted on the views that are no case's input.

    Attributes
    ----------
    views : all of them: the gallery, in which each case's own two inputs do not count.
    content, source : (n,) int64, rows of views: whose object is kept, and whose style is taken.
    fit : of the other views.
    cases : what cases have in common.
    change : True for the task change.
    """

    views: ObjectViews
    content: np.ndarray
    source: np.ndarray
    fit: StyleFit
    cases: Cases
    change: bool

    @property
    def requests(self) -> Requests:
        return Requests.of(self.views, self.content, self.source)


@dataclass(frozen=True, eq=False)
class Found:
    """What a composed vector is nearest to.

    Attributes
    ----------
    nearest : (n,) int64, row of the gallery.
    right, kept, taken : (n,) float64 in [0, 1]: object and style are right; the object is; the style is.
    """

    nearest: np.ndarray
    right: np.ndarray
    kept: np.ndarray
    taken: np.ndarray


@dataclass(frozen=True)
class Setting:
    """Rank and alpha of a method, and the share of success where they were chosen (NaN where they were given)."""

    rank: int
    alpha: float
    tuned: float = float("nan")


def style_task(views: ObjectViews, texts: np.ndarray | None, *, change: bool = False, seed: int = 0) -> StyleTask:
    """Fit on every other view, and ask for styles on the views between.

    Parameters
    ----------
    views : at least 2 objects in at least 2 styles, seen from at least 2 views.
    texts : (styles, d) unit rows, a prompt for each style; or None.
    change : which task.
    seed : of the views that are drawn for a case, and for change of the object that shows the style.
    """
    labels, objects, styles = np.unique(views.views), np.unique(views.objects), np.unique(views.styles)
    if min(len(labels), len(objects), len(styles)) < 2:
        raise ShapeError("at least 2 objects in 2 styles from 2 views",
                         f"{len(objects)} objects, {len(styles)} styles, {len(labels)} views")
    fitted, asked = views.seen_from(labels[::2]), labels[1::2]
    rng = np.random.default_rng(seed)
    place = {key: row for row, key in enumerate(zip(views.objects.tolist(), views.styles.tolist(),
                                                    views.views.tolist()))}
    wanted = [(b, s, t) for b in objects.tolist() for s in styles.tolist() for t in styles.tolist() if s != t]
    pairs = []
    if change:
        for b, s, t in wanted:
            for view in asked.tolist():
                a = rng.choice(objects[objects != b])
                pairs.append(((b, s, view), (int(a), t, int(rng.choice(asked)))))
    else:
        for b, s, t in wanted:
            pairs += [((b, s, int(rng.choice(asked))), (a, t, int(rng.choice(asked))))
                      for a in objects.tolist() if a != b]
    known = [(place[c], place[a]) for c, a in pairs if c in place and a in place]
    if not known:
        raise ShapeError("views of every object in several styles", "no object and style that could be asked for")
    content, source = np.array(known, dtype=np.int64).T
    shown = np.stack([views.objects[content], views.views[content] if change else views.objects[source]], axis=1)
    together = np.unique(shown, axis=0, return_inverse=True)[1].ravel()
    cases = Cases(np.stack([views.objects[content], views.objects[source]], axis=1), together)
    return StyleTask(views, content, source, fit_styles(fitted, texts), cases, change)


def composed(task: StyleTask, key: str, setting: Setting) -> Composed:
    """All cases of a task by one method; parameters as in `styles.compose`."""
    return compose(key, task.fit, task.requests, rank=setting.rank, alpha=setting.alpha, change=task.change)


def composed_unseen(task: StyleTask, keys: Sequence[str], settings: Sequence[Setting]) -> list[Composed]:
    """`composed` by several methods where no fit has seen the kept object in the taken style, which it is asked for."""
    vectors = [np.empty((len(task.content), task.views.vectors.shape[1])) for _ in keys]
    residuals = [np.empty(len(task.content)) for _ in keys]
    views, labels = task.views, np.unique(task.views.views)
    fitted = np.isin(views.views, labels[::2])
    wanted = np.stack([views.objects[task.content], views.styles[task.source]], axis=1)
    for number, style in np.unique(wanted, axis=0).tolist():
        rows = np.flatnonzero((wanted == (number, style)).all(axis=1))
        kept = fitted & ~((views.objects == number) & (views.styles == style))
        fit = fit_styles(views.part(kept), task.fit.texts)
        asked = Requests.of(views, task.content[rows], task.source[rows])
        for i, (key, setting) in enumerate(zip(keys, settings)):
            found = compose(key, fit, asked, rank=setting.rank, alpha=setting.alpha, change=task.change)
            vectors[i][rows], residuals[i][rows] = found.vectors, found.residuals
    return [Composed(v, r) for v, r in zip(vectors, residuals)]


def find(task: StyleTask, vectors: np.ndarray) -> Found:
    """The nearest view to each composed vector, its two inputs left out."""
    rows = np.arange(len(vectors))
    cosines = vectors.astype(np.float64) @ task.views.vectors.astype(np.float64).T
    cosines[rows, task.content] = cosines[rows, task.source] = -np.inf
    nearest = cosines.argmax(axis=1)
    kept = task.views.objects[nearest] == task.views.objects[task.content]
    taken = task.views.styles[nearest] == task.views.styles[task.source]
    return Found(nearest, (kept & taken).astype(np.float64), kept.astype(np.float64), taken.astype(np.float64))


def chance(task: StyleTask) -> float:
    """Share of success of a view drawn at random from the gallery without the two inputs.

    Fits on vectors shuffled among the views reach no more: on the solids of the built-in world 0.01 to 0.03.
    """
    views = task.views
    wanted = views.objects[task.content] * len(views.style_names) + views.styles[task.source]
    counts = np.bincount(views.objects * len(views.style_names) + views.styles,
                         minlength=len(views.names) * len(views.style_names))
    return float((counts[wanted] / (len(views) - 2)).mean())


def tune(tasks: Sequence[StyleTask], key: str, *, ranks: Sequence[int] = RANKS,
         alphas: Sequence[float] = ALPHAS) -> Setting:
    """Rank and alpha with the most successes over some tasks; of equal ones the smallest rank, then alpha nearest 1."""
    best = Setting(1, 1.0, -1.0)
    for rank in sorted(ranks) if "rank" in METHODS[key].chosen else (1,):
        for alpha in sorted(alphas, key=lambda a: (abs(a - 1), a)):
            with one_thread():
                hits = np.concatenate([_right(t, key, Setting(rank, alpha)) for t in tasks])
            if float(hits.mean()) > best.tuned + 1e-9:
                best = Setting(rank, alpha, float(hits.mean()))
    return best


def score_styles(tasks: Sequence[StyleTask], settings: dict[str, Setting], *, prompts: np.ndarray | None = None,
                 unseen: Sequence[str] = (), ranks: Sequence[int] = (),
                 on_progress: Callable[[float, str], None] | None = None) -> StyleReport:
    """Success of each method on the same cases.

    Parameters
    ----------
    tasks : of the same kind, each from its own views of the same objects; intervals are over objects.
    settings : by name of the row, rank and alpha; a name is a key of `styles.METHODS`, which may be followed by a
        colon and a remark, so that one method stands in several rows.
    prompts : (objects, d) unit rows, a text for each object, for the zero-shot labels; or None.
    unseen : names that get a second row, whose fits lack every view of the kept object in the taken style.
    ranks : for the curves of the two subspace methods over their rank, at alpha 1.

    Returns
    -------
    Report whose first row is the content itself, untouched. ``change`` of a row is against style means
    ("arithmetic"), where that is among the rows, by leaving each object out of both.
    """
    cases = Cases.joined([t.cases for t in tasks])
    by_chance = float(np.mean([chance(t) for t in tasks]))
    results: dict[str, tuple[Setting, list[Composed]]] = {
        "untouched": (Setting(0, 0.0), [Composed(t.requests.content, np.full(len(t.cases), np.nan)) for t in tasks])}
    for step, (name, setting) in enumerate(settings.items()):
        if on_progress is not None:
            on_progress(step / len(settings), f"Composing by {METHODS[name.split(':')[0]].title}")
        with one_thread():
            results[name] = (setting, [composed(t, name.split(":")[0], setting) for t in tasks])
    with one_thread():
        again = [composed_unseen(t, [n.split(":")[0] for n in unseen], [settings[n] for n in unseen]) for t in tasks]
        results |= {f"{n.split(':')[0]}:{UNSEEN}": (settings[n], [parts[i] for parts in again])
                    for i, n in enumerate(unseen)}
        found = {name: [find(t, c.vectors) for t, c in zip(tasks, parts)] for name, (_, parts) in results.items()}
        over_rank = {key: [np.concatenate([_right(t, key, Setting(rank, 1.0)) for t in tasks]) for rank in ranks]
                     for key in (OF_A_RANK if ranks else ())}
    right = {name: np.concatenate([f.right for f in parts]) for name, parts in found.items()}
    views = tasks[0].views
    rows = []
    for name, (setting, parts) in results.items():
        key = name.split(":")[0]
        labels = _zero_shot(tasks, parts, prompts, cases)
        residuals = np.concatenate([p.residuals for p in parts])
        known = residuals[np.isfinite(residuals)]
        rows.append(StyleRow(
            name, "untouched" if key not in METHODS else METHODS[key].title, setting.rank, setting.alpha,
            share(right[name], cases, null=by_chance),
            share(np.concatenate([f.kept for f in found[name]]), cases, null=1 / len(views.names)),
            share(np.concatenate([f.taken for f in found[name]]), cases, null=1 / len(views.style_names)), labels,
            Number(float(known.mean()), n=len(known), unit="length") if len(known) else None,
            shares_differ(right[REFERENCE], right[name], cases) if REFERENCE in right and name != REFERENCE else None))
    curves = {key: Curve.of(METHODS[key].title, [share(hits, cases, null=by_chance) for hits in of_key])
              for key, of_key in over_rank.items()}
    return StyleReport("change" if tasks[0].change else "transfer", tuple(rows), len(cases), len(views), by_chance,
                       curves, np.array(ranks, dtype=np.int64))


def _right(task: StyleTask, key: str, setting: Setting) -> np.ndarray:
    return find(task, composed(task, key, setting).vectors).right


def _zero_shot(tasks: Sequence[StyleTask], parts: Sequence[Composed], prompts: np.ndarray | None,
               cases: Cases) -> dict[str, Number]:
    """Share of composed vectors that prompts call by the right object, and by the right style."""
    out = {}
    for name, texts, wanted in (("object", prompts, [t.views.objects[t.content] for t in tasks]),
                                ("style", tasks[0].fit.texts, [t.views.styles[t.source] for t in tasks])):
        if texts is not None:
            hits = [chance_of_a_hit(c.vectors.astype(np.float64) @ texts.astype(np.float64).T, np.arange(len(w)), w,
                                    (1,))[:, 0] for c, w in zip(parts, wanted)]
            out[name] = share(np.concatenate(hits), cases, null=1 / len(texts))
    return out
