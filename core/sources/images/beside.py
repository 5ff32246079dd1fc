"""What lies beside an image under its name: captions (.txt, .caption), fields (.json), a class (.cls).

A file belongs to the image of the same name without the ending (``a.png``, ``a.txt``), or, as webdatasets name their
samples, to the one image whose name is the same up to its first dot (``a.input.png``, ``a.output.txt``, ``a.0.txt``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from core.errors import UnreadableItem
from core.sources.gate import TextAllowance
from core.sources.images.formats import ending_of
from core.sources.reasons import why_not
from core.sources.tables.cells import captions_in
from core.sources.tables.columns import numbers_where_possible, role_of
from core.sources.text import ENCODINGS, decode, lines, without_halves
from core.types import Refusal

CAPTIONS = (".txt", ".text", ".caption", ".captions")
ENDINGS = (*CAPTIONS, ".json", ".cls")


@dataclass
class Beside:
    """What the files beside images say.

    Attributes
    ----------
    captions : by index of the image.
    columns : one row an image that has any; a JSON's fields, the class as ``label``.
    used : names of the files.
    refused : those that cannot be read, or that fit several images.
    guessed : names of the files whose encoding had to be guessed, by encoding.
    damaged : names of the files in which letters are damaged.
    """

    captions: dict[int, list[str]] = field(default_factory=dict)
    columns: dict[int, dict[str, Any]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    refused: list[Refusal] = field(default_factory=list)
    guessed: dict[str, list[str]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)

    def notices(self) -> tuple[str, ...]:
        """What had to be guessed of how letters are written, a sentence an encoding, and what is damaged."""
        said = [f"Texts beside images do not say how their letters are written ({len(names):,}: {names[0]}, ...); they "
                f"were read as {ENCODINGS.get(encoding, encoding)}." for encoding, names in self.guessed.items()]
        if self.damaged:
            said.append(f"Texts beside images have damaged letters ({len(self.damaged):,}: {self.damaged[0]}, ...); "
                        f"\ufffd stands for each.")
        return tuple(said)

    def table(self, n: int) -> pd.DataFrame:
        """The columns for all n images, in the order in which they first came; whole numbers stay whole."""
        names = dict.fromkeys(name for row in self.columns.values() for name in row)
        return pd.DataFrame({name: _column([self.columns.get(i, {}).get(name) for i in range(n)]) for name in names},
                            index=range(n))


def read_beside(images: Sequence[str], others: Sequence[str], size_of: Callable[[str], int],
                read: Callable[[str], bytes], encoding: str | None = None) -> Beside:
    """Captions, fields and classes of images, out of the files that bear their names.

    Parameters
    ----------
    images : names of the images.
    others : names of all other files, in natural order.
    size_of, read : bytes of a file, and the file.
    encoding : how the letters of files are written that do not say it; guessed by default.
    """
    whole = {os.path.splitext(name)[0]: i for i, name in enumerate(images)}
    samples: dict[str, list[int]] = {}
    for i, name in enumerate(images):
        samples.setdefault(_sample(name), []).append(i)
    found, allowed = Beside(), TextAllowance()
    spoken: dict[int, list[str]] = {}
    for name in others:
        if ending_of(name) not in ENDINGS:
            continue
        at = whole.get(os.path.splitext(name)[0])
        owners = samples.get(_sample(name), []) if at is None else [at]
        if len(owners) > 1:
            found.refused.append(Refusal(name, f"{len(owners)} images have this name up to its first dot "
                                               f"({images[owners[0]]}, ...), so that it is not clear whose it is"))
        elif owners:
            try:
                _read(found, spoken, owners[0], name, size_of, read, allowed, encoding)
            except (OSError, UnreadableItem) as error:
                reason = why_not(error) if isinstance(error, OSError) else error.got
                found.refused.append(Refusal(name, reason))
    for i, captions in spoken.items():
        found.captions.setdefault(i, captions)
    return found


def _read(found: Beside, spoken: dict[int, list[str]], owner: int, name: str, size_of: Callable[[str], int],
          read: Callable[[str], bytes], allowed: TextAllowance, encoding: str | None) -> None:
    """Read one file to where it belongs; captions within a JSON count only where no text file holds any."""
    reason = allowed.take(size_of(name))
    if reason:
        found.refused.append(Refusal(name, reason))
        return
    decoded = decode(read(name), guess=encoding)
    decoded = without_halves(decoded) if ending_of(name) == ".json" else decoded
    text = decoded.text
    if decoded.guessed:
        found.guessed.setdefault(decoded.encoding, []).append(name)
    found.damaged += [name] if decoded.damaged else []
    if ending_of(name) in CAPTIONS:
        found.captions.setdefault(owner, []).extend(line.strip() for line in lines(text) if line.strip())
    elif ending_of(name) == ".cls":
        found.columns.setdefault(owner, {})["label"] = text.strip()
    else:
        try:
            fields = json.loads(text)
        except (ValueError, RecursionError) as error:
            found.refused.append(Refusal(name, f"it is not JSON ({str(error)[:100]})"))
            return
        if not isinstance(fields, dict):
            found.refused.append(Refusal(name, "it is JSON, but no object with named fields"))
            return
        row = found.columns.setdefault(owner, {})
        for key, value in fields.items():
            if role_of(key) == "caption":
                spoken.setdefault(owner, []).extend(captions_in(value))
            else:
                row.setdefault("label" if role_of(key) == "label" else key,
                               json.dumps(value) if isinstance(value, dict | list) else value)
    found.used.add(name)


def _sample(name: str) -> str:
    """A name up to the first dot of its last part, as webdatasets tell their samples apart."""
    folder, slash, last = name.rpartition("/")
    return folder + slash + last.split(".", 1)[0]


def _column(values: list[Any]) -> pd.Series:
    """Values of one column, None where there is none; whole numbers stay whole."""
    filled = [v for v in values if v is not None]
    if filled and all(isinstance(v, int) and not isinstance(v, bool) and abs(v) < 2**62 for v in filled):
        return pd.Series(values, dtype="int64" if len(filled) == len(values) else "Int64")
    if filled and all(isinstance(v, int | float) and not isinstance(v, bool) for v in filled):
        return pd.Series([np.nan if v is None else float(v) for v in values])
    numbers = numbers_where_possible(pd.Series(values, dtype=object))
    whole = all(str(v).strip().lstrip("+-").isdecimal() for v in filled)
    return numbers.astype("Int64") if whole and pd.api.types.is_float_dtype(numbers) else numbers
