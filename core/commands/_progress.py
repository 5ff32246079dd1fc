"""One line of progress on a terminal."""

from __future__ import annotations

import sys


def progress_line(share: float, text: str) -> None:
    """Rewrite one line on stderr where it is a terminal, else print each tenth."""
    if sys.stderr.isatty():
        print(f"\r{share:4.0%} {text:<70.70}", end="" if share < 1 else "\n", file=sys.stderr, flush=True)
    else:
        print(f"{share:.1%} {text}", file=sys.stderr, flush=True)
