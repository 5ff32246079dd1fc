"""Reports of small made films, for the tests of figures."""

from __future__ import annotations

import html
from functools import cache

import numpy as np

from core.geometry.films.nulls import NullsReport, nulls_report
from core.geometry.films.paths import PathReport, path_report
from core.geometry.films.recurrence import RecurrenceReport, recurrence_report
from core.geometry.films.themes import ThemesReport, themes_report
from tests.geometry.films.made_paths import shots_of

PROMPTS = ("a <b>cat</b>", "a dog", "a car")
PATH, STARTS = shots_of("ABCDABCD", frames=8)


def title(figure) -> str:
    return html.unescape(figure.layout.title.text.replace("<br>", " ")).replace("\u00a0", " ")


@cache
def path() -> PathReport:
    return path_report(PATH)


@cache
def nulls() -> NullsReport:
    return nulls_report(PATH, STARTS)


@cache
def recurrence() -> RecurrenceReport:
    return recurrence_report(PATH, STARTS, threshold=0.5)


@cache
def themes() -> ThemesReport:
    return themes_report(PATH, PROMPTS, np.eye(16, dtype=np.float32)[:3], STARTS)
