"""What the Modality Gap page measures: pairs of what is open, classes of its images, and what is odd about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from core.geometry.pairs import Classes, Pairs
from core.streamlit_app import cached, state
from core.streamlit_app.data.classes import TEMPLATE, class_columns, labels_as_classes, labels_of, prompt_of
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.types import fingerprint

MOST_POINTS = 10_000
_NO_CLASSES = "none"


@dataclass(frozen=True, eq=False)
class Side:
    """One of two items whose cosine is explained: what it is called, its vector, and its row in the data or None."""

    name: str
    vector: np.ndarray
    row: int | None = None


@dataclass(frozen=True, eq=False)
class GapData:
    """What is measured.

    Attributes
    ----------
    ready : what is open, or a sample of it.
    pairs : its vectors, links and classes.
    column : of the labels that are the classes, "" without.
    prompts : that the class vectors are of, in the order of the classes.
    """

    ready: Ready
    pairs: Pairs
    column: str = ""
    prompts: tuple[str, ...] = ()

    @cached_property
    def key(self) -> str:
        """Fingerprint of the vectors, links and classes."""
        classes = self.pairs.classes
        parts = [] if classes is None else [classes.names, np.asarray(classes.vectors), classes.truth]
        return fingerprint("gap", self.ready.key, *parts)


def gap_pairs(ready: Ready, classes: Classes | None = None) -> Pairs:
    """Images and texts of what is open, and which belong together; both modalities must be there."""
    assert ready.images is not None and ready.texts is not None
    return Pairs(ready.images.vectors, ready.texts.vectors, ready.links, classes)


def lacks(ready: Ready) -> str:
    """Why there is no gap to measure here, in a sentence; empty where both modalities are there."""
    counts = [0 if part is None else len(part) for part in (ready.images, ready.texts)]
    if min(counts) >= 2:
        return ""
    here = " and ".join(f"{n:,} {noun}{'' if n == 1 else 's'}" for n, noun in zip(counts, ("image", "text")))
    missing = "images and texts" if max(counts) < 2 else "texts" if counts[1] < 2 else "images"
    return (f"A gap lies between two clouds, images and texts; here are {here}. Add {missing}: a caption table, text "
            f"files beside the photos, or vectors of both modalities. The built-in world has both.")


def with_classes(settings: Settings, data: GapData) -> GapData:
    """The same data with the classes that the visitor chooses."""
    classes, column, prompts = _pick_classes(settings, data.ready)
    return replace(data, pairs=gap_pairs(data.ready, classes), column=column, prompts=prompts)


def _pick_classes(settings: Settings, ready: Ready) -> tuple[Classes | None, str, tuple[str, ...]]:
    """Classes for zero-shot accuracy from a column of labels that the visitor chooses; the column and its prompts."""
    columns = class_columns(ready)
    if not columns:
        return None, "", ()
    options = {_NO_CLASSES: "none"} | {column: column for column in columns}
    first = next((column for column in columns if ready.opened.built_in and column == "style"), _NO_CLASSES)
    column = state.pick_option("Classes for zero-shot", options, key="classes", default=first,
                               help="A column of labels. Each label becomes a prompt; an image is right where its own "
                                    "label's prompt is the nearest. " + ("The world's own words are used."
                                    if ready.opened.built_in else f"The prompt is “{TEMPLATE.format('label')}”."))
    if column == _NO_CLASSES:
        return None, "", ()
    names, truth = labels_as_classes(labels_of(ready, column))
    prompts = tuple(prompt_of(column, name, built_in=ready.opened.built_in) for name in names)
    encoder = cached.encoder(settings.model_id)
    vectors = cached.prompt_vectors(encoder.spec.fingerprint, prompts, settings.model_id)
    return Classes(names, vectors, truth), column, prompts


def what_is_odd(pairs: Pairs) -> list[str]:
    """What a reader of the numbers has to know about the pairs, a sentence each."""
    n, m, p = len(pairs.images), len(pairs.texts), len(pairs.links)
    said = [] if p else [
        f"Nothing says which of the {n:,} images belongs to which of the {m:,} texts: clouds, means and spreads are "
        f"measured, and what needs pairs (retrieval, alignment, loss, closing) is left out."]
    texts_of, images_of = (np.bincount(pairs.links[:, side], minlength=size) for side, size in ((0, n), (1, m)))
    alone = [f"{count:,} {noun}{'' if count == 1 else 's'}" for count, noun in
             ((int((texts_of == 0).sum()), "image"), (int((images_of == 0).sum()), "text")) if count and p]
    if alone:
        said.append(f"{' and '.join(alone)} without a partner: counted in clouds and galleries, not among queries.")
    if texts_of.max() > 1:
        said.append(f"Images have up to {texts_of.max():,} texts each: any of them is a right answer, and intervals "
                    f"leave out an image with all its texts.")
    if images_of.max() > 1:
        everything = " (one text belongs to every image)" if images_of.max() == n else ""
        said.append(f"Texts belong to up to {images_of.max():,} images each{everything}: any of these is a right "
                    f"answer.")
    for name, x in (("images", pairs.images), ("texts", pairs.texts)):
        copies = len(x) - len({row.tobytes() for row in x})
        if copies:
            said.append(f"{copies:,} of the {len(x):,} {name} {'is' if copies == 1 else 'are'} a copy of another, "
                        f"with the very same vector: among copies, retrieval counts what chance would give.")
    return said
