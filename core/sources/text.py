"""Bytes of a text file as text: one rule for tables, captions beside pictures and names in archives."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# What text of people is found in when it says nothing of itself; the first is taken where nothing tells them apart.
ENCODINGS = {"cp1252": "Western European (Windows)", "cp1251": "Cyrillic (Windows)", "gb18030": "Chinese (GBK)",
             "big5": "Chinese (Big5)", "shift_jis": "Japanese (Shift-JIS)", "euc_jp": "Japanese (EUC)",
             "euc_kr": "Korean", "cp1250": "Central European (Windows)", "cp1253": "Greek (Windows)",
             "cp1254": "Turkish (Windows)", "cp1255": "Hebrew (Windows)", "cp1256": "Arabic (Windows)",
             "koi8_r": "Cyrillic (KOI8-R)", "utf_16_le": "UTF-16"}
_LOOKED_AT = 200_000
_WESTERN = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ‘’‚“”„–—…°«»¡¿€£©®½·"


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was read in, and whether that had to be guessed."""

    text: str
    encoding: str
    guessed: bool = False

    def notice(self, name: str) -> str:
        """What a user is told where the encoding was guessed; "" otherwise."""
        if not self.guessed:
            return ""
        title = ENCODINGS.get(self.encoding, self.encoding)
        return (f"{name} does not say how its letters are written; it was read as {title}. "
                f"Saved as UTF-8 it needs no guess.")


def decode(data: bytes, encoding: str | None = None) -> Decoded:
    """A text file's words.

    Its byte order mark decides; else it is UTF-8 if it can be; else the encoding of `ENCODINGS` is guessed in which it
    reads like a language (charset-normalizer), and said to be a guess. Bytes without a meaning become U+FFFD.

    Parameters
    ----------
    data
        The whole file.
    encoding
        Where given, read in this one.
    """
    if encoding:
        return Decoded(data.decode(encoding, "replace").removeprefix("\ufeff"), encoding)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Decoded(data.decode(name, "replace"), name)
    nulls = data[:256]
    if len(nulls) >= 4 and nulls[1::2].count(0) > len(nulls) / 4:
        return Decoded(data.decode("utf-16-le", "replace"), "utf_16_le")
    if len(nulls) >= 4 and nulls[::2].count(0) > len(nulls) / 4:
        return Decoded(data.decode("utf-16-be", "replace"), "utf_16_be")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        guess = _guess(data)
        return Decoded(data.decode(guess, "replace"), guess, guessed=True)


def lines(text: str) -> list[str]:
    """The lines of a text: they end with a line feed, a carriage return or both, and with nothing else (U+2028 and the
    like are letters of a line)."""
    return re.split(r"\r\n|\r|\n", text)


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:_LOOKED_AT]
    strange = bytes(sorted({byte for byte in sample if byte > 127}))
    western = strange.decode("cp1252", "replace")
    if all(letter in _WESTERN for letter in western) and _mostly_ascii(sample):
        return "cp1252"
    found = from_bytes(sample, cp_isolation=list(ENCODINGS), threshold=0.6).best()
    return found.encoding if found is not None and found.encoding in ENCODINGS else "cp1252"


def _mostly_ascii(sample: bytes) -> bool:
    letters = [byte for byte in sample if byte > 64]
    return sum(byte > 127 for byte in letters) < 0.35 * len(letters)
