"""Which part of each picture is meant: mask pictures, instances of COCO, or boxes in a table, by the picture's name."""

from __future__ import annotations

import contextlib
import io
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from PIL import Image

from core.errors import SourceError, UnreadableItem
from core.settings import MB, settings
from core.sources.archives import Archive, clean, is_hidden, natural
from core.sources.foveal.instances import instances_of
from core.sources.foveal.outlines import MOST_PIXELS, Outline, resized
from core.sources.images.decoding import reason_of
from core.sources.images.opening import local_path
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large, why_not
from core.sources.tables.reading import read_table
from core.sources.tars import ARCHIVES, TarArchive, open_archive
from core.types import Refusal, fingerprint

BOX = ("left", "top", "right", "bottom")
TABLES = (".csv", ".tsv")
ENDINGS = (*ARCHIVES, ".png", ".json", *TABLES)
_HALF = 128
_VOID = 255     # of palettes: the edge that PASCAL VOC leaves open
_AS = f"mask pictures (PNG, or a zip of them), COCO instances (JSON), or a table with name, {', '.join(BOX)}"
Read = Callable[[int, int], Outline]


@dataclass(frozen=True, eq=False)
class RegionFile:
    """Regions of pictures, by name; each is read when it is asked for.

    Attributes
    ----------
    name : of the file, for users.
    key : no other content has it.
    entries : name of a picture as the file has it -> its region, given the picture's width and height in pixels.
    refused : entries that are of no use, with the reason.
    notices : what had to be guessed.
    """

    name: str
    key: str
    entries: Mapping[str, Read]
    refused: tuple[Refusal, ...] = ()
    notices: tuple[str, ...] = ()

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        """Names without ending, in whole and their last part alone -> entries."""
        found: dict[str, list[str]] = {}
        for name in self.entries:
            for stem in {stem_of(name), stem_of(name).rsplit("/", 1)[-1]}:
                found.setdefault(stem, []).append(name)
        return found

    def entry_of(self, image: str) -> str:
        """The entry of an image: that of the same name without ending, with its folders or else without.

        Raises
        ------
        UnreadableItem
            If there is none, or more than one.
        """
        whole = stem_of(image)
        for stem in (whole, whole.rsplit("/", 1)[-1]):
            found = self._by_stem.get(stem, [])
            exact = [name for name in found if stem_of(name) == whole] or found
            if len(exact) == 1:
                return exact[0]
            if exact:
                raise refuse(image, f"{len(exact):,} regions in {self.name} go by that name, such as {exact[0]} and "
                                    f"{exact[1]}", "region")
        raise refuse(image, f"{self.name} has none of the name {whole.rsplit('/', 1)[-1]}", "region")

    def strangers(self, images: Sequence[str]) -> tuple[str, ...]:
        """Entries that are of none of these images."""
        taken = set()
        for image in images:
            with contextlib.suppress(UnreadableItem):
                taken.add(self.entry_of(image))
        return tuple(name for name in self.entries if name not in taken)

    def outline(self, image: str, width: int, height: int) -> Outline:
        """The region of an image of that many pixels.

        Raises
        ------
        UnreadableItem
            If there is none, more than one, or it cannot be read.
        """
        return self.entries[self.entry_of(image)](width, height)


def stem_of(name: str) -> str:
    """A name without its ending, in small letters, "/" between folders."""
    return os.path.splitext(clean(name))[0].casefold()


def open_regions(files: Sequence[tuple[str, bytes]]) -> RegionFile:
    """Regions out of uploaded files, rows (name, bytes).

    One zip or tar of mask pictures; mask pictures themselves; one JSON file of COCO instances; one CSV or TSV with a
    row a box and the columns name, left, top, right, bottom, in pixels. A mask is a PNG picture, and what it marks is
    what is opaque where it has transparency, each colour but the first (and 255) of a palette, and what is lighter
    than half its lightest value else. One of another size than the picture's is scaled to it, the nearest pixel each.

    Raises
    ------
    SourceError
        If they are none of these, or hold nothing to use.
    """
    if not files:
        raise SourceError(_AS, "no file")
    name, data = files[0]
    budget = settings().budget
    for told, content in files:
        if len(content) > budget.upload_mb * MB:
            raise SourceError(f"at most {budget.upload_mb} MB in {told}", f"{len(content) / MB:,.0f} MB")
    ending = os.path.splitext(name)[1].lower()
    key = fingerprint("regions", [told for told, _ in files], *(content for _, content in files))
    if len(files) > 1 or ending == ".png":
        read = {clean(told): partial(bytes, content) for told, content in files}
        return _of_pictures(f"{len(files):,} masks" if len(files) > 1 else name, key, read)
    if name.lower().endswith(ARCHIVES):
        return _of_archive(open_archive(data, name), key)
    if ending == ".json":
        entries, refused = instances_of(data, name)
        return _usable(RegionFile(name, key, entries, tuple(refused)))
    if ending in TABLES:
        return _of_table(data, name, key)
    raise SourceError(_AS, f"{name}, which ends in {ending or 'nothing'}")


def open_regions_path(path: str | Path) -> RegionFile:
    """As `open_regions`, of a file or a folder of mask pictures on this machine.

    Raises
    ------
    SourceError
        On a public server, if nothing is there, or as `open_regions`.
    """
    local = local_path(path, "file")
    try:
        if not local.is_dir():
            return open_regions([(local.name, local.read_bytes())])
        names = sorted((found.relative_to(local).as_posix() for found in local.rglob("*") if found.is_file()),
                       key=natural)
    except OSError as error:
        raise SourceError("the path of a file or folder of regions", f"{path}: {why_not(error)}",
                          "Check the path.") from error
    read = {name: partial(_file_of, local / name) for name in names if not is_hidden(name)}
    key = fingerprint("folder of regions", str(local.resolve()), [(n, (local / n).stat().st_mtime_ns) for n in read])
    return _of_pictures(local.name, key, read)


def _file_of(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise refuse(path.name, too_large(size), "mask")
        return path.read_bytes()
    except OSError as error:
        raise refuse(path.name, why_not(error), "mask") from error


def _of_archive(archive: Archive | TarArchive, key: str) -> RegionFile:
    found = _of_pictures(archive.name, key, {name: partial(archive.read, name) for name in archive.members},
                         archive.refused)
    return RegionFile(found.name, key, found.entries, found.refused, tuple(archive.notices))


def _of_pictures(title: str, key: str, files: Mapping[str, Callable[[], bytes]],
                 refused: Sequence[Refusal] = ()) -> RegionFile:
    entries = {name: partial(_picture, name, read) for name, read in files.items() if name.lower().endswith(".png")}
    others = [Refusal(name, "masks are PNG pictures, and its name does not end in .png") for name in files
              if name not in entries]
    return _usable(RegionFile(title, key, entries, (*refused, *others)))


def _usable(found: RegionFile) -> RegionFile:
    if not found.entries:
        first = f", {found.refused[0].name}: {found.refused[0].reason}" if found.refused else ""
        raise SourceError(_AS, f"{found.name} without a region to use{first}")
    return found


def _picture(name: str, read: Callable[[], bytes], width: int, height: int) -> Outline:
    data = read()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=["PNG"]) as opened:
                if not 0 < opened.width * opened.height <= MOST_PIXELS:
                    raise refuse(name, f"it would unpack to {opened.width * opened.height / 1e6:,.0f} megapixels; the "
                                       f"limit is {MOST_PIXELS // 1_000_000}", "mask")
                opened.load()
                marked = marked_pixels(opened)
    except UnreadableItem:
        raise
    except Exception as error:
        raise refuse(name, reason_of(error, data), "mask") from error
    if not marked.any():
        raise refuse(name, "it marks nothing: all of it is dark or transparent", "mask")
    return Outline(mask=resized(marked, width, height))


def marked_pixels(picture: Image.Image) -> np.ndarray:
    """(height, width) bool, what a mask picture marks, as `open_regions` says."""
    if picture.has_transparency_data:
        alpha = np.asarray(picture.convert("RGBA").getchannel("A"))
        if alpha.min() < _HALF:
            return alpha >= _HALF
    if picture.mode == "P":
        index, used = np.asarray(picture), picture.getpalette("RGB") or []
        seen = np.unique(index).tolist()
        colours = {tuple(used[3 * i:3 * i + 3]) for i in seen}
        if not colours <= {(0, 0, 0), (255, 255, 255)}:
            return (index != 0) & (index != _VOID)
        picture = picture.convert("L")
    wide = picture.mode in ("I", "F") or picture.mode.startswith("I;16")
    values = np.asarray(picture if wide else picture.convert("L"))
    return values > values.max() / 2 if values.max() > 0 else np.zeros(values.shape, dtype=bool)


@dataclass
class _Rows:
    boxes: dict[str, list[tuple[float, float, float, float]]] = field(default_factory=dict)
    refused: list[Refusal] = field(default_factory=list)


def _of_table(data: bytes, name: str, key: str) -> RegionFile:
    table = read_table(data, name)
    columns = {str(column).strip().casefold(): column for column in table.frame.columns}
    missing = [column for column in ("name", *BOX) if column not in columns]
    if missing:
        raise SourceError(f"a table of boxes in {name}, with the columns name, {', '.join(BOX)}",
                          f"one without {', '.join(missing)}", "left, top, right and bottom are pixels of the picture.")
    found = _Rows()
    sides = table.frame[[columns[side] for side in BOX]].to_numpy(object)
    for number, (image, row) in enumerate(zip(table.frame[columns["name"]].astype(object), sides), 1):
        try:
            left, top, right, bottom = box = tuple(float(value) for value in row)
        except (TypeError, ValueError):
            box = ()
        if not isinstance(image, str) or not image.strip():
            found.refused.append(Refusal(f"row {number} of {name}", "it names no picture"))
        elif not box or not np.isfinite(box).all():
            found.refused.append(Refusal(f"row {number} of {name}: {image}", f"its {', '.join(BOX)} are not four "
                                                                             "numbers"))
        elif right <= left or bottom <= top:
            found.refused.append(Refusal(f"row {number} of {name}: {image}", "its box has no area: right is to be "
                                         "more than left, and bottom more than top"))
        else:
            found.boxes.setdefault(clean(image), []).append((left, top, right, bottom))
    entries = {image: partial(_boxes, image, tuple(boxes)) for image, boxes in found.boxes.items()}
    return _usable(RegionFile(name, key, entries, (*table.refused, *found.refused), table.notices))


def _boxes(name: str, boxes: tuple[tuple[float, float, float, float], ...], width: int, height: int) -> Outline:
    inside = tuple(box for box in boxes if box[0] < width and box[1] < height and box[2] > 0 and box[3] > 0)
    if not inside:
        raise refuse(name, f"its box lies out of the picture of {width} x {height} pixels", "region")
    return Outline(boxes=inside)
