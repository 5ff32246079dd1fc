"""Foveal attention: which box a sentence means, by every way of pointing; on scenes, or on RefCOCO's files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import ChoiceError

HELP = "which box a sentence means, by foveal masks and by edits of pixels, on scenes or on RefCOCO's files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.attention.foveal.evaluation import FIND_SCENES, SCENES

    parser.add_argument("--scenes", type=int, default=SCENES, help=f"of each kind that are scored (default: {SCENES})")
    parser.add_argument("--find-scenes", type=int, default=FIND_SCENES,
                        help=f"scenes that are looked through without boxes (default: {FIND_SCENES})")
    parser.add_argument("--refs", metavar="FILE", help="sentences about boxes in place of scenes: references as "
                        "RefCOCO has them, in JSON, or JSON lines that carry their boxes; --images names the pictures")
    parser.add_argument("--instances", metavar="FILE", help="COCO instances with the boxes of --refs, or alone: "
                        "then a sentence is a category that a picture has once")
    parser.add_argument("--split", help="rows of this split of --refs alone (val, testA, ...)")
    parser.add_argument("--template", help='how a sentence of a file is told, as "a photo of {}" (default: {})')


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Accuracy of each method, raw and less other captions, what foveal masks win or lose, and boxes found."""
    if args.data:
        raise ChoiceError("--refs or --instances with a file, for the subject foveal", f"--data {args.data}")
    from core.attention.foveal.evaluation import evaluate_file, evaluate_scenes
    from core.attention.towers import ImageTower
    from core.encoding.models import load_model
    from core.encoding.registry import misfit

    files = [file for file in (args.refs, args.instances) if file]
    if not files:
        wrong = [name for name in ("images", "split", "template") if getattr(args, name) is not None]
        if wrong:
            raise ChoiceError(f"--refs or --instances beside --{wrong[0]}", f"--{wrong[0]} alone")
        tower = ImageTower(load_model(args.model))
        found = evaluate_scenes(tower, seed=args.seed, scenes=args.scenes, found=args.find_scenes,
                                on_progress=progress_line)
        return Evaluation("foveal", args.model, "scenes of two and three solids of the built-in world", args.seed,
                          found.figures(), misfit(args.model, built_in_world=True), found.chosen())
    from core.commands._opening import tell_rows
    from core.settings import settings
    from core.sources.foveal.opening import open_boxed

    data = open_boxed(files, args.images, split=args.split)
    for notice in data.notices:
        print(notice, file=sys.stderr)
    tower = ImageTower(load_model(args.model))
    found = evaluate_file(tower, data, template=args.template or "{}", seed=args.seed, on_progress=progress_line)
    tell_rows([("refused", r) for r in (*data.refused, *found.referring[""].refused)],
              settings().cache / "left_out" / f"{Path(files[0]).stem}.tsv")
    return Evaluation("foveal", args.model, data.name, args.seed, found.figures(),
                      misfit(args.model, built_in_world=False))
