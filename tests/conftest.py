"""Shared fixtures: reference data beside the project; a cache of each process's own, and one thread where two work."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
_CACHE = tempfile.mkdtemp(prefix="orrery-test-cache-")
atexit.register(shutil.rmtree, _CACHE, ignore_errors=True)
os.environ["ORRERY_CACHE"] = _CACHE
os.environ["HF_HUB_OFFLINE"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:     # before numpy and torch are imported, here and in what tests start
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@pytest.fixture(scope="session")
def reference() -> Path:
    """Real features, photos and broken files that lie beside the project on some machines."""
    folder = ROOT.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"reference data is not beside the project ({folder.name} folder absent)")
    return folder
