"""Subtitles in SubRip (srt) and WebVTT (vtt) files: cues with their times, in whatever encoding they were written."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from core.errors import SourceError
from core.sources.films.film import Line
from core.sources.text import decode, lines

ENDINGS = (".srt", ".vtt")
MOST_CUES, _MOST_BYTES, _MOST_LETTERS = 50_000, 16 * 1024**2, 2_000
_TIME = r"(?:(\d{1,4}):)?(\d{1,3}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^\s*(-?){_TIME}\s*-+>\s*(-?){_TIME}(?:\s.*)?$")
_TAG = re.compile(r"<[^<>\n]{0,200}>|\{\\[^{}\n]{0,200}\}")
_FIRST_BAD = 5


@dataclass(frozen=True)
class Subtitles:
    """Cues in the order of their starts.

    Attributes
    ----------
    lines : the cues; they may overlap.
    notices : what was guessed or left out, in sentences.
    """

    lines: tuple[Line, ...]
    notices: tuple[str, ...] = ()


def read_subtitles(data: bytes, name: str) -> Subtitles:
    """The cues of a subtitle file; a bad cue is left out and told.

    Parameters
    ----------
    data
        The file.
    name
        What a message calls it.

    Raises
    ------
    SourceError
        If it is larger than 16 MB, or no cue can be read.
    """
    if len(data) > _MOST_BYTES:
        raise SourceError(f"subtitles of at most {_MOST_BYTES // 1024**2} MB in {name}",
                          f"{len(data) / 1024**2:,.0f} MB", "Bring a part of them.")
    decoded = decode(data)
    cues, bad = _cues(lines(decoded.text.replace("\0", "")))
    if not cues:
        raise SourceError(f"subtitles in {name}", "no cue with its times",
                          "A cue has a line like 00:00:01,000 --> 00:00:02,500 and its words below.")
    notices = [said] if (said := decoded.notice(name)) else []
    if bad:
        first = ", ".join(map(str, bad[:_FIRST_BAD])) + (", ..." if len(bad) > _FIRST_BAD else "")
        notices.append(f"{name}: {len(bad):,} cue{'' if len(bad) == 1 else 's'} left out, whose times make no sense "
                       f"(line {first}).")
    if len(cues) > MOST_CUES:
        notices.append(f"{name}: the first {MOST_CUES:,} of {len(cues):,} cues are used.")
    cues.sort(key=lambda line: (line.start, line.end))
    return Subtitles(tuple(cues[:MOST_CUES]), tuple(notices))


def _cues(rows: list[str]) -> tuple[list[Line], list[int]]:
    """Cues, and the numbers of the lines whose times make no sense."""
    cues: list[Line] = []
    bad: list[int] = []
    at = 0
    while at < len(rows):
        if "->" not in rows[at]:
            at += 1
            continue
        times, number = _TIMES.match(rows[at]), at + 1
        words = []
        at += 1
        while at < len(rows) and rows[at].strip() and not _TIMES.match(rows[at]):
            words.append(rows[at])
            at += 1
        # A number alone before the next times is that cue's, where no empty line parts them.
        if at < len(rows) and rows[at].strip() and words and words[-1].strip().isdecimal():
            words.pop()
        if times is None:
            if re.search(r"\d", rows[number - 1]):
                bad.append(number)
            continue
        start, end = _seconds(times.groups()[:5]), _seconds(times.groups()[5:])
        text = _plain("\n".join(words))
        if start < 0 or end <= start:
            bad.append(number)
        elif text:
            cues.append(Line(start, end, text))
    return cues, bad


def _seconds(parts: tuple[str | None, ...]) -> float:
    sign, hours, minutes, seconds, rest = parts
    value = 3600 * int(hours or 0) + 60 * int(minutes or 0) + int(seconds or 0) + float(f"0.{rest or 0}")
    return -value if sign else value


def _plain(text: str) -> str:
    """Words without tags, entities resolved, in one line, of at most 2,000 letters."""
    return " ".join(html.unescape(_TAG.sub("", text[:4 * _MOST_LETTERS])).split())[:_MOST_LETTERS]
