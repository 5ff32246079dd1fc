"""``python -m core evaluate SUBJECT``: the figures of a subject as a table, or as one JSON object.

A subject is a module here: ``HELP``, ``evaluate(args) -> Evaluation``, and ``add_arguments(parser)`` where it has
switches of its own.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil

from core.commands.evaluate._report import as_json, as_table

SUBJECTS = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", help="vectors, a folder, a zip or a table (default: the built-in world)")
    common.add_argument("--images", help="folder or zip of the images that a table names")
    common.add_argument("--encoding", help="how letters are written, where the guess is wrong (gb18030, cp1251, ...)")
    common.add_argument("--model", default="builtin", help="id of a model (default: builtin)")
    common.add_argument("--seed", type=int, default=0)
    common.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser = subparsers.add_parser("evaluate", help="print the figures of a subject")
    subjects = parser.add_subparsers(required=True, metavar="SUBJECT")
    for name in SUBJECTS:
        module = importlib.import_module(f"{__name__}.{name}")
        of_subject = subjects.add_parser(name, help=module.HELP, parents=[common])
        if hasattr(module, "add_arguments"):
            module.add_arguments(of_subject)
        of_subject.set_defaults(func=run, evaluate=module.evaluate)


def run(args: argparse.Namespace) -> int:
    evaluation = args.evaluate(args)
    print(json.dumps(as_json(evaluation)) if args.json else as_table(evaluation))
    return 0
