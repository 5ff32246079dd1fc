"""Training of the two small towers, step by step, with the probe looked at as often as one likes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from core.errors import Cancelled, OrreryError
from core.learning.records.measuring import measures_of
from core.learning.records.record import Record, Snapshot
from core.learning.towers.faults import with_faults
from core.learning.towers.losses import pair_loss
from core.learning.towers.model import Towers, Vocabulary, unit
from core.learning.towers.pairs import SIDE, Lesson
from core.learning.towers.setup import Setup

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 1024
SHIFT = 1
BETAS = (0.8, 0.95)     # short memories: with (0.9, 0.999) some seeds are still far from their end at 600 steps
WARM_UP = 0.15
MEMORY = 0.9

Progress = Callable[[float, str], None]


class Diverged(OrreryError):
    """A training whose loss or features are no finite numbers.

    Parameters
    ----------
    step : at which this was seen.
    why : what was seen.
    """

    def __init__(self, step: int, why: str) -> None:
        self.step, self.why = step, why
        super().__init__("a training that stays finite", f"{why}, at step {step:,}",
                         "Lower the learning rate, or raise the temperature.")

    def __reduce__(self) -> tuple[type, tuple[int, str]]:  # type: ignore[override]
        return type(self), (self.step, self.why)

    @property
    def ended(self) -> str:
        """The sentence of a record that ends here."""
        return f"it diverged at step {self.step:,}: {self.why}. {self.hint}"


class Training:
    """Two towers that are trained on a lesson, as a setup says: AdamW under a one-cycle schedule, on one thread.

    Batches are consecutive parts of one seeded order of all pairs after another: each pair comes once before any comes
    again, no batch is short, and none is larger than there are pairs. Each time, a picture is moved by up to one pixel,
    and mirrored every other time or so. The same lesson and setup give the same features to the bit on one machine.

    Parameters
    ----------
    lesson : its training pairs get the setup's faults here.
    setup : all dials.

    Attributes
    ----------
    at : steps done.
    probe : what `snapshot` looks at.

    Raises
    ------
    OrreryError
        If a fault of the setup cannot be put into the lesson.
    """

    def __init__(self, lesson: Lesson, setup: Setup) -> None:
        import torch

        self.lesson, self.setup, self.at = lesson, setup, 0
        self.probe = lesson.as_probe()
        train = with_faults(lesson, setup).train
        if not len(train):
            raise OrreryError("at least one pair to train on", "none")
        self._texts, self._of = np.unique(train.texts, return_inverse=True)
        vocabulary = Vocabulary((*lesson.train.texts, *lesson.probe.texts), train.texts)
        with one_torch_thread():
            padded = np.pad(train.images, ((0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), mode="edge")
            self._windows = sliding_window_view(padded, (SIDE, SIDE), axis=(1, 2))
            self._words = torch.from_numpy(vocabulary.numbers(self._texts.tolist()))
            self._probe_pictures = _channels_first(lesson.probe.images)
            self._probe_words = torch.from_numpy(vocabulary.numbers(self.probe.texts))
            self._towers = Towers(setup, vocabulary)
            self._towers.begin(self._probe_pictures, self._probe_words)
            self._optimiser = torch.optim.AdamW(self._towers.parameters(), lr=setup.learning_rate, betas=BETAS,
                                                fused=True)
            self._schedule = torch.optim.lr_scheduler.OneCycleLR(
                self._optimiser, setup.learning_rate, total_steps=max(setup.steps, 2), pct_start=WARM_UP, div_factor=5,
                cycle_momentum=False)
        self._batches = _in_batches(len(train), setup.batch, setup.seed)
        self._batch = next(self._batches)
        self._loss, self._weight = 0.0, 0.0

    @property
    def finished(self) -> bool:
        """Whether all steps are done."""
        return self.at >= self.setup.steps

    def step(self) -> float:
        """Do one step; the loss of its batch.

        Raises
        ------
        OrreryError
            If all steps are done, or the loss is not a finite number.
        """
        if self.finished:
            raise OrreryError(f"a step of the {self.setup.steps:,} of the setup", "one more", "Set more steps.")
        with one_torch_thread():
            self._optimiser.zero_grad(set_to_none=True)
            loss = self._loss_of(self._batch)
            value = float(loss.detach())
            if not math.isfinite(value):
                raise Diverged(self.at + 1, f"the loss is {'not a number' if math.isnan(value) else 'infinite'}")
            if loss.requires_grad:
                loss.backward()  # type: ignore[no-untyped-call]
            self._optimiser.step()
            self._schedule.step()
        self._loss, self._weight = MEMORY * self._loss + (1 - MEMORY) * value, MEMORY * self._weight + 1 - MEMORY
        self._batch = next(self._batches)
        self.at += 1
        return value

    def advance(self) -> Snapshot:
        """Go to the next step that is kept, a multiple of ``setup.every`` or the last, and look at the probe there.

        Raises
        ------
        OrreryError
            As `step` and `snapshot` do.
        """
        target = min((self.at // self.setup.every + 1) * self.setup.every, self.setup.steps)
        while True:
            self.step()
            if self.at >= target:
                return self.snapshot()

    def snapshot(self) -> Snapshot:
        """The probe's features as unit rows, and what is measured of them.

        The loss is a running mean over about ten batches; before training, that of the first batch. The temperature
        is NaN where the loss has none.

        Raises
        ------
        OrreryError
            If a feature is not a finite number, or has no direction.
        """
        import torch

        with one_torch_thread(), torch.inference_mode():
            images = torch.cat([unit(self._towers.images(part)) for part in self._probe_pictures.split(CHUNK)]).numpy()
            texts = unit(self._towers.texts(self._probe_words)).numpy()
            loss = self._loss / self._weight if self._weight else float(self._loss_of(self._batch))
            scale = float(self._towers.scale)
            for x in (images, texts):
                if not (np.abs(np.einsum("ij,ij->i", x, x) - 1) < 1e-4).all():
                    raise Diverged(self.at, "a feature is not a number, or has no direction")
            measured = measures_of(images, texts, self.probe)
        temperature = math.nan if self.setup.loss == "alignment_uniformity" else 1 / scale
        return Snapshot(self.at, images, texts, {"loss": loss, **measured, "temperature": temperature})

    def _drawn(self, rows: np.ndarray) -> np.ndarray:
        """Pictures of the next step, each at a place of its own and half of them mirrored: (b, 16, 16, 3) uint8."""
        rng = np.random.default_rng((self.setup.seed, self.at, 1))
        down, right = rng.integers(0, 2 * SHIFT + 1, (2, len(rows)))
        windows = self._windows[rows, down, right].transpose(0, 2, 3, 1)
        return np.where((rng.random(len(rows)) < 0.5)[:, None, None, None], windows[:, :, ::-1], windows)

    def _loss_of(self, rows: np.ndarray) -> Tensor:
        import torch

        texts, of = np.unique(self._of[rows], return_inverse=True)
        own = torch.from_numpy(of)
        x = self._towers.images(_channels_first(self._drawn(rows)))
        y = self._towers.texts(self._words[torch.from_numpy(texts)])[own]
        return pair_loss(x, y, own[:, None] == own[None], loss=self.setup.loss, distance=self.setup.distance,
                         scale=self._towers.scale, bias=self._towers.bias)


def train(lesson: Lesson, setup: Setup, *, name: str = "", on_snapshot: Callable[[Snapshot], None] | None = None,
          on_progress: Progress | None = None, should_stop: Callable[[], bool] | None = None) -> Record:
    """Train the towers and keep the probe's features before training, at each ``setup.every`` steps and at the end.

    Parameters
    ----------
    name : of the record.
    on_snapshot : told each snapshot as soon as there is one.
    on_progress, should_stop : told the share done and what is being done; asked at each snapshot.

    Returns
    -------
    What was kept. A training that diverges has all snapshots before, and ``ended`` says at which step and why.

    Raises
    ------
    OrreryError
        If the setup's faults cannot be put into the lesson.
    Cancelled
        If asked to stop.
    """
    kept: list[Snapshot] = []
    ended = ""
    with one_torch_thread():
        training = Training(lesson, setup)
        try:
            while True:
                kept.append(training.advance() if kept else training.snapshot())
                if on_snapshot is not None:
                    on_snapshot(kept[-1])
                if on_progress is not None:
                    on_progress(training.at / setup.steps, f"{training.at:,} of {setup.steps:,} steps")
                if training.finished:
                    break
                if should_stop is not None and should_stop():
                    raise Cancelled(f"{training.at:,} of {setup.steps:,} steps")
        except Diverged as error:
            if not kept:
                raise
            ended = error.ended
    return Record.of(name, training.probe, kept, setup=setup.as_json(), ended=ended)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """One thread for torch inside, and as many as before after it: on a busy machine two take many times as long."""
    import torch

    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _in_batches(n: int, size: int, seed: int) -> Iterator[np.ndarray]:
    """Rows of batch after batch, without end: one seeded order of all rows after another, cut into equal parts."""
    size, left = min(size, n), np.empty(0, np.int64)
    for epoch in count():
        left = np.concatenate([left, np.random.default_rng((seed, epoch)).permutation(n)])
        while len(left) >= size:
            yield left[:size]
            left = left[size:]


def _channels_first(images: np.ndarray) -> Tensor:
    """(n, 16, 16, 3) to (n, 3, 16, 16) uint8, without a copy."""
    import torch

    return torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
