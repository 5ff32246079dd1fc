"""How well a model reads the built-in world."""

from __future__ import annotations

import argparse

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import ChoiceError

HELP = "how well a model reads the built-in world: zero-shot and retrieval"


def evaluate(args: argparse.Namespace) -> Evaluation:
    if args.data:
        raise ChoiceError("no --data for the subject model, which is measured on the built-in world", args.data)
    from core.encoding.models import load_model
    from core.encoding.registry import PHOTO, misfit
    from core.language.world_evaluation import evaluate_model

    if args.model == PHOTO:
        raise ChoiceError("an image-text model (a CLIP)", "the photo model, which has no texts of solids and styles")
    model = load_model(args.model)
    figures = evaluate_model(model, seed=args.seed, on_progress=progress_line)
    return Evaluation("model", args.model, "built-in world", args.seed, figures,
                      misfit(args.model, built_in_world=True))
