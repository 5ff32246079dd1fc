"""Every finding that can be made of what is looked at: the page and the commands find the same, through here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from core.errors import ShapeError, check_choice
from core.geometry.quality.finding import Finding
from core.language.quality.looked import Looked, Progress, Stop
from core.types import Modality

if TYPE_CHECKING:
    from core.geometry.quality.pixels import Measures
    from core.language.quality.labels import JudgedLabels


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
        with looked.alone(should_stop):
            if place not in looked.memory:
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
            "words": looked.items.n_texts > 0 and looked.has_words,
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
    "words": "There are no captions of which the words are known.",
    "pairs": "There are fewer than two captions that belong to an image.",
    "pictures": "Only vectors are known, and no pictures of them.",
    "labels": "There are no labels of two classes or more.",
    "splits": "There are no splits, such as train and test.",
    "a model": "No model is at hand that encodes the names of classes.",
}


def _copies(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.copies import near_copies
    from core.geometry.quality.likeness import SIDE
    from core.sources.images.small import small_pictures

    assert looked.items.images is not None
    near = looked.neighbours(seed=seed, on_progress=on_progress, should_stop=should_stop)
    pictures = looked.pictures

    def looks(rows: np.ndarray) -> np.ndarray:
        assert pictures is not None
        return small_pictures(pictures, looked.places[rows].tolist(), SIDE, on_progress=on_progress,
                              should_stop=should_stop)

    return near_copies(looked.items.images, hashes=looked.hashes or None, neighbours=near,
                       looks=None if pictures is None or not (looked.places >= 0).any() else looks, seed=seed,
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
    return outlying(looked.items.images, neighbours=near, seed=seed, on_progress=on_progress, should_stop=should_stop)


def _mismatched(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    from core.geometry.quality.captions import mismatched

    return mismatched(looked.items, seed=seed, on_progress=on_progress, should_stop=should_stop)


def _mislabelled(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
    return judged(looked, seed=seed, on_progress=on_progress, should_stop=should_stop).best


def judged(looked: Looked, *, seed: int = 0, on_progress: Progress | None = None,
           should_stop: Stop | None = None) -> JudgedLabels:
    """Likely mislabels by each judge, found once; the finding "labels" is that of the best."""
    from core.encoding.models import load_model
    from core.language.quality.labels import judge_labels

    assert looked.items.images is not None
    place = "judged", seed
    if place not in looked.memory:
        model = load_model(looked.prompts_by) if looked.prompts_by else None
        looked.memory[place] = judge_labels(
            looked.items.images, looked.items.labels, model=model,
            lengths=looked.norms if len(looked.norms) else None, seed=seed, on_progress=on_progress,
            should_stop=should_stop)
    return looked.memory[place]  # type: ignore[return-value]


def _said(key: str) -> Find:
    def find_it(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
        from core.encoding.models import load_model
        from core.language.quality.texts import findings_of

        if "texts" not in looked.memory:
            model = load_model(looked.prompts_by) if looked.prompts_by else None
            looked.memory["texts"] = findings_of(
                looked.captions, tokens=None if model is None else model.token_counts(looked.captions),
                limit=None if model is None else model.context_length)
        return looked.memory["texts"][key]  # type: ignore[index]

    return find_it


def pixels(looked: Looked, *, on_progress: Progress | None = None, should_stop: Stop | None = None) -> Measures:
    """What is measured of the picture of each image, once; NaN where there is none or it cannot be read."""
    from core.geometry.quality.pixels import NUMBERS, Measures
    from core.sources.images.readers import ChosenImages
    from core.sources.quality.pixels import measure_pixels

    if "pixels" not in looked.memory:
        assert looked.pictures is not None
        rows = np.flatnonzero(looked.places >= 0)
        found = measure_pixels(ChosenImages([(looked.pictures, int(looked.places[row])) for row in rows]),
                               [looked.image_ids[row] for row in rows], on_progress=on_progress,
                               should_stop=should_stop)
        columns = {name: np.full(len(looked.places), np.nan, np.float32) for name in NUMBERS}
        for name, values in columns.items():
            values[rows] = getattr(found, name)
        looked.memory["pixels"] = Measures(looked.image_ids, **columns, refused=found.refused)
    return looked.memory["pixels"]  # type: ignore[return-value]


def _seen(key: str) -> Find:
    def find_it(looked: Looked, *, seed: int, on_progress: Progress | None, should_stop: Stop | None) -> Finding:
        from core.geometry.quality.pixels import findings_of

        measured = pixels(looked, on_progress=on_progress, should_stop=should_stop)
        if "of pixels" not in looked.memory:
            looked.memory["of pixels"] = findings_of(measured)
        return looked.memory["of pixels"][key]  # type: ignore[index]

    return find_it


def _pixel_kind(key: str, title: str, explanation: str) -> Kind:
    return Kind(title, explanation, "image", _lacks("pictures"), _seen(key))


KINDS: dict[str, Kind] = {
    "copies": Kind("Copies", "Images that are the same, or nearly, as another one.", "image", _lacks("two images"),
                   _copies),
    "leaks": Kind("Leaks", "Images with a copy in another split.", "image", _lacks("two images", "splits"), _leaks),
    "outliers": Kind("Outliers", "Images far from their nearest others.", "image", _lacks("two images"), _outliers),
    "captions": Kind("Mismatched captions", "Captions that fit their image less than is usual here, and hardly "
                     "better than near ones do.", "text", _lacks("images", "pairs"), _mismatched),
    "labels": Kind("Suspect labels", "Images whose label is unlikely by a model fitted on the others, or by texts of "
                   "the classes.", "image", _lacks("two images", "labels"), _mislabelled),
    "blur": _pixel_kind("blur", "Blurred images", "Pictures whose sharpest edges are wide, beside those of the set."),
    "dark": _pixel_kind("dark", "Dark images", "Pictures whose brightest parts are dark."),
    "bright": _pixel_kind("bright", "Bright images", "Pictures that are nearly white throughout."),
    "low_information": _pixel_kind("low_information", "Images of little contrast",
                                   "Pictures of nearly one tone."),
    "grey": _pixel_kind("grey", "Grey images", "Pictures with hardly any colour, in a set of coloured ones."),
    "odd_size": _pixel_kind("odd_size", "Images of odd size", "Pictures much smaller or larger than is usual here."),
    "odd_aspect": _pixel_kind("odd_aspect", "Images of odd shape",
                              "Pictures much wider than high, or higher than wide."),
    "repeated": Kind("Repeated captions", "Captions that stand more than once.", "text", _lacks("words"),
                     _said("repeated")),
    "short": Kind("Short captions", "Captions of few words.", "text", _lacks("words"), _said("short")),
    "long": Kind("Long captions", "Captions longer than the model reads, or than the others.", "text",
                 _lacks("words"), _said("long")),
}

SUGGESTING = ("labels",)
"""Kinds whose finding suggests another label for an image."""
