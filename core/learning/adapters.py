"""What pairs of frozen features of a model teach: adapters on several sets, all asked the same items."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors
from core.geometry.differences import Difference, hits_differ, holm, means_differ, statistics_differ
from core.geometry.intervals import proportion
from core.geometry.jackknife import student, with_interval
from core.geometry.retrieval import hits_of
from core.learning.comparing import MEASURES, Learned, by_chance, scores
from core.learning.records.classes import zero_shot_hits
from core.learning.records.record import Probe
from core.types import Number

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
FROZEN = "the model as it is"
_HITS, _WITHOUT = ("r1", "r1_text", "zero_shot"), ("uniformity", "gap")
_STEPS, _BATCH, _RATE, _RESIDUAL, _SCALE = 200, 256, 2.3e-3, 0.2, 1 / 0.07


@dataclass(frozen=True, eq=False)
class Adapted:
    """A set whose pairs are learnt from: for each draw (n, d) images and (n, d) captions, row by row, and n texts."""

    name: str
    parts: tuple[tuple[np.ndarray, np.ndarray, tuple[str, ...]], ...]
    beside: str = ""


def compare_adapters(sets: Sequence[Adapted], images: np.ndarray, texts: np.ndarray, probe: Probe, *, seed: int = 0,
                     notes: Sequence[str] = (), on_progress: Progress | None = None,
                     should_stop: Stop | None = None) -> Learned:
    """Adapters on each set, with the same steps and seed, all asked the same items; beside the model as it is.

    Parameters
    ----------
    sets : that are learnt from; one of several draws is told by their mean.
    images, texts, probe : (n, d) and (m, d) float32, unit rows, of the items that are asked.
    seed : of the order of the batches; runs differ by it so little that they are no sample of anything.
    notes : what is to be said beside what was found.
    on_progress, should_stop : told the share done; asked now and then.

    Returns
    -------
    Learned, with intervals over the items that are asked: Wilson's of shares, Student's of the alignment, the jackknife
    of uniformity and gap. Differences are paired over the items. The worst class has neither.

    Raises
    ------
    ShapeError
        If there is no pair to train on.
    Cancelled
        When ``should_stop`` says so.
    """
    if not sets:
        raise ShapeError("at least one set of pairs to train on", "none", "Take out an action, or bring more pairs.")
    jobs = [(one, part) for one in sets for part in one.parts]
    made: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {FROZEN: [(images, texts)]}
    for number, (one, (x, y, said)) in enumerate(jobs):
        def tell(share: float, done: int = number, name: str = one.name) -> None:
            if should_stop is not None and should_stop():
                raise Cancelled(f"{done} of {len(jobs)} adapters were trained")
            if on_progress is not None:
                on_progress((done + share) / len(jobs), f"Adapter {done + 1} of {len(jobs)}: {name}")

        made.setdefault(one.name, []).append(adapter(x, y, said, images, texts, seed=seed, tell=tell))
    chance, told = by_chance(probe, images.shape[1], seed=seed), {name: [scores(*f, probe) for f in features]
                                                                 for name, features in made.items()}
    items = {name: _mean_of([_by_item(*f, probe) for f in features]) for name, features in made.items()}
    keys = tuple(key for key in MEASURES if key in told[FROZEN][0].measures)
    runs = {(name, key): np.array([one.measures[key] for one in part]) for name, part in told.items() for key in keys}
    numbers = {(name, key): _number(key, float(values.mean()), items[name].get(key), chance.get(key), len(images))
               for (name, key), values in runs.items()}
    beside = {one.name: one.beside for one in sets if one.beside} or {sets[0].name: FROZEN}
    family = {(name, key): _differ(key, (runs[other, key].mean(), runs[name, key].mean()), items[other][key],
                                   items[name][key], seed)
              for name, other in beside.items() for key in keys if key in items[name]}
    sizes = {label: probe.labels.count(label) for label in told[FROZEN][0].classes}
    classes = {(name, label): proportion(float(np.mean([one.classes[label] for one in part])) * size, size,
                                         null=chance.get("zero_shot"))
               for name, part in told.items() for label, size in sizes.items()}
    return Learned(f"a residual adapter on frozen features, {_STEPS} steps", tuple(made), beside,
                   {FROZEN: 0} | {one.name: len(one.parts[0][0]) for one in sets}, len(images), keys, numbers, runs,
                   classes, holm(family), "over the items that are asked", tuple(notes))


def _by_item(images: np.ndarray, texts: np.ndarray, probe: Probe) -> dict[str, np.ndarray]:
    """By measure, what each item adds to it; of uniformity and gap, what they are without each image and its text."""
    links = probe.links
    x, y = images.astype(np.float64), texts.astype(np.float64)
    found = {"r1": hits_of(images, texts, links)[1][:, 0], "r1_text": hits_of(texts, images, links[:, ::-1])[1][:, 0],
             "alignment": ((x[links[:, 0]] - y[links[:, 1]]) ** 2).sum(axis=1)}
    hits = zero_shot_hits(images, texts, links, probe.labels)
    if hits:
        found["zero_shot"] = np.concatenate(list(hits.values()))
    n, m = len(x), len(y)
    if n > 2:
        kernel = np.exp(4 * (x @ x.T - 1))
        np.fill_diagonal(kernel, 0)
        found["uniformity"] = np.log((kernel.sum() - 2 * kernel.sum(axis=1)) / ((n - 1) * (n - 2)))
    if min(n, m) > 1:
        text_of, owners = np.full(n, -1), np.bincount(links[:, 1], minlength=m)
        text_of[links[::-1, 0]] = links[::-1, 1]
        goes = (text_of >= 0) & (owners[text_of] == 1)
        rest = np.where(goes[:, None], (y.sum(axis=0) - y[text_of]) / (m - 1), y.mean(axis=0))
        found["gap"] = np.linalg.norm((x.sum(axis=0) - x) / (n - 1) - rest, axis=1)
    return found


def _mean_of(draws: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {key: np.mean([one[key] for one in draws], axis=0) for key in draws[0]}


def _number(key: str, value: float, items: np.ndarray | None, null: float | None, n: int) -> Number:
    unit, (least, most) = MEASURES[key].unit, MEASURES[key].ends
    if items is None:
        return Number(value, null=null, n=n, unit=unit)
    if key in _HITS:
        return proportion(float(items.sum()), len(items), null=null)
    if key in _WITHOUT:
        return with_interval(value, items, null, n, unit, low=least, high=most)
    if len(items) < 3:
        return Number(value, null=null, n=n, unit=unit)
    half = student(len(items) - 1) * float(items.std(ddof=1)) / math.sqrt(len(items))
    return Number(value, max(value - half, least), min(value + half, most), null, n, unit)


def _differ(key: str, values: tuple[float, float], before: np.ndarray, after: np.ndarray, seed: int) -> Difference:
    unit = MEASURES[key].unit
    if before.shape != after.shape:
        return Difference(Number(values[1] - values[0], null=0.0, unit=unit), None, "other items are asked")
    if key in _HITS:
        return hits_differ(before, after, seed=seed)
    if key in _WITHOUT:
        return statistics_differ(*values, before, after, unit=unit)
    found = means_differ(before, after, unit=unit)
    return replace(found, test=f"{found.test}, paired over items" if found.test else "")


def adapter(x: np.ndarray, y: np.ndarray, said: Sequence[str], images: np.ndarray, texts: np.ndarray, *, seed: int = 0,
            steps: int = _STEPS, tell: Callable[[float], None] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Features after a linear map for each modality, blended with the frozen ones, trained by the contrastive loss.

    Parameters
    ----------
    x, y : (n, d) float32, unit rows: images and captions, row i of both is a pair.
    said : n texts; equal ones are no negatives of each other.
    images, texts : (a, d) and (b, d) float32, unit rows, that are adapted.
    seed : of the order of the batches, of 256 pairs or of half of them where they are fewer.
    steps : of AdamW.
    tell : called now and then with the share done; what it raises ends the training.

    Returns
    -------
    ``images`` and ``texts`` adapted: the direction of (1 - r) f + r f W with r = 0.2, W starting at the identity. The
    learning rate is 0.0023 / sqrt(d), so that maps of any dimension move as far: 0.0001 for 512, at which the pairs of
    another split of 500 of COCO by CLIP neither gained nor lost by more than 4 points in R@1.

    Raises
    ------
    ShapeError
        If there is no pair.

    References
    ----------
    Gao et al., CLIP-Adapter, 2021, arXiv:2110.04544: a residual blend with r = 0.2; there of a bottleneck of two layers
    and trained on labels, here of one linear map a tower and trained on pairs.
    """
    check_vectors(x, what="images to train on", unit=True)
    check_vectors(y, what="captions to train on", unit=True)
    import torch
    import torch.nn.functional as F
    from threadpoolctl import threadpool_limits

    from core.learning.contrastive import info_nce

    n, d = x.shape
    place: dict[str, int] = {}
    words = torch.tensor([place.setdefault(text, len(place)) for text in said])
    with threadpool_limits(1):
        a, b = torch.from_numpy(np.array(x, np.float32)), torch.from_numpy(np.array(y, np.float32))
        maps = [torch.eye(d).requires_grad_() for _ in range(2)]
        optimiser = torch.optim.AdamW(maps, lr=_RATE / math.sqrt(d), weight_decay=0.0)
        scale = torch.tensor(_SCALE)
        dealt = torch.Generator().manual_seed(seed)

        def blended(f: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
            return F.normalize((1 - _RESIDUAL) * f + _RESIDUAL * f @ w, dim=1)

        size, order = min(_BATCH, max(n // 2, 1)), torch.zeros(0, dtype=torch.int64)
        for step in range(steps):
            if tell is not None and step % 20 == 0:
                tell(step / steps)
            if len(order) < size:
                order = torch.randperm(n, generator=dealt)
            rows, order = order[:size], order[size:]
            same = words[rows, None] == words[None, rows]
            same.fill_diagonal_(False)
            loss = info_nce(blended(a[rows], maps[0]), blended(b[rows], maps[1]), scale, same)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            out = [blended(torch.from_numpy(np.array(f, np.float32)), w).numpy() for f, w in zip((images, texts), maps)]
    return out[0], out[1]
