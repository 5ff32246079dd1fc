"""Dataset quality: how much of what is planted into the built-in world the findings find."""

from __future__ import annotations

import argparse

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import ChoiceError

HELP = "planted copies, wrong captions, wrong labels, bad pictures and outliers, and how much of them is found"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.language.quality.evaluation import SCENES, SCORED, TUNED

    parser.add_argument("--sets", type=int, default=SCORED, help=f"sets that are scored (default: {SCORED})")
    parser.add_argument("--tuned-on", type=int, default=TUNED,
                        help=f"sets of other seeds on which thresholds are chosen (default: {TUNED})")
    parser.add_argument("--scenes", type=int, default=SCENES, help=f"scenes in each set (default: {SCENES})")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Faults planted into scenes of the built-in world."""
    if args.data:
        raise ChoiceError("no --data for the subject quality, which is measured on faults planted into the built-in "
                          "world", args.data)
    from core.encoding.models import load_model
    from core.encoding.registry import misfit
    from core.encoding.store import Store
    from core.language.quality.evaluation import evaluate_quality

    found = evaluate_quality(load_model(args.model), Store(), seed=args.seed, scored=args.sets, tuned=args.tuned_on,
                             scenes=args.scenes, on_progress=progress_line)
    return Evaluation("quality", args.model, "scenes of the built-in world with planted faults", args.seed,
                      found.figures(), misfit(args.model, built_in_world=True), found.chosen())
