"""What is brought is held against the budget before it is unpacked; what is refused is said with number and limit."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as arrow
import pyarrow.parquet as parquet_files
import pytest

from core import settings as settings_module
from core.errors import SourceError
from core.settings import HOSTED, OWN_MACHINE, Settings
from core.sources import gate
from core.sources.gate import check_text, checked_parquet
from core.sources.images.opening import open_zip
from core.sources.tables.reading import read_table
from core.sources.tars import open_archive
from core.sources.vectors.opening import open_vectors
from tests.sources.images.test_images import png

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> None:
    public = Settings(settings_module.settings().cache, None, None, True, 1.0)
    monkeypatch.setattr(gate, "settings", lambda: public)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def parquet(frame: pd.DataFrame, **how: object) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, **how)  # type: ignore[call-overload]
    return buffer.getvalue()


def test_noise_does_not_hide_a_member_that_unpacks_to_far_too_much() -> None:
    noise = np.random.default_rng(0).bytes(4_000_000)
    with pytest.raises(SourceError, match=r"trap.txt, which unpacks to 1,0.. times, as only a trap does"):
        open_zip(zipped({"a.png": png(), "noise.png": noise, "trap.txt": bytes(20_000_000)}), "x.zip")


def test_texts_beside_pictures_have_a_limit_each_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    words = " ".join(map(str, rng.integers(0, 10**9, 120_000).tolist())).encode()
    dataset = open_zip(zipped({"a.png": png(), "a.txt": words, "b.png": png(), "b.txt": b"a caption"}), "x.zip")
    assert dataset.texts == ("a caption",)
    assert [(r.name, r.reason) for r in dataset.refused] == [
        ("a.txt", f"a text beside a picture has {len(words) / 1024**2:.1f} MB; the limit is 1 MB")]
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(OWN_MACHINE, texts_mb=0))
    assert "together" in open_zip(zipped({"b.png": png(), "b.txt": b"a caption"}), "x.zip").refused[0].reason


def test_many_members_are_refused_before_their_list_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped({f"{i}.txt": b"" for i in range(30)})
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(OWN_MACHINE, members=20))
    monkeypatch.setattr(zipfile.ZipFile, "infolist", None)
    with pytest.raises(SourceError, match=r"at most 20 files in x.zip; got 30"):
        open_zip(data, "x.zip")


def tarred(n: int) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for i in range(n):
            info = tarfile.TarInfo(f"{i}.png")
            info.size = len(png())
            archive.addfile(info, io.BytesIO(png()))
    return buffer.getvalue()


def test_many_members_of_a_tar_are_refused_before_they_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    twenty = tarred(20)
    assert len(open_archive(twenty, "x.tar").members) == 20
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(OWN_MACHINE, members=19))
    monkeypatch.setattr(tarfile, "open", None)
    with pytest.raises(SourceError, match=r"at most 19 files in x.tar; got more than 19"):
        open_archive(twenty, "x.tar")


@pytest.mark.parametrize(("limits", "data", "said"), [
    ({"rows": 10}, b"a\n" * 11, r"at most 10 lines in t.csv; got 12"),
    ({"columns": 10}, b",".join([b"x"] * 11) + b"\n", r"at most 10 columns in t.csv; got 11"),
    ({"cells": 10}, b"a,b,c\n" * 5, r"at most 10 cells in t.csv; got 16"),
    ({"cells": 10}, json.dumps([{"a": i} for i in range(9)]).encode(), r"at most 10 cells in t.csv; got 27"),
    ({"field_mb": 1}, b"x" * 1_500_000, r"at most 1 MB in one line in t.csv; got 1 MB"),
])
def test_a_text_is_counted_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch, limits: dict[str, int], data: bytes,
                                              said: str) -> None:
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(OWN_MACHINE, **limits))
    with pytest.raises(SourceError, match=said):
        check_text(data, "t.csv")
    check_text(b"a,b\n1,2\n", "t.csv")


def test_the_limit_of_a_field_hangs_on_nothing_read_before() -> None:
    import csv

    before = csv.field_size_limit()
    read_table(b'file,caption\na.png,"' + b"x" * 200_000 + b'"\n', "a.csv")
    assert csv.field_size_limit() == before


@pytest.mark.usefixtures("hosted")
@pytest.mark.parametrize("opened", [lambda data: open_vectors(data, "v.parquet"),
                                    lambda data: read_table(data, "v.parquet")], ids=["vectors", "table"])
def test_a_small_parquet_of_very_much_is_refused_by_its_footer(opened: Callable[[bytes], object]) -> None:
    data = parquet(pd.DataFrame({"caption": pd.Series(["x"], dtype="str").repeat(5_000_000)}), compression="zstd")
    assert len(data) < 100_000
    with pytest.raises(SourceError, match=r"at most 1,000,000 rows in v.parquet; got 5,000,000"):
        opened(data)


@pytest.mark.usefixtures("hosted")
def test_a_parquet_of_one_number_again_and_again_is_refused_by_how_many_there_are() -> None:
    rows = arrow.FixedSizeListArray.from_arrays(arrow.array(np.zeros(300_000 * 512, dtype=np.float32)), 512)
    buffer = io.BytesIO()
    parquet_files.write_table(arrow.table({"embedding": rows}), buffer, compression="zstd")
    assert len(buffer.getvalue()) < 10_000
    with pytest.raises(SourceError, match=r"at most 300 MB unpacked in v.parquet; got 586 MB"):
        open_vectors(buffer.getvalue(), "v.parquet")


def test_vectors_beside_captions_cost_a_table_nothing() -> None:
    frame = pd.DataFrame({"embedding": list(np.eye(500, 64, dtype=np.float32)), "caption": ["a b"] * 500})
    table = read_table(parquet(frame), "t.parquet").frame
    assert list(table.columns) == ["embedding", "caption"]
    assert len(table) == 500 and table["embedding"].iloc[3][3] == 1
    assert table["embedding"].iloc[-1] is None


@pytest.mark.usefixtures("hosted")
def test_a_parquet_whose_footer_lies_dies_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ones = pd.DataFrame({"embedding": list(np.eye(3, 8, dtype=np.float32)), "name": list("abc")})
    opened = open_vectors(parquet(ones), "image.parquet")
    assert opened.images is not None and opened.images.ids == ("a", "b", "c")
    rows = pd.DataFrame({"caption": [f"{i} " + "x" * 4000 for i in range(50_000)]})
    data = parquet(rows, compression="zstd")
    assert len(data) < 2_000_000
    monkeypatch.setattr(gate, "settings", lambda: replace_unpacked(50))
    with pytest.raises(SourceError, match=r"at most 50 MB unpacked in v.parquet; got 19[0-9] MB"):
        checked_parquet(data, "v.parquet")
    monkeypatch.setattr(gate, "settings", lambda: replace_unpacked(400))
    checked = checked_parquet(data, "v.parquet")
    assert isinstance(checked, bytes)
    assert pd.read_parquet(io.BytesIO(checked)).equals(rows)
    monkeypatch.setattr(gate, "settings", lambda: replace_unpacked(50))
    with pytest.raises(SourceError, match=r"at most 50 MB unpacked in v.parquet; got more"):
        gate._unpacked(data, "v.parquet")        # as if the footer had said less than there is


def replace_unpacked(megabytes: int) -> Settings:
    class Small(Settings):
        @property
        def budget(self):  # type: ignore[no-untyped-def]
            return replace(HOSTED, unpacked_mb=megabytes)

    return Small(settings_module.settings().cache, None, None, True, 1.0)


def test_the_budgets_stand_in_the_readme() -> None:
    """One table for both kinds of server, a row a limit."""
    readme = (ROOT / "README.md").read_text()
    for name in OWN_MACHINE.__dataclass_fields__:
        own, public = getattr(OWN_MACHINE, name), getattr(HOSTED, name)
        assert f"| `{name}` | {own:,} | {public:,} |" in readme
