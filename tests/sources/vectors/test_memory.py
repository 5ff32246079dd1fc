"""Vectors are opened in little more memory than they and their unit vectors take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT

N, D = 100_000, 128
SPARE_MB = 25       # what a reader holds however large the file is
_CODE = """
import sys
from pathlib import Path
import pandas, pyarrow.parquet
from core.sources.vectors.opening import open_vectors

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

small, large = map(Path, sys.argv[1:])
open_vectors(small)
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
opened = open_vectors(large)
print(len(opened.images), status("VmHWM") - before)
"""


def save(rows: np.ndarray, path: Path) -> None:
    if path.suffix == ".npy":
        np.save(path, rows)
    elif path.suffix == ".npz":
        np.savez(path, image=rows)
    elif path.stem.endswith("lists"):
        pd.DataFrame({"embedding": list(rows), "name": [f"item {i}" for i in range(len(rows))]}).to_parquet(path)
    else:
        pd.DataFrame(rows, columns=[f"d{i}" for i in range(rows.shape[1])]).to_parquet(path)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", ["image.npy", "image.npz", "image-lists.parquet", "image-columns.parquet"])
def test_opening_takes_at_most_two_and_a_half_times_the_numbers(tmp_path: Path, name: str) -> None:
    rows = np.random.default_rng(0).normal(size=(N, D)).astype(np.float32)
    (tmp_path / "small").mkdir()
    save(rows, tmp_path / name)
    save(rows[:10], tmp_path / "small" / name)
    done = subprocess.run([sys.executable, "-c", _CODE, str(tmp_path / "small" / name), str(tmp_path / name)], cwd=ROOT,
                          capture_output=True, text=True, check=True)
    n, megabytes = done.stdout.split()
    assert int(n) == N
    assert float(megabytes) < 2.5 * rows.nbytes / 1024**2 + SPARE_MB
