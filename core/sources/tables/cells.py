"""What single cells of a table are: names of images, addresses, captions, numbers, vectors."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from core.sources.images.formats import EXTENSIONS

_STRING = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_NUMBERED = re.compile(r"(.+\.\w{2,5})#\d+$")


def captions_in(cell: Any) -> list[str]:
    """The captions of one cell: a string, a list, or a list written as text; [] where it is empty."""
    if is_missing(cell):
        return []
    if isinstance(cell, str):
        said = cell.strip()
        found = _written_list(said) if said.startswith("[") and said.endswith("]") else None
        if found is not None:
            return captions_in(found)
        return [said] if said else []
    if isinstance(cell, list | tuple | np.ndarray):
        return [str(part).strip() for part in cell if not is_missing(part) and str(part).strip()]
    return [str(cell)]


def _written_list(said: str) -> list[Any] | None:
    """A list written as JSON, as Python or, without commas between its strings, as numpy; None where it is none."""
    strings = re.findall(_STRING, said[1:-1])
    if len(strings) > 1 and not re.sub(_STRING, "", said[1:-1]).strip():
        parts = (_parsed(string) for string in strings)
        return [part for part in parts if isinstance(part, str)]
    found = _parsed(said)
    return found if isinstance(found, list) else None


def _parsed(said: str) -> Any:
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(said)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def share(cells: Sequence[Any], test: Callable[[Any], bool]) -> float:
    """The share of cells that pass a test, in [0, 1]; 0 where there are none."""
    return sum(map(test, cells)) / len(cells) if cells else 0.0


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing: None, NaN or pandas' NA."""
    return cell is None or cell is pd.NA or (isinstance(cell, float) and cell != cell)


def is_image_name(cell: Any) -> bool:
    """Whether a cell is the name of an image file, by its ending; no address on the web is."""
    if isinstance(cell, str):
        cell = without_number(cell)
    return (isinstance(cell, str) and "." in cell and not is_address(cell)
            and "." + cell.strip().lower().rsplit(".", 1)[-1] in EXTENSIONS)


def is_address(cell: Any) -> bool:
    """Whether a cell is a name on the web or in a cloud's store, where no file lies."""
    return isinstance(cell, str) and re.match(r"[a-zA-Z][\w+.-]*://", cell.strip()) is not None


def without_number(name: str) -> str:
    """The name of an image without the number of its caption: "a.jpg#2" is a.jpg."""
    found = _NUMBERED.match(name.strip())
    return found[1] if found else name


def is_number(cell: str) -> bool:
    """Whether a cell is one number with a decimal point."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def are_numbers(cell: str) -> bool:
    """Whether a cell is a number or several, with a decimal point or comma, listed in any way."""
    parts = re.split(r"[\s,;|\[\]()]+", cell.strip(" []()"))
    return all(map(is_number, parts))


def is_vector(cell: Any) -> bool:
    """Whether a cell holds so many numbers that it is neither a caption's nor a box's."""
    if isinstance(cell, dict):
        return any(map(is_vector, cell.values()))
    if isinstance(cell, list | tuple | np.ndarray):
        return len(cell) > 0 and (is_vector(cell[0]) or (len(cell) > 4 and isinstance(cell[0], Real)))
    return isinstance(cell, bytes) or (isinstance(cell, str) and cell.count(",") + cell.count(" ") > 3
                                       and are_numbers(cell))


def is_texts(cell: Any) -> bool:
    """Whether a cell is a string that is no number, or a list of strings."""
    if isinstance(cell, Iterable) and not isinstance(cell, str | bytes | dict):
        return all(isinstance(part, str) for part in cell)
    return isinstance(cell, str) and not are_numbers(cell)


def is_sentence(cell: Any) -> bool:
    """Whether a cell is a string of at least three words."""
    return isinstance(cell, str) and cell.count(" ") >= 2 and not is_image_name(cell) and not are_numbers(cell)
