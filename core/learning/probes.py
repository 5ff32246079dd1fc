"""What frozen features of a model teach: linear probes on labels and adapters on pairs, all asked the same items."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import Cancelled, ShapeError, check_vectors
from core.geometry.differences import Difference, hits_differ, holm
from core.geometry.intervals import proportion
from core.learning.comparing import Learned, Scores, by_chance, chance_of_classes, compared, scores
from core.learning.records.classes import LEAST_OF_CLASS
from core.learning.records.record import Probe
from core.types import Number

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]
MOST_FITTED = 5_000
C = 0.316
ZERO_SHOT, FROZEN = "the model, zero-shot", "the model as it is"
_STEPS, _BATCH, _RATE, _RESIDUAL, _SCALE = 200, 256, 1e-3, 0.2, 1 / 0.07
_ITERATIONS = 300


@dataclass(frozen=True, eq=False)
class Fitted:
    """A set whose features are learnt from.

    Attributes
    ----------
    name : what it is called.
    parts : one (n, d) float32 of images with n labels, or one for each draw; rows without a label are left out.
    beside : the set it is compared with, "" for none.
    """

    name: str
    parts: tuple[tuple[np.ndarray, tuple[str, ...]], ...]
    beside: str = ""


@dataclass(frozen=True, eq=False)
class Adapted:
    """A set whose pairs are learnt from: for each draw (n, d) images and (n, d) captions, row by row, and n texts."""

    name: str
    parts: tuple[tuple[np.ndarray, np.ndarray, tuple[str, ...]], ...]
    beside: str = ""


def linear_probe(x: np.ndarray, labels: Sequence[str], asked: np.ndarray, *, seed: int = 0,
                 most: int = MOST_FITTED) -> list[str]:
    """The class of each item that is asked, by multinomial logistic regression on frozen features.

    Parameters
    ----------
    x : (n, d) floats, unit rows.
    labels : n strings; rows with "" are left out.
    asked : (a, d) floats, unit rows.
    seed, most : of more than so many rows, as many are drawn at random.

    Returns
    -------
    a names. Features are scaled to a mean square of 1, the regularisation is C = 0.316 with 300 iterations of L-BFGS.

    Raises
    ------
    ShapeError
        If no row has a label.

    References
    ----------
    Radford et al., 2021, arXiv:2103.00020, appendix A.3, and the example of its code, from which C is taken.
    """
    check_vectors(asked, what="vectors that are asked")
    rows = np.array([row for row, label in enumerate(labels) if label], dtype=np.int64)
    if not len(rows):
        raise ShapeError("at least one item with a label to train on", "none")
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
    own = [labels[row] for row in rows.tolist()]
    if len(set(own)) == 1:
        return [own[0]] * len(asked)
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils._testing import ignore_warnings

    scale = float(np.sqrt(x.shape[1]))
    model = LogisticRegression(C=C, max_iter=_ITERATIONS)
    ignore_warnings(category=ConvergenceWarning)(model.fit)(scale * x[rows], own)
    return [str(name) for name in model.predict(scale * asked)]


def compare_probes(sets: Sequence[Fitted], asked: np.ndarray, labels: Sequence[str], *,
                   zero_shot: np.ndarray | None = None, seed: int = 0, notes: Sequence[str] = (),
                   on_progress: Progress | None = None, should_stop: Stop | None = None) -> Learned:
    """Linear probes on each set, all asked the same items.

    Parameters
    ----------
    sets : that are learnt from; one whose draws differ is told by their mean.
    asked, labels : (a, d) float32, unit rows, and a labels of the items that are asked, none of them "".
    zero_shot : (a,) in [0, 1], whether the model itself names each item right; None where it cannot.
    seed : of what is drawn of large sets, and of sign flips.
    notes : what is to be said beside what was found.
    on_progress, should_stop : told the share done; asked between fits.

    Returns
    -------
    Learned, with intervals over the items that are asked (Wilson), differences paired over them, and the share of the
    largest class of the first set as what chance gives. A set without a label is told in a note.

    Raises
    ------
    ShapeError
        If the items that are asked are of fewer than two classes.
    Cancelled
        When ``should_stop`` says so.
    """
    names = sorted(set(labels))
    if len(names) < 2 or "" in names:
        raise ShapeError("items of two classes or more to ask", f"{len(names)} among {len(labels)} items",
                         "Choose a column of labels with at least two classes.")
    told = list(notes)
    hits: dict[str, np.ndarray] = {} if zero_shot is None else {ZERO_SHOT: zero_shot[None]}
    trained: dict[str, int] = {} if zero_shot is None else {ZERO_SHOT: 0}
    parts = [(one, k) for one in sets for k in range(len(one.parts))]
    for done, (one, k) in enumerate(parts):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{done} of {len(parts)} probes were fitted")
        if on_progress is not None:
            on_progress(done / len(parts), f"Probe {done + 1} of {len(parts)}: {one.name}")
        x, own = one.parts[k]
        if not any(own):
            continue
        said = linear_probe(x, own, asked, seed=seed)
        right = np.array([a == b for a, b in zip(said, labels)], np.float64)
        hits[one.name] = np.concatenate([hits.get(one.name, np.zeros((0, len(labels)))), right[None]])
        trained.setdefault(one.name, min(sum(map(bool, own)), MOST_FITTED))
    told += [f"{one.name} has no labels to train on." for one in sets if one.name not in hits]
    if not set(hits) - {ZERO_SHOT}:
        raise ShapeError("labels to train on", "none in any set", "Take out an action, or choose another column.")
    first = next(one for one in sets if one.name in hits)
    common = [label for label in first.parts[0][1] if label]
    majority = max(set(common), key=common.count)
    chance = sum(label == majority for label in labels) / len(labels)
    beside = {one.name: one.beside for one in sets if one.beside} or (
        {first.name: ZERO_SHOT} if zero_shot is not None else {})
    return _of_hits(hits, labels, beside, trained, chance, seed, told)


def _of_hits(hits: dict[str, np.ndarray], labels: Sequence[str], beside: dict[str, str], trained: dict[str, int],
             chance: float, seed: int, notes: Sequence[str]) -> Learned:
    of = np.array(labels, dtype=object)
    names = sorted(set(labels))
    sizes = {name: int((of == name).sum()) for name in names}
    worst_by_chance = chance_of_classes(list(sizes.values()), seed=seed).get("worst_class")
    numbers: dict[tuple[str, str], Number] = {}
    runs: dict[tuple[str, str], np.ndarray] = {}
    classes: dict[tuple[str, str], Number] = {}
    judged = [name for name in names if sizes[name] >= LEAST_OF_CLASS]
    for name, found in hits.items():
        mean = found.mean(axis=0)
        numbers[name, "accuracy"] = proportion(float(mean.sum()), len(mean), null=chance)
        runs[name, "accuracy"] = found.mean(axis=1)
        for label in names:
            classes[name, label] = proportion(float(mean[of == label].sum()), sizes[label], null=1 / len(names))
        if len(judged) > 1:
            by_class = np.stack([found[:, of == label].mean(axis=1) for label in judged])
            runs[name, "worst_class"] = by_class.min(axis=0)
            value = float(min(mean[of == label].mean() for label in judged))
            numbers[name, "worst_class"] = Number(value, null=worst_by_chance, n=len(mean), unit="share")
    family: dict[tuple[str, str], Difference] = {
        (name, "accuracy"): hits_differ(hits[other].mean(axis=0), hits[name].mean(axis=0), seed=seed)
        for name, other in beside.items() if name in hits and other in hits}
    measures = tuple(key for key in ("accuracy", "worst_class") if (next(iter(hits)), key) in numbers)
    return Learned("a linear probe on frozen features", tuple(hits), beside, trained, len(labels), measures, numbers,
                   runs, classes, holm(family), "over the items that are asked", tuple(notes))


def compare_adapters(sets: Sequence[Adapted], images: np.ndarray, texts: np.ndarray, probe: Probe, *, seeds: int = 5,
                     seed: int = 0, notes: Sequence[str] = (), on_progress: Progress | None = None,
                     should_stop: Stop | None = None) -> Learned:
    """Adapters on each set, with the same steps and seeds, all asked the same items; beside the model as it is.

    Parameters
    ----------
    sets : that are learnt from.
    images, texts, probe : (n, d) and (m, d) float32, unit rows, of the items that are asked.
    seeds, seed : runs of each set, and the first of their seeds, which order the batches.
    notes, on_progress, should_stop : as `compare_probes` takes them.

    Raises
    ------
    ShapeError
        If there is no pair to train on.
    Cancelled
        When ``should_stop`` says so.
    """
    found: dict[str, list[Scores | None]] = {FROZEN: [scores(images, texts, probe)] * seeds}
    for number, one in enumerate(sets):
        found[one.name] = []
        for k in range(seeds):
            def tell(share: float, done: int = number * seeds + k, name: str = one.name) -> None:
                if should_stop is not None and should_stop():
                    raise Cancelled(f"{done} of {len(sets) * seeds} adapters were trained")
                if on_progress is not None:
                    on_progress((done + share) / (len(sets) * seeds), f"Adapter of {name}, {done + 1} of "
                                                                     f"{len(sets) * seeds}")

            x, y, said = one.parts[k % len(one.parts)]
            found[one.name].append(scores(*adapter(x, y, said, images, texts, seed=seed + k, tell=tell), probe))
    return compared(f"residual adapters on frozen features, {_STEPS} steps", found,
                    {one.name: one.beside for one in sets if one.beside} or {sets[0].name: FROZEN},
                    {FROZEN: 0} | {one.name: len(one.parts[0][0]) for one in sets}, len(probe.images),
                    by_chance(probe, images.shape[1], seed=seed), notes=notes)


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
    ``images`` and ``texts`` adapted: the direction of (1 - r) f + r f W with r = 0.2, W starting at the identity.

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
        optimiser = torch.optim.AdamW(maps, lr=_RATE, weight_decay=0.0)
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
