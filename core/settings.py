"""Settings of this process, read once from the environment.

ORRERY_CACHE     folder for vectors, thumbnails and downloads (default ~/.cache/orrery)
ORRERY_DEVICE    cuda, mps or cpu (default: the best at hand)
ORRERY_DTYPE     float32, bfloat16 or float16 (default: bfloat16 on a GPU, float32 elsewhere)
ORRERY_HOSTED    1 on a public server: no paths of the server, no local folders, stricter limits
ORRERY_CACHE_GB  size bound of the store of vectors, in GB (default 10)
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    cache: Path
    device: str | None
    dtype: str | None
    hosted: bool
    cache_gb: float


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
    )
