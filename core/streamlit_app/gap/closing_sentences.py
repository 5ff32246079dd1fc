"""What closing the gap does, in sentences that are made from the report alone."""

from __future__ import annotations

from collections.abc import Sequence

from core.geometry.differences import Verdict
from core.geometry.gap.closing import CLOSINGS
from core.geometry.gap.reports import ClosingReport, ClosingRow
from core.geometry.intervals import above_chance
from core.streamlit_app.gap.sentences import UNKNOWN, WAYS, say
from core.types import Number

CLOSED_BELOW = 0.25
SATURATED = 0.98


def closing_in_words(report: ClosingReport) -> list[str]:
    """What closing does to retrieval, held out, and which methods only remember the pairs they were fitted on."""
    untouched, *rows = report.rows
    said = [f"Fitted on {report.n_fit:,} pairs and scored on {report.n_scored:,} others, {report.repeats} times. "
            f"Untouched, the gap is {say(untouched.gap)}" + "".join(
                f", R@1 {way} {say(untouched.held_out[key])}" for key, way in WAYS.items()
                if key in untouched.held_out) + "."]
    there = above_chance(untouched.gap)
    moved = [row for row in rows if row.method not in CLOSINGS or CLOSINGS[row.method].moves]
    closes = [row for row in moved if there and row.gap.value < CLOSED_BELOW * untouched.gap.value]
    if there is None:
        said.append("There are too few splits to tell whether there is a gap to close.")
    elif not there:
        said.append(f"That is no gap that these pairs can show (by chance {untouched.gap.null:.2f}): there is none to "
                    f"close.")
    elif not closes:
        said.append("None of these methods closes the gap of pairs that it was not fitted on.")
    if not untouched.held_out:
        return [*said, "Without pairs nothing can be said about retrieval."]
    for verdict, words in _VERDICTS.items():
        found = [row for row in closes if verdict_of(row) == verdict]
        if found:
            said.append(f"Of the methods that close the gap, {_titles(found)} {words[len(found) > 1]}.")
    others = [row for row in rows if row not in closes and verdict_of(row) == 1]
    if others:
        beside = " without closing the gap: what helps need not be what closes" if there else ""
        said.append(f"{_titles(others)} {_VERDICTS[1][len(others) > 1]}{beside}.")
    for row in rows:
        said += _remembering(row)
    said.append(_conclusion(closes))
    best = max(n.value for n in untouched.held_out.values())
    if best > SATURATED:
        said.append(f"Untouched retrieval is already {best:.2f}: so near the ceiling a loss can show, a gain cannot. "
                    f"Take more, or more similar, pairs for a sharper test.")
    if untouched.accuracy is not None:
        said += _accuracy(untouched.accuracy, rows)
    return said


_VERDICTS = {1: ("gains R@1", "gain R@1"), -1: ("loses R@1", "lose R@1"),
             2: ("gains R@1 one way and loses it the other", "gain R@1 one way and lose it the other"),
             0: ("leaves R@1 where it was, as far as these pairs can tell",
                 "leave R@1 where it was, as far as these pairs can tell")}


def verdict_of(row: ClosingRow) -> int:
    """1 where retrieval is gained over untouched, item by item, one way and not lost the other; -1 where it is lost;
    2 where gained one way and lost the other; 0 where these pairs tell no difference.
    """
    verdicts = {row.change[key].verdict for key in WAYS if key in row.change}
    gained, lost = Verdict.HIGHER in verdicts, Verdict.LOWER in verdicts
    return 2 if gained and lost else 1 if gained else -1 if lost else 0


def _remembering(row: ClosingRow) -> list[str]:
    """Said of a method fitted on pairs that finds the same pairs more often when it was fitted on them."""
    for key, way in WAYS.items():
        if row.remembered.get(key, UNKNOWN).verdict is Verdict.HIGHER:
            inside, outside = row.in_sample[key], row.held_out[key]
            return [f"{title_of(row.method)} finds {say(inside)} of the pairs it was fitted on and {say(outside)} of "
                    f"others ({way}): its score on its own pairs would mislead."]
    return []


def _conclusion(closes: Sequence[ClosingRow]) -> str:
    verdicts = {verdict_of(row) for row in closes}
    if not closes:
        return "So nothing can be said here about what a closed gap does."
    if 2 in verdicts or {1, -1} <= verdicts:
        return "So it is not the gap that decides: ways of closing it help here and harm here."
    if 1 in verdicts:
        return "So closing the gap helps here, by the right method."
    if -1 in verdicts:
        return "So closing the gap helps retrieval nowhere here, and some ways of closing it harm."
    return "So closing the gap changes nothing in retrieval here that these pairs can show."


def _accuracy(untouched: Number, rows: Sequence[ClosingRow]) -> list[str]:
    said = []
    for verdict, verb in ((Verdict.HIGHER, "rises"), (Verdict.LOWER, "falls")):
        found = [row for row in rows if row.change.get("accuracy", UNKNOWN).verdict is verdict]
        if found:
            said.append(f"{verb} with {_titles(found)}")
    if not said:
        return [f"Zero-shot accuracy, {say(untouched)} untouched, changes with no method that these images can show."]
    return [f"Zero-shot accuracy, {say(untouched)} untouched, {' and '.join(said)}."]


def title_of(method: str) -> str:
    """What a method is called for users."""
    return CLOSINGS[method].title if method in CLOSINGS else method


def _titles(rows: Sequence[ClosingRow]) -> str:
    names = [title_of(row.method) for row in rows]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
