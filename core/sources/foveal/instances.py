"""COCO's instances: boxes, polygons and run lengths of each image; all of an image's are its region."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from core.errors import SourceError
from core.sources.archives import clean
from core.sources.foveal.outlines import MOST_PIXELS, Outline, corners_of, filled, from_runs, resized, run_lengths
from core.sources.gate import check_text
from core.sources.reasons import refuse
from core.sources.text import decode, without_halves
from core.types import Refusal

_LONGEST_TOLD = 1_000
_LARGEST = 1e9              # of a number of pixels
MOST_OF_AN_IMAGE = 400      # instances
MOST_PACKED = 400_000_000   # pixels of the run lengths of an image, together
Read = Callable[[int, int], Outline]


def instances_of(data: bytes, name: str) -> tuple[dict[str, Read], list[Refusal]]:
    """The region of each image that has an instance, by ``file_name``, and what is of no use.

    What marks pixels (``segmentation``: polygons, run lengths as a list or packed) is taken before the box (``bbox``:
    left, top, width, height). An image whose size the file says is scaled to the picture's.

    Raises
    ------
    SourceError
        If it is no JSON, or none with images and annotations.
    """
    check_text(data, name)
    try:
        found = json.loads(without_halves(decode(data)).text)
        images, annotations = found["images"], found["annotations"]
        if not isinstance(images, list) or not isinstance(annotations, list):
            raise TypeError("images and annotations are lists")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise SourceError(f"COCO instances in {name}: JSON with the lists images and annotations",
                          f"a file that has none ({type(error).__name__}: {str(error)[:100]})",
                          "Captions and results of COCO have no regions.") from error
    refused: list[Refusal] = []
    named: dict[Any, tuple[str, tuple[float, float] | None]] = {}
    for number, image in enumerate(images):
        if isinstance(image, dict) and isinstance(image.get("file_name"), str) and _is_plain(image.get("id")):
            named[image["id"]] = clean(image["file_name"]), _size(image)
        else:
            refused.append(Refusal(f"image {number} of {name}", "it lacks an id or a file_name"))
    parts: dict[Any, list[Mapping[str, Any]]] = {}
    for number, annotation in enumerate(annotations):
        told = f"annotation {annotation.get('id', number) if isinstance(annotation, dict) else number} of {name}"
        of = annotation.get("image_id") if isinstance(annotation, dict) else None
        if not _is_plain(of) or of not in named:
            refused.append(Refusal(told, "its image is not among the images"))
        elif reason := _unusable(annotation):
            refused.append(Refusal(f"{told}, {named[of][0]}", reason))
        else:
            parts.setdefault(of, []).append(annotation)
    return {named[of][0]: partial(_read, named[of][0], own, named[of][1]) for of, own in parts.items()}, \
        refused[:_LONGEST_TOLD]


def _is_plain(value: object) -> bool:
    return isinstance(value, int | str)


def _size(image: Mapping[str, Any]) -> tuple[float, float] | None:
    width, height = image.get("width", 0), image.get("height", 0)
    return (float(width), float(height)) if _numbers((width, height)) and width > 0 and height > 0 else None


def _numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) < _LARGEST for v in values)


def _unusable(annotation: Mapping[str, Any]) -> str:
    """Why an annotation marks nothing; "" where it may."""
    if annotation.get("segmentation"):
        return ""
    box = annotation.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not _numbers(box):
        return "it has neither a segmentation nor a bbox of four numbers"
    return "" if min(box[2:]) > 0 else "its bbox has no area"


def _read(name: str, parts: list[Mapping[str, Any]], size: tuple[float, float] | None, width: int, height: int
          ) -> Outline:
    if len(parts) > MOST_OF_AN_IMAGE:
        raise refuse(name, f"it has {len(parts):,} instances; the limit is {MOST_OF_AN_IMAGE}", "region")
    scale = (width / size[0], height / size[1]) if size is not None else (1.0, 1.0)
    boxes, mask = list[tuple[float, float, float, float]](), np.zeros((height, width), dtype=bool)
    polygons: list[Sequence[float]] = []
    packed = 0.0
    for part in parts:
        said = part.get("segmentation")
        try:
            if isinstance(said, list) and said:
                for polygon in said:
                    corners_of(polygon)
                polygons += said
            elif said:
                packed += _pixels(said)
                if packed > MOST_PACKED:
                    raise ValueError(f"the run lengths of one image speak of over {MOST_PACKED // 10**6} megapixels")
                mask |= _of_runs(said, width, height)
            else:
                left, top, across, down = (float(side) for side in part["bbox"])
                boxes.append((left * scale[0], top * scale[1], (left + across) * scale[0], (top + down) * scale[1]))
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise refuse(name, f"annotation {part.get('id', '')} cannot be read ({str(error)[:120]})", "region") from \
                error
    try:
        mask |= filled(polygons, width, height, scale) if polygons else False
    except ValueError as error:
        raise refuse(name, str(error), "region") from error
    inside = [box for box in boxes if box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0]
    if not mask.any():
        if not inside:
            raise refuse(name, f"what it marks lies out of the picture of {width} x {height} pixels", "region")
        return Outline(boxes=tuple(inside))
    for box in inside:
        left, top, right, bottom = np.round(box).clip(0).astype(int).tolist()
        mask[top:bottom, left:right] = True
    return Outline(mask=mask)


def _pixels(said: Any) -> float:
    rows, columns = said["size"]
    if not _numbers((rows, columns)) or not 0 < rows * columns <= MOST_PIXELS:
        raise ValueError(f"its size is not two numbers of at most {MOST_PIXELS // 1_000_000} megapixels together")
    return float(rows * columns)


def _of_runs(said: Any, width: int, height: int) -> np.ndarray:
    (rows, columns), counts = said["size"], said["counts"]
    return resized(from_runs(run_lengths(counts) if isinstance(counts, str) else counts, int(rows), int(columns)),
                   width, height)
