"""Words of captions, in any script."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Scripts that leave no space between words: each of their letters counts as one word.
_UNSPACED = ("\u0e00-\u0e7f\u0e80-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
             "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff")


def words_of(text: str) -> list[str]:
    """Words of a text, folded (case, width), in order.

    Letters, marks and digits that stand together are a word, also across an apostrophe or a hyphen. Of scripts without
    spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese, Tibetan) each letter with its marks is one: words would need
    a dictionary. Signs that are neither, such as emoji, are words where nothing else is.
    """
    text = unicodedata.normalize("NFKC", text).casefold()
    return _pattern(text.isascii()).findall(text)


def said(text: str) -> str:
    """A text by which repeated ones are known: its words, or, where it has none, its signs."""
    return " ".join(words_of(text)) or "".join(text.split())


@cache
def _pattern(ascii_only: bool) -> re.Pattern[str]:
    if ascii_only:
        return re.compile(r"[a-z0-9]+(?:['\-][a-z0-9]+)*")
    marks = _marks()
    letter = rf"(?:[^\W_{_UNSPACED}]|[{marks}])"
    return re.compile(rf"[{_UNSPACED}][{marks}]*|{letter}+(?:['’\-]{letter}+)*")


def _marks() -> str:
    """Combining marks of the basic plane, as ranges of a class."""
    found = [c for c in range(0x300, 0x10000) if unicodedata.category(chr(c)).startswith("M")]
    ranges: list[list[int]] = []
    for c in found:
        if ranges and ranges[-1][1] == c - 1:
            ranges[-1][1] = c
        else:
            ranges.append([c, c])
    return "".join(f"\\u{a:04x}-\\u{b:04x}" for a, b in ranges) + "\u200c\u200d"
