"""What the columns of a table hold: images, captions, labels, splits, languages, ids."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.sources.tables.cells import (
    are_numbers,
    is_address,
    is_image_name,
    is_missing,
    is_number,
    is_sentence,
    is_texts,
    is_vector,
    share,
)
from core.types import Refusal

_LANGUAGES = ("ar bg bn cs da de el en es et fa fi fil fr he hi hr hu id it ja ko mi nl no pl pt quz ro ru sv sw te "
              "th tr uk vi zh")
LANGUAGES = frozenset(_LANGUAGES.split())
_NAMES = {
    "image": "image images image_path img img_path path filepath file_path file filename file_name image_name "
             "image_file image_id imageid photo picture",
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
    encoding : how the letters of the file are written, where it was said; None leaves it to the file.
    """

    image: str | None = None
    captions: tuple[str, ...] = ()
    label: str | None = None
    split: str | None = None
    language: str | None = None
    id: str | None = None
    encoding: str | None = None


def role_of(column: str) -> str | None:
    """The role that a column's name speaks of: image, caption, label, split, language or id."""
    name = re.sub(r"[\W_]+", "_", _without_ending(column.strip().lower())).strip("_")
    stem = re.sub(r"_?\d+$", "", name)
    for role, words in _ROLE_NAMES.items():
        if name in words or (role == "caption" and (stem in words or _language_of(name) is not None)):
            return role
    return None


def _without_ending(title: str) -> str:
    """A title as some libraries write it, "image.png" or "label.cls", without what looks like a file's ending."""
    return re.sub(r"\.(png|jpe?g|webp|img|txt|json|cls)$", "", title)


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
    filled = {c: [v for v in frame[c].head(_SAMPLE).tolist() if not is_missing(v)] for c in frame.columns[:2_000]}
    images = [c for c in filled if share(filled[c], is_image_name) > 0.5]
    named = [c for c in by_role.get("image", []) if share(filled.get(c, []), is_address) <= 0.5]
    image = image or next((c for c in images if c in named), None) or next(iter([*images, *named]), None)
    captions = [c for c in by_role.get("caption", []) if c != image and share(filled.get(c, []), is_texts) > 0.5]
    if not captions:
        wordy = [c for c in filled if c != image and role_of(c) is None and share(filled[c], is_sentence) > 0.5]
        if not wordy and image is None and not any(share(cells, is_vector) > 0.5 for cells in filled.values()):
            wordy = [c for c in filled if role_of(c) is None and share(filled[c], is_texts) > 0.5]
        captions = wordy[:1]

    def first(role: str) -> str | None:
        return next((c for c in by_role.get(role, []) if c != image and c not in captions), None)

    return Roles(image, tuple(captions), first("label"), first("split"), first("language"), first("id"))


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


def passed_over(frame: pd.DataFrame, roles: Roles, pictures: Sequence[str] = ()) -> list[Refusal]:
    """Columns of images that are not used, with the reason: addresses on the web, and second columns of pictures.

    ``pictures`` are the columns that hold pictures as bytes.
    """
    out = []
    for column in frame.columns[:2_000]:
        cells = [v for v in frame[column].head(_SAMPLE).tolist() if not is_missing(v)]
        if column == roles.image or column in roles.captions:
            continue
        if roles.image is None and share(cells, is_address) > 0.5:
            out.append(Refusal(column, "it holds addresses on the web, from which nothing is loaded here; download the "
                                       "images and name their files"))
        elif column in pictures or share(cells, is_image_name) > 0.5:
            out.append(Refusal(column, f"it names images too; those of {roles.image} are taken"
                               if roles.image else "it names images; it was said that no column does"))
    return out


def said_of(frame: pd.DataFrame) -> str:
    """The columns of a table with their kinds, for a message."""
    shown = [f"{column} ({_kind_of(frame[column])})" for column in frame.columns[:12]]
    return ", ".join(shown) + (f" and {frame.shape[1] - 12} more" if frame.shape[1] > 12 else "")


def _kind_of(column: pd.Series) -> str:
    if column.dtype.kind not in "OUT":
        return str(column.dtype)
    cells = [v for v in column.head(_SAMPLE).tolist() if not is_missing(v)]
    if share(cells, is_vector) > 0.5:
        return "bytes" if isinstance(cells[0], bytes) else "lists of numbers"
    if share(cells, lambda cell: isinstance(cell, str)) <= 0.5:
        return type(cells[0]).__name__ if cells else "empty"
    return "numbers as text" if share(cells, lambda cell: are_numbers(str(cell))) > 0.5 else "text"


def hint_of(frame: pd.DataFrame) -> str:
    """What to do with a table in which neither captions nor names of images were found."""
    numbers = sum(_kind_of(frame[c]).startswith(("float", "numbers")) for c in frame.columns[:2_000])
    vectors = any(_kind_of(frame[c]) in ("lists of numbers", "bytes") for c in frame.columns[:2_000])
    return ("It seems to hold vectors: open it as vectors. " if vectors or numbers > 3 else "") + (
        "Say which column holds what.")


def is_header(row: Sequence[str], below: Sequence[Sequence[str]] = ()) -> bool:
    """Whether the first row of a table holds titles: known titles decide, then numbers that count the columns,
    then what tells the row from those below it.

    Parameters
    ----------
    row, below
        Cells of the first row, and of some rows after it.
    """
    cells = [cell.strip() for cell in row]
    known = [cell for cell in cells if role_of(cell) is not None and len(cell) <= 40]
    like_data = [cell for cell in cells if cell not in known and is_image_name(cell)]
    if known and not like_data:
        return True
    if _counts_columns(cells):
        return True
    for at, cell in enumerate(cells):
        under = [r[at].strip() for r in below if at < len(r)]
        if len(under) > 1 and not is_image_name(cell) and all(map(is_image_name, under)):
            return True
    if any(is_image_name(cell) or is_address(cell) or len(cell) > 64 or is_number(cell) for cell in cells):
        return False
    if len(cells) == 1 or not any(cells):
        return bool(cells) and re.fullmatch(r"\w+", cells[0]) is not None
    return len(set(cells)) == len(cells) and all(cell.count(" ") < 4 for cell in cells)


def _counts_columns(cells: Sequence[str]) -> bool:
    """Whether cells are 0, 1, 2, ... as data frames without titles write them, after an empty one for the index."""
    rest = cells[1:] if cells and not cells[0] else cells
    return len(rest) > 1 and rest == [str(i) for i in range(len(rest))]


def is_plain(column: pd.Series) -> bool:
    """Whether the cells of a column are single values, not lists, records or arrays."""
    if column.dtype != object:
        return not hasattr(column.dtype, "pyarrow_dtype") or not str(column.dtype).startswith(("list", "struct", "map"))
    return not any(isinstance(cell, list | tuple | dict | set | np.ndarray) for cell in column)


def as_labels(column: pd.Series) -> pd.Series:
    """Labels as text: whole numbers without a fraction (class 1, not 1.0), missing ones as they are; 1e3 stays."""
    words = [cell for cell in column if isinstance(cell, str)]
    if words and not all(re.fullmatch(r"-?\d+(\.0+)?", word.strip()) for word in words):
        return column
    numbers = numbers_where_possible(column)
    if not pd.api.types.is_numeric_dtype(numbers) or pd.api.types.is_bool_dtype(numbers):
        return column
    filled = numbers.dropna()
    if not len(filled) or not (np.isfinite(filled).all() and (filled == np.floor(filled)).all()):
        return column
    return numbers.map(lambda v: None if pd.isna(v) else str(int(v))).astype(object)
