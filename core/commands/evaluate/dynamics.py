"""Learning dynamics: what small towers learn, what faults in their data do to it, and experiments on the gap."""

from __future__ import annotations

import argparse

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import ChoiceError

HELP = "what two small towers learn, by dose of each fault in their data, and experiments on the modality gap"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.learning.towers.doses import SEEDS
    from core.learning.towers.setup import Setup

    parser.add_argument("--seeds", type=int, default=SEEDS, help=f"trainings of each kind (default: {SEEDS})")
    parser.add_argument("--steps", type=int, default=Setup.steps, help=f"of each training (default: {Setup.steps})")
    parser.add_argument("--pairs", type=int, default=1800, help="pairs to train on (default: 1800)")
    parser.add_argument("--probe", type=int, default=360, help="pairs to look at (default: 360)")
    parser.add_argument("--workers", type=int, default=2, help="trainings at once, one thread each (default: 2)")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """About 170 trainings of some seconds each, which are kept: a second call reads them."""
    if args.data or args.model != "builtin":
        raise ChoiceError("no --data and no --model for the subject dynamics, which trains small towers on the "
                          "built-in world", args.data or args.model)
    from core.learning.towers.concepts import concept_lesson
    from core.learning.towers.evaluation import evaluate_towers

    lesson = concept_lesson(train=args.pairs, probe=args.probe, on_progress=progress_line)
    found = evaluate_towers(lesson, seed=args.seed, seeds=args.seeds, steps=args.steps, workers=args.workers,
                            on_progress=progress_line)
    return Evaluation("dynamics", "two small towers", f"{lesson.name}, {args.pairs:,} pairs", args.seed,
                      found.figures(), chosen=found.said())
