"""Subtitles in both formats, as people write them."""

from __future__ import annotations

import pytest

from core.errors import OrreryError, SourceError
from core.sources.films.film import Line
from core.sources.films.subtitles import read_subtitles

SRT = """1
00:00:01,000 --> 00:00:02,500 X1:40 X2:600
<i>Good <b>morning</b></i>,
{\\an8}all &amp; sundry

2
00:00:02,000 --> 00:00:04,000
overlapping
3
00:00:05,000 --> 00:00:04,000
ends before it begins

4
00:99:xx --> 00:00:09,000
nonsense

5
00:00:10,000 --> 00:00:11,000

6
1:02:03,5 --> 01:02:04,000
--> an arrow of its own
"""
CUES = (Line(1, 2.5, "Good morning, all & sundry"), Line(2, 4, "overlapping"),
        Line(3723.5, 3724, "--> an arrow of its own"))


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", ""), ("utf-8", "\ufeff"), ("utf-16-le", "\ufeff"),
                                                ("utf-16-be", "\ufeff")])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cues_are_read_and_bad_ones_told(encoding: str, mark: str, end: str) -> None:
    found = read_subtitles((mark + SRT).replace("\n", end).encode(encoding), "a.srt")
    assert found.lines == CUES
    assert found.notices == ("a.srt: 2 cues left out, whose times make no sense (line 10, 14).",)


def test_webvtt_and_old_encodings() -> None:
    text = ("WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nNOTE --> none\n\nname\n"
            "00:01.000 --> 00:02.000 align:start\n<v Fred>Hi <00:01.500><c.loud>there</c>\n\n"
            "01:00:00.000 --> 01:00:01.000\nlater\n")
    assert read_subtitles(text.encode(), "a.vtt").lines == (Line(1, 2, "Hi there"), Line(3600, 3601, "later"))
    words = "1\n00:00:01,000 --> 00:00:02,000\nGrüße, Señor, ça va?\n"
    old = read_subtitles(words.encode("cp1252"), "a.srt")
    assert old.lines[0].text == "Grüße, Señor, ça va?" and "read as Western" in old.notices[0]


def test_what_is_none_is_refused_and_nothing_breaks_it() -> None:
    with pytest.raises(SourceError, match="no cue"):
        read_subtitles(b"just words\n", "a.srt")
    import numpy as np

    rng, data = np.random.default_rng(0), bytearray(SRT.encode())
    for _ in range(300):
        bad = bytearray(data)
        for _ in range(rng.integers(1, 12)):
            bad[rng.integers(len(bad))] = rng.integers(256)
        try:
            assert read_subtitles(bytes(bad[:rng.integers(1, len(bad))]), "a.srt").lines
        except OrreryError:
            continue
