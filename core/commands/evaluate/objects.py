"""Objects seen from all round: recognised from other views, and set into another style."""

from __future__ import annotations

import argparse

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.encoding.registry import PHOTO
from core.errors import ChoiceError

HELP = "objects recognised from other views, and styles carried over, by subspaces and by simpler means"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.language.objects.evaluation import SCORED, TUNED

    parser.add_argument("--sets", type=int, default=SCORED, help=f"sets of views that are scored (default: {SCORED})")
    parser.add_argument("--tuned-on", type=int, default=TUNED,
                        help=f"sets of views that rank and alpha are chosen on (default: {TUNED})")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Recognition and style on the ten solids of the built-in world; "easy_" are those of many colours."""
    if args.data:
        raise ChoiceError("no --data for the subject objects, which is measured on the built-in world", args.data)
    if args.model == PHOTO:
        raise ChoiceError("an image-text model (a CLIP)", "the photo model, which has no texts of solids and styles")
    from core.encoding.models import load_model
    from core.encoding.registry import misfit
    from core.encoding.store import Store
    from core.language.objects.evaluation import evaluate_objects

    found = evaluate_objects(load_model(args.model), Store(), seed=args.seed, scored=args.sets, tuned=args.tuned_on,
                             on_progress=progress_line)
    return Evaluation("objects", args.model, "ten solids of the built-in world in five styles", args.seed,
                      found.figures(), misfit(args.model, built_in_world=True), found.chosen())
