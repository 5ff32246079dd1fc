"""What is learnt where the pairs that are open cannot be: the page says why, and all else on it stays in reach."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Collection

import numpy as np
import pytest
from PIL import Image

from tests.pages.test_pages import finished, opened, words
from tests.streamlit_app.dynamics.test_checkpoints import PAGE


def packed(n: int, *, alike: bool = False, damaged: Collection[int] = ()) -> bytes:
    """Noise, with a caption each."""
    out, rows = io.BytesIO(), ["image,caption"]
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(n):
            picture = io.BytesIO()
            pixels = np.random.default_rng(0 if alike else i).integers(0, 255, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(picture, "PNG")
            archive.writestr(f"{i}.png", picture.getvalue()[:60] if i in damaged else picture.getvalue())
            rows.append(f"{i}.png,caption {i}")
        archive.writestr("captions.csv", "\n".join(rows))
    return out.getvalue()


@pytest.mark.parametrize(("data", "why"), [
    (packed(1), "There is one pair alone"), (packed(6, alike=True), "Images are equal"),
    (packed(6, damaged=range(1, 6)), "1 of 6 images have a caption and a picture that can be read"),
    (packed(8, damaged=range(2, 8)), "too few can be read"), (packed(4), "")])
def test_what_cannot_be_learnt_from_is_said_and_the_concepts_are_trained_instead(data: bytes, why: str) -> None:
    at = opened(PAGE, data="images", dynamics="watch")
    at.file_uploader(key="images.upload").set_value([("mine.zip", data, "application/zip")])
    said = words(finished(at.run()))
    assert 'role="alert"' not in said
    assert why in said and ("what is trained here are concepts" in said) == bool(why)
    assert any(button.label == "Train" for button in at.button)
