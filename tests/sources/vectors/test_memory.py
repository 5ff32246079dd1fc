"""Vectors are opened in little more memory than they and their unit vectors take; long texts as short ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pytest
from pyarrow import csv

from core.sources.vectors import files, long
from core.sources.vectors.files import load
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
    elif path.suffix == ".csv":
        csv.write_csv(arrow.table({f"d{i}": rows[:, i] for i in range(rows.shape[1])}), path)
    elif path.stem.endswith("lists"):
        pd.DataFrame({"embedding": list(rows), "name": [f"item {i}" for i in range(len(rows))]}).to_parquet(path)
    else:
        pd.DataFrame(rows, columns=[f"d{i}" for i in range(rows.shape[1])]).to_parquet(path)


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize("name", ["image.npy", "image.npz", "image-lists.parquet", "image-columns.parquet",
                                  "image.csv"])
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


def texts() -> dict[str, str]:
    rows = np.random.default_rng(0).normal(size=(400, 6)).round(5)
    plain = [",".join(map(str, row)) for row in rows.tolist()]
    named = [f"item {i},{row},{i % 3}" for i, row in enumerate(plain)]
    head = "name," + ",".join(f"d{i}" for i in range(6)) + ",label"
    return {
        "plain": "\n".join(plain) + "\n",
        "named": "\r\n".join([head, *named]),
        "with an index": "\n".join(["," + ",".join(f"d{i}" for i in range(6)),
                                    *(f"{i},{row}" for i, row in enumerate(plain))]),
        "after comments": "# made by a model\n\nsep=;\n" + "\n".join(row.replace(",", ";") for row in plain),
        "word2vec": "400 6\n" + "\n".join(f"w{i} " + row.replace(",", " ") for i, row in enumerate(plain)),
        "too large for float32": "\n".join([*plain[:399], "1e300," * 5 + "1"]),
        "a line of spaces": "\n".join([*plain[:200], "   ", *plain[200:]]),
        "a short line": "\n".join([*plain[:200], "1,2", *plain[200:]]),
        "letters": "\n".join([*named[:399], named[399].replace("item", "Stück")]),
        "a caption in quotes": "\n".join(f'"a cat, and {i}",{row}' for i, row in enumerate(plain)),
        "captions": "\n".join(f"a cat {i},a dog" for i in range(400)),
    }


@pytest.mark.parametrize("name", list(texts()))
@pytest.mark.parametrize("as_path", [False, True])
def test_a_long_text_is_read_as_a_short_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, as_path: bool
                                            ) -> None:
    data = texts()[name].encode()
    (tmp_path / "image.csv").write_bytes(data)
    short = load(data, "image.csv")
    monkeypatch.setattr(files, "LONG_BYTES", 0)
    monkeypatch.setattr(long, "_NUMBERS_AT_ONCE", 700)
    found = load(tmp_path / "image.csv" if as_path else data, "image.csv")
    assert [b.vectors.shape for b in found.blocks] == [b.vectors.shape for b in short.blocks]
    for mine, theirs in zip(found.blocks, short.blocks):
        np.testing.assert_allclose(mine.vectors, theirs.vectors, rtol=1e-7)
        pd.testing.assert_frame_equal(mine.table, theirs.table, check_dtype=False)
    assert (found.notices, found.refused, found.left_out) == (short.notices, short.refused, short.left_out)
    if name in ("plain", "named", "with an index", "word2vec", "a caption in quotes"):
        assert long.read_long(data, "image.csv") is not None
    if name in ("too large for float32", "letters", "captions"):
        assert long.read_long(data, "image.csv") is None
