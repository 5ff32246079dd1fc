"""Which files are pictures: by their ending, and by their first bytes where the name does not say.

Everything that Pillow unpacks by itself is read. Formats with an interpreter or another program behind them (EPS, WMF,
PDF), and those that Pillow only names (HDF5, GRIB, BUFR, MPEG), are never opened.
"""

from __future__ import annotations

import os
import re
import struct

from PIL import Image

Image.init()

_READ = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "PPM", "ICO", "AVIF", "JPEG2000", "DDS", "PCX", "QOI",
         "PSD", "ICNS", "CUR", "DCX", "BLP", "FITS", "FLI", "FTEX", "GBR", "MCIDAS", "MSP", "PIXAR", "SGI", "SUN",
         "XBM", "XPM", "XVTHUMB", "TGA", "PCD", "IM", "SPIDER")
FORMATS = tuple(name for name in _READ if name in Image.OPEN)
UNSIGNED = tuple(name for name in FORMATS if Image.OPEN[name][1] is None)
"""Formats whose files do not begin with a signature; tried only on files that begin with no other's."""

EXTENSIONS = frozenset(ending for ending, name in Image.registered_extensions().items() if name in FORMATS) | {
    ".mpo", ".spi", ".spider"}
KNOWN = ("JPEG, PNG, GIF, WebP, BMP, TIFF, PPM, ICO, AVIF, JPEG 2000, DDS, TGA, PCX, QOI, PSD and the other formats of "
         "Pillow")

FOREIGN = {
    ".heic": "a HEIC photo", ".heif": "a HEIC photo", ".jxl": "a JPEG XL image", ".jxr": "a JPEG XR image",
    ".svg": "a drawing (SVG)", ".svgz": "a drawing (SVG)", ".exr": "an OpenEXR image", ".hdr": "a Radiance image",
    ".xcf": "a GIMP document", ".djvu": "a DjVu document", ".bpg": "a BPG image", ".flif": "a FLIF image",
    ".wmf": "a Windows metafile", ".emf": "a Windows metafile", ".eps": "a PostScript document",
    ".ai": "a PostScript document", ".raw": "a raw photo", ".cr2": "a raw photo", ".cr3": "a raw photo",
    ".nef": "a raw photo", ".arw": "a raw photo", ".dng": "a raw photo", ".orf": "a raw photo", ".rw2": "a raw photo",
    ".ktx": "a KTX texture", ".dpx": "a DPX image",
}
"""Endings of pictures that are not read, and what they are."""

OTHERS = frozenset((
    ".txt", ".text", ".caption", ".captions", ".csv", ".tsv", ".tab", ".token", ".json", ".jsonl", ".ndjson",
    ".parquet", ".pq", ".xml", ".yaml", ".yml", ".toml", ".ini", ".cfg", ".md", ".rst", ".html", ".htm", ".css", ".js",
    ".log", ".py",
    ".ipynb", ".sh", ".c", ".h", ".cpp", ".hpp", ".npy", ".npz", ".pt", ".pth", ".pkl", ".pickle", ".safetensors",
    ".arrow", ".feather", ".mat", ".h5", ".hdf5", ".db", ".lock", ".zip", ".tar", ".gz", ".tgz", ".7z", ".rar", ".pdf",
    ".cls", ".mp4", ".webm", ".mkv", ".avi", ".mov", ".wav", ".mp3", ".flac"))
"""Endings that say of a file that it is no picture, so that its first bytes need not be read."""

_SIGNATURES = (
    (b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF"), (b"BM", "BMP"), (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"), (b"\0\0\x01\0", "ICO"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\xff\x4f\xff\x51", "JPEG 2000"), (b"8BPS", "Photoshop document"),
    (b"DDS ", "DDS"), (b"qoif", "QOI"), (b"icns", "ICNS"),
)
_NO_PICTURES = (
    (b"%PDF", "a PDF document"), (b"PK\x03\x04", "a zip archive"), (b"\x1f\x8b", "a gzip archive"),
    (b"\x1aE\xdf\xa3", "a film"), (b"<svg", "a drawing (SVG)"),
    (b"<!DOCTYPE", "a web page"), (b"<html", "a web page"), (b"%!PS", "a PostScript document"),
    (b"\xff\x0a", "a JPEG XL image"), (b"\0\0\0\x0cJXL ", "a JPEG XL image"), (b"II\xbc", "a JPEG XR image"),
    (b"v/1\x01", "an OpenEXR image"), (b"#?RADIANCE", "a Radiance image"), (b"#?RGBE", "a Radiance image"),
    (b"gimp xcf", "a GIMP document"), (b"AT&TFORM", "a DjVu document"), (b"BPG\xfb", "a BPG image"),
    (b"FLIF", "a FLIF image"), (b"\xd7\xcd\xc6\x9a", "a Windows metafile"), (b"\xabKTX", "a KTX texture"),
)


def formats_of(data: bytes) -> tuple[str, ...]:
    """Pillow's formats whose signature a file begins with."""
    prefix = data[:16]
    found = []
    for name in FORMATS:
        accept = Image.OPEN[name][1]
        try:
            if accept is not None and accept(prefix) and (name != "PPM" or kind_of(prefix) == "PPM"):
                found.append(name)
        except (IndexError, ValueError, struct.error):  # a file that ends within its signature
            continue
    return tuple(found)


def candidates(data: bytes) -> tuple[str, ...]:
    """Pillow's formats that a file may be in: those of its signature, else those that have none.

    A TGA file may begin with the very bytes of a cursor.
    """
    found = formats_of(data)
    return (*found, "TGA") if found == ("CUR",) else found or UNSIGNED


def kind_of(data: bytes) -> str:
    """What the first bytes of a file say it is, "" where they say nothing: a format's name, or "a PDF document"."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    for signature, kind in _SIGNATURES + _NO_PICTURES:
        if signature == b"BM" and data[6:10].strip(b"\0"):
            continue
        if data.startswith(signature) or (signature[:1] in b"<%" and head[:20].lower().startswith(signature.lower())):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    if re.match(rb"P[1-6Ff](\s+[#\d-]|[\r\n])", data):
        return "PPM"
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand in (b"avif", b"avis"):
            return "AVIF"
        return "a HEIC photo" if brand in (b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"heim") else "a film"
    if head.startswith(b"<?xml"):
        return "a drawing (SVG)" if b"<svg" in data[:4096] else "an XML document"
    return ""


def ending_of(name: str) -> str:
    """The ending of a file's name in lower case, with its dot; "" where it has none."""
    return os.path.splitext(name)[1].lower()
