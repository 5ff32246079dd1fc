"""``python -m core``: a module a command, each with ``add_parser``."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys

from core.errors import OrreryError


def main(argv: list[str] | None = None) -> int:
    """Run a command; an error a user can act upon is one line on stderr and exit status 2."""
    parser = argparse.ArgumentParser(prog="python -m core", description="Orrery on the command line.")
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        if not module.startswith("_"):
            importlib.import_module(f"{__name__}.{module}").add_parser(subparsers)
    args = parser.parse_args(argv)
    try:
        return int(args.func(args) or 0)
    except OrreryError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; what was finished is kept.", file=sys.stderr)
        return 130
