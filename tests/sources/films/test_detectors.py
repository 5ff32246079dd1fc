"""PySceneDetect beside shots told from the path: cuts of pictures that change at once, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import ChoiceError, ShapeError
from core.sources.films.detectors import DETECTORS, detected_starts


def pictures(places: list[int], length: int = 8) -> list[np.ndarray]:
    """Patches of other colours at each place, that shift by a pixel from frame to frame."""
    out = []
    for k, place in enumerate(np.repeat(places, length).tolist()):
        patches = np.random.default_rng(place + 40).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        out.append(np.roll(np.kron(patches, np.ones((16, 16, 1), np.uint8)), k % 2, axis=1))
    return out


def test_all_detectors_find_cuts_of_short_shots():
    found = detected_starts(iter(pictures([0, 3, 1, 2])), 12.0)
    assert list(found) == list(DETECTORS)
    for key, starts in found.items():
        assert starts.tolist() == [0, 8, 16, 24], key


def test_shots_shorter_than_the_shortest_are_not_found_and_one_look_is_enough():
    frames = iter(pictures([0, 3, 1, 2]))
    assert detected_starts(frames, 12.0, keys=("hash",), shortest=15)["hash"].tolist() in ([0, 16], [0, 24])
    assert next(frames, None) is None
    assert detected_starts([], 12.0)["content"].tolist() == [0]


def test_what_cannot_be_is_refused():
    with pytest.raises(ShapeError, match="frames per second above 0"):
        detected_starts([], 0)
    with pytest.raises(ChoiceError, match="detector to be one of content"):
        detected_starts([], 12.0, keys=("magic",))
