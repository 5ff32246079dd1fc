"""What the names of files, arrays and columns say: images or texts, ids, captions."""

from __future__ import annotations

import os
import re

import pandas as pd

from core.sources.tables.columns import role_of
from core.types import Modality

_SAID: dict[Modality, str] = {
    "image": "image images img imgs photo photos picture pictures visual vision pixel pixels",
    "text": "text texts txt txts caption captions sentence sentences prompt prompts query queries",
}
_HINTED: dict[Modality, str] = {"image": "", "text": "label labels class classes classname classnames classifier"}
_TAILS = r"(s|es)?(e?mb|embs|embed|embeds|embeddings?|feats?|features?|vecs?|vectors?|ids?|names?|norms?)?"
_ID_NAMES = ("id", "ids", "name", "names", "file", "files", "path", "paths", "filename", "filenames", "filepath", "key",
             "keys", "uid", "word", "words")


def words_of(name: str) -> list[str]:
    """The words of a name in lower case: parted at anything but letters, and where camelCase humps."""
    return re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())


def modality_of(name: str, *, hinted: bool = False) -> Modality | None:
    """The modality that a file's, an array's or a column's name speaks of, by its words.

    "image_text_pairs_txt" speaks of texts: of two words side by side that name both, neither counts.

    Parameters
    ----------
    name : with or without folders and ending; what its last part says goes before what the whole says.
    hinted : whether words that are only a hint count too ("class" of text vectors of classes).
    """
    bare = os.path.splitext(name)[0]
    for part in (bare.rsplit("/", 1)[-1], bare):
        for table in (_SAID, _HINTED) if hinted else (_SAID,):
            found = _spoken(words_of(part), table)
            if len(found) == 1:
                return found.pop()
    return None


def _spoken(words: list[str], table: dict[Modality, str]) -> set[Modality]:
    said: list[Modality | None] = [_of_word(word, table) for word in words]
    apart = [m for i, m in enumerate(said) if m is not None and not any(
        0 <= j < len(said) and said[j] not in (None, m) for j in (i - 1, i + 1))]
    return set(apart)


def _of_word(word: str, table: dict[Modality, str]) -> Modality | None:
    for modality, known in table.items():
        if any(word == stem or (word.startswith(stem) and re.fullmatch(_TAILS, word[len(stem):])) for stem in
               known.split()):
            return modality
    return None


def family_of(name: str) -> str:
    """A name without its numbers and the words of splits: what shards and splits of one array have in common."""
    words = re.sub(r"\d+", "#", name.lower())
    return re.sub(r"(?<![a-z])(train|training|val|valid|validation|dev|test|testing)(?![a-z])", "#", words)


def id_column(table: pd.DataFrame) -> str | None:
    """The column that names the rows, by its own name."""
    lowered = {str(c).lower(): str(c) for c in table.columns}
    named = [lowered[name] for name in _ID_NAMES if name in lowered]
    longer = rf"(image|img|text|txt)_?({'|'.join(_ID_NAMES)})"
    return next(iter(named), None) or next((c for low, c in lowered.items() if re.fullmatch(longer, low)), None)


def caption_column(table: pd.DataFrame) -> str | None:
    """The column that says what each text says."""
    return next((str(c) for c in table.columns if role_of(str(c)) == "caption"), None)
