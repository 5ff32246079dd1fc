"""Settings of this process, read once from the environment.

ORRERY_CACHE     folder for vectors, thumbnails and downloads (default ~/.cache/orrery)
ORRERY_DEVICE    cuda, mps or cpu (default: the best at hand)
ORRERY_DTYPE     float32, bfloat16 or float16 (default: bfloat16 on a GPU, float32 elsewhere)
ORRERY_HOSTED    1 on a public server: no paths of the server, no local folders, stricter limits
ORRERY_CACHE_GB  size bound of the store of vectors, in GB (default 10)
ORRERY_MODELS    hub ids, with commas, that a public server offers besides the registry (org/name or org/name@commit)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MB = 1024**2


@dataclass(frozen=True)
class Budget:
    """What one thing that is brought may cost; what is over it is refused with the number and the limit.

    Attributes
    ----------
    upload_mb : bytes of one file, as it is uploaded.
    visitor_mb, server_mb : bytes of all uploads that a visitor, and all visitors together, have open.
    unpacked_mb : bytes of an archive or a packed table, unpacked.
    member_mb, text_mb : bytes of one file in an archive, and of one text file of captions beside a picture.
    texts_mb : bytes of all text files beside pictures together.
    ratio : unpacked over packed bytes of one file in an archive, where it is over a megabyte.
    members : files in an archive.
    rows, columns, cells : of a table; numbers of vectors are no cells.
    field_mb : bytes of one line, or of one cell, of a table of text.
    megapixels : of one picture, also of a texture and of a frame.
    faces, vertices : of one mesh, placed as often as it is shown; points of a cloud are vertices.
    seconds : for unpacking one picture or packed table, or reading one mesh.
    film_frames, film_gigapixels : of one film, and pixels of all its frames together.
    film_looked : frames of one film that are looked at.
    probe : images, and texts, of a record of a training; each is compared with each at every step.
    """

    upload_mb: int
    visitor_mb: int
    server_mb: int
    unpacked_mb: int
    member_mb: int = 256
    text_mb: int = 1
    texts_mb: int = 64
    ratio: int = 200
    members: int = 1_000_000
    rows: int = 50_000_000
    columns: int = 10_000
    cells: int = 500_000_000
    field_mb: int = 16
    megapixels: int = 100
    faces: int = 5_000_000
    vertices: int = 15_000_000
    seconds: int = 20
    film_frames: int = 5_000_000
    film_gigapixels: int = 20_000
    film_looked: int = 50_000
    probe: int = 20_000


OWN_MACHINE = Budget(upload_mb=400, visitor_mb=64_000, server_mb=64_000, unpacked_mb=65_536)
HOSTED = Budget(upload_mb=100, visitor_mb=300, server_mb=2_000, unpacked_mb=300, texts_mb=16, members=100_000,
                rows=1_000_000, columns=2_000, cells=4_000_000, field_mb=1, faces=1_000_000, vertices=3_000_000,
                film_frames=200_000, film_gigapixels=150, film_looked=3_000, probe=5_000)


@dataclass(frozen=True)
class Settings:
    cache: Path
    device: str | None
    dtype: str | None
    hosted: bool
    cache_gb: float
    models: tuple[str, ...] = ()

    @property
    def budget(self) -> Budget:
        """What one thing that is brought may cost here."""
        return HOSTED if self.hosted else OWN_MACHINE


@cache
def settings() -> Settings:
    """The settings of this process."""
    env = os.environ
    return Settings(
        cache=Path(env.get("ORRERY_CACHE") or Path.home() / ".cache" / "orrery"),
        device=env.get("ORRERY_DEVICE") or None,
        dtype=env.get("ORRERY_DTYPE") or None,
        hosted=env.get("ORRERY_HOSTED", "") not in ("", "0"),
        cache_gb=float(env.get("ORRERY_CACHE_GB") or 10),
        models=tuple(name.strip() for name in env.get("ORRERY_MODELS", "").split(",") if name.strip()),
    )
