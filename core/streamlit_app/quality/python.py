"""What a section shows, as the few lines of core calls that make it."""

from __future__ import annotations

from collections.abc import Sequence

from core.language.quality.actions import Action
from core.language.quality.evidence import KINDS
from core.language.quality.recipe import actions_as_text
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.quality.data import QualityData
from core.streamlit_app.state import Settings

Lines = tuple[list[str], list[str]]


def _looked(settings: Settings, data: QualityData) -> Lines:
    """Imports and lines that make ``looked``; a visitor's own files have made-up names in them."""
    imports, lines = points_lines(settings, data.ready)
    opened = "dataset" if data.ready.opened.vectors is None else "found"
    return ([*imports, "from core.language.quality.looked import look"],
            [*lines, f"looked = look(points, {opened}, prompts_by={data.looked.prompts_by!r}, labels={data.label!r})"])


def _code(settings: Settings, data: QualityData, imports: Sequence[str], lines: Sequence[str]) -> str:
    before, made = _looked(settings, data)
    return as_code([*before, *imports], [*made, *lines])


def finding(settings: Settings, data: QualityData, key: str, threshold: float) -> str:
    """One finding and what it flags."""
    return _code(settings, data, [
        "from core.figures.quality.findings import histogram", "from core.language.quality.evidence import find"], [
        f"found = find(looked, {key!r}, seed={settings.seed})",
        f"ids = looked.{KINDS[key].of}_ids",
        f"print([ids[row] for row in found.flagged({threshold:.6g})])", f"histogram(found, {threshold:.6g}).show()"])


def what_if(settings: Settings, data: QualityData, actions: Sequence[Action]) -> str:
    """The kept list after the actions."""
    return _code(settings, data, [
        "from core.language.quality.actions import replay", "from core.language.quality.kept import kept_table",
        "from core.language.quality.recipe import actions_of_text"], [
        f"actions = actions_of_text({actions_as_text(actions)!r})",
        f"print(kept_table(looked, replay(actions, looked, seed={settings.seed})))"])


def against(settings: Settings, data: QualityData, of: str) -> str:
    """The statistics of A against B, a file of vectors beside what is open."""
    return _code(settings, data, ["from core.geometry.quality.against import compare",
                                  "from core.sources.vectors.opening import open_vectors"], [
        f'b = open_vectors("b.npz").{of}s.vectors',
        f"found = compare(looked.items.{of}s, b, seed={settings.seed})",
        "print({key: (one.number.value, one.p) for key, one in found.statistics.items()})"])
