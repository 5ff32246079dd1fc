"""Caption tables as people keep them: every layout, encoding and separator, with images found or named as missing."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core import settings as settings_module
from core.errors import ChoiceError, SourceError, UnreadableItem
from core.settings import Settings
from core.sources.images import opening
from core.sources.images.opening import open_uploads
from core.sources.tables.captions import match_names
from core.sources.tables.cells import captions_in
from core.sources.tables.columns import Roles, guess_roles, is_header, numbers_where_possible, role_of
from core.sources.tables.opening import open_table
from core.sources.tables.reading import read_table
from core.types import Dataset


def png(colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(buffer, "PNG")
    return buffer.getvalue()


PHOTOS = {"photos/a.png": png("red"), "photos/b.png": png("blue"), "other/000123.png": png("lime")}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in PHOTOS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.fixture
def photos() -> Dataset:
    return open_uploads(list(PHOTOS.items()))


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(arrow.table(columns), buffer, **options)
    return buffer.getvalue()


def test_one_column_of_captions(photos: Dataset) -> None:
    table = b"file_name,caption,label,score\nphotos/b.png,a blue one,7,0.5\nphotos/a.png,\"a red one, here\",8,1\n"
    dataset = open_table(("set.csv", table), photos)
    assert dataset.name == "set"
    assert dataset.image_ids == ("photos/b.png", "photos/a.png")
    assert dataset.texts == ("a blue one", "a red one, here")
    assert dataset.text_ids == ("photos/b.png/0", "photos/a.png/0")
    assert dataset.links.tolist() == [[0, 0], [1, 1]]
    assert dataset.image_table.to_dict("list") == {"label": ["7", "8"], "score": [0.5, 1]}
    assert dataset.images is not None
    assert dataset.images.decode(0).getpixel((0, 0)) == (0, 0, 255)
    assert dataset.refused == ()


def test_several_columns_of_captions(photos: Dataset) -> None:
    table = b"image,caption_0,caption_1,caption_2\na.png,one,two,\nb.png,three,,four\n"
    dataset = open_table(("set.csv", table), photos)
    assert dataset.texts == ("one", "two", "three", "four")
    assert dataset.links.tolist() == [[0, 0], [0, 1], [1, 2], [1, 3]]
    assert dataset.text_table["caption_column"].tolist() == ["caption_0", "caption_1", "caption_0", "caption_2"]
    assert dataset.text_ids == ("a.png/0", "a.png/1", "b.png/0", "b.png/1")


def test_one_row_a_caption(photos: Dataset) -> None:
    table = "image_name| comment_number| comment\na.png| 0| one\nb.png| 0| two\na.png| 1| three, no more\n"
    dataset = open_table(("results.csv", table.encode()), photos)
    assert dataset.image_ids == ("a.png", "b.png")
    assert dataset.texts == ("one", "two", "three, no more")
    assert dataset.links.tolist() == [[0, 0], [1, 1], [0, 2]]
    assert dataset.text_table["comment_number"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("cell", ['["one", "two"]', "['one', 'two']"])
def test_lists_written_as_text(photos: Dataset, cell: str) -> None:
    table = f"filename\traw\tsplit\na.png\t{cell}\tval\nb.png\t['three']\ttest\n"
    dataset = open_table(("set.tsv", table.encode()), photos)
    assert dataset.texts == ("one", "two", "three")
    assert dataset.image_table["split"].tolist() == ["validation", "test"]
    assert dataset.text_table["split"].tolist() == ["validation", "validation", "test"]


def test_json_lines_with_lists_and_bad_lines(photos: Dataset) -> None:
    lines = [json.dumps({"file_name": "a.png", "captions": ["one", "two"], "size": 3}), "{bad", "[1]", "",
             json.dumps({"file_name": "b.png", "captions": []})]
    dataset = open_table(("set.jsonl", "\n".join(lines).encode()), photos)
    assert dataset.texts == ("one", "two")
    assert dataset.image_ids == ("a.png", "b.png")
    assert [r.name for r in dataset.refused] == ["line 2", "line 3"]
    assert dataset.refused[0].reason.startswith("it is not JSON (")
    assert dataset.refused[1].reason == "it is JSON, but no object with named fields"


def test_parquet_with_lists(photos: Dataset) -> None:
    data = parquet({"path": ["a.png", "b.png"], "captions": [["one", "two"], ["three"]], "n": [1, 2]})
    dataset = open_table(("set.parquet", data), photos)
    assert dataset.texts == ("one", "two", "three")
    assert dataset.image_table["n"].tolist() == [1, 2]


@pytest.mark.parametrize(("column", "cells", "names"), [
    ("image", [{"bytes": png("red"), "path": "x/a.png"}, {"bytes": png("blue"), "path": None}], ("x/a.png", "row 2")),
    ("jpg", [png("red"), png("blue")], ("row 1", "row 2")),
])
def test_parquet_that_carries_its_pictures(tmp_path: Path, column: str, cells: list[Any],
                                           names: tuple[str, ...]) -> None:
    data = parquet({column: cells, "caption": ["one", "two"], "key": ["k0", "k1"]}, row_group_size=1)
    (tmp_path / "set.parquet").write_bytes(data)
    for source in (("set.parquet", data), tmp_path / "set.parquet"):
        dataset = open_table(source)  # type: ignore[arg-type]
        assert dataset.image_ids == names
        assert dataset.links.tolist() == [[0, 0], [1, 1]]
        assert dataset.images is not None
        assert [dataset.images.decode(i).getpixel((0, 0)) for i in (1, 0, 1)] == [(0, 0, 255), (255, 0, 0), (0, 0, 255)]
        assert dataset.refused == ()


def test_parquet_with_a_missing_picture() -> None:
    data = parquet({"image": [png(), None], "caption": ["one", "two"]})
    dataset = open_table(("set.parquet", data))
    assert dataset.images is not None
    with pytest.raises(UnreadableItem, match="row 2; got the table holds no picture in this row"):
        dataset.images.decode(1)


def test_parquet_pictures_of_many_row_groups_are_read_as_needed() -> None:
    pictures = [png(c) for c in ("red", "blue", "lime", "white")] * 5
    data = parquet({"image": pictures, "caption": [str(i) + " x y" for i in range(20)]}, row_group_size=3)
    dataset = open_table(("set.parquet", data))
    assert dataset.images is not None
    order = np.random.default_rng(0).permutation(20).tolist()
    assert [dataset.images.read(i) for i in order] == [pictures[i] for i in order]  # type: ignore[attr-defined]
    assert len(dataset.images._groups) == 2  # type: ignore[attr-defined]


def test_coco_captions(photos: Dataset) -> None:
    coco = {"images": [{"id": 5, "file_name": "a.png"}, {"id": 6, "file_name": "b.png"}],
            "annotations": [{"id": 1, "image_id": 6, "caption": "one"}, {"id": 2, "image_id": 5, "caption": "two"},
                            {"id": 3, "image_id": 6, "caption": "three"}]}
    dataset = open_table(("captions_val2017.json", json.dumps(coco).encode()), photos)
    assert dataset.image_ids == ("b.png", "a.png")
    assert dataset.texts == ("one", "two", "three")
    assert dataset.links.tolist() == [[0, 0], [1, 1], [0, 2]]
    boxes = {"images": [{"id": 1}], "annotations": [{"bbox": [1, 2, 3, 4]}]}
    with pytest.raises(SourceError, match="annotations with bbox; captions have the fields image_id and caption"):
        open_table(("instances.json", json.dumps(boxes).encode()), photos)


def test_karpathy_fiftyone_and_plain_json(photos: Dataset) -> None:
    karpathy = {"images": [{"filename": "a.png", "split": "train", "sentences": [{"raw": "one"}, {"raw": "two"}]}]}
    dataset = open_table(("dataset.json", json.dumps(karpathy).encode()), photos)
    assert dataset.texts == ("one", "two")
    assert dataset.image_table["split"].tolist() == ["train"]
    samples = {"samples": [{"_id": {"$oid": "f00"}, "filepath": "data/a.png", "tags": ["validation"],
                            "ground_truth": {"_cls": "Classification", "label": "cat"}, "metadata": {"width": 3}}]}
    dataset = open_table(("samples.json", json.dumps(samples).encode()), photos)
    assert dataset.image_ids == ("data/a.png",)
    assert dataset.image_table[["label", "split"]].values.tolist() == [["cat", "validation"]]
    labels = {"classes": ["cat", "dog"], "labels": {"a": 1, "b": 0}}
    dataset = open_table(("labels.json", json.dumps(labels).encode()), photos)
    assert dataset.image_table["label"].tolist() == ["dog", "cat"]
    assert open_table(("x.json", b'["one two", "three"]')).texts == ("one two", "three")
    assert open_table(("x.json", b'[{"caption": "one"}, {"caption": "two"}]')).texts == ("one", "two")
    assert open_table(("x.json", b'{"caption": ["one", "two"]}')).texts == ("one", "two")


def test_languages(photos: Dataset) -> None:
    table = "image,caption_en,caption_de\na.png,a dog,ein Hund\nb.png,a cat,eine Katze\n"
    dataset = open_table(("set.csv", table.encode()), photos)
    assert dataset.text_table["language"].tolist() == ["en", "de", "en", "de"]
    dataset = open_table(("set.csv", b"image,text,lang\na.png,a dog,en\na.png,un chien,fr\n"), photos)
    assert dataset.text_table["language"].tolist() == ["en", "fr"]
    dataset = open_table(("multi30k.csv", b"en,de\na dog runs,ein Hund\na cat sits,eine Katze\n"))
    assert dataset.text_table["language"].tolist() == ["en", "de", "en", "de"]


def test_captions_alone() -> None:
    assert open_table(("w.txt", b"a red cube\n\na blue ball, shiny\n")).texts == ("a red cube", "a blue ball, shiny")
    assert open_table(("c.csv", b"caption\none\ntwo\n")).texts == ("one", "two")
    assert open_table(("c.csv", b"prompt_text\nA red cube\na blue ball\n")).texts == ("A red cube", "a blue ball")
    assert open_table(("c.csv", b"cat\ndog\nowl\n")).texts == ("cat", "dog", "owl")
    dataset = open_table(("c.csv", b"id,caption\nx1,one\nx2,two\nx2,three\n"))
    assert dataset.images is None
    assert dataset.text_ids == ("x1", "x2", "x2/1")
    assert open_table(("c.csv", b"caption,label\none,1\ntwo,2\n")).text_ids == ("row 1", "row 2")


def test_captions_of_missing_images_stay(photos: Dataset) -> None:
    table = b"image,caption\na.png,one\nlost.png,two\nhttps://x.org/c.png,three\n,four\n"
    dataset = open_table(("set.csv", table), photos)
    assert dataset.image_ids == ("a.png",)
    assert dataset.texts == ("one", "two", "three", "four")
    assert dataset.links.tolist() == [[0, 0]]
    assert [(r.name, r.reason) for r in dataset.refused] == [
        ("lost.png", "no image of this name in 3 uploaded files"),
        ("https://x.org/c.png", "it is an address on the web; download the images first")]
    alone = open_table(("set.csv", table))
    assert alone.images is None
    assert len(alone.texts) == 4
    assert [(r.name, r.reason) for r in alone.refused] == [
        ("set.csv", "it names 3 images, but no folder or zip with them was given")]


def test_where_images_are_found(folder: Path) -> None:
    table = b"image,caption\nphotos/a.png,one\nphotos/b.png,two\n"
    (folder / "set.csv").write_bytes(table)
    beside = open_table(folder / "set.csv")
    assert beside.image_ids == ("photos/a.png", "photos/b.png")
    elsewhere = open_table(("set.csv", table), str(folder))
    assert elsewhere.image_ids == beside.image_ids
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in PHOTOS.items():
            archive.writestr("top/" + name, data)
    (folder / "p.zip").write_bytes(buffer.getvalue())
    in_zip = open_table(("set.csv", table), buffer.getvalue())
    zip_path = open_table(("set.csv", table), folder / "p.zip")
    assert beside.fingerprint == elsewhere.fingerprint == in_zip.fingerprint == zip_path.fingerprint
    by_last = open_table(("set.csv", b"image,caption\nC:\\old\\b.png,two\n123,three\n"), folder)
    assert by_last.image_ids == ("C:\\old\\b.png", "123")
    assert by_last.images is not None
    assert by_last.images.decode(1).getpixel((0, 0)) == (0, 255, 0)
    absolute = f"image,caption\n{folder}/photos/a.png,one\n".encode()
    assert len(open_table(("set.csv", absolute), folder).image_ids) == 1


def test_names_match_by_the_longest_common_end() -> None:
    ids = ["x/cat/1.png", "x/dog/1.png", "y/0007.jpg", "y/7.png", "solo.gif"]
    names = ["dog/1.png", "1.png", "cat\\1.png", "7", "0007.jpg", "solo", "z/solo.gif", "none", "x/cat/1.png"]
    assert match_names(names, ids) == {"dog/1.png": 1, "cat\\1.png": 0, "0007.jpg": 2, "solo": 4, "z/solo.gif": 4,
                                       "x/cat/1.png": 0}


@pytest.mark.parametrize(("encoding", "text"), [
    ("utf-8", "日本 überall"), ("utf-8-sig", "日本"), ("utf-16", "日本 café"), ("utf-16-le", "cafe 日本"),
    ("cp1252", "café “x”"),
])
def test_encodings(encoding: str, text: str) -> None:
    table = f"image_id,caption\n1,{text}\n2,plain and longer words here\n".encode(encoding)
    dataset = open_table(("set.csv", table))
    assert dataset.texts[0] == text


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_separators(mark: str) -> None:
    rows = [["image", "caption", "label"], ["a.png", "one, two; three", "x"], ["b.png", "four, five; six", "y"]]
    table = "\r\n".join(mark.join(f'"{c}"' if any(m in c for m in ",;") else c for c in row) for row in rows)
    for name in ("t.csv", "t.tsv", "t.txt"):
        dataset = open_table((name, table.encode()))
        assert dataset.texts == ("one, two; three", "four, five; six"), name
        assert dataset.text_table["label"].tolist() == ["x", "y"]


def test_rows_of_uneven_length() -> None:
    last = b"image,caption\na.png,a bird, sitting, there\nb.png,an owl\nc.png\n"
    assert open_table(("t.csv", last)).texts == ("a bird, sitting, there", "an owl")
    first = b"caption,label\none,x,surplus\ntwo,y\nthree,z,,\n"
    dataset = open_table(("t.csv", first))
    assert dataset.texts == ("two", "three")
    assert [(r.name, r.reason) for r in dataset.refused] == [("line 2", "it has 3 fields; the header has 2")]


def test_a_table_without_a_header(photos: Dataset) -> None:
    dataset = open_table(("t.tsv", b"photos/a.png\ta red one\nphotos/b.png\ta blue one\n"), photos)
    assert dataset.image_ids == ("photos/a.png", "photos/b.png")
    assert dataset.texts == ("a red one", "a blue one")


def test_very_wide_and_long_tables(photos: Dataset) -> None:
    header = ",".join(["image", "caption", *[f"f{i}" for i in range(3000)]])
    rows = [",".join(["a.png", f"text {r}", *["0.5"] * 3000]) for r in range(20)]
    dataset = open_table(("wide.csv", "\n".join([header, *rows]).encode()), photos)
    assert dataset.image_table.shape == (1, 3000)
    assert dataset.image_table["f2999"].tolist() == [0.5]
    assert len(dataset.texts) == 20
    long = "image,caption\n" + "\n".join(f"{i}.png,a text of {i}" for i in range(100_000))
    dataset = open_table(("long.csv", long.encode()))
    assert len(dataset.texts) == 100_000
    assert dataset.text_ids[-1] == "99999.png/0"


def test_roles_can_be_said() -> None:
    table = b"a,b,c\nwords here now,other words too,x\nmore words again,still other words,y\n"
    assert open_table(("t.csv", table)).texts == ("words here now", "more words again")
    dataset = open_table(("t.csv", table), roles=Roles(captions=("b",), label="c"))
    assert dataset.texts == ("other words too", "still other words")
    assert dataset.text_table["label"].tolist() == ["x", "y"]
    with pytest.raises(ChoiceError, match=r"a column of t.csv to be one of a, b, c; got 'z'"):
        open_table(("t.csv", table), roles=Roles(captions=("z",)))


def test_roles_are_guessed() -> None:
    def guess(**columns: list[Any]) -> Roles:
        return guess_roles(pd.DataFrame(columns))

    assert guess(url=["x.jpg", "y.jpg"], TEXT=["one", "two"], key=[1, 2]) == Roles("url", ("TEXT",), id="key")
    assert guess(image_id=[1, 2], caption=["one", "two"]) == Roles("image_id", ("caption",))
    assert guess(file=["a.png", "b.png"], category=["x", "y"], fold=[1, 2]) == Roles("file", (), "category", "fold")
    assert guess(a=["p/1.jpg", "p/2.jpg"], b=["some longer words", "and more of them"]) == Roles("a", ("b",))
    assert guess(label=["cat", "dog"], score=[1.0, 2.0]) == Roles(label="label")
    assert guess(text=[1.0, 2.0]) == Roles()
    assert [role_of(c) for c in ("Caption 3", "caption-fr", "IMAGE_PATH", "Class", "subset", "lang", "x", "de")] == [
        "caption", "caption", "image", "label", "split", "language", None, "caption"]


def test_cells() -> None:
    assert captions_in("  one ") == ["one"]
    assert captions_in(np.array(["one", None, " "], dtype=object)) == ["one"]
    assert captions_in("[not a list") == ["[not a list"]
    assert captions_in("[1, 2") == ["[1, 2"]
    assert captions_in("[broken]") == ["[broken]"]
    assert captions_in(float("nan")) == captions_in(None) == captions_in("") == []
    assert captions_in(7) == ["7"]
    assert is_header(["image", "caption"])
    assert not is_header(["a.png", "caption"])
    assert not is_header(["same", "same"])
    assert numbers_where_possible(pd.Series(["1", "2"])).tolist() == [1, 2]
    assert numbers_where_possible(pd.Series(["001", "002"])).tolist() == ["001", "002"]
    assert numbers_where_possible(pd.Series(["1", "x"])).tolist() == ["1", "x"]
    assert numbers_where_possible(pd.Series([["a"], ["b"]])).tolist() == [["a"], ["b"]]


@pytest.mark.parametrize(("name", "data", "said"), [
    ("t.xlsx", b"PK\x03\x04", r"a table \(.csv, .tsv, .* got t.xlsx, which ends in .xlsx"),
    ("t.csv", b"PK\x03\x04....", r"a table of text in t.csv; got what begins like a zip archive"),
    ("t.csv", b"", "a table with rows in t.csv; got an empty one"),
    ("t.csv", b"image,caption\n", "a table with rows in t.csv; got an empty one"),
    ("t.json", b"{", "a table in t.json; got a file that cannot be read as one"),
    ("t.json", b"[" * 100_000, "a table in t.json; got a file that cannot be read as one"),
    ("t.json", b"3", "a table in t.json; got a file that cannot be read as one"),
    ("t.parquet", b"PAR1 no", "a table in t.parquet; got a file that cannot be read as one"),
    ("t.csv", b"x,y\n1,2\n3,4\n", r"image paths in t.csv; got the columns x \(numbers as text\), y"),
])
def test_errors(name: str, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_table((name, data))


def test_errors_of_paths(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the path of a table; got /nope.csv, which is not there"):
        open_table("/nope.csv")
    with pytest.raises(SourceError, match="which is a folder"):
        open_table(tmp_path)
    texts = open_table(("t.txt", b"only words here\n"))
    with pytest.raises(SourceError, match="a dataset with images; got t, which holds texts alone"):
        open_table(("t.csv", b"image,caption\na.png,one\n"), texts)


def test_a_public_server_opens_no_paths(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "set.csv").write_bytes(b"image,caption\nphotos/a.png,one\n")
    public = Settings(settings_module.settings().cache, None, None, True, 1.0)
    monkeypatch.setattr(opening, "settings", lambda: public)
    with pytest.raises(SourceError, match="an uploaded table; got a path on the server"):
        open_table(folder / "set.csv")
    with pytest.raises(SourceError, match="an uploaded zip with the images; got a path on the server"):
        open_table(("set.csv", b"image,caption\nphotos/a.png,one\n"), str(folder))
    stolen = f"image,caption\n{folder}/photos/a.png,one\n".encode()
    assert open_table(("set.csv", stolen)).images is None


def test_a_table_of_too_many_rows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(settings_module.OWN_MACHINE, rows=2))
    with pytest.raises(SourceError, match=r"at most 2 rows in t.parquet; got 3"):
        read_table(parquet({"caption": ["a", "b", "c"]}), "t.parquet")
