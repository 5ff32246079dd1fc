"""A picture that changes continuously."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from core.errors import ChoiceError, SourceError
from core.sources.films.changes import CHANGES, changed

RNG = np.random.default_rng(0)
PICTURE = Image.fromarray(RNG.integers(60, 200, (12, 16, 3), dtype=np.uint8)).resize((160, 120),
                                                                                    Image.Resampling.BICUBIC)
OTHER = Image.fromarray(np.full((80, 90, 3), 128, np.uint8))


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_begins_with_the_picture_and_goes_on_smoothly(kind: str) -> None:
    found = changed(PICTURE, kind, 60, other=OTHER)
    assert len(found) == len(found.frames) == 60 and found.strengths[0] == 0 and found.unit
    frames = np.stack([np.asarray(found.frames.decode(i), dtype=np.float32) for i in range(60)])
    np.testing.assert_array_equal(frames[0], np.asarray(PICTURE))
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    assert 0 < steps.max() < 0.45 * np.abs(frames[-1] - frames[0]).mean() + 3
    # Mirrored at the edges: nowhere is a black border.
    if kind != "noise":
        assert frames.min() > 30
    assert len({found.frames.content_hash(i) for i in range(60)}) == 60
    again = changed(PICTURE, kind, 60, other=OTHER)
    assert again.fingerprint == found.fingerprint
    np.testing.assert_array_equal(np.asarray(again.frames.decode(37)), frames[37])


def test_changes_are_what_they_are_called() -> None:
    def last(kind: str, most: float, other: Image.Image | None = None) -> np.ndarray:
        return np.asarray(changed(PICTURE, kind, 2, most, other=other).frames.decode(1), dtype=np.float32)

    pixels = np.asarray(PICTURE, dtype=np.float32)
    np.testing.assert_allclose(last("rotation", 180), pixels[::-1, ::-1], atol=1)
    np.testing.assert_allclose(last("rotation", 360), pixels, atol=1)
    np.testing.assert_allclose(last("shift", 25)[:, :100], pixels[:, 40:140], atol=1)
    np.testing.assert_allclose(last("fade", 100, OTHER), 128, atol=1)
    assert np.std(last("noise", 0.1) - pixels) == pytest.approx(25.5, rel=0.05)
    assert np.std(last("blur", 20)) < 0.5 * np.std(pixels)
    small, large = changed(PICTURE, "noise", 3, 0.02, seed=1), changed(PICTURE, "noise", 3, 0.04, seed=1)
    np.testing.assert_array_equal(np.asarray(small.frames.decode(2)), np.asarray(large.frames.decode(1)))
    assert changed(PICTURE, "noise", 3, seed=2).fingerprint != changed(PICTURE, "noise", 3, seed=3).fingerprint
    zoomed = np.asarray(Image.fromarray(last("zoom", 100).astype(np.uint8)).resize((16, 12)), dtype=np.float32)
    centre = np.asarray(PICTURE.crop((40, 30, 120, 90)).resize((16, 12)), dtype=np.float32)
    assert np.abs(zoomed - centre).mean() < 4


def test_what_cannot_be_is_refused() -> None:
    for bad in ({"kind": "melt"}, {"kind": "blur", "steps": 1}, {"kind": "blur", "most": float("nan")},
                {"kind": "fade"}, {"kind": "zoom", "most": -1.0}, {"kind": "blur", "steps": 10**6}):
        with pytest.raises((ChoiceError, SourceError)):
            changed(PICTURE, **bad)  # type: ignore[arg-type]
    assert len(changed(Image.new("L", (1, 1)), "rotation", 5).frames.decode(4).size) == 2
    assert changed(Image.new("RGB", (3000, 1000)), "blur", 2).frames.decode(0).size == (1536, 512)
