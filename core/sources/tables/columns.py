"""What the columns of a table hold: images, captions, labels, splits, languages, ids."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.sources.images.formats import EXTENSIONS

_LANGUAGES = ("ar bg bn cs da de el en es et fa fi fil fr he hi hr hu id it ja ko mi nl no pl pt quz ro ru sv sw te "
              "th tr uk vi zh")
LANGUAGES = frozenset(_LANGUAGES.split())
_NAMES = {
    "image": "image image_path img img_path path filepath file_path file filename file_name image_name image_file "
             "image_id imageid photo picture",
    "caption": "caption captions text texts sentence sentences description descriptions prompt title alt alt_text raw "
               "comment txt",
    "label": "label labels class class_name classname category species ground_truth tag target",
    "split": "split subset partition fold",
    "language": "language lang locale",
    "id": "id uid key item_id sample_id",
}
_ROLE_NAMES = {role: words.split() for role, words in _NAMES.items()}
SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation",
          "validation": "validation", "dev": "validation", "test": "test", "testing": "test"}
_SAMPLE = 200


@dataclass(frozen=True)
class Roles:
    """Which column of a table holds what; None or () where none does.

    Attributes
    ----------
    image : paths or names of image files.
    captions : one column, several, or one whose cells are lists.
    label, split, language, id : of the row.
    """

    image: str | None = None
    captions: tuple[str, ...] = ()
    label: str | None = None
    split: str | None = None
    language: str | None = None
    id: str | None = None


def role_of(column: str) -> str | None:
    """The role that a column's name speaks of: image, caption, label, split, language or id."""
    name = re.sub(r"[\W_]+", "_", column.strip().lower()).strip("_")
    stem = re.sub(r"_?\d+$", "", name)
    for role, words in _ROLE_NAMES.items():
        if name in words or (role == "caption" and (stem in words or _language_of(name) is not None)):
            return role
    return None


def _language_of(column: str) -> str | None:
    """The language of a caption column by its name: caption_de, text-fr, or de alone."""
    name = column.strip().lower().replace("-", "_")
    stem, _, tail = name.rpartition("_")
    if name in LANGUAGES - {"id", "no"}:
        return name
    return tail if tail in LANGUAGES and stem in _ROLE_NAMES["caption"] else None


def caption_language(column: str) -> str:
    """Two-letter language that a caption column's name states, or ""."""
    return _language_of(column) or ""


def guess_roles(frame: pd.DataFrame, image: str | None = None) -> Roles:
    """Which column holds what, by names first and by what the cells look like where names say nothing.

    ``image`` is the column of images where that is known.
    """
    by_role: dict[str, list[str]] = {}
    for column in frame.columns:
        by_role.setdefault(role_of(column) or "", []).append(column)
    filled = {c: [v for v in frame[c].head(_SAMPLE).tolist() if not _is_missing(v)] for c in frame.columns[:2_000]}
    images = [c for c in filled if _share(filled[c], _is_image_name) > 0.5]
    named = by_role.get("image", [])
    image = image or next((c for c in images if c in named), None) or next(iter([*images, *named]), None)
    captions = [c for c in by_role.get("caption", []) if c != image and _share(filled.get(c, []), _is_texts) > 0.5]
    if not captions:
        wordy = [c for c in filled if c != image and role_of(c) is None and _share(filled[c], _is_sentence) > 0.5]
        if not wordy and image is None:
            wordy = [c for c in filled if role_of(c) is None and _share(filled[c], _is_texts) > 0.5]
        captions = wordy[:1]

    def first(role: str) -> str | None:
        return next((c for c in by_role.get(role, []) if c != image and c not in captions), None)

    return Roles(image, tuple(captions), first("label"), first("split"), first("language"), first("id"))


def captions_in(cell: Any) -> list[str]:
    """The captions of one cell: a string, a list, or a list written as text; [] where it is empty."""
    if _is_missing(cell):
        return []
    if isinstance(cell, str):
        said = cell.strip()
        if said.startswith("[") and said.endswith("]"):
            for parse in (json.loads, ast.literal_eval):
                try:
                    found = parse(said)
                except (ValueError, SyntaxError, RecursionError, MemoryError):
                    continue
                if isinstance(found, list):
                    return captions_in(found)
        return [said] if said else []
    if isinstance(cell, list | tuple | np.ndarray):
        return [str(part).strip() for part in cell if not _is_missing(part) and str(part).strip()]
    return [str(cell)]


def numbers_where_possible(column: pd.Series) -> pd.Series:
    """A column of strings as numbers, if that loses nothing (no leading zeros, no words); unchanged otherwise."""
    if not (pd.api.types.is_string_dtype(column) or column.dtype == object):
        return column
    filled = column.dropna()
    if filled.empty or (column.dtype == object and not all(isinstance(v, str) for v in filled)):
        return column
    try:
        numbers = pd.to_numeric(column)
    except (ValueError, TypeError):
        return column
    return column if filled.str.contains(r"^\s*[+-]?0\d", regex=True).any() else numbers


def _share(cells: Sequence[Any], test: Any) -> float:
    return sum(map(test, cells)) / len(cells) if cells else 0.0


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell)


def _is_image_name(cell: Any) -> bool:
    return isinstance(cell, str) and "." in cell and "." + cell.strip().lower().rsplit(".", 1)[-1] in EXTENSIONS


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_texts(cell: Any) -> bool:
    if isinstance(cell, Iterable) and not isinstance(cell, str | bytes | dict):
        return all(isinstance(part, str) for part in cell)
    return isinstance(cell, str) and not _is_number(cell)


def _is_sentence(cell: Any) -> bool:
    return isinstance(cell, str) and cell.count(" ") >= 2 and not _is_image_name(cell)


def is_header(row: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in row]
    if any(_is_image_name(cell) or "://" in cell or len(cell) > 64 or _is_number(cell) for cell in cells):
        return False
    if len(cells) == 1 or not any(cells):
        return bool(cells) and (role_of(cells[0]) is not None or re.fullmatch(r"\w+", cells[0]) is not None)
    return len(set(cells)) == len(cells) and all(cell.count(" ") < 4 for cell in cells)
