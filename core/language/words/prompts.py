"""Classes as prompts: what a visitor wrote, read; the texts that templates make of it; what they are to a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.encoding.encoder import Encoder
from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.language.zero_shot import class_vectors
from core.settings import settings
from core.types import EmbeddingSet, Refusal

MOST_CLASSES, MOST_TEMPLATES = 5_000, 100
MOST_TEXTS, MOST_TEXTS_HOSTED = 50_000, 10_000
MOST_CELLS, MOST_CELLS_HOSTED = 5_000_000, 2_000_000      # images times classes that are scored at once
BATCH = 256
Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Classes:
    """Classes as they were written.

    Attributes
    ----------
    labels : k names, each once, as labels have them.
    called : k texts, as the prompts have them.
    twice : labels that stood there more than once; the first counts.
    more : how many were left out beyond 5,000.
    """

    labels: tuple[str, ...]
    called: tuple[str, ...]
    twice: tuple[str, ...] = ()
    more: int = 0

    def __len__(self) -> int:
        return len(self.labels)


def read_classes(rows: Iterable[str]) -> Classes:
    """Classes of lines, each "label" or "label = how it is called", with spaces; empty lines say nothing."""
    said: dict[str, str] = {}
    twice: dict[str, None] = {}
    for row in rows:
        label, _, called = (" ".join(part.split()) for part in f" {row} ".partition(" = "))
        if label in said:
            twice[label] = None
        elif label:
            said[label] = called or label
    kept = list(said.items())[:MOST_CLASSES]
    return Classes(tuple(label for label, _ in kept), tuple(called for _, called in kept), tuple(twice),
                   len(said) - len(kept))


def most_images(k: int) -> int:
    """How many images are scored against k classes at once; fewer on a hosted server, which many share."""
    return max((MOST_CELLS_HOSTED if settings().hosted else MOST_CELLS) // max(k, 1), 1)


def read_templates(rows: Iterable[str]) -> tuple[str, ...]:
    """Templates of lines, {} for the class, which is put at the end where it is missing; each once, "{}" of none."""
    found = dict.fromkeys(row if "{}" in row else f"{row} {{}}" for row in map(str.strip, rows) if row)
    return tuple(found)[:MOST_TEMPLATES] or ("{}",)


@dataclass(frozen=True, eq=False)
class ClassTexts:
    """What the prompts of classes are to a model.

    Attributes
    ----------
    classes : k labels.
    templates : t of them.
    texts : t rows of k prompts.
    vectors : (t, k, d) float32, unit along the last axis; None for a model with scores of its own.
    refused : classes left out, since the model reads nothing of a prompt of theirs.
    unknown : words of the prompts that the model does not know, each once.
    cut : how many of the prompts are longer than the model reads.
    """

    classes: tuple[str, ...]
    templates: tuple[str, ...]
    texts: tuple[tuple[str, ...], ...]
    vectors: np.ndarray | None
    refused: tuple[Refusal, ...] = ()
    unknown: tuple[str, ...] = ()
    cut: int = 0

    @cached_property
    def ensemble(self) -> np.ndarray:
        """(k, d) float32 unit: the mean of the templates of each class; ShapeError without vectors."""
        return self.mean(range(len(self.templates)))

    def mean(self, which: Sequence[int]) -> np.ndarray:
        """(k, d) float32 unit: the mean of some of the templates; ShapeError without vectors."""
        if self.vectors is None:
            raise ShapeError("a model that places prompts on the sphere", "one with scores of its own")
        return class_vectors(list(self.vectors[list(which)].transpose(1, 0, 2)))

    def logits(self, model: Encoder, images: EmbeddingSet, which: Sequence[int] | None = None) -> np.ndarray:
        """(n, k) float32: log scores of the classes for images, as the model itself has them, of all or some templates.

        A model with scores of its own has the mean of its log scores over the templates; the others the scaled cosine
        to the mean of the unit vectors.
        """
        which = range(len(self.templates)) if which is None else which
        if self.vectors is None:
            parts = [model.logits(images.vectors, images.norms, list(self.texts[t])) for t in which]
            return np.asarray(np.mean(parts, axis=0, dtype=np.float64), dtype=np.float32)
        places = self.ensemble if len(which) == len(self.templates) else self.mean(which)
        return np.asarray(np.float32(model.logit_scale) * (images.vectors @ places.T), dtype=np.float32)


def encode_classes(model: Encoder, classes: Classes, templates: Sequence[str], *, on_progress: Progress | None = None,
                   should_stop: Stop | None = None) -> ClassTexts:
    """The prompts of classes, as the model reads them.

    Parameters
    ----------
    model : that scores the images.
    classes : one or more.
    templates : one or more, with {} for the class.
    on_progress, should_stop : told the share done; asked between batches.

    Raises
    ------
    ShapeError
        If there is no class or template, more than 50,000 texts (10,000 on a hosted server), or the model reads none of
        the classes.
    Cancelled
        When ``should_stop`` says so.
    """
    if not len(classes) or not templates:
        raise ShapeError("a class and a template or more", f"{len(classes)} and {len(templates)}",
                         "Write a class a line.")
    most = MOST_TEXTS_HOSTED if settings().hosted else MOST_TEXTS
    if len(classes) * len(templates) > most:
        raise ShapeError(f"at most {most:,} prompts (classes times templates)",
                         f"{len(classes):,} times {len(templates)}", "Take fewer templates or fewer classes.")
    texts = [[template.replace("{}", called) for called in classes.called] for template in templates]
    unread: dict[int, str] = {}
    for row in texts:
        unread |= model.unread(row)
    kept = [k for k in range(len(classes)) if k not in unread]
    refused = tuple(Refusal(classes.labels[k], reason) for k, reason in sorted(unread.items()))
    if not kept:
        raise ShapeError("a class that the model knows", f"none of {len(classes):,}; the first, "
                         f"{refused[0].name[:80]}: {refused[0].reason}", "Call the classes by words that it knows.")
    asked = tuple(tuple(row[k] for k in kept) for row in texts)
    flat = [text for row in asked for text in row]
    unknown = dict.fromkeys(word for text in flat for word in model.unknown_words(text))
    vectors, parts = None, []
    if math.isfinite(model.logit_scale):
        for start in range(0, len(flat), BATCH):
            if should_stop is not None and should_stop():
                raise Cancelled(f"{start:,} of {len(flat):,} prompts")
            if on_progress is not None:
                on_progress(start / len(flat), f"Encoding prompts: {start:,} of {len(flat):,}")
            parts.append(unit(model.encode_texts(flat[start:start + BATCH])))
        vectors = np.concatenate(parts).reshape(len(templates), len(kept), -1)
    return ClassTexts(tuple(classes.labels[k] for k in kept), tuple(templates), asked, vectors, refused, tuple(unknown),
                      int(model.truncated(flat).sum()))


def truth_of(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """(n,) int64: the class of each label; -1 for a label that is none."""
    place = {name: k for k, name in enumerate(classes)}
    return np.array([place.get(" ".join(label.split()), -1) for label in labels], dtype=np.int64)
