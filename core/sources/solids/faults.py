"""Faults planted into a dataset of images with captions, so that one knows what should be found and what it does.

Faults are planted one upon another. What was touched is named in the column ``fault`` of its table, the names parted by
a comma; what was there before stands beside it: ``caption_before`` and ``wrong_attribute`` of a text, ``true_label`` of
an image, and of copies ``copy_of``, the id of the original, and ``copied_by``, how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.errors import ShapeError, check_choice
from core.sources.solids.alterations import Alteration, AlteredImages
from core.sources.solids.copies import HARSH, MILD, copies_in_groups, duplicates, leaks
from core.sources.solids.touched import chosen, column, flagged
from core.sources.solids.wrong_attributes import said_in, with_one_wrong
from core.types import Dataset, as_ids


def _wrong_captions(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the captions trade places; what finds its own words again is not wrong."""
    still = np.flatnonzero(column(data.text_table, "caption_before") == "")
    rows, texts = still[chosen(len(still), share, seed)], list(data.texts)
    for a, b in zip(rows, np.roll(rows, 1)):
        texts[a] = data.texts[b]
    return _said_anew(data, texts, "wrong captions", {})


def _wrong_attributes(data: Dataset, share: float, seed: int) -> Dataset:
    """In a share of the captions one attribute is another; only captions in the words of the world can be chosen."""
    before = column(data.text_table, "caption_before")
    can = np.array([i for i, text in enumerate(data.texts) if not before[i] and said_in(text)], dtype=np.int64)
    if not len(can):
        raise ShapeError("captions with words of the built-in world, such as its colours", "none that is still right",
                         "Plant wrong captions instead.")
    rng, texts, attributes = np.random.default_rng((seed, 1)), list(data.texts), {}
    for row in can[chosen(len(can), share, seed)].tolist():
        changed = with_one_wrong(texts[row], rng)
        assert changed is not None
        texts[row], attributes[row] = changed
    return _said_anew(data, texts, "wrong attributes", attributes)


def _said_anew(data: Dataset, texts: list[str], fault: str, attributes: Mapping[int, str]) -> Dataset:
    rows = np.array([i for i, text in enumerate(texts) if text != data.texts[i]], dtype=np.int64)
    columns: dict[str, Sequence[str]] = {"caption_before": [data.texts[i] for i in rows]}
    if attributes:
        columns["wrong_attribute"] = [attributes[i] for i in rows.tolist()]
    return replace(data, texts=tuple(texts), text_table=flagged(data.text_table, fault, rows, **columns))


def _wrong_labels(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the images with a label get another one, each of the others as likely; their captions' tables too."""
    labels, before = column(data.image_table, "label"), column(data.image_table, "true_label")
    have = np.flatnonzero([str(label) != "" and old == "" for label, old in zip(labels, before)])
    names = sorted(set(labels[have]), key=str)
    if len(names) < 2:
        raise ShapeError("two labels or more", str(len(names)))
    rng, rows = np.random.default_rng((seed, 1)), have[chosen(len(have), share, seed)]
    kept = list(labels[rows])
    for row in rows:
        others = [name for name in names if name != labels[row]]
        labels[row] = others[int(rng.integers(len(others)))]
    images = flagged(data.image_table.assign(label=labels), "wrong labels", rows, true_label=kept)
    texts = data.text_table
    if "label" in texts:
        of_texts = column(texts, "label")
        touched = data.links[np.isin(data.links[:, 0], rows)]
        of_texts[touched[:, 1]] = labels[touched[:, 0]]
        texts = texts.assign(label=of_texts)
    return replace(data, image_table=images, text_table=texts)


def _take(data: Dataset, images: np.ndarray) -> Dataset:
    """The dataset of some images, in this order and as often as they are named, with their captions."""
    assert data.images is not None
    captions: dict[int, list[int]] = {}
    for image, text in data.links:
        captions.setdefault(int(image), []).append(int(text))
    texts = [t for i in images for t in captions.get(int(i), [])]
    counts = [len(captions.get(int(i), [])) for i in images]
    links = np.stack([np.repeat(np.arange(len(images)), counts), np.arange(len(texts))], 1)
    return replace(data, image_ids=as_ids([data.image_ids[i] for i in images]),
                   images=AlteredImages(data.images, images, {}), text_ids=as_ids([data.text_ids[t] for t in texts]),
                   texts=tuple(data.texts[t] for t in texts), links=links,
                   image_table=data.image_table.iloc[images].reset_index(drop=True),
                   text_table=data.text_table.iloc[texts].reset_index(drop=True))


def _other_world(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the pictures are of another world; the captions that stay with them are wrong now."""
    more = _altered("other world", 1.0)(data, share, seed)
    gone = np.flatnonzero(more.image_table["fault"].to_numpy() != column(data.image_table, "fault"))
    texts = data.links[np.isin(data.links[:, 0], gone), 1]
    return replace(more, text_table=flagged(data.text_table, "other world", np.unique(texts)))


def _altered(kind: str, amount: float) -> Callable[[Dataset, float, int], Dataset]:
    def plant(data: Dataset, share: float, seed: int) -> Dataset:
        assert data.images is not None
        rows = chosen(len(data.image_ids), share, seed)
        images = AlteredImages(data.images, np.arange(len(data.images)),
                               {int(i): Alteration(kind, amount, seed) for i in rows})
        return replace(data, images=images, image_table=flagged(data.image_table, kind, rows))

    return plant


def _imbalance(data: Dataset, rate: float, seed: int) -> Dataset:
    """Class k of the labels, in a seeded order, keeps exp(-rate k) of its images."""
    if rate < 0:
        raise ShapeError("a rate of at least 0", str(rate))
    rng = np.random.default_rng(seed)
    labels = data.image_table["label"].to_numpy()
    kept: list[int] = []
    for k, label in enumerate(rng.permutation(np.unique(labels))):
        members = rng.permutation(np.flatnonzero(labels == label))
        kept.extend(members[: max(1, round(len(members) * np.exp(-rate * k)))].tolist())
    return _take(data, np.sort(kept))


def _missing_classes(data: Dataset, share: float, seed: int) -> Dataset:
    """A share of the labels is left out altogether."""
    labels = data.image_table["label"].to_numpy()
    names = np.unique(labels)
    gone = names[chosen(len(names), share, seed)]
    return _take(data, np.flatnonzero(~np.isin(labels, gone)))


FAULTS: dict[str, Callable[[Dataset, float, int], Dataset]] = {
    "imbalance": _imbalance,
    "missing classes": _missing_classes,
    "other world": _other_world,
    "blur": _altered("blur", 0.03),
    "noise": _altered("noise", 0.25),
    "dark": _altered("dark", 0.12),
    "bright": _altered("bright", 0.12),
    "flat": _altered("flat", 0.08),
    "grey": _altered("grey", 1.0),
    "tiny": _altered("tiny", 0.2),
    "strip": _altered("strip", 0.2),
    "wrong labels": _wrong_labels,
    "wrong captions": _wrong_captions,
    "wrong attributes": _wrong_attributes,
    "duplicates": duplicates,
    "near duplicates": copies_in_groups("near duplicates", MILD),
    "harsh duplicates": copies_in_groups("harsh duplicates", HARSH),
    "leaks": leaks,
}


def plant(data: Dataset, fault: str, strength: float, seed: int = 0) -> Dataset:
    """The dataset with a fault. Faults can be planted one upon another; what is wrong already is not made wrong again.

    Parameters
    ----------
    data : images, with captions and a column ``label`` where the fault needs them.
    fault : a key of FAULTS.
    strength : share of the items in [0, 1]: of images or captions that are touched, of copies added to all images, of
        classes left out; for imbalance the rate, >= 0, of the exponential fall over classes.
    seed : which items.

    Returns
    -------
    A dataset; what was touched is named in a column ``fault`` where items are still there to be named.

    Raises
    ------
    ChoiceError, ShapeError
        If the fault is unknown, the strength out of range, or images or labels are missing.
    """
    check_choice("fault", fault, FAULTS)
    if data.images is None:
        raise ShapeError("a dataset with images", f"{data.name}, which has texts alone")
    if fault in ("imbalance", "missing classes", "wrong labels") and "label" not in data.image_table:
        raise ShapeError("a column label", f"columns {', '.join(map(str, data.image_table.columns))}")
    return FAULTS[fault](data, strength, seed)


def plant_all(data: Dataset, faults: Mapping[str, float], seed: int = 0) -> Dataset:
    """The dataset with several faults, in the order of FAULTS: what is copied is copied with the faults it has.

    Parameters
    ----------
    data, seed : as `plant` takes them; each fault draws items of its own.
    faults : strength by key of FAULTS.
    """
    for fault in faults:
        check_choice("fault", fault, FAULTS)
    for i, fault in enumerate(FAULTS):
        if fault in faults:
            data = plant(data, fault, faults[fault], seed + 7919 * i)
    return data
