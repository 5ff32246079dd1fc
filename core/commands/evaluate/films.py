"""Films as paths: shots and islands found, and the order of a film told from its path, on the built-in world."""

from __future__ import annotations

import argparse

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import ChoiceError

HELP = "shots, islands and kinds of films, told from their paths on the sphere and by simpler means"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.language.films.evaluation import SCORED

    parser.add_argument("--films", type=int, default=SCORED, help=f"films that are scored (default: {SCORED})")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Films of three kinds that differ in the order of their shots alone, with flashes and whip pans."""
    if args.data:
        raise ChoiceError("no --data for the subject films, which is measured on the built-in world", args.data)
    from core.encoding.models import load_model
    from core.encoding.registry import misfit
    from core.encoding.store import Store
    from core.language.films.evaluation import evaluate_films

    found = evaluate_films(load_model(args.model), Store(), seed=args.seed, scored=args.films,
                           on_progress=progress_line)
    return Evaluation("films", args.model, "films of the built-in world in three orders of the same shots", args.seed,
                      found.figures(), misfit(args.model, built_in_world=True), found.chosen())
