"""Texts of sentences, and the other captions whose mean score is subtracted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from core.attention.towers import ImageTower
from core.errors import Cancelled, ShapeError
from core.geometry.directions import unit
from core.sources.foveal.boxed import BoxedPictures

OTHERS = ("a thing", "an object", "a red thing", "a blue thing", "a green thing", "a yellow thing")
FROM_FILE = 64
BATCH = 256


def told(sentence: str, template: str) -> str:
    """A sentence as it is told to the model; raises ShapeError where the template has no {}."""
    if "{}" not in template:
        raise ShapeError("a template with {} where the sentence stands", repr(template))
    return template.replace("{}", sentence)


def text_vectors(tower: ImageTower, sentences: Collection[str], template: str = "{}",
                 should_stop: Callable[[], bool] | None = None) -> dict[str, np.ndarray]:
    """(d,) float32 unit vectors of sentences, by the sentence; a request to stop raises Cancelled."""
    names = sorted(set(sentences))
    out: dict[str, np.ndarray] = {}
    for start in range(0, len(names), BATCH):
        if should_stop is not None and should_stop():
            raise Cancelled(f"{start:,} of {len(names):,} sentences")
        some = names[start:start + BATCH]
        out |= dict(zip(some, unit(tower.encoder.encode_texts([told(s, template) for s in some]))))
    return out


def others_of(data: BoxedPictures, given: Sequence[str] | None = None, *, seed: int = 0) -> list[list[str]]:
    """The other captions of each sentence, whose mean score is subtracted from its own.

    Those given; else the other sentences of its picture; where it has none, so many of the file; where the file has
    none, OTHERS. Which box a sentence means is not looked at, and a caption like the sentence itself is left out.

    Parameters
    ----------
    data : pictures with sentences.
    given : captions in place of these.
    seed : of the choice among the sentences of the file, at most FROM_FILE.

    Returns
    -------
    One list a sentence.
    """
    in_file = sorted({r.sentence for r in data.references})
    if len(in_file) > FROM_FILE:
        picked = np.random.default_rng(seed).choice(len(in_file), FROM_FILE, replace=False)
        in_file = [in_file[i] for i in sorted(picked)]
    out = []
    for reference in data.references:
        beside = dict.fromkeys(data.references[r].sentence for r in data.of_picture[reference.picture])
        lists = [given] if given else [list(beside), in_file, OTHERS]
        left = ([t for t in some if t != reference.sentence] for some in lists)
        out.append(next((some for some in left if some), []))
    return out
