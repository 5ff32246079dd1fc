"""Resizing where pictures are unpacked gives the same pixels as resizing here, whatever the reader."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.encoding.preprocessing import Preprocessor
from core.sources.images.framing import FRAMED_SECONDS, UNFRAMED, Framing
from core.sources.images.readers import ChosenImages, FileImages, UploadImages, decode_framed
from core.sources.workers import DecoderPool
from tests.encoding.made_models import clip_processor, siglip_processor


def png(size: tuple[int, int], seed: int = 0, **words: str) -> bytes:
    picture = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer, said = io.BytesIO(), PngImagePlugin.PngInfo()
    for key, value in words.items():
        said.add_text(key, value)
    Image.fromarray(picture).save(buffer, "PNG", pnginfo=said)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pool() -> Iterator[DecoderPool]:
    pool = DecoderPool(1)
    yield pool
    pool.close()


@pytest.mark.parametrize("make", [clip_processor, siglip_processor])
@pytest.mark.parametrize("size", [(32, 32), (97, 61), (61, 97), (400, 33), (1, 1), (2, 900)])
def test_a_worker_frames_to_the_very_pixels(pool: DecoderPool, make: type, size: tuple[int, int]) -> None:
    framing = Preprocessor(make(32)).framing
    assert framing is not None
    here = framing.apply(Image.open(io.BytesIO(png(size))))
    there = pool.decode(png(size), "a.png", framing=framing)
    assert there.size == (32, 32)
    np.testing.assert_array_equal(np.asarray(there), np.asarray(here))
    assert 0 < there.info[FRAMED_SECONDS] < 20


def test_a_scaled_size_other_than_the_cut() -> None:
    framing = Framing(4, 6, 8, 10, Image.Resampling.NEAREST, False)
    picture = Image.fromarray(np.arange(80, dtype=np.uint8).reshape(8, 10))
    np.testing.assert_array_equal(np.asarray(framing.apply(picture)), np.arange(80).reshape(8, 10)[2:6, 2:8])
    odd = Image.fromarray(np.tile(np.arange(7, dtype=np.uint8), (4, 1)))
    for to_even, first in ((False, 1), (True, 2)):
        cut = Framing(4, 4, 4, 7, Image.Resampling.NEAREST, to_even).apply(odd)
        assert np.asarray(cut)[0].tolist() == list(range(first, first + 4))


def test_a_framing_travels_as_bytes() -> None:
    framing = Framing(224, 200, 256, 0, Image.Resampling.BICUBIC, True)
    assert Framing.unpack(framing.pack()) == framing
    assert Framing.unpack(UNFRAMED) is None


def test_words_inside_a_file_are_not_taken_for_seconds(pool: DecoderPool) -> None:
    data = png((9, 7), **{FRAMED_SECONDS: "hostile"})
    assert Image.open(io.BytesIO(data)).info[FRAMED_SECONDS] == "hostile"
    assert pool.decode(data, "a.png").info == {FRAMED_SECONDS: 0.0}


def test_every_reader_frames(tmp_path: Path) -> None:
    files = []
    for i in range(3):
        files.append(tmp_path / f"{i}.png")
        files[-1].write_bytes(png((50 + i, 40), i))
    framing = Framing(16, 16, 16, 0, Image.Resampling.BICUBIC, True)
    plain = [framing.apply(Image.open(file)) for file in files]
    uploads = UploadImages([(file.name, file.read_bytes()) for file in files])

    class Others:
        """A reader that knows nothing of framing."""

        def __len__(self) -> int:
            return len(files)

        def content_hash(self, index: int) -> str:
            return str(index)

        def decode(self, index: int) -> Image.Image:
            return Image.open(files[index]).convert("RGB")

    chosen = ChosenImages([(Others(), 2), (uploads, 0)])
    readers = ((FileImages(files), (0, 1, 2)), (uploads, (0, 1, 2)), (Others(), (0, 1, 2)), (chosen, (2, 0)))
    for images, order in readers:
        for at, which in enumerate(order):
            np.testing.assert_array_equal(np.asarray(decode_framed(images, at, framing)), np.asarray(plain[which]))
