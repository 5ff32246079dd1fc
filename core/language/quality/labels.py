"""Likely mislabels by all that can judge them: a model fitted on the images, and texts of the classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.encoding.encoder import Encoder
from core.geometry.differences import Difference
from core.geometry.quality.logistic import Progress
from core.geometry.quality.mislabels import Mislabels, better_of, judged_by, mislabelled
from core.language.world_evaluation import BARE

TEMPLATE = "a photo of a {}"
_ROWS = 8192


@dataclass(frozen=True, eq=False)
class JudgedLabels:
    """Likely mislabels by each judge.

    Attributes
    ----------
    best : the judge to go by.
    fitted, zero_shot : each by itself; no zero-shot one without a model that reads prompts of two classes or more.
    change : how much likelier the zero-shot judge finds the labels than the fitted one; None without one.
    """

    best: Mislabels
    fitted: Mislabels
    zero_shot: Mislabels | None = None
    change: Difference | None = None

    @property
    def told(self) -> str:
        """Which judge is gone by, and why, in a sentence; "" where none judges."""
        if not self.best.method:
            return ""
        if self.zero_shot is None or self.change is None or self.change.p is None:
            return f"Labels are judged by {self.best.method}."
        by, p = self.change.change, self.change.p
        beside = (f"beside {self.fitted.method}, texts of the classes change the mean log probability of the labels by "
                  f"{by.value:+.2f} nats" + ("" if by.low is None else f" ({by.low:+.2f} to {by.high:+.2f})")
                  + f", p {p:.3f}, {by.n:,} images")
        return f"Labels are judged by {self.best.method}: {beside}."


def prompts_of(names: Sequence[str]) -> dict[str, str]:
    """A prompt for each class: the world's own where all are of one of its attributes, else "a photo of a ..."."""
    known: Mapping[str, str] = next((of for of in BARE.values() if set(names) <= set(of)), {})
    return {name: known.get(name, TEMPLATE.format(name)) for name in names}


def judge_labels(x: np.ndarray, labels: Sequence[str], *, model: Encoder | None = None,
                 lengths: np.ndarray | None = None, prompts: Mapping[str, str] | None = None, seed: int = 0,
                 on_progress: Progress | None = None,
                 should_stop: Callable[[], bool] | None = None) -> JudgedLabels:
    """Likely mislabels by a fitted model and, where the model reads prompts, by zero-shot.

    Parameters
    ----------
    x
        (n, d) floats, unit rows: images by ``model``.
    labels
        n strings, "" where an image has none; empty where none is known.
    model
        That made the vectors; None where it is not at hand.
    lengths
        (n,) of the raw vectors, for models whose score needs them; None: 1.
    prompts
        Of the classes; None: `prompts_of`. Classes whose prompt the model does not read are not judged by it.
    seed, on_progress, should_stop
        As `mislabelled` takes them.
    """
    fitted = mislabelled(x, labels, seed=seed, on_progress=on_progress, should_stop=should_stop)
    names = tuple(sorted(set(labels) - {""}))
    if model is None or len(names) < 2:
        return JudgedLabels(fitted, fitted)
    said = prompts_of(names) if prompts is None else prompts
    names = tuple(name for name in names if name in said)
    unread = model.unread([said[name] for name in names])
    names = tuple(name for i, name in enumerate(names) if i not in unread)
    if len(names) < 2:
        return JudgedLabels(fitted, fitted)
    raw = np.ones(len(x), np.float32) if lengths is None else lengths
    texts = [said[name] for name in names]
    p = np.concatenate([_softmax(model.logits(x[i:i + _ROWS], raw[i:i + _ROWS], texts))
                        for i in range(0, len(x), _ROWS)])
    zero_shot = judged_by(p, labels, names, "texts of the classes", seed=seed)
    best, change = better_of(fitted, zero_shot)
    return JudgedLabels(best, fitted, zero_shot, change)


def _softmax(logits: np.ndarray) -> np.ndarray:
    from scipy.special import softmax

    return np.asarray(softmax(logits, axis=1), dtype=np.float32)
