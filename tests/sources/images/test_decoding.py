"""Every kind of picture a person may bring becomes what they would see; the rest is refused with its reason."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, TiffImagePlugin

from core.sources.images import decoding, formats
from core.sources.images.decoding import WHOLE_SIZE, Unreadable, decode
from core.sources.images.formats import kind_of

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners(width: int = 32, height: int = 16) -> Image.Image:
    """Red upper left quarter, green upper right, blue lower left, white lower right."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def quarters(image: Image.Image) -> list[tuple[int, int, int]]:
    """Colours in the middle of the four quarters, rounded to full or nothing."""
    w, h = image.size
    at = [(w // 4, h // 4), (3 * w // 4, h // 4), (w // 4, 3 * h // 4), (3 * w // 4, 3 * h // 4)]
    return [tuple(255 * round(c / 255) for c in image.getpixel(p)) for p in at]  # type: ignore[union-attr, misc]


def file_of(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


UPRIGHT = [RED, GREEN, BLUE, WHITE]
TURNED = {  # EXIF orientation -> what has to be done to the upright picture to store it so
    1: [], 2: [Image.Transpose.FLIP_LEFT_RIGHT], 3: [Image.Transpose.ROTATE_180], 4: [Image.Transpose.FLIP_TOP_BOTTOM],
    5: [Image.Transpose.TRANSPOSE], 6: [Image.Transpose.ROTATE_90], 7: [Image.Transpose.TRANSVERSE],
    8: [Image.Transpose.ROTATE_270],
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", TURNED)
def test_exif_orientation_is_honoured(kind: str, orientation: int) -> None:
    stored = corners(64, 32)
    for turn in TURNED[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    data = file_of(stored, kind, exif=exif, **options)
    picture = decode(data)
    assert picture.size == (64, 32)
    assert quarters(picture) == UPRIGHT
    small = decode(data, max_side=16)
    assert (small.size, small.info[WHOLE_SIZE]) == ((16, 8), (64, 32))


def test_orientation_and_a_reduced_size_together() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = file_of(corners(1600, 800).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    picture = decode(data, max_side=100)
    assert picture.size == (100, 50)
    assert quarters(picture) == UPRIGHT


def test_a_small_picture_is_not_enlarged() -> None:
    assert decode(file_of(corners(32, 16), "PNG"), max_side=100).size == (32, 16)


def test_a_damaged_exif_block_does_not_cost_the_picture() -> None:
    data = file_of(corners(64, 32), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40, quality=95)
    assert quarters(decode(data)) == UPRIGHT


def test_the_plain_decode_equals_the_library_s_own() -> None:
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (90, 130, 3), dtype=np.uint8))
    for kind in ("JPEG", "PNG", "WEBP", "BMP"):
        data = file_of(noise, kind)
        assert np.array_equal(np.asarray(decode(data)), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


def test_cmyk_jpeg_has_the_right_polarity() -> None:
    ink = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # magenta and yellow ink: red
    r, g, b = decode(file_of(ink, "JPEG", quality=95)).getpixel((8, 8))  # type: ignore[misc]
    assert r > 230
    assert max(g, b) < 40
    for compression in (None, "tiff_lzw"):
        assert decode(file_of(ink, "TIFF", compression=compression)).getpixel((8, 8)) == (255, 0, 0)


def test_cmyk_goes_through_its_own_profile() -> None:
    """A matrix profile cannot be CMYK: it is passed over, and the plain formula serves."""
    wrong = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    ink = Image.new("CMYK", (16, 16), (255, 0, 255, 0))
    for profile in (wrong, b"nonsense"):
        assert decode(file_of(ink, "TIFF", icc_profile=profile)).getpixel((8, 8)) == (0, 255, 0)


def printer_profile() -> bytes:
    """A small ICC profile of a press (ICC.1:2004-10, lut8Type) whose cyan prints green, all else grey."""
    def lab(lightness: float, a: float, b: float) -> bytes:
        return bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])

    grid = b"".join(lab(88, -79, 81) if c and not (m or y or k) else lab(100 - 25 * (c + m + y + k), 0, 0)
                    for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1))
    identity = struct.pack(">9i", *[65536 * (i % 4 == 0) for i in range(9)])
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + grid + bytes(range(256)) * 3
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    title = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78 + 12)
    tags = [(b"desc", title), (b"wtpt", white), (b"A2B0", lut), (b"cprt", b"text\0\0\0\0x\0")]
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ", bytes(12),
                       b"acsp")
    head += bytes(68 - len(head)) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + body


@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_profile_is_used(kind: str) -> None:
    profile, options = printer_profile(), {"quality": 100} if kind == "JPEG" else {}

    def shown(*ink: int) -> np.ndarray:
        data = file_of(Image.new("CMYK", (16, 16), ink), kind, icc_profile=profile, **options)
        return np.array(decode(data).getpixel((8, 8)), dtype=int)

    assert np.abs(shown(255, 0, 0, 0) - (0, 255, 0)).max() < 16, "cyan by the plain formula, green by the profile"
    assert shown(0, 0, 0, 0).min() > 245
    assert shown(255, 255, 255, 255).max() < 10


def test_lab_tiff() -> None:
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    image = ImageCms.profileToProfile(Image.new("RGB", (8, 8), (200, 60, 30)), srgb, lab, outputMode="LAB")
    assert image is not None
    got = np.array(decode(file_of(image, "TIFF")).getpixel((4, 4)), dtype=int)
    assert np.abs(got - (200, 60, 30)).max() <= 4


def wide(values: np.ndarray, kind: str = "PNG") -> np.ndarray:
    picture = decode(file_of(Image.fromarray(values), kind))
    assert picture.mode == "RGB"
    pixels = np.asarray(picture)
    assert (pixels == pixels[..., :1]).all()
    return pixels[..., 0]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_by_its_range(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    assert np.array_equal(wide(ramp, kind).ravel(), np.arange(256))
    twelve = np.linspace(0, 4095, 256).astype(np.uint16).reshape(16, 16)
    assert np.abs(wide(twelve, kind).ravel().astype(int) - np.arange(256)).max() <= 1
    eight = np.arange(256, dtype=np.uint16).reshape(16, 16)
    assert np.array_equal(wide(eight, kind).ravel(), np.arange(256))


def test_16_bit_grey_strip_by_strip_equals_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).integers(0, 65536, (40, 30)).astype(np.uint16)
    naive = np.array([[int(v * (255 / 65535) + 0.5) for v in row] for row in values.tolist()])
    monkeypatch.setattr(decoding, "_STRIP", 70)
    assert np.array_equal(wide(values), naive)


def test_float_tiff() -> None:
    assert np.array_equal(wide(np.array([[0, 0.5, 1]], np.float32), "TIFF")[0], [0, 128, 255])
    assert np.array_equal(wide(np.array([[0, 100, 255]], np.float32), "TIFF")[0], [0, 100, 255])
    assert np.array_equal(wide(np.array([[-10, 0, 10]], np.float32), "TIFF")[0], [0, 128, 255])
    assert np.array_equal(wide(np.array([[np.nan, 0, 1, np.inf]], np.float32), "TIFF")[0], [0, 0, 255, 255])
    assert wide(np.full((2, 2), np.nan, np.float32), "TIFF").max() == 0


def test_int32_tiff_with_negative_values_is_stretched() -> None:
    assert np.array_equal(wide(np.array([[-1000, 0, 1000]], np.int32), "TIFF")[0], [0, 128, 255])


def png_rgb16(pixels: np.ndarray) -> bytes:
    """A PNG of 16 bits a channel, which the library reads but does not write."""
    import zlib

    height, width, _ = pixels.shape

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def test_16_bit_rgb() -> None:
    pixels = np.zeros((1, 3, 3), np.uint16)
    pixels[0, :, 0] = [0, 0x8000, 0xffff]
    assert np.asarray(decode(png_rgb16(pixels)))[0, :, 0].tolist() == [0, 128, 255]


def test_transparency_lies_on_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.paste((0, 0, 255, 255), (0, 0, 4, 8))
    clear.paste((0, 0, 0, 128), (6, 0, 8, 8))
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        picture = decode(file_of(clear, kind, **options))
        assert [picture.getpixel(p) for p in ((1, 1), (5, 1), (7, 1))] == [BLUE, WHITE, (127, 127, 127)]
    grey = Image.merge("LA", (Image.new("L", (4, 4), 0), Image.new("L", (4, 4), 0)))
    assert decode(file_of(grey, "PNG")).getpixel((0, 0)) == WHITE


def test_palettes() -> None:
    image = corners().convert("P", palette=Image.Palette.ADAPTIVE)
    assert quarters(decode(file_of(image, "PNG"))) == UPRIGHT
    assert quarters(decode(file_of(image, "GIF"))) == UPRIGHT
    red = image.getpixel((1, 1))
    assert quarters(decode(file_of(image, "PNG", transparency=red)))[0] == WHITE
    assert quarters(decode(file_of(image, "GIF", transparency=red)))[0] == WHITE
    alphas = bytes(0 if i == red else 255 for i in range(256))
    assert quarters(decode(file_of(image, "PNG", transparency=alphas)))[0] == WHITE


def test_one_bit_and_colour_key() -> None:
    bits = Image.new("1", (8, 8), 1)
    bits.putpixel((0, 0), 0)
    for kind in ("PNG", "TIFF", "BMP", "PPM"):
        picture = decode(file_of(bits, kind))
        assert (picture.getpixel((0, 0)), picture.getpixel((4, 4))) == ((0, 0, 0), WHITE)
    keyed = file_of(corners(), "PNG", transparency=RED)
    assert quarters(decode(keyed)) == [WHITE, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_an_animation(kind: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (RED, GREEN, BLUE)]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = file_of(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert decode(data).getpixel((8, 8)) == RED


@pytest.mark.parametrize("kind", ["JPEG2000", "ICO", "PPM", "AVIF"])
def test_other_formats(kind: str) -> None:
    if kind not in formats.FORMATS:
        pytest.skip(f"this build of Pillow cannot read {kind}")
    image = corners(32, 32)
    options = {"sizes": [(32, 32)]} if kind == "ICO" else {}
    assert quarters(decode(file_of(image, kind, **options))) == UPRIGHT


@pytest.mark.parametrize("kind", ["DDS", "TGA", "PCX", "SGI", "MSP", "XBM", "ICNS", "IM", "SPIDER", "DIB", "FITS",
                                  "QOI"])
def test_formats_that_few_use(kind: str) -> None:
    mode = {"MSP": "1", "XBM": "1", "SPIDER": "F"}.get(kind, "RGB")
    image = Image.new(mode, (32, 32), {"1": 1, "F": 255.0}.get(mode, RED))
    if kind == "FITS":
        header = "".join(f"{line:<80}" for line in ("SIMPLE  =                    T", "BITPIX  =                    8",
                                                    "NAXIS   =                    2", "NAXIS1  =                   32",
                                                    "NAXIS2  =                   32", "END")).ljust(2880)
        data = header.encode() + b"\xff" * 1024
    elif kind == "QOI":
        data = b"qoif" + struct.pack(">IIBB", 32, 32, 3, 0) + bytes([0xfe, 255, 0, 0]) * 1024 + bytes(7) + b"\1"
    else:
        data = file_of(image, kind)
    said = decode(data).getpixel((8, 8))
    assert said in (RED, WHITE, (0, 0, 0)) if mode == "1" or kind in ("SPIDER", "FITS") else said == RED


def reason(data: bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        decode(data)
    return str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_truncated_files_are_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    data = file_of(noise, kind)
    if kind in ("WEBP", "TIFF"):
        assert reason(data[:len(data) // 2]).startswith("the file is ")
    else:
        assert reason(data[:len(data) // 2]) == "the file is truncated"


def test_reasons() -> None:
    assert reason(b"") == "the file is empty"
    assert reason(b"hello there") == f"it is not an image of a known format ({formats.KNOWN})"
    assert reason(b"%PDF-1.7 ...") == "it is a PDF document, which is not read as an image"
    assert reason(b"\n<!doctype html><html>") == "it is a web page, which is not read as an image"
    assert reason(b"<?xml version='1.0'?><svg></svg>") == ("it is a drawing (SVG), which is not read as an image; "
                                                          "save it as JPEG or PNG")
    assert reason(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == ("it is a HEIC photo, which is not read as an image; "
                                                           "save it as JPEG or PNG")
    assert reason(b"\0\0\0\x18ftypisom\0\0\0\0mif1heic") == "it is a film, which is not read as an image"
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n") == ("it is a PostScript document, which is not read as an "
                                                     "image; save it as JPEG or PNG")
    assert reason(b"\x89PNG\r\n\x1a\nxxxx") == "the file is damaged: it begins as PNG, but its header makes no sense"
    flipped = bytearray(file_of(corners(), "PNG"))
    flipped[-30] ^= 0xff
    assert reason(bytes(flipped)).startswith("the file is damaged: its picture data cannot be unpacked")


def test_reasons_are_true() -> None:
    """A kind that is not read is not called damaged, and a damaged file of a known kind is not called unknown."""
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, value in ((256, 8), (257, 8), (258, (8,) * 7), (259, 1), (262, 2), (277, 7), (273, 8), (279, 64)):
        ifd[tag] = value
    data = io.BytesIO(b"II*\0\x08\0\0\0")
    data.seek(8)
    ifd.save(data)
    assert reason(data.getvalue()) == ("it is a TIFF of a kind that is not read here (Invalid value for samples per "
                                       "pixel); "
                                       "save it as JPEG or PNG")
    assert reason(b"P6\nnonsense 12 255\n").startswith("the file is damaged: its picture data cannot be unpacked")
    assert reason(b"\xff\x4f\xff\x51\0\x10" + bytes(8)).startswith("the file is damaged: it begins as JPEG 2000")
    assert reason(b"\xff\x4f\xff\x51\xff" + b"\xff" * 80).startswith("the file is damaged: it begins as JPEG 2000")
    for head, what in ((b"\xff\x0a" + bytes(40), "a JPEG XL image"), (b"v/1\x01" + bytes(40), "an OpenEXR image")):
        assert reason(head) == f"it is {what}, which is not read as an image; save it as JPEG or PNG"


def test_kinds_are_told_by_the_first_bytes() -> None:
    for kind in ("JPEG", "PNG", "GIF", "BMP", "TIFF"):
        assert kind_of(file_of(corners(), kind)) == kind
    assert kind_of(file_of(corners(), "WEBP")) == "WebP"
    assert kind_of(b"PK\x03\x04rest") == "a zip archive"
    assert kind_of(b"plain words") == ""


def test_bombs_are_refused_before_they_are_unpacked() -> None:
    header = io.BytesIO()
    Image.new("1", (8, 8)).save(header, "PNG")
    data = bytearray(header.getvalue())
    import zlib

    data[16:24] = struct.pack(">II", 40_000, 50_000)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    assert reason(bytes(data)) == "it would unpack to 2,000 megapixels; the limit is 100"
    assert reason(file_of(Image.new("1", (10_001, 10_000)), "PNG")) == ("it would unpack to 100.01 megapixels; "
                                                                       "the limit is 100")


def test_a_frame_larger_than_its_screen_is_bounded_too() -> None:
    error = Image.DecompressionBombError("Image size (400000000 pixels) exceeds limit of 1 pixels, could be a bomb")
    assert decoding.reason_of(error, b"GIF8") == "it would unpack to 400 megapixels; the limit is 100"
    assert decoding.reason_of(Image.DecompressionBombError("?"), b"") == "it would unpack to far too many pixels"


def test_text_bomb_in_a_png() -> None:
    error = ValueError("Decompressed data too large for PngImagePlugin.MAX_TEXT_CHUNK")
    assert decoding.reason_of(error, b"\x89PNG") == ("the file is damaged or hostile: a text block inside it unpacks "
                                                     "to too much data")


def test_a_tiff_of_a_foreign_compression_says_so(reference: Path) -> None:
    said = reason((reference / "broken_images" / "hopper_webp.tif").read_bytes())
    assert said == "it is a TIFF packed with webp, which is not read here; save it as JPEG or PNG"


def test_a_tiff_without_its_dimensions() -> None:
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[259] = 1
    data = io.BytesIO()
    data.write(b"II*\0\x08\0\0\0")
    ifd.save(data)
    assert reason(data.getvalue()).startswith("the file is damaged")


def test_files_that_run_programs_or_other_decoders_are_never_opened() -> None:
    """Formats with interpreters or external tools behind them are not among those tried."""
    assert not {"EPS", "WMF", "PDF", "FPX", "MIC", "GRIB", "HDF5", "BUFR"} & set(formats.FORMATS)


def test_a_worker_imports_little() -> None:
    code = ("import sys, core.sources.workers; "
            "print([m for m in ('torch','pandas','streamlit','transformers','scipy','pyarrow') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.stdout.strip() == "[]", done.stderr
