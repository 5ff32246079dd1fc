"""What of the evaluation of the built-in model occurs in its training, by description: python tests/benchmarks/seen.py

Half a minute: the training set is drawn again, not rendered. The model card gives these numbers.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core.language.world_evaluation import GALLERY, described, distinct_scenes
from core.learning.builtin import FOLDER, probe_scenes
from core.learning.builtin_data import training_scenes
from core.sources.solids.scene import Scene


def main() -> None:
    """Print one line for each part."""
    recipe = json.loads((FOLDER / "training.json").read_text())["recipe"]
    seen = {described(scene) for scene in training_scenes(recipe["images"], recipe["seed"])}

    def say(what: str, scenes: Sequence[Scene]) -> None:
        print(f"{what:40}{sum(described(s) in seen for s in scenes):6,} of {len(scenes):5,} descriptions occur in "
              f"training; {sum(s.held_out for s in scenes):4,} have a held-out combination", flush=True)

    gallery = distinct_scenes(GALLERY, 95_000)
    for count in (1, 2, 3):
        say(f"retrieval gallery, solids: {count}", [s for s in gallery if len(s.solids) == count])
    say("probe scenes of the training", probe_scenes())


if __name__ == "__main__":
    main()
