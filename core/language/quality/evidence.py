"""Every finding that can be made of what is looked at: the page and the commands find the same, through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from core.errors import ShapeError, check_choice
from core.geometry.quality.finding import Finding
from core.language.quality.looked import Looked, Progress, Stop
from core.types import Modality


class Find(Protocol):
    """Makes a finding of what is looked at."""

    def __call__(self, looked: Looked, *, seed: int, on_progress: Progress | None,
                 should_stop: Stop | None) -> Finding: ...


@dataclass(frozen=True)
class Kind:
    """A kind of finding.

    Attributes
    ----------
    title : what an item is that it flags, in the plural.
    explanation : what is looked for, and how.
    of : modality of the items.
    lacks : why it cannot be looked for, as a sentence; "" where it can.
    find : looks for it.
    """

    title: str
    explanation: str
    of: Modality
    lacks: Callable[[Looked], str]
    find: Find


def find(looked: Looked, key: str, *, seed: int = 0, on_progress: Progress | None = None,
         should_stop: Stop | None = None) -> Finding:
    """The finding of a kind, made once for what is looked at.

    Raises
    ------
    ChoiceError
        If there is no such kind.
    ShapeError
        If something is lacking for it.
    Cancelled
        If ``should_stop`` says so.
    """
    check_choice("a finding", key, KINDS)
    kind, place = KINDS[key], ("finding", key, seed)
    if place not in looked.memory:
        lacking = kind.lacks(looked)
        if lacking:
            raise ShapeError(f"data in which {kind.title.lower()} can be looked for", looked.name, lacking)
        looked.memory[place] = kind.find(looked, seed=seed, on_progress=on_progress, should_stop=should_stop)
    return looked.memory[place]  # type: ignore[return-value]


def possible(looked: Looked) -> tuple[str, ...]:
    """Keys of the findings for which nothing is lacking."""
    return tuple(key for key, kind in KINDS.items() if not kind.lacks(looked))


def _lacks(*needs: str) -> Callable[[Looked], str]:
    def lacks(looked: Looked) -> str:
        there = {
            "images": looked.items.n_images > 0, "two images": looked.items.n_images > 1,
            "captions": looked.items.n_texts > 0,
            "pairs": len(looked.items.links) > 1,
            "pictures": looked.pictures is not None and bool((looked.places >= 0).any()),
            "labels": len(set(looked.items.labels) - {""}) > 1, "splits": len(set(looked.items.splits) - {""}) > 1,
            "a model": bool(looked.prompts_by),
        }
        return next((_LACKING[need] for need in needs if not there[need]), "")

    return lacks


_LACKING = {
    "images": "There are no images.",
    "two images": "There are fewer than two images.",
    "captions": "There are no captions.",
    "pairs": "There are fewer than two captions that belong to an image.",
    "pictures": "Only vectors are known, and no pictures of them.",
    "labels": "There are no labels of two classes or more.",
    "splits": "There are no splits, such as train and test.",
    "a model": "No model is at hand that encodes the names of classes.",
}


def _copies(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.copies import near_copies

    assert looked.items.images is not None
    near = looked.neighbours(seed=seed, on_progress=on_progress, should_stop=should_stop)
    return near_copies(looked.items.images, hashes=looked.hashes or None, neighbours=near, seed=seed,
                       on_progress=on_progress, should_stop=should_stop)


def _leaks(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.copies import Copies, leaks

    found = find(looked, "copies", seed=seed, on_progress=on_progress, should_stop=should_stop)
    assert isinstance(found, Copies)
    return leaks(found, looked.items.splits)


def _outliers(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.outliers import outlying

    assert looked.items.images is not None
    near = looked.neighbours(seed=seed, on_progress=on_progress, should_stop=should_stop)
    return outlying(looked.items.images, neighbours=near, seed=seed)


def _mismatched(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.captions import mismatched

    return mismatched(looked.items, seed=seed)


def _mislabelled(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.mislabels import mislabelled

    assert looked.items.images is not None
    return mislabelled(looked.items.images, looked.items.labels, seed=seed)


def _said(key: str) -> Find:
    def find_it(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
        from core.language.quality.texts import findings_of

        if "texts" not in looked.memory:
            looked.memory["texts"] = findings_of(looked.captions)
        return looked.memory["texts"][key]  # type: ignore[index]

    return find_it


KINDS: dict[str, Kind] = {
    "copies": Kind("Copies", "Images that are the same, or nearly, as another one.", "image", _lacks("two images"),
                   _copies),
    "leaks": Kind("Leaks", "Images with a copy in another split.", "image", _lacks("two images", "splits"), _leaks),
    "outliers": Kind("Outliers", "Images far from their nearest others.", "image", _lacks("two images"), _outliers),
    "captions": Kind("Mismatched captions", "Captions that fit their image no better than another one's.", "text",
                     _lacks("images", "pairs"), _mismatched),
    "labels": Kind("Suspect labels", "Images that a classifier, trained on the others, gives another label.", "image",
                   _lacks("two images", "labels"), _mislabelled),
    "repeated": Kind("Repeated captions", "Captions that stand more than once.", "text", _lacks("captions"),
                     _said("repeated")),
    "short": Kind("Short captions", "Captions of few words.", "text", _lacks("captions"), _said("short")),
    "long": Kind("Long captions", "Captions of many words.", "text", _lacks("captions"), _said("long")),
}

SUGGESTING = ("labels",)
"""Kinds whose finding suggests another label for an image."""
