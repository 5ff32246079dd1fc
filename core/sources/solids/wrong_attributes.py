"""A caption in which one attribute is wrong, and all else as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from core.sources.solids.captions import WITH_TEXTURE
from core.sources.solids.vocabulary import COLOURS, SETTINGS, SIZES, SOLIDS, STYLES, TEXTURES

_SAID: dict[str, Mapping[str, Sequence[str]]] = {
    "solid": SOLIDS, "colour": COLOURS, "texture": TEXTURES, "style": STYLES, "setting": SETTINGS, "size": SIZES,
    "texture after": {name: (phrase,) for name, phrase in WITH_TEXTURE.items()},
}
_PHRASES = {phrase: (kind, name) for kind, names in _SAID.items() for name, said in names.items() for phrase in said}
_FIND = re.compile(r"\b(" + "|".join(map(re.escape, sorted(_PHRASES, key=len, reverse=True))) + r")\b")
_ARTICLE = re.compile(r"\b(an?) (?=(\w))")


def said_in(text: str) -> list[tuple[str, str, tuple[int, int]]]:
    """What a caption says, in its order: attribute, value, and where the phrase stands in the text."""
    return [(kind.split()[0], name, m.span()) for m in _FIND.finditer(text) for kind, name in [_PHRASES[m[0]]]]


def with_one_wrong(text: str, rng: np.random.Generator) -> tuple[str, str] | None:
    """The caption with one attribute of one solid, or of the scene, changed to another value.

    The picture of a caption that says the same of each of its solids cannot be meant by both: one value among those
    said has become another, wherever it stands.

    Parameters
    ----------
    text : a caption in the words of the built-in world.
    rng : draws the attribute among those said, then the place, then the value, then its word.

    Returns
    -------
    The text and the attribute that is wrong; None where the text says nothing of the built-in world.
    """
    found = [(_PHRASES[m[0]], m.span()) for m in _FIND.finditer(text)]
    if not found:
        return None
    attributes = sorted({kind.split()[0] for (kind, _), _ in found})
    attribute = attributes[int(rng.integers(len(attributes)))]
    places = [(kind, name, span) for (kind, name), span in found if kind.split()[0] == attribute]
    kind, name, (start, stop) = places[int(rng.integers(len(places)))]
    others = [other for other in _SAID[kind] if other != name]
    words = _SAID[kind][others[int(rng.integers(len(others)))]]
    changed = text[:start] + words[int(rng.integers(len(words)))] + text[stop:]
    return _ARTICLE.sub(lambda m: ("an " if m[2] in "aeio" else "a "), changed), attribute
