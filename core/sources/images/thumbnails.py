"""Small pictures of images: kept on disk by content, and put together into one atlas."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from core.errors import UnreadableItem
from core.settings import settings
from core.sources.images.readers import decode_small
from core.types import Images, Refusal

MAX_BYTES = 512 * 1024**2
_CHECK_EVERY = 1_000
_written = 0
_lock = threading.Lock()


def thumbnail(images: Images, index: int, size: int = 96) -> Image.Image:
    """An RGB picture of at most ``size`` pixels a side (aspect kept, never enlarged), kept on disk.

    Raises
    ------
    UnreadableItem
        If the image cannot be decoded.
    """
    with Image.open(io.BytesIO(thumbnail_bytes(images, index, size)), formats=("WEBP",)) as kept:
        return kept.convert("RGB")


def thumbnail_bytes(images: Images, index: int, size: int = 96) -> bytes:
    """``thumbnail`` as a WebP file, for a browser.

    Raises
    ------
    UnreadableItem
        If the image cannot be decoded.
    """
    path = _folder() / f"{images.content_hash(index)}-{size}.webp"
    with contextlib.suppress(OSError):
        kept = path.read_bytes()
        if kept[:4] == b"RIFF" and len(kept) == int.from_bytes(kept[4:8], "little") + 8:
            os.utime(path)
            return kept
    buffer = io.BytesIO()
    decode_small(images, index, size).save(buffer, "WEBP", quality=85)
    _keep(buffer.getvalue(), path)
    return buffer.getvalue()


@dataclass(frozen=True)
class Atlas:
    """Square thumbnails in one picture.

    Attributes
    ----------
    image : RGB, ``columns * size`` wide; tile i has its upper left corner at (size (i % columns), size (i // columns)).
    columns : tiles in a row.
    size : side of a tile in pixels.
    refused : images that could not be decoded; their tiles are grey with a cross.
    """

    image: Image.Image
    columns: int
    size: int
    refused: tuple[Refusal, ...]


def thumbnail_atlas(images: Images, indices: Sequence[int], size: int = 64) -> Atlas:
    """One picture of the chosen images as square tiles, each cut to its middle, in the order of ``indices``."""
    columns = max(1, _ceil_sqrt(len(indices)))
    rows = max(1, -(-len(indices) // columns))
    atlas = Image.new("RGB", (columns * size, rows * size), (128, 128, 128))
    refused = []

    def tile(index: int) -> Image.Image | Refusal:
        try:
            return ImageOps.fit(thumbnail(images, index, 2 * size), (size, size), Image.Resampling.BICUBIC)
        except UnreadableItem as error:
            return Refusal(str(index), error.got)

    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for i, made in enumerate(pool.map(tile, indices)):
            corner = (i % columns * size, i // columns * size)
            if isinstance(made, Refusal):
                refused.append(made)
                made = _crossed(size)
            atlas.paste(made, corner)
    return Atlas(atlas, columns, size, tuple(refused))


def _ceil_sqrt(n: int) -> int:
    root = int(n**0.5)
    return root if root * root >= n else root + 1


def _crossed(size: int) -> Image.Image:
    tile = Image.new("RGB", (size, size), (128, 128, 128))
    draw = ImageDraw.Draw(tile)
    draw.line([(0, 0), (size, size)], fill=(200, 200, 200), width=2)
    draw.line([(size, 0), (0, size)], fill=(200, 200, 200), width=2)
    return tile


def _folder() -> Path:
    return settings().cache / "thumbnails"


def _keep(data: bytes, path: Path) -> None:
    """Write to disk, quietly doing without where that is impossible; now and then the oldest are dropped."""
    global _written
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError:
        return
    with _lock:
        _written += 1
        due = _written % _CHECK_EVERY == 1
    if due:
        drop_oldest(MAX_BYTES)


def drop_oldest(max_bytes: int) -> int:
    """Delete the thumbnails longest unused until at most ``max_bytes`` are kept; the bytes kept."""
    kept = []
    try:
        with os.scandir(_folder()) as entries:
            for entry in entries:
                stat = entry.stat()
                kept.append((stat.st_mtime_ns, stat.st_size, entry.path))
    except OSError:
        return 0
    total = sum(size for _, size, _ in kept)
    if total <= max_bytes:
        return total
    for _, size, path in sorted(kept):
        if total <= 0.8 * max_bytes:
            break
        try:
            os.unlink(path)
            total -= size
        except OSError:
            continue
    return total
