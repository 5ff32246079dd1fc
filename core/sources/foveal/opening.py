"""Files of boxes and sentences, and the pictures that they speak of, as one value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core.errors import SourceError
from core.sources.archives import clean
from core.sources.foveal.boxed import MOST_BOXES, BoxedPictures, Reference
from core.sources.foveal.rows import Annotation, Catalogue, File, Row, catalogue_of, read_rows, row_of, tell
from core.sources.images.opening import local_path, open_given
from core.sources.images.readers import ChosenImages
from core.sources.tables.captions import match_names
from core.types import Dataset, Refusal, as_ids

COCO_NAMES = ("COCO_train2014_{:0>12}.jpg", "COCO_val2014_{:0>12}.jpg", "{:0>12}.jpg")
MOST_OF_A_PICTURE = 400     # sentences
Root = str | Path | bytes | Dataset | None


def open_boxed(files: File | Sequence[File], images: Root = None, *, split: str | None = None) -> BoxedPictures:
    """Pictures with boxes, and sentences that each mean one of them.

    Parameters
    ----------
    files
        Paths, or (name, bytes) of uploads, in any order: references as RefCOCO has them (JSON: a list of objects with
        ann_id, image_id, file_name, sentences with sent or raw, split) beside COCO instances (JSON: images,
        annotations with bbox as left, top, width, height, categories); references that carry their boxes (anns with id
        and bbox), one object a line, as ReCLIP writes them; or COCO instances alone: then a sentence is the name of
        each category that a picture of two annotations or more has once.
    images
        Where the pictures are: a folder, a zip (path or bytes), or a dataset opened before; by default the folder of
        the first file. They are found by file_name, with or without RefCOCO's running number, or by COCO's names of an
        image_id.
    split
        Rows of this split alone, as the file calls it ("val", "testA", ...); None for all.

    Returns
    -------
    BoxedPictures. Bad rows, boxes and missing pictures are in ``refused``. Boxes out of their pictures are found when
    these are looked at, by `core.attention.foveal.referring.refer`.

    Raises
    ------
    SourceError
        If a file is none of these, a pickle, or over the budget, or no sentence is left, with the first reason.
    """
    given = [files] if isinstance(files, str | Path) or _is_upload(files) else list(files)
    refused: list[Refusal] = []
    notices: list[str] = []
    values: list[tuple[str, object]] = []
    catalogue: Catalogue | None = None
    names = []
    for file in given:
        rows, instances, name, notice = read_rows(file)     # type: ignore[arg-type]
        names.append(name)
        notices += [notice] if notice else []
        values += [(f"{where} of {name}", value) for where, value in rows]
        if instances is not None:
            if catalogue is not None:
                raise SourceError("one file of COCO instances", "two of them", "Open them one after the other.")
            catalogue = catalogue_of(instances, name, refused)
    asked = _asked(values, split, refused) if values else []
    if values and not asked and split is not None:
        raise SourceError(f"references of the split {split}", f"splits {_splits(values)}", "Choose one of these.")
    found = _pictures(asked, catalogue, refused) if values else _of_categories(catalogue or Catalogue())
    if catalogue is not None and catalogue.crowds:
        notices.append(f"{catalogue.crowds:,} crowds (iscrowd) are left out: none is a single thing.")
    return _with_images(found, _root(images, given), names, refused, notices)


class _Picture:
    """A picture to be: names its file may have, boxes, and (sentence, row of the box) pairs."""

    def __init__(self, names: Sequence[str], annotations: Sequence[Annotation]) -> None:
        self.names = [name for name in dict.fromkeys(names) if name]
        self.annotations = list(annotations)
        self.said: list[tuple[str, int]] = []


def _is_upload(files: object) -> bool:
    return isinstance(files, tuple) and len(files) == 2 and isinstance(files[1], bytes)


def _asked(values: Sequence[tuple[str, object]], split: str | None, refused: list[Refusal]) -> list[Row]:
    rows = []
    for where, value in values:
        if isinstance(value, Exception):
            tell(refused, where, f"it is not JSON ({str(value)[:200]})")
            continue
        row = row_of(where, value)
        if isinstance(row, str):
            tell(refused, where, row)
        elif split is None or row.split == split:
            rows.append(row)
    return rows


def _splits(values: Sequence[tuple[str, object]]) -> str:
    found = sorted({str(v.get("split", "none")) for _, v in values if isinstance(v, dict)})
    return ", ".join(found[:8]) or "none"


def _pictures(rows: Sequence[Row], catalogue: Catalogue | None, refused: list[Refusal]) -> list[_Picture]:
    out: dict[tuple[object, ...], _Picture] = {}
    for row in rows:
        own = row.annotations
        if own is None and catalogue is None:
            tell(refused, row.where, "it carries no boxes (anns), and no COCO instances were given that do")
            continue
        if own is None and catalogue is not None:
            if row.image not in catalogue.files:
                tell(refused, row.where, f"its image_id {row.image[:40]} is not among the instances")
                continue
            own = tuple(catalogue.annotations.get(row.image, ()))
        own = own or ()
        for key, why in row.bad.items():
            tell(refused, f"{row.where}, annotation {key[:40]}", why)
        gold = next((i for i, a in enumerate(own) if a.id == row.gold), None)
        if gold is None:
            bad = row.bad.get(row.gold) or (catalogue.bad.get((row.image, row.gold)) if catalogue else None)
            tell(refused, row.where, f"the box that is meant, {row.gold[:40]}, "
                 + (f"cannot be used: {bad}" if bad else "is not among those of its picture"))
            continue
        if len(own) > MOST_BOXES:
            tell(refused, row.where, f"its picture has {len(own):,} boxes; at most {MOST_BOXES} are read")
            continue
        of = (row.image or row.file, own)
        if len(out[of].said if of in out else ()) + len(row.sentences) > MOST_OF_A_PICTURE:
            tell(refused, row.where, f"its picture has over {MOST_OF_A_PICTURE} sentences; no more are read")
            continue
        if of not in out:
            out[of] = _Picture(list(_names(row, catalogue)), own)
        out[of].said += [(sentence, gold) for sentence in row.sentences]
    return list(out.values())


def _names(row: Row, catalogue: Catalogue | None) -> Iterator[str]:
    """What the file of a row's picture may be called, the likeliest first."""
    yield catalogue.files.get(row.image, "") if catalogue else ""
    yield row.file
    yield re.sub(r"_\d{1,6}(\.\w+)$", r"\1", row.file) if row.file.count("_") > 2 else ""
    if row.image.isascii() and row.image.isdigit():
        yield from (name.format(row.image) for name in COCO_NAMES)


def _of_categories(catalogue: Catalogue) -> list[_Picture]:
    """Names of categories that a picture of two annotations or more has once."""
    out = []
    for image, own in catalogue.annotations.items():
        if not 2 <= len(own) <= MOST_BOXES:
            continue
        named = Counter(a.category for a in own)
        picture = _Picture([catalogue.files[image]], own)
        picture.said = [(a.category, i) for i, a in enumerate(own) if a.category and named[a.category] == 1]
        if picture.said:
            out.append(picture)
    return out


def _root(images: Root, files: Sequence[object]) -> Dataset:
    if images is not None:
        return open_given(images)
    first = files[0] if files else None
    if not isinstance(first, str | Path):
        raise SourceError("the pictures that the file speaks of", "none", "Give a folder or a zip with them.")
    return open_given(local_path(first, "file of references").parent)


def _with_images(pictures: Sequence[_Picture], root: Dataset, names: Sequence[str], refused: Sequence[Refusal],
                 notices: Sequence[str]) -> BoxedPictures:
    found = match_names([clean(name) for p in pictures for name in p.names], root.image_ids)
    at = [next((found[clean(n)] for n in p.names if clean(n) in found), None) for p in pictures]
    told = list(refused)
    for p, place in zip(pictures, at):
        if place is None:
            tell(told, p.names[0] if p.names else "a picture", f"no image of this name in {root.name}")
    kept = [(p, place) for p, place in zip(pictures, at) if place is not None]
    told += root.refused
    if not kept:
        said = f"none: {told[0].name}: {told[0].reason}" if told else "none"
        raise SourceError(f"sentences about boxes of pictures in {', '.join(names)}", said,
                          "See the README for what such files hold.")
    assert root.images is not None
    return BoxedPictures(
        ", ".join(names), as_ids([root.image_ids[place] for _, place in kept]),
        ChosenImages([(root.images, place) for _, place in kept]),
        tuple(np.array([a.sides for a in p.annotations], dtype=np.float64).reshape(-1, 4) for p, _ in kept),
        tuple(Reference(i, sentence, gold) for i, (p, _) in enumerate(kept) for sentence, gold in p.said),
        tuple(told), tuple(notices))
