"""Rows of files of boxes and sentences, as they stand there: references, and COCO's images with their annotations."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core.errors import SourceError
from core.sources.gate import check_text
from core.sources.images.opening import local_path
from core.sources.text import decode, lines, without_halves
from core.types import Refusal

LONGEST = 1_000       # characters of a sentence
MOST_SENTENCES = 1_000
MOST_TOLD = 1_000
PICKLES = (".p", ".pkl", ".pickle")
_PICKLED = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"(lp", b"(dp", b"(l.", b"ccopy_reg")
_AS = ("references (a list of objects with ann_id, image_id or file_name, and sentences), COCO instances (images and "
       "annotations with bbox), or JSON lines of references with anns")
File = str | Path | tuple[str, bytes]


@dataclass(frozen=True)
class Annotation:
    """A box of an image: its id, sides (left, top, right, bottom in pixels), name of its category, "" if unknown."""

    id: str
    sides: tuple[float, float, float, float]
    category: str = ""


@dataclass
class Catalogue:
    """What COCO instances say, by the id of the image.

    Attributes
    ----------
    files : name of the file of each image.
    annotations : boxes of each image; crowds are left out.
    bad : annotations that cannot be used, by (image, id), with reasons.
    crowds : how many were left out.
    """

    files: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, list[Annotation]] = field(default_factory=dict)
    bad: dict[tuple[str, str], str] = field(default_factory=dict)
    crowds: int = 0


@dataclass(frozen=True)
class Row:
    """A row of references: where it stands, which image and annotation it is about, sentences, its own boxes if any."""

    where: str
    image: str
    file: str
    gold: str
    sentences: tuple[str, ...]
    split: str
    annotations: tuple[Annotation, ...] | None
    bad: Mapping[str, str] = field(default_factory=dict)


def read_rows(file: File) -> tuple[list[tuple[str, Any]], dict[str, Any] | None, str, str]:
    """References and instances in a file, whichever it holds.

    Parameters
    ----------
    file : a path, or (name, bytes) of an upload.

    Returns
    -------
    (where it stands, value) of each reference; the object of instances or None; the name of the file; a notice of how
    it was read or "".

    Raises
    ------
    SourceError
        If it is a pickle, no JSON, or holds neither; if it is over the budget; for a path on a public server.
    """
    name, data = file if isinstance(file, tuple) else _on_disk(file)
    if Path(name).suffix.lower() in PICKLES or data.startswith(_PICKLED):
        raise SourceError(
            f"JSON in {name}", "a pickle, which can run any program when it is opened",
            "Write it as JSON where it comes from: json.dump(pickle.load(open(\"refs(unc).p\", \"rb\"), "
            "encoding=\"latin1\"), open(\"refs.json\", \"w\")).")
    check_text(data, name)
    decoded = without_halves(decode(data))
    try:
        found = json.loads(decoded.text)
    except RecursionError as error:
        raise SourceError(f"{_AS} in {name}", "JSON that is nested too deeply") from error
    except ValueError:
        return _by_lines(decoded.text, name), None, name, decoded.notice(name)
    rows: list[Any] = []
    instances = None
    if isinstance(found, list):
        rows = found
    elif isinstance(found, dict):
        if isinstance(found.get("images"), list) and isinstance(found.get("annotations"), list):
            instances = found
        rows = found["refs"] if isinstance(found.get("refs"), list) else []
        if instances is None and not rows and "sentences" in found:
            rows = [found]
    if instances is None and not any(isinstance(row, dict) for row in rows):
        raise SourceError(f"{_AS} in {name}", f"JSON of another kind ({type(found).__name__})")
    return [(f"row {i}", row) for i, row in enumerate(rows, 1)], instances, name, decoded.notice(name)


def catalogue_of(found: Mapping[str, Any], name: str, refused: list[Refusal]) -> Catalogue:
    """COCO instances by image; what cannot be used is added to ``refused``."""
    out = Catalogue()
    for number, image in enumerate(found["images"], 1):
        if isinstance(image, dict) and isinstance(image.get("file_name"), str) and _plain(image.get("id")):
            out.files[str(image["id"])] = image["file_name"]
        else:
            tell(refused, f"image {number} of {name}", "it lacks an id or a file_name")
    listed = found.get("categories")
    categories = {str(c["id"]): str(c["name"]) for c in (listed if isinstance(listed, list) else [])
                  if isinstance(c, dict) and _plain(c.get("id")) and isinstance(c.get("name"), str)}
    for number, entry in enumerate(found["annotations"], 1):
        where = f"annotation {number} of {name}"
        if not isinstance(entry, dict) or not _plain(entry.get("id")) or str(entry.get("image_id")) not in out.files:
            tell(refused, where, "it lacks an id, or its image_id is not among the images")
            continue
        image, key = str(entry["image_id"]), str(entry["id"])
        if entry.get("iscrowd"):
            out.crowds += 1
            out.bad[image, key] = "it is a crowd (iscrowd), no single thing"
            continue
        sides = sides_of(entry.get("bbox"))
        if isinstance(sides, str):
            out.bad[image, key] = sides
            tell(refused, f"{where}, {out.files[image]}", sides)
            continue
        out.annotations.setdefault(image, []).append(
            Annotation(key, sides, categories.get(str(entry.get("category_id")), "")))
    return out


def tell(refused: list[Refusal], where: str, why: str) -> None:
    """Add what is refused to a list, which stays short however bad a file is."""
    if len(refused) < MOST_TOLD:
        refused.append(Refusal(where, why))
    elif len(refused) == MOST_TOLD:
        refused.append(Refusal("more", "they are not listed"))


def row_of(where: str, value: Any) -> Row | str:
    """A row of references, or why it is none."""
    if not isinstance(value, dict):
        return f"it is {type(value).__name__}, no object with named fields"
    image, file, gold = value.get("image_id"), value.get("file_name"), value.get("ann_id")
    if not _plain(image) and not isinstance(file, str):
        return "it has neither an image_id nor a file_name"
    if not _plain(gold):
        return "it has no ann_id, which says the box that is meant"
    sentences = tuple(_sentences(value))
    if not sentences:
        return "it has no sentences (objects with sent or raw, or texts)"
    if len(sentences) > MOST_SENTENCES:
        return f"it has {len(sentences):,} sentences; at most {MOST_SENTENCES:,} are read"
    own: tuple[Annotation, ...] | None = None
    bad: dict[str, str] = {}
    if isinstance(value.get("anns"), list):
        own, bad = _own(value["anns"])
    return Row(where, str(image) if _plain(image) else "", file if isinstance(file, str) else "", str(gold), sentences,
               str(value.get("split", "")), own, bad)


def sides_of(bbox: Any) -> tuple[float, float, float, float] | str:
    """Left, top, right, bottom of COCO's left, top, width, height; or why they are no box."""
    if not isinstance(bbox, list) or len(bbox) != 4 or not all(
            isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < 1e9 for v in bbox):
        return "its bbox is not four numbers: left, top, width, height"
    left, top, width, height = (float(v) for v in bbox)
    if not (width > 0 and height > 0 and np.isfinite([left, top]).all()):
        return f"its bbox has no area: it is {width:g} wide and {height:g} high"
    return left, top, left + width, top + height


def _own(anns: list[Any]) -> tuple[tuple[Annotation, ...], dict[str, str]]:
    good, bad = [], {}
    for number, entry in enumerate(anns, 1):
        if not isinstance(entry, dict) or not _plain(entry.get("id")):
            bad[f"number {number}"] = "it has no id"
            continue
        sides = sides_of(entry.get("bbox"))
        if isinstance(sides, str):
            bad[str(entry["id"])] = sides
        else:
            good.append(Annotation(str(entry["id"]), sides))
    return tuple(good), bad


def _sentences(value: Mapping[str, Any]) -> Iterator[str]:
    found = value.get("sentences", value.get("sentence", value.get("caption")))
    for entry in found if isinstance(found, list) else [found]:
        text = entry.get("sent", entry.get("raw")) if isinstance(entry, dict) else entry
        if isinstance(text, str) and text.strip():
            yield " ".join(text.split())[:LONGEST]


def _by_lines(text: str, name: str) -> list[tuple[str, Any]]:
    out: list[tuple[str, Any]] = []
    objects = 0
    for number, line in enumerate(lines(text), 1):
        if line.strip():
            try:
                out.append((f"line {number}", json.loads(line)))
                objects += isinstance(out[-1][1], dict)
            except (ValueError, RecursionError) as error:
                out.append((f"line {number}", error))
    if not objects:
        raise SourceError(f"{_AS} in {name}", "a file of which no line is a JSON object")
    return out


def _plain(value: object) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _on_disk(path: str | Path) -> tuple[str, bytes]:
    local = local_path(path, "file of references")
    try:
        return local.name, local.read_bytes()
    except OSError as error:
        raise SourceError("the path of a file of references", f"{path} ({error.strerror or error})",
                          "Check the path.") from error
