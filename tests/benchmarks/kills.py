"""Kill the embedding process 50 times at random moments, resume, and compare with an undisturbed run.

``python tests/benchmarks/kills.py [--kills N] [--seed N]``
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def main() -> None:
    from tests.encoding.kills import IMAGES, kill_and_resume
    from tests.encoding.made_models import save_small_clip

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        model = save_small_clip(Path(folder) / "model" / "small")
        killed = kill_and_resume(Path(folder), model, args.kills, args.seed)
    print(f"{killed} of {args.kills} runs killed while they worked; {IMAGES} ids in the end, none missing, "
          f"vectors within 1e-5 of an undisturbed run ({time.monotonic() - begun:.0f} s)")


if __name__ == "__main__":
    main()
