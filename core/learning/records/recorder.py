"""A record written from anyone's own training loop: plain torch, transformers' Trainer, Lightning, open_clip.

    recorder = Recorder(pixels, captions, "mine.orrery-run", tokens=tokenizer(captions), every=50)
    for step, batch in enumerate(batches):
        recorder(step, model)
        ...
    recorder.keep(step + 1, model)
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.errors import OrreryError, ShapeError, SourceError, check_choice
from core.geometry.directions import unit
from core.learning.records.callbacks import lightning_callback, trainer_callback
from core.learning.records.file import SUFFIX, read_record, write_record
from core.learning.records.looking import (
    Encode,
    dual_in,
    encode_images,
    encode_texts,
    rows_of,
    temperature_of,
    untouched,
)
from core.learning.records.measuring import measures_of
from core.learning.records.record import MEASURES, Probe, Record, Snapshot
from core.types import fingerprint

EXISTING = ("refuse", "replace", "go_on")


class Recorder:
    """Looks at the same images and texts now and then through a training, and writes what it sees as a record.

    The file is written whole at each look, so that a training that crashes leaves what was seen until then. Looking
    changes nothing: a training that is recorded is equal to the bit to one that is not. A look that fails after the
    first is warned of, and the training goes on.

    Parameters
    ----------
    images : n pictures as the model takes them: (n, 3, h, w) floats, a mapping of tensors, or what the first function
        of ``encode`` takes.
    texts : captions, n of them (row i is image i's; equal ones are one text) or as many as ``links`` speak of.
    path : of the file, NAME.orrery-run; None keeps the record in memory alone (`record`).
    tokens : the captions as the model takes them, a tensor or a mapping of tensors: tokenizer(texts) of its own.
    encode : two functions of (model, images) and (model, texts) that give (n, d) and (m, d) features, for models whose
        towers are not called as in transformers (get_image_features) or open_clip (encode_image).
    every : steps between two looks, >= 1; 0 is always looked at.
    links : (p, 2) rows of images and of their texts, where they are not row by row.
    labels : a class of each image.
    ids : a name of each image.
    name : of the record; by default that of the file.
    setup : what made it, as JSON can say it.
    existing : what becomes of a file that is there: "refuse" it, "replace" it, or "go_on" after its steps.

    Attributes
    ----------
    setup : as above; it may be added to.

    Raises
    ------
    ShapeError
        If images, texts, labels and links do not fit.
    SourceError
        If there is a file already and ``existing`` is "refuse", or it cannot be gone on with.
    """

    def __init__(self, images: Any, texts: Sequence[str], path: str | Path | None, *, tokens: Any = None,
                 encode: tuple[Encode, Encode] | None = None, every: int = 50, links: Any = None,
                 labels: Sequence[str] = (), ids: Sequence[str] | None = None, name: str = "",
                 setup: Mapping[str, object] | None = None,
                 existing: Literal["refuse", "replace", "go_on"] = "refuse") -> None:
        check_choice("existing", existing, EXISTING)
        if every < 1:
            raise ShapeError("at least 1 step between two looks", str(every))
        if encode is None and tokens is None:
            raise ShapeError("the captions as the model takes them, tokens=tokenizer(texts)", "none",
                             "Or give encode=(images, texts): two functions of (model, inputs).")
        self._path = None if path is None else Path(path)
        if self._path is not None and self._path.suffix != SUFFIX:
            self._path = self._path.with_name(self._path.name + SUFFIX)
        self._every, self._encode = every, encode or (encode_images, encode_texts)
        self._inputs = images, (texts if tokens is None else tokens)
        self._finds_towers, self._texts = encode is None, len(texts)
        self._probe, self._first = _probe_of(_count(images), texts, links, labels, ids)
        self._name, self.setup = name or (self._path.stem if self._path else "Training"), dict(setup or {})
        self._snapshots: list[Snapshot] = []
        self._ended = ""
        self._gone_on_from(existing)

    def _gone_on_from(self, existing: str) -> None:
        if self._path is None or not self._path.exists() or existing == "replace":
            return
        if existing == "refuse":
            raise SourceError(f"a name for the record that is not taken, in place of {self._path.name}",
                              "a file that is there", "Give another name, or existing='replace' or 'go_on'.")
        old = read_record(self._path)
        known, mine = (fingerprint(p.images, p.texts, p.links, p.labels) for p in (old.probe, self._probe))
        if known != mine:
            raise SourceError(f"the same images and texts as in {self._path.name}, to go on with it", "others",
                              "Give another name.")
        self._snapshots = [Snapshot(int(step), old.images[i], old.texts[i],
                                    {key: float(values[i]) for key, values in old.measures.items()})
                           for i, step in enumerate(old.steps)]

    @property
    def record(self) -> Record | None:
        """What was seen so far; None before the first look."""
        if not self._snapshots:
            return None
        return Record.of(self._name, self._probe, self._snapshots, setup=self.setup, ended=self._ended)

    def __call__(self, step: int, model: Any, **measures: Any) -> bool:
        """Look at the model if ``step`` is a multiple of ``every``; call it in each step.

        Parameters
        ----------
        step : steps done, >= 0.
        model : what is trained.
        measures : numbers by their names in `MEASURES`, such as ``loss=loss``.

        Returns
        -------
        Whether it was looked at.

        Raises
        ------
        OrreryError
            At the first look, if the model cannot be looked at.
        """
        return step % self._every == 0 and self.keep(step, model, **measures)

    def keep(self, step: int, model: Any, **measures: Any) -> bool:
        """Look at the model now, as after the last step; parameters as in `__call__`.

        A step that was seen already is not looked at again; one before it, as of a training that went on from a
        checkpoint, takes the place of what came after.
        """
        for key in measures:
            check_choice("a measure", key, MEASURES)
        if self._snapshots and self._snapshots[-1].step == step:
            return False
        first = not self._snapshots
        try:
            self._look(int(step), model, {key: _number(value) for key, value in measures.items()})
            if self._path is not None and (record := self.record) is not None:
                write_record(record, self._path)
        except OrreryError as error:
            if first:
                raise
            warnings.warn(f"The training is not recorded at step {step}: {error}", stacklevel=3)
            return False
        return bool(self._snapshots) and self._snapshots[-1].step == step

    def end(self, why: str) -> None:
        """Say why the training ended before its time; the record is written with it."""
        self._ended = why
        if self._path is not None and (record := self.record) is not None:
            write_record(record, self._path)

    def _look(self, step: int, model: Any, measures: dict[str, float]) -> None:
        with untouched(model):
            both = [rows_of(encode(model, inputs)) for encode, inputs in zip(self._encode, self._inputs, strict=True)]
            if self._finds_towers:
                measures.setdefault("temperature", temperature_of(dual_in(model)))
        _check_rows(both, len(self._probe.images), self._texts)
        both[1] = both[1][self._first]
        self._snapshots, self._ended = [one for one in self._snapshots if one.step < step], ""
        if not all(np.isfinite(x).all() and (np.linalg.norm(x, axis=1) > 0).all() for x in both):
            self._ended = f"it diverged at step {step:,}: a feature is not a number, or has no direction"
            if not self._snapshots:
                warnings.warn(f"The training is not recorded: {self._ended}.", stacklevel=4)
            return
        images, texts = (unit(x).astype(np.float32) for x in both)
        if not math.isfinite(measures.get("loss", 0.0)):
            self._ended = f"it diverged at step {step:,}: the loss is not a finite number"
        self._snapshots.append(Snapshot(step, images, texts, measures_of(images, texts, self._probe) | measures))

    def for_trainer(self) -> Any:
        """A TrainerCallback of transformers: ``Trainer(..., callbacks=[recorder.for_trainer()])``."""
        return trainer_callback(self)

    def for_lightning(self) -> Any:
        """A Callback of Lightning: ``Trainer(callbacks=[recorder.for_lightning()])``; steps are optimiser steps."""
        return lightning_callback(self)


def _number(value: Any) -> float:
    return float(value.detach() if hasattr(value, "detach") else value)


def _count(images: Any) -> int:
    if isinstance(images, Mapping):
        images = images.get("pixel_values", next(iter(images.values())))
    if not hasattr(images, "__len__"):
        raise ShapeError("images of which it is known how many", type(images).__name__)
    return len(images)


def _probe_of(n: int, texts: Sequence[str], links: Any, labels: Sequence[str],
              ids: Sequence[str] | None) -> tuple[Probe, np.ndarray]:
    """The probe, with each text once, and (m,) the row of the texts given at which each first stands."""
    if links is None and len(texts) != n:
        raise ShapeError(f"{n} captions, one for each image", f"{len(texts)}", "Or say which belong together: links=.")
    links = np.repeat(np.arange(n)[:, None], 2, axis=1) if links is None else np.asarray(links).reshape(-1, 2)
    if len(links) and (links.min() < 0 or links[:, 1].max() >= len(texts)):
        raise ShapeError(f"links within {n} images and {len(texts)} texts", "a row outside them")
    once = list(dict.fromkeys(texts))
    row_of = {text: row for row, text in enumerate(once)}
    links = np.stack([links[:, 0], [row_of[texts[i]] for i in links[:, 1]]], axis=1)
    first = np.array([list(texts).index(text) for text in once], dtype=np.int64)
    names = [f"image {i}" for i in range(n)] if ids is None else list(ids)
    if len(names) != n:
        raise ShapeError(f"{n} names, one for each image", str(len(names)))
    return Probe(tuple(names), tuple(once), np.unique(links, axis=0), tuple(map(str, labels))), first


def _check_rows(both: Sequence[np.ndarray], n: int, m: int) -> None:
    images, texts = both
    if images.ndim != 2 or texts.ndim != 2 or (len(images), len(texts)) != (n, m) or images.shape[1] != texts.shape[1]:
        raise ShapeError(f"features of shape ({n}, d) of the images and ({m}, d) of the texts",
                         f"{images.shape} and {texts.shape}", "Are images and tokens those of the probe?")
