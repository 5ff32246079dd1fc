"""Files made to hurt a server that opens them: small on the disk, large or endless once they are read."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

MB = 1024**2


@dataclass(frozen=True)
class Attack:
    """One file to upload.

    Attributes
    ----------
    name : what it tries.
    source : where it is uploaded: images, table, vectors, meshes, films, other (the second dataset) or quality.recipe.
    file : its name.
    make : writes it to a path.
    """

    name: str
    source: str
    file: str
    make: Callable[[Path], object]


def attacks() -> list[Attack]:
    """All of them, each kind in each format that can carry it."""
    return [Attack(*row) for row in (
        ("zip: noise hides zeros named as captions", "images", "a.zip", lambda p: noisy_zip(p, ".txt")),
        ("zip: noise hides zeros named as pictures", "images", "a.zip", lambda p: noisy_zip(p, ".png")),
        ("zip: one member of 400 MB of zeros", "images", "a.zip", lambda p: zipped(p, {"a.png": bytes(400 * MB)})),
        ("zip: 300,000 empty members", "images", "a.zip", lambda p: many_members(p, 300_000)),
        ("zip: its end says 4 billion members", "images", "a.zip", lying_end),
        ("zip: a member says it is small", "images", "a.zip", lying_size),
        ("zip: a zip in a zip in a zip", "images", "a.zip", nested),
        ("zip: captions of 40 MB beside one picture", "images", "a.zip", long_captions),
        ("zip: names that climb out of it", "images", "a.zip",
         lambda p: zipped(p, {"../../../../etc/x.png": pixel(), "/etc/y.png": pixel(), "C:\\z.png": pixel()})),
        ("tar: 200,000 empty members", "images", "a.tar", lambda p: many_tarred(p, 200_000)),
        ("tar: a member says 8 GB", "images", "a.tar", lying_tar),
        ("tar: links out of it", "images", "a.tar", linking_tar),
        ("png: 60,000 x 60,000 pixels of nothing", "images", "a.png", lambda p: p.write_bytes(png_of(60_000, 60_000))),
        ("png: a text chunk of 200 MB, packed", "images", "a.png", texty_png),
        ("txt: captions of 90 MB", "images", "a.txt", lambda p: p.write_bytes(b"a word " * (90 * MB // 7))),
        ("recipe: five million empty lists", "quality.recipe", "a.yaml", lambda p: p.write_bytes(
            b"actions: [" + b"[]," * 5_000_000 + b"]")),
        ("recipe: a number to base 60", "quality.recipe", "a.yaml", lambda p: p.write_bytes(
            b"actions: []\nseed: " + b"1:" * 7_000_000 + b"1")),
        ("recipe: a million ids", "quality.recipe", "a.json", lambda p: p.write_text(json.dumps(
            {"actions": [], "data": {"image_ids": [f"id {i}" for i in range(1_000_000)]}}))),
        ("recipe: a hundred actions, each with another prompt", "quality.recipe", "a.json", lambda p: p.write_text(
            json.dumps({"actions": [{"do": "prompt_share", "prompt": f"{i} cubes " + "x" * 1900, "percent": 100}
                                    for i in range(100)]}))),
        ("second dataset: 60,000 x 60,000 pixels of nothing", "other", "a.png",
         lambda p: p.write_bytes(png_of(60_000, 60_000))),
        ("second dataset: 9,900 x 9,900 pixels of nothing", "other", "a.png",
         lambda p: p.write_bytes(png_of(9_900, 9_900))),
        ("second dataset: vectors of 3 dimensions", "other", "a.npy", lambda p: np.save(p, np.eye(3, dtype="f4"))),
        ("second dataset: vectors of no row", "other", "a.npy", lambda p: np.save(p, np.zeros((0, 512), "f4"))),
        ("film: a header of 65,535 x 65,535", "films", "a.mkv", absurd_film),
        ("film: two million frames of 16 x 16", "films", "a.mpg", lambda p: made_film(
            p, "color=s=16x16:r=25:d=80000", "-c:v", "mpeg1video", "-g", "600")),
        ("film: a list of other files named mp4", "films", "a.mp4", lambda p: p.write_text(
            "#EXTM3U\n#EXTINF:2,\nfile:/etc/passwd\n#EXT-X-ENDLIST\n")),
        ("film: an mp4 cut off", "films", "a.mp4", cut_film),
        ("film: a zip of 10,000 tiny films", "films", "a.zip", lambda p: many_members(p, 10_000, ".gif", tiny_gif(2))),
        ("film: a gif of 300,000 frames", "films", "a.gif", lambda p: p.write_bytes(tiny_gif(300_000))),
        ("film: subtitles of 90 MB without a film", "films", "a.srt", lambda p: p.write_bytes(
            b"1\n00:00:01,000 --> 00:00:02,000\na\n\n" * (90 * MB // 36))),
        ("ply: says a billion faces", "meshes", "a.ply", lambda p: p.write_bytes(
            b"ply\nformat binary_little_endian 1.0\nelement vertex 3\nproperty float x\nproperty float y\n"
            b"property float z\nelement face 1000000000\nproperty list uchar int vertex_indices\nend_header\n" +
            bytes(99))),
        ("stl: says four billion facets", "meshes", "a.stl", lambda p: p.write_bytes(
            bytes(80) + struct.pack("<I", 2**32 - 1) + bytes(500))),
        ("obj: ten million vertices", "meshes", "a.obj", lambda p: p.write_bytes(b"v 0 0 1\n" * 10_000_000)),
        ("xyz: eleven million points", "meshes", "a.xyz", lambda p: p.write_bytes(b"0 1 2.5\n" * 11_000_000)),
        ("gltf: nodes that show two nodes, forty times over", "meshes", "a.gltf", lambda p: p.write_text(json.dumps(
            {"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": [0]}],
             "nodes": [{"children": [i + 1, i + 1]} for i in range(40)] + [{}]}))),
        ("zip: a mesh of 400 MB of spaces", "meshes", "a.zip", lambda p: zipped(p, {"a.obj": b" " * (400 * MB)})),
        ("csv: 50,000 columns", "table", "a.csv", lambda p: p.write_text(
            "\n".join(",".join(f"c{i}" for i in range(50_000)) for _ in range(20)))),
        ("csv: a field of 90 MB", "table", "a.csv", lambda p: p.write_bytes(
            b'image,caption\na.png,"' + b"x" * (90 * MB) + b'"\n')),
        ("csv: a field of 90 MB over many lines", "table", "a.csv", lambda p: p.write_bytes(
            b'image,caption\na.png,"' + b"xxxx xxx\n" * (10 * MB) + b'"\n')),
        ("csv: a quote that never ends", "table", "a.csv", lambda p: p.write_bytes(
            b'image,caption\n"' + b"a.png,b\n" * (10 * MB))),
        ("csv: 90 million commas", "table", "a.csv", lambda p: p.write_bytes(b"," * (90 * MB))),
        ("csv: 45 million cells", "table", "a.csv", lambda p: p.write_bytes(b"1,2,3\n" * (15 * MB))),
        ("csv: ten million lines of one tab", "table", "a.tsv", lambda p: p.write_bytes(b"\t\n" * 10_000_000)),
        ("csv: NULs", "table", "a.csv", lambda p: p.write_bytes(b"image,caption\n" + bytes(50 * MB))),
        ("csv: ten million rows without end of quote", "table", "a.csv", lambda p: p.write_bytes(
            b"caption\n" + b'a"b\n' * 10_000_000)),
        ("json: a million brackets deep", "table", "a.json", lambda p: p.write_bytes(b"[" * 1_000_000)),
        ("json: 30 million empty lists", "table", "a.json", lambda p: p.write_bytes(
            b"[" + b"[]," * 30_000_000 + b"[]]")),
        ("json: 20 million numbers", "table", "a.json", lambda p: p.write_bytes(b"[" + b"1.5," * 20_000_000 + b"1]")),
        ("json: an object of 5 million keys", "table", "a.json", lambda p: p.write_text(
            "{" + ",".join(f'"{i}":1' for i in range(5_000_000)) + "}")),
        ("jsonl: 30 million empty objects", "table", "a.jsonl", lambda p: p.write_bytes(b"{}\n" * 30_000_000)),
        ("jsonl: lines a thousand brackets deep", "table", "a.jsonl", lambda p: p.write_bytes(
            (b'{"a":' * 1000 + b"1" + b"}" * 1000 + b"\n") * 10_000)),
        ("parquet: 410 MB of zeros in 2 kB", "table", "a.parquet", lambda p: zeros(p, 200_000)),
        ("parquet: 20 million captions", "table", "a.parquet", lambda p: captions(p, 20_000_000)),
        ("parquet: 20,000 columns", "table", "a.parquet", lambda p: pd.DataFrame(
            np.zeros((2, 20_000)), columns=[f"c{i}" for i in range(20_000)]).to_parquet(p)),
        ("parquet: its footer says less than there is", "table", "a.parquet", lying_parquet),
        ("parquet: 1 GB of zero vectors", "vectors", "a.parquet", lambda p: zeros(p, 500_000)),
        ("npy: says 10^12 rows", "vectors", "a.npy", lambda p: p.write_bytes(npy_header((10**12, 512)) + bytes(4096))),
        ("npy: says objects", "vectors", "a.npy", lambda p: p.write_bytes(npy_header((4,), "|O") + b"cos\nsystem\n.")),
        ("npy: a header of 60 MB", "vectors", "a.npy", long_header),
        ("npz: 2 GB of zeros", "vectors", "a.npz", lambda p: zipped(
            p, {f"image{i}.npy": npy_header((250_000, 256)) + bytes(256_000_000) for i in range(8)})),
        ("npz: 200,000 arrays", "vectors", "a.npz", lambda p: many_members(p, 200_000, ".npy")),
        ("csv of vectors: one line of 90 MB", "vectors", "a.csv", lambda p: p.write_bytes(b"0.5," * (22 * MB))),
        ("tsv of vectors: 40 million numbers", "vectors", "a.tsv", lambda p: p.write_bytes(
            b"1\t2\t3\t4\n" * 10_000_000)),
        ("under the limits: npz of 290 MB of numbers", "vectors", "a.npz", lambda p: zipped(
            p, {"image.npy": npy_header((148_000, 512)) + two_numbers(148_000).tobytes()})),
        ("under the limits: parquet of 290 MB of numbers", "vectors", "a.parquet", lambda p: two_columns(p, 148_000)),
        ("under the limits: npy of 99 MB", "vectors", "a.npy", lambda p: np.save(p, two_numbers(48_000))),
        ("under the limits: csv of 3.9 million numbers", "vectors", "a.csv", lambda p: p.write_bytes(
            (b"0.123456789," * 389 + b"1\n") * 10_000)),
        ("under the limits: csv of 3.6 million cells", "table", "a.csv", lambda p: p.write_text(
            "image,caption,label\n" + "".join(f"{i}.png,a caption of {i},{i % 7}\n" for i in range(900_000)))),
        ("under the limits: jsonl of 600,000 captions", "table", "a.jsonl", lambda p: p.write_text(
            "".join(f'{{"image": "{i}.png", "caption": "the caption {i}"}}\n' for i in range(600_000)))),
        ("under the limits: parquet of 900,000 captions", "table", "a.parquet", lambda p: pd.DataFrame(
            {"caption": [f"{i} " + "word " * 60 for i in range(900_000)]}).to_parquet(p, compression="zstd")),
        ("under the limits: zip of 99,000 pictures", "images", "a.zip", lambda p: many_members(
            p, 99_000, data=pixel())),
    )]


def zipped(path: Path, files: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def pixel() -> bytes:
    return png_of(1, 1)


def png_of(width: int, height: int, extra: bytes = b"") -> bytes:
    """A one-bit grey PNG of zeros, rows and all."""
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, rows = zlib.compressobj(9), []
    row = bytes(1 + (width + 7) // 8)
    for _ in range(min(height, 60_000)):
        rows.append(packer.compress(row))
    packed = b"".join(rows) + packer.flush()
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)) + extra
            + chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def made_film(path: Path, source: str, *options: str) -> None:
    """A film of one of ffmpeg's own sources."""
    from core.sources.films.ffmpeg import binary

    subprocess.run([binary(), "-v", "error", "-y", "-f", "lavfi", "-i", source, *options, str(path)], check=True)


def absurd_film(path: Path) -> None:
    made_film(path, "testsrc=s=320x288:d=1:r=2", "-c:v", "rawvideo", "-pix_fmt", "yuv420p")
    data = path.read_bytes().replace(b"\xb0\x82\x01\x40", b"\xb0\x82\xff\xff")
    path.write_bytes(data.replace(b"\xba\x82\x01\x20", b"\xba\x82\xff\xff"))


def cut_film(path: Path) -> None:
    made_film(path, "testsrc=s=320x240:d=5", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    path.write_bytes(path.read_bytes()[:-2000])


def tiny_gif(n: int) -> bytes:
    """A GIF of n frames of one pixel."""
    frame = b"!\xf9\x04\0\x04\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * n + b";"


def texty_png(path: Path) -> None:
    data = b"comment\0\0" + zlib.compress(bytes(200 * MB), 9)
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    path.write_bytes(png_of(8, 8, chunk))


def noisy_zip(path: Path, ending: str) -> None:
    """38 MB of noise, among which sixteen members of 250 MB of zeros hardly show."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("noise.png", np.random.default_rng(0).bytes(38 * MB), zipfile.ZIP_STORED)
        for i in range(16):
            archive.writestr(f"{i}.png", pixel())
            archive.writestr(f"{i}{ending}" if ending != ".png" else f"zeros{i}.png", bytes(250_000_000))


def long_captions(path: Path) -> None:
    words = np.random.default_rng(0).integers(97, 123, 40 * MB, dtype=np.uint8).tobytes()
    zipped(path, {"a.png": pixel(), "a.txt": words})


def many_members(path: Path, n: int, ending: str = ".png", data: bytes = b"") -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(n):
            archive.writestr(f"{i}{ending}", data)


def two_numbers(n: int) -> np.ndarray:
    """(n, 512) float32 of two numbers in no order, which pack well."""
    return np.random.default_rng(0).integers(1, 3, (n, 512)).astype(np.float32)


def two_columns(path: Path, n: int) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    rows = arrow.FixedSizeListArray.from_arrays(arrow.array(two_numbers(n).reshape(-1)), 512)
    parquet.write_table(arrow.table({"embedding": rows}), path, compression="zstd")


def lying_end(path: Path) -> None:
    zipped(path, {"a.png": pixel()})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x05\x06")
    data[at + 8:at + 12] = struct.pack("<HH", 65_000, 65_000)
    path.write_bytes(data)


def lying_size(path: Path) -> None:
    zipped(path, {"a.png": bytes(200 * MB)})
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24:at + 28] = struct.pack("<I", 100)
    path.write_bytes(data)


def nested(path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(200 * MB))
    for _ in range(3):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
            for i in range(20):
                archive.writestr(f"{i}.zip", inner.getvalue())
        inner = outer
    path.write_bytes(inner.getvalue())


def many_tarred(path: Path, n: int) -> None:
    with tarfile.open(path, "w") as archive:
        for i in range(min(n, 190_000)):
            archive.addfile(tarfile.TarInfo(f"{i}.png"))


def lying_tar(path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.size = 8 * 1024**3
    path.write_bytes(info.tobuf() + bytes(10_240))


def linking_tar(path: Path) -> None:
    with tarfile.open(path, "w") as archive:
        for kind, target in ((tarfile.SYMTYPE, "/etc/passwd"), (tarfile.LNKTYPE, "../../etc/passwd")):
            info = tarfile.TarInfo(f"{kind.decode()}.png")
            info.type, info.linkname = kind, target
            archive.addfile(info)


def zeros(path: Path, n: int) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    rows = arrow.FixedSizeListArray.from_arrays(arrow.array(np.zeros(n * 512, dtype=np.float32)), 512)
    parquet.write_table(arrow.table({"embedding": rows}), path, compression="zstd")


def captions(path: Path, n: int) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    words = arrow.DictionaryArray.from_arrays(arrow.array(np.arange(n) % 1000), arrow.array(
        [f"a caption of some words, number {i}" for i in range(1000)]))
    parquet.write_table(arrow.table({"caption": words.cast(arrow.string())}), path, compression="zstd")


def lying_parquet(path: Path) -> None:
    """The footer says a hundredth of the bytes that the pages unpack to."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    parquet.write_table(arrow.table({"caption": arrow.array(["x" * 1000] * 900_000)}), path, compression="zstd",
                        use_dictionary=False)
    size = parquet.read_metadata(path).row_group(0).column(0).total_uncompressed_size
    data = path.read_bytes()
    said, less = (_varint(_zigzag(n)) for n in (size, size // 100))
    path.write_bytes(data.replace(said, _padded(less, len(said))))


def _zigzag(n: int) -> int:
    return n << 1


def _varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def _padded(number: bytes, length: int) -> bytes:
    """The same number in more bytes."""
    body = bytearray(number)
    while len(body) < length:
        body[-1] |= 128
        body.append(0)
    return bytes(body)


def npy_header(shape: tuple[int, ...], descr: str = "<f4") -> bytes:
    text = repr({"descr": descr, "fortran_order": False, "shape": shape}).encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def long_header(path: Path) -> None:
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 4), }" + b" " * (60 * MB) + b"\n"
    path.write_bytes(b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text + bytes(64))
