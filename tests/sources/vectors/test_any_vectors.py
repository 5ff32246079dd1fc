"""Files of vectors of every kind that can be put together: no error but a friendly one, and all of it accounted for."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import OrreryError
from core.sources.vectors.opening import VectorSource, open_vectors

COMMON: dict[str, Any] = {"deadline": None, "derandomize": True, "suppress_health_check": list(HealthCheck)}
IDS = st.sampled_from(["a b", "caf\u00e9", "\u732b", "x/1.png", "nan", "007", "1e3", 'say "so"', "a", ""])
KINDS = st.sampled_from(["<f4", ">f4", "<f2", "<f8"])
TEXT = st.sampled_from([(",", "."), (";", "."), ("\t", "."), ("|", "."), (";", ","), ("\t", ",")])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "gb18030"])
TITLES = st.sampled_from(["id", "name", "label", "caption", "modality", "\u00fcber", ""])


@st.composite
def matrices(draw: st.DrawFn, kind: str | None = None) -> tuple[np.ndarray, int]:
    """Rows of numbers, and how many of them are of no use."""
    n, d = draw(st.integers(4, 9)), draw(st.sampled_from([5, 17, 33]))
    x = np.random.default_rng(draw(st.integers(0, 99))).normal(size=(n, d)).astype(kind or draw(KINDS))
    bad = draw(st.sets(st.integers(0, n - 1), max_size=2))
    for i in bad:
        x[i] = draw(st.sampled_from([np.nan, np.inf, 0.0]))
    return x, len(bad)


def opened(*source: object) -> VectorSource | None:
    try:
        return open_vectors(*source)  # type: ignore[arg-type]
    except OrreryError:
        return None


def accounted(source: VectorSource | None, n: int, bad: int) -> None:
    """Every row is a vector or refused, and those are refused that are of no use; an error is for files without any."""
    if source is None:
        assert bad == n
        return
    assert source.images is not None or source.texts is not None
    read = len(source.images or ()) + len(source.texts or ())
    assert read + len(source.refused) == n
    assert len(source.refused) == bad
    for part in (source.images, source.texts):
        assert part is None or np.allclose(np.linalg.norm(part.vectors, axis=1), 1, atol=1e-4)


@settings(max_examples=80, **COMMON)
@given(matrices("<f8"), TEXT, ENCODINGS, st.booleans(), st.booleans(), TITLES, st.data())
def test_text(matrix: tuple[np.ndarray, int], how: tuple[str, str], encoding: str, header: bool, index: bool,
              title: str, data: st.DataObject) -> None:
    x, bad = matrix
    named = data.draw(st.lists(IDS, min_size=len(x), max_size=len(x))) if data.draw(st.booleans()) else None
    if named and not {"a b", "caf\u00e9", "\u732b", "x/1.png"} & set(named):
        named[-1] = "a b"       # names that are all numbers are a dimension to anyone
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=how[0])
    lead: list[Sequence[str]] = [*([[str(i) for i in range(len(x))]] if index else []), *([named] if named else [])]
    if header:
        writer.writerow([*([""] if index else []), *([title] if named else []), *(f"d{i}" for i in range(x.shape[1]))])
    for i, row in enumerate(x.tolist()):
        writer.writerow([*(column[i] for column in lead), *(repr(v).replace(".", how[1]) for v in row)])
    encoded = buffer.getvalue().encode(encoding, "replace")
    for source in (opened(encoded, "v.tsv" if how[0] == "\t" else "v.csv"), opened([("v.csv", encoded)], "x")):
        accounted(source, len(x), bad)


@settings(max_examples=60, **COMMON)
@given(matrices(), st.sets(st.sampled_from(["label", "narrow", "other", "count", "words", "shape3", "one"])),
       st.sampled_from(["image", "text", "x", "zip", "npy"]))
def test_arrays(matrix: tuple[np.ndarray, int], extra: set[str], name: str) -> None:
    x, bad = matrix
    rng = np.random.default_rng(len(extra))
    n = len(x)
    more = {"label": np.arange(n), "narrow": rng.normal(size=(n, 3)).astype(np.float32),
            "other": rng.normal(size=(n + 3, 2)).astype(np.float32), "count": np.arange(n + 1),
            "words": np.array([f"w{i}" for i in range(n)]), "shape3": np.zeros((2, 3, 1, 2), np.float32),
            "one": np.float32(3)}
    arrays = {"vectors" if name in ("zip", "npy") else name: x, **{key: more[key] for key in sorted(extra)}}
    buffer = io.BytesIO()
    if name == "npy":
        np.save(buffer, x)
        accounted(opened(buffer.getvalue(), "v.npy"), n, bad)
        return
    np.savez(buffer, **arrays)
    source = opened(buffer.getvalue(), "v.npz")
    if name == "zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("in/v.npz", buffer.getvalue())
            archive.writestr("notes.md", "words")
        source = opened(packed.getvalue(), "v.zip")
    if source is None:
        assert bad == n
        return
    accounted(source, n, bad)
    left = {r.name.rpartition(": ")[2] for r in source.left_out}
    used = {a.name.rpartition(": ")[2] for a in source.arrays if a.part != "neither"}
    tables = {str(c) for part in (source.images, source.texts) if part is not None for c in part.table}
    for key in arrays:
        assert key in left | used | tables or len(arrays) == 1
    assert name != "zip" or "notes.md" in left


@settings(max_examples=40, **COMMON)
@given(matrices("<f4"), st.sampled_from(["list", "columns", "json"]), st.booleans(), st.integers(0, 2), st.data())
def test_parquet(matrix: tuple[np.ndarray, int], kind: str, with_ids: bool, nulls: int, data: st.DataObject) -> None:
    x, _ = matrix
    n = len(x)
    frame = pd.DataFrame({"label": [i % 2 for i in range(n)], "note": [None, *["words"] * (n - 1)]})
    if with_ids:
        frame.insert(0, "id", data.draw(st.lists(IDS, min_size=n, max_size=n)))
    missing = set(range(nulls)) if kind == "list" else set()
    rows = [None if i in missing else row.tolist() for i, row in enumerate(x)]
    if kind == "columns":
        frame = pd.concat([frame, pd.DataFrame(x, columns=[f"dim_{i}" for i in range(x.shape[1])])], axis=1)
    else:
        frame["vector"] = rows if kind == "list" else [" ".join(map(str, row or ())).join("[]") for row in rows]
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    bad = n - int((np.isfinite(x).all(axis=1) & x.any(axis=1) & ~np.isin(np.arange(n), list(missing))).sum())
    accounted(opened(buffer.getvalue(), "v.parquet"), n, bad)


@settings(max_examples=150, **COMMON)
@given(st.binary(max_size=300), st.sampled_from(["npy", "npz", "parquet", "csv", "tsv", "txt", "zip", "tar"]),
       st.sampled_from([b"", b"\x93NUMPY\x01\x00", b"PK\x03\x04", b"PAR1", b"1,2,3,4\n"]))
def test_bytes_of_anything(data: bytes, ending: str, begin: bytes) -> None:
    source = opened(begin + data, f"v.{ending}")
    assert source is None or len(source.images or ()) + len(source.texts or ()) > 0


def test_an_account_that_does_not_add_up_would_be_seen() -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.eye(3))
    with pytest.raises(AssertionError):
        accounted(open_vectors(buffer.getvalue(), "v.npy"), 4, 0)
