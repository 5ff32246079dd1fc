"""The figures of a subject, and how they are printed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from core.types import Number


@dataclass(frozen=True)
class Evaluation:
    """Figures of a subject, and what they were computed on.

    Attributes
    ----------
    subject, model, data, seed, figures : what was measured on what.
    note : where the figures measure nothing, that they do.
    chosen : what was tuned, and on which seeds, as plain values by name.
    """

    subject: str
    model: str
    data: str
    seed: int
    figures: dict[str, Number]
    note: str = ""
    chosen: Mapping[str, Any] = field(default_factory=dict)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation with what is absent left out and nothing that JSON cannot say."""
    def clean(number: Number) -> dict[str, Any]:
        return {k: v for k, v in asdict(number).items()
                if v is not None and not (isinstance(v, float) and not math.isfinite(v))}

    said = {k: v for k, v in asdict(evaluation).items() if v != "" and v != {}}
    return {**said, "figures": {k: clean(v) for k, v in evaluation.figures.items()}}


def as_table(evaluation: Evaluation) -> str:
    """Lines of name, value, 95 % interval, null, n and unit; then what was chosen."""
    rows = [("figure", "value", "95 % interval", "null", "n", "unit")]
    for name, number in evaluation.figures.items():
        interval = "" if number.low is None or number.high is None else f"{number.low:.4g} to {number.high:.4g}"
        rows.append((name, f"{number.value:.4g}", interval, "" if number.null is None else f"{number.null:.4g}",
                     "" if number.n is None else f"{number.n:,}", number.unit))
    widths = [max(len(r[c]) for r in rows) for c in range(6)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    head = f"{evaluation.subject}: {evaluation.model} on {evaluation.data}, seed {evaluation.seed}"
    chosen = [f"{name}: {json.dumps(value)}" for name, value in evaluation.chosen.items()]
    return "\n".join([head, *([evaluation.note] if evaluation.note else []), *lines, *chosen])
