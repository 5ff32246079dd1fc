"""Bytes of a text file as text: one rule for tables, captions beside pictures and names in archives."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
          (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# What text of people is found in when it says nothing of itself; the first is taken where nothing tells them apart.
ENCODINGS = {"cp1252": "Western European (Windows)", "cp1251": "Cyrillic (Windows)", "gb18030": "Chinese (GBK)",
             "big5": "Chinese (Big5)", "shift_jis": "Japanese (Shift-JIS)", "euc_jp": "Japanese (EUC)",
             "euc_kr": "Korean", "cp1250": "Central European (Windows)", "cp1253": "Greek (Windows)",
             "cp1254": "Turkish (Windows)", "cp1255": "Hebrew (Windows)", "cp1256": "Arabic (Windows)",
             "koi8_r": "Cyrillic (KOI8-R)", "utf_16_le": "UTF-16", "utf_8": "UTF-8"}
_LOOKED_AT = 200_000
_HEX = "[0-9a-fA-F]{2}"
_ESCAPED = re.compile(rf"\\(?:u[dD][89abAB]{_HEX}\\u[dD][c-fC-F]{_HEX}|(?P<half>u[dD][89a-fA-F]{_HEX})|.)", re.DOTALL)
_WESTERN = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýßœÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŒ‘’‚“”„–—…°«»¡¿€£©®½·"


@dataclass(frozen=True)
class Decoded:
    """A text, the encoding it was read in, whether that had to be guessed, and how many letters of it are damaged."""

    text: str
    encoding: str
    guessed: bool = False
    damaged: int = 0

    def notice(self, name: str) -> str:
        """What a user is told where the encoding was guessed or letters are damaged; "" otherwise."""
        title = ENCODINGS.get(self.encoding, self.encoding.upper())
        said = []
        if self.guessed:
            said.append(f"{name} does not say how its letters are written; it was read as {title}. Saved as UTF-8 it "
                        f"needs no guess.")
        if self.damaged:
            said.append(f"{name} has {self.damaged:,} damaged letter{'' if self.damaged == 1 else 's'}, which {title} "
                        f"does not know; \ufffd stands for each.")
        return " ".join(said)


def decode(data: bytes, encoding: str | None = None, *, guess: str | None = None) -> Decoded:
    """A text file's words.

    Its byte order mark decides; else it is UTF-8 if most of it can be; else the encoding of `ENCODINGS` is guessed in
    which it reads like a language (charset-normalizer), and said to be a guess. Bytes without a meaning become U+FFFD
    and are counted.

    Parameters
    ----------
    data
        The whole file.
    encoding
        Where given, read in this one.
    guess
        Where given, taken instead of a guess.
    """
    if encoding:
        return _read(data, encoding)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _read(data, name)
    nulls = data[:256]
    if len(nulls) >= 4 and nulls[1::2].count(0) > len(nulls) / 4:
        return _read(data, "utf_16_le")
    if len(nulls) >= 4 and nulls[::2].count(0) > len(nulls) / 4:
        return _read(data, "utf_16_be")
    found = _read(data, "utf-8")
    if not found.damaged or _holds(found):
        return found
    return _read(data, guess) if guess else _read(data, _guess(data), guessed=True)


def _read(data: bytes, encoding: str, *, guessed: bool = False) -> Decoded:
    try:
        return Decoded(data.decode(encoding).removeprefix("\ufeff"), encoding, guessed)
    except UnicodeDecodeError:
        text = data.decode(encoding, "replace").removeprefix("\ufeff")
        return Decoded(text, encoding, guessed, text.count("\ufffd"))


def without_halves(decoded: Decoded) -> Decoded:
    """JSON with U+FFFD for every \\ud83d that is half of a letter, and counted as damaged."""
    if "\\ud" not in decoded.text.lower():
        return decoded
    text = _ESCAPED.sub(lambda found: "\\ufffd" if found["half"] else found[0], decoded.text)
    return replace(decoded, text=text, damaged=decoded.damaged + sum(bool(m["half"]) for m in _ESCAPED.finditer(
        decoded.text)))


def _holds(found: Decoded) -> bool:
    """Whether enough letters beyond ASCII are whole for a damaged text to be in its encoding all the same."""
    letters = [letter for letter in found.text if letter > "\x7f" and letter != "\ufffd"]
    western = all(letter in _WESTERN for letter in letters)
    return len(letters) >= (1 if western else 2) * found.damaged


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
