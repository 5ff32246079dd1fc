"""``python -m core train builtin``: train the built-in model, from nothing, and measure it."""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path

from core.commands._progress import progress_line
from core.settings import settings


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("train", help="train the built-in model (resumes where it was stopped)")
    parser.add_argument("what", choices=["builtin"])
    parser.add_argument("--out", type=Path, help="folder for the model (default data/builtin)")
    parser.add_argument("--work", type=Path, help="folder for pictures and checkpoint (default in the cache)")
    parser.add_argument("--device", default=None, help="cuda, mps or cpu (default: the best at hand)")
    from core.learning.builtin import Recipe

    for field in fields(Recipe):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=type(field.default), default=field.default,
                            help=f"default {field.default}")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    import torch

    from core.learning.builtin import FOLDER, Recipe, train

    device = args.device or settings().device or ("cuda" if torch.cuda.is_available() else "cpu")
    recipe = Recipe(**{f.name: getattr(args, f.name) for f in fields(Recipe)})
    facts = train(recipe, args.work or settings().cache / "training", args.out or FOLDER, device=device,
                  on_progress=progress_line)
    print(json.dumps(facts, indent=1))
    print("Measure it with: python -m core evaluate model")
    return 0
