"""Vectors of frames from files of every kind become paths with times."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from core.errors import OrreryError, SourceError
from core.sources.films.vectors import open_frame_vectors

RNG = np.random.default_rng(0)
VECTORS = RNG.standard_normal((20, 8)) * 3
TIMES = np.arange(20) / 4
FILM = np.asarray(["one"] * 12 + ["two"] * 8)
UNIT = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)


def csv(**columns: object) -> bytes:
    table = pd.DataFrame(columns | {str(i): VECTORS[:, i] for i in range(8)})
    return table.to_csv(index=False).encode()


def npz(**arrays: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.savez(held, **arrays)  # type: ignore[arg-type]
    return held.getvalue()


def npy(array: np.ndarray) -> bytes:
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def parquet(**columns: object) -> bytes:
    held = io.BytesIO()
    pd.DataFrame(columns).to_parquet(held)
    return held.getvalue()


TABLE = pd.DataFrame({"time": TIMES, "video": FILM}).to_csv(index=False).encode()


@pytest.mark.parametrize("files", [
    [("a.csv", csv(seconds=TIMES, film=FILM))], [("a.npz", npz(vectors=VECTORS, times=TIMES, film=FILM))],
    [("a.parquet", parquet(timestamp=TIMES, video=FILM, embedding=list(VECTORS)))],
    [("vectors.npy", npy(VECTORS)), ("about.csv", TABLE)], [("a.npy", npy(VECTORS)), ("a.csv", TABLE)],
    [("a.tsv", csv(t=[f"0:00:{t:05.2f}" for t in TIMES], clip=FILM).replace(b",", b"\t"))],
], ids=lambda files: "+".join(name for name, _ in files))
def test_times_and_films_are_found(files: list[tuple[str, bytes]]) -> None:
    found = open_frame_vectors(files)
    assert [path.path.name for path in found.paths] == ["one", "two"]
    np.testing.assert_allclose(found.paths[1].path.points, UNIT[12:], atol=1e-6)
    np.testing.assert_allclose(found.paths[1].path.times, TIMES[12:], atol=0.006)
    assert not found.refused and not found.notices


def test_what_is_odd_is_told() -> None:
    times = TIMES.copy()
    times[[3, 4]] = times[4], times[3]
    times[7] = times[8]
    vectors = VECTORS.copy()
    vectors[10] = 0
    found = open_frame_vectors([("film.npz", npz(vectors=vectors, time=times, genre=np.asarray(["comedy; old"] * 20))),
                                ("notes.txt2", b"")])
    (path,) = found.paths
    assert path.labels == ("comedy", "old") and len(path.path) == 18 and path.path.name == "film"
    np.testing.assert_allclose(path.path.points[3], UNIT[4], atol=1e-6)
    assert {r.name for r in found.refused} == {"notes.txt2", "film.npz: vectors, row 11"}
    assert "1 rows" in found.notices[0]
    (bare,) = open_frame_vectors([("film.npy", npy(VECTORS))]).paths
    assert bare.path.times.tolist() == list(range(20))
    assert "one second apart" in open_frame_vectors([("film.npy", npy(VECTORS))]).notices[0]


def test_what_is_none_is_refused() -> None:
    for files in ([("a.npy", b"\x93NUMPY")], [("a.csv", b"time\n1\n2\n")], [], [("a.npy", npy(VECTORS[:1]))],
                  [("a.npy", npy(VECTORS)), ("b.npy", npy(VECTORS[:, :5]))],
                  [("a.npz", npz(vectors=np.array([{}] * 5, dtype=object)))]):
        with pytest.raises(SourceError):
            open_frame_vectors(files)
    data = csv(seconds=TIMES, film=FILM)
    for _ in range(100):
        bad = bytearray(data)
        for at in RNG.integers(len(bad), size=20):
            bad[at] = RNG.integers(256)
        try:
            open_frame_vectors([("a.csv", bytes(bad))])
        except OrreryError:
            continue
