"""``python -m core evaluate SUBJECT``: the figures of a subject as a table, or as one JSON object."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from core.commands._progress import progress_line
from core.errors import ChoiceError
from core.types import Number


@dataclass(frozen=True)
class Evaluation:
    """Figures of a subject, and what they were computed on."""

    subject: str
    model: str
    data: str
    seed: int
    figures: dict[str, Number]


def _model(args: argparse.Namespace) -> Evaluation:
    if args.data:
        raise ChoiceError("no --data for the subject model, which is measured on the built-in world", args.data)
    from core.encoding.models import load_model
    from core.language.world_evaluation import evaluate_model

    model = load_model(args.model)
    figures = evaluate_model(model, seed=args.seed, on_progress=progress_line)
    return Evaluation("model", args.model, "built-in world", args.seed, figures)


SUBJECTS: dict[str, Callable[[argparse.Namespace], Evaluation]] = {"model": _model}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("evaluate", help="print the figures of a subject")
    parser.add_argument("subject", choices=list(SUBJECTS))
    parser.add_argument("--data", help="what to measure on (default: the built-in world)")
    parser.add_argument("--model", default="builtin", help="id of a model (default: builtin)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.set_defaults(func=run)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation with what is absent left out and nothing that JSON cannot say."""
    def clean(number: Number) -> dict[str, Any]:
        return {k: v for k, v in asdict(number).items()
                if v is not None and not (isinstance(v, float) and not math.isfinite(v))}

    return {**asdict(evaluation), "figures": {k: clean(v) for k, v in evaluation.figures.items()}}


def as_table(evaluation: Evaluation) -> str:
    """Lines of name, value, 95 % interval, null, n and unit."""
    rows = [("figure", "value", "95 % interval", "null", "n", "unit")]
    for name, number in evaluation.figures.items():
        interval = "" if number.low is None or number.high is None else f"{number.low:.4g} to {number.high:.4g}"
        rows.append((name, f"{number.value:.4g}", interval, "" if number.null is None else f"{number.null:.4g}",
                     "" if number.n is None else f"{number.n:,}", number.unit))
    widths = [max(len(r[c]) for r in rows) for c in range(6)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    head = f"{evaluation.subject}: {evaluation.model} on {evaluation.data}, seed {evaluation.seed}"
    return "\n".join([head, *lines])


def run(args: argparse.Namespace) -> int:
    evaluation = SUBJECTS[args.subject](args)
    print(json.dumps(as_json(evaluation)) if args.json else as_table(evaluation))
    return 0
