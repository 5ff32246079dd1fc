"""Kinds of tables and text that people bring, each with what it must give."""

from __future__ import annotations

import io
import json
import shutil
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import SourceError
from core.sources.images.opening import open_folder, open_uploads, open_zip
from core.sources.tables.captions import match_names
from core.sources.tables.cells import captions_in
from core.sources.tables.columns import Roles, is_header, is_plain
from core.sources.tables.opening import open_table
from core.sources.tables.reading import read_table
from core.sources.text import decode, lines
from core.types import Dataset
from tests.sources.images.test_images import png


@pytest.fixture(scope="module")
def odd(reference: Path) -> Path:
    return reference / "odd_data"


def pairs(dataset: Dataset) -> dict[str, list[str]]:
    """Captions by the image's name."""
    said: dict[str, list[str]] = {name: [] for name in dataset.image_ids}
    for i, j in dataset.links:
        said[dataset.image_ids[i]].append(dataset.texts[j])
    return said


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return buffer.getvalue()


def shards(odd: Path, tmp_path: Path, n: int) -> Path:
    for i in range(n):
        shutil.copytree(odd / "img2dataset_plain" / "00000", tmp_path / f"{i:05d}")
        shutil.copy(odd / "img2dataset_plain" / "00000.parquet", tmp_path / f"{i:05d}.parquet")
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("way", ["one folder", "two shards", "zip"])
def test_img2dataset_pairs_by_key_and_attaches_no_caption_twice(odd: Path, tmp_path: Path, way: str) -> None:
    folder = odd / "img2dataset_plain" if way != "two shards" else shards(odd, tmp_path, 2)
    dataset = open_zip(zipped(folder), "x.zip") if way == "zip" else open_folder(folder)
    expected = ["a red cube", "a green ball", "a blue cone"] * (2 if way == "two shards" else 1)
    assert [said for captions in pairs(dataset).values() for said in captions] == expected
    assert len(dataset.texts) == len(dataset.image_ids) == len(expected)
    assert not [r for r in dataset.refused if "no image of this name" in r.reason]


def test_rows_of_one_picture_name_are_items() -> None:
    rows = [{"image": {"bytes": png(colour), "path": "0.png"}, "text": colour} for colour in ("red", "blue")]
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    dataset = open_table(("x.parquet", buffer.getvalue()))
    assert dataset.image_ids == ("0.png", "0~2.png")
    assert dataset.images is not None
    assert [dataset.images.decode(i).getpixel((0, 0)) for i in range(2)] == [(255, 0, 0), (0, 0, 255)]
    assert pairs(dataset) == {"0.png": ["red"], "0~2.png": ["blue"]}


@pytest.mark.parametrize("name", ["bbox", "empty_lists", "nullable", "single_lists", "tags"])
def test_columns_of_lists_and_missing_cells_are_kept(odd: Path, name: str) -> None:
    dataset = open_table(odd / "list_columns" / f"{name}.parquet")
    assert len(dataset.image_ids) == 4
    assert all(len(captions) == 1 for captions in pairs(dataset).values())
    assert "split" not in open_table(odd / "list_columns" / "tags.jsonl").image_table


def test_a_lone_quote_of_a_tsv_swallows_nothing_and_a_quoted_newline_of_a_csv_stays() -> None:
    table = read_table(b'name\tnote\na\t5" pipe\nb\t"half\nc\td\n', "t.tsv").frame
    assert table["note"].tolist() == ['5" pipe', '"half', "d"]
    table = read_table(b'name\tnote\na\t"half\nb\thalf"\nc\td\n', "t.tsv").frame
    assert table["note"].tolist() == ['"half', 'half"', "d"]
    table = read_table(b'name\tnote\na\t"a ""big"" dog"\nb\t5" pipe\n', "t.tsv").frame
    assert table["note"].tolist() == ['a "big" dog', '5" pipe']
    table = read_table(b'name\tnote\na\t"one\ntwo"\nc\td\n', "t.tsv").frame
    assert table["note"].tolist() == ["one\ntwo", "d"]
    table = read_table(b'image,caption\n0.png,"one\ntwo"\n1.png,three\n', "t.csv").frame
    assert table["caption"].tolist() == ["one\ntwo", "three"]


def test_only_line_ends_end_a_line(odd: Path) -> None:
    said = ["a red box on a table", "a blue box\u2028seen from above", "a green box\x85on grass", "a grey box in rain"]
    for name in ("jsonl_u2028/captions.jsonl", "csv_u2028/captions.csv"):
        dataset = open_table(odd / name)
        assert list(pairs(dataset).values()) == [[text] for text in said], name
        assert dataset.refused == ()
    assert open_table(odd / "text_lines" / "words.txt").texts == ("a red box\u2028on a table", "a blue box")
    assert lines("a\r\nb\rc\nd\u2029e") == ["a", "b", "c", "d\u2029e"]


def test_text_beside_pictures_in_any_encoding(odd: Path) -> None:
    dataset = open_folder(odd / "sidecar_encoding")
    assert list(pairs(dataset).values()) == [["ein grüner Würfel auf weißem Tisch"],
                                             ["une boîte bleue à côté d’un arbre"], ["a plain red box"],
                                             ["коробка на столе"]]
    assert len(dataset.notices) == 1 and "Western European" in dataset.notices[0]


@pytest.mark.parametrize(("name", "encoding", "said"), [("cp1251", "cp1251", "красная коробка"),
                                                        ("gbk", "gb18030", "桌子上有0个红色")])
def test_a_guessed_encoding_is_said_and_can_be_chosen(odd: Path, name: str, encoding: str, said: str) -> None:
    dataset = open_table(odd / "csv_kinds" / f"{name}.csv")
    assert dataset.texts[0].startswith(said)
    assert len(dataset.notices) == 1 and "was read as" in dataset.notices[0]
    chosen = open_table(odd / "csv_kinds" / f"{name}.csv", roles=Roles(encoding=encoding))
    assert chosen.texts == dataset.texts and chosen.notices == ()
    wrong = open_table(odd / "csv_kinds" / f"{name}.csv", roles=Roles(encoding="cp1252"))
    assert wrong.texts != dataset.texts


@pytest.mark.parametrize(("text", "encoding"), [
    ("テーブルの上の赤い箱", "shift_jis"), ("탁자 위의 빨간 상자", "euc_kr"), ("桌上的紅色盒子", "big5"),
    ("czerwone pudełko na stole", "cp1250"), ("κόκκινο κουτί στο τραπέζι", "cp1253"), ("ein grüner Würfel", "cp1252")])
def test_letters_of_many_scripts(text: str, encoding: str) -> None:
    found = decode(text.encode(encoding))
    assert (found.text, found.guessed) == (text, True)
    assert decode(text.encode()).guessed is False


def test_a_damaged_letter_leaves_utf8_what_it_is() -> None:
    table = read_table("image,caption\n0.png,grün über\n1.png,ok".encode() + b"\xff\n", "t.csv")
    assert table.frame["caption"].tolist() == ["grün über", "ok\ufffd"]
    assert table.notices == ("t.csv has 1 damaged letter, which UTF-8 does not know; \ufffd stands for each.",)
    mixed = decode("café au lait, ".encode() + "café noir".encode("cp1252"))
    assert (mixed.text, mixed.damaged, mixed.guessed) == ("café au lait, caf\ufffd noir", 1, False)
    for encoding in ("utf-32", "utf-16", "utf-8-sig"):
        frame = read_table("image,caption\n0.png,a b\n".encode(encoding), "t.csv").frame
        assert frame.to_dict("list") == {"image": ["0.png"], "caption": ["a b"]}
    half = read_table(rb'[{"image": "0.png", "caption": "a \ud83d b \ud83d\ude00 \\ud83d"}]', "t.json")
    assert half.frame["caption"].tolist() == ["a \ufffd b \U0001f600 \\ud83d"]
    assert len(half.notices) == 1 and "1 damaged letter" in half.notices[0]


def test_letters_of_names_and_texts_beside_pictures_can_be_chosen(odd: Path) -> None:
    files = [("a.png", png()), ("a.txt", "красный".encode("cp1251")), ("b.png", png()), ("b.txt", "синий".encode())]
    for encoding, said in (("cp1251", "красный"), ("cp1252", "êðàñíûé")):
        dataset = open_uploads(files, encoding=encoding)
        assert pairs(dataset) == {"a.png": [said], "b.png": ["синий"]}
        assert dataset.notices == ()
    for encoding, name in (("gb18030", "狗/图片三.png"), ("cp437", None)):
        dataset = open_zip(odd / "zips" / "gbk.zip", encoding=encoding)
        assert (name is None) == ("狗/图片三.png" not in dataset.image_ids)
        assert dataset.notices == ()


def test_a_list_of_captions_keeps_its_first_line_and_letters_that_begin_as_pictures_do() -> None:
    captions = ["a dog, running", "a cat, sitting", "a bird, red"]
    assert open_table(("t.txt", "\n".join(captions).encode())).texts == tuple(captions)
    assert open_table(("t.txt", b"image, caption\n0.png, a dog\n1.png, a cat\n")).texts == ("a dog", "a cat")
    for first in ("BMW cars of red colour", "P1 is a racing car"):
        assert open_table(("t.txt", f"{first}\na cat\n".encode())).texts == (first, "a cat")


@pytest.mark.parametrize("folder", ["split_metadata", "split_metadata_distinct"])
def test_every_table_belongs_to_its_own_folder(odd: Path, folder: str) -> None:
    for dataset in (open_folder(odd / folder), open_zip(zipped(odd / folder), "x.zip")):
        said = pairs(dataset)
        assert len(said) == len(dataset.texts) == 6
        for name, captions in said.items():
            split = name.split("/")[0]
            assert [c.split()[0] for c in captions] == [split]
        assert dataset.image_table["split"].tolist() == ["test"] * 3 + ["train"] * 3
        assert dataset.refused == ()


def test_lists_as_numpy_prints_them(odd: Path) -> None:
    dataset = open_table(odd / "numpy_list_csv" / "captions.csv")
    assert next(iter(pairs(dataset).values())) == [
        "a red box number 0", "one box in a room 0", "it's a box on the floor of a very long hallway with lamps"]
    assert open_table(odd / "numpy_list_csv" / "numpy_one.csv").texts[0] == "a red box here"
    assert captions_in("['a' 'b']") == ["a", "b"]
    assert captions_in("['a', 'b']") == captions_in('["a", "b"]') == ["a", "b"]
    assert captions_in("[a photo]") == ["[a photo]"]


def test_captions_in_numbered_columns(odd: Path) -> None:
    table = b"image,caption_1,caption_2,Caption 3\n0.png,one,two,three\n"
    assert open_table(("t.csv", table)).texts == ("one", "two", "three")
    for name in ("ratings.csv", "xy.csv"):
        dataset = open_table(odd / "numbered_captions" / name)
        assert all(len(captions) == 1 for captions in pairs(dataset).values()), name
        assert dataset.image_table.shape[1] >= 4


def test_a_parquet_whose_file_names_are_its_index(odd: Path) -> None:
    path = odd / "parquet_index" / "captions.parquet"
    assert read_table(path, path.name).frame["filename"].tolist()[:2] == ["photo0.png", "photo1.png"]
    alone = open_table((path.name, path.read_bytes()))
    assert (len(alone.texts), len(alone.image_ids)) == (len(pd.read_parquet(path)), 0)
    images = open_uploads([("photo0.png", png()), ("photo1.png", png("blue"))])
    assert list(pairs(open_table(path, images))) == ["photo0.png", "photo1.png"]


@pytest.mark.parametrize("name", ["empty2", "img_ext", "inf", "nan", "q", "url", "year"])
def test_known_titles_decide_what_is_a_header(odd: Path, name: str) -> None:
    dataset = open_table(odd / "headers" / f"{name}.csv")
    assert [captions[0] for captions in pairs(dataset).values()] == ["a box 0 here", "a box 1 here", "a box 2 here"]
    assert dataset.refused == ()


KINDS = {"bom": 3, "cp1251": 3, "default_header": 3, "dup_columns": 6, "gbk": 3, "long_header": 3, "mac": 3,
         "na_words": 3, "newline": 3, "pipes": 6, "scripts": 3, "semi": 3, "sep_line": 3, "spaces": 3, "upper_ext": 3,
         "url": 3, "utf16": 3}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_of_csv(odd: Path, name: str) -> None:
    dataset = open_table(odd / "csv_kinds" / f"{name}.csv")
    assert len(dataset.image_ids) == 3
    assert len(dataset.texts) == len(dataset.links) == KINDS[name]
    assert dataset.refused == ()


def test_repeated_and_empty_titles_lose_no_column() -> None:
    frame = read_table(b"image,note,note,,\n0.png,a,b,c,d\n", "t.csv").frame
    assert list(frame.columns) == ["image", "note", "note 2", "column_4", "column_5"]
    assert not is_header(["0.png", "a box"], [["1.png", "a box"]])


def test_letters_composed_or_not_windows_moved_and_absolute_paths(odd: Path) -> None:
    dataset = open_table(odd / "nfd" / "captions.csv")
    assert len(dataset.image_ids) == 3 and dataset.refused == ()
    for name in ("absolute", "bare", "noext", "posix_absolute", "relative"):
        found = open_table(odd / "windows_paths" / f"{name}.csv")
        assert len(found.image_ids) == 3, name
        assert found.refused == (), name
    ids = ["a/Caf\u00e9 1.JPG", "b/x.png"]
    for spelt in (unicodedata.normalize("NFD", "a/Caf\u00e9 1.JPG"), "A/CAF\u00c9 1.jpg", "a/Caf%C3%A9%201.JPG",
                  "D:\\set\\a\\Caf\u00e9 1.JPG"):
        assert match_names([spelt], ids) == {spelt: 0}
    assert match_names(["https://x.org/b/x.png"], ids) == {}


def test_coco_beside_its_pictures(odd: Path) -> None:
    for name in ("captions_val.json", "results.json"):
        dataset = open_table(odd / "coco" / name)
        assert [c[0] for c in pairs(dataset).values()] == ["a box 0 here", "a box 1 here", "a box 2 here"], name
    with pytest.raises(SourceError, match="captions have the fields image_id and caption"):
        open_table(odd / "coco" / "instances.json")


@pytest.mark.parametrize("name", ["Flickr8k.token.txt", "results.token"])
def test_flickr_tokens(odd: Path, name: str) -> None:
    dataset = open_table(odd / "flickr_token" / name)
    assert len(dataset.image_ids) == 3 and len(dataset.links) == 6
    assert pairs(dataset)["100_ab0.jpg"][1] == "A box number 1 lies on the floor of room 0 ."


@pytest.mark.parametrize(("name", "texts"), [("annotations_only", 3), ("lists", 6), ("records", 3), ("single", 3),
                                             ("uneven", 6), ("wrapped", 3)])
def test_shapes_of_json(odd: Path, name: str, texts: int) -> None:
    dataset = open_table(odd / "json_mapping" / f"{name}.json")
    assert len(dataset.image_ids) == 3 and len(dataset.texts) == len(dataset.links) == texts


ROWS = [{"image": "0.png", "caption": "a dog"}, {"image": "1.png", "caption": "a cat"}]


@pytest.mark.parametrize(("name", "text"), [
    ("t.json", json.dumps({"images": ["0.png", "1.png"], "captions": ["a dog", "a cat"]})),
    ("t.json", json.dumps({"0": ["a dog"], "1": ["a cat"]})),
    ("t.json", "\n".join(map(json.dumps, ROWS))), ("t.jsonl", json.dumps(ROWS)),
    ("t.jsonl", json.dumps(ROWS, indent=1)),
    ("t.json", json.dumps({"train": ROWS[:1], "test": ROWS[1:]})), ("t.json", json.dumps({"data": ROWS})),
    ("t.json", json.dumps({"0.png": [{"caption": "a dog"}], "1.png": [{"caption": "a cat"}]})),
    ("t.json", json.dumps([["0.png", "a dog"], ["1.png", "a cat"]])),
    ("t.json", json.dumps([{"images": ["0.png"], "text": "a dog"}, {"images": ["1.png"], "text": "a cat"}])),
    ("t.json", json.dumps([["file", "text"], ["0.png", "a dog"], ["1.png", "a cat"]])),
    ("t.jsonl", '["0.png", "a dog"]\n["1.png", "a cat"]\n'),
    ("t.json", json.dumps({"images": [{"id": "0", "file_name": "0.png"}, {"id": "1", "file_name": "1.png"}],
                           "annotations": [{"image_id": 0, "caption": "a dog"}, {"image_id": 1, "caption": "a cat"}]})),
], ids=range(13))
def test_more_shapes_of_json(name: str, text: str) -> None:
    dataset = open_table((name, text.encode()), open_uploads([("0.png", png()), ("1.png", png("blue"))]))
    assert list(pairs(dataset).values()) == [["a dog"], ["a cat"]]
    assert (dataset.refused, dataset.left_out, dataset.notices) == ((), (), ())
    if "train" in text:
        assert dataset.image_table["split"].tolist() == ["train", "test"]


def test_words_in_bytes_and_rows_that_are_none() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"words": [b"a dog here", None, "ein grüner Würfel".encode()]}).to_parquet(buffer)
    assert open_table(("t.parquet", buffer.getvalue())).texts == ("a dog here", "ein grüner Würfel")
    odd_rows = open_table(("t.json", b'[{"caption": "a"}, 3, {"caption": "b"}]'))
    assert (odd_rows.texts, [r.name for r in odd_rows.refused]) == (("a", "b"), ["row 2"])


def test_coco_names_what_has_no_partner() -> None:
    said = {"images": [{"id": 1, "file_name": "0.png"}, {"id": 2, "file_name": "1.png"}],
            "annotations": [{"image_id": "1", "caption": "a dog"}, {"image_id": 7, "caption": "a cat"}]}
    dataset = open_table(("t.json", json.dumps(said).encode()), open_uploads([("0.png", png()), ("1.png", png())]))
    assert pairs(dataset) == {"0.png": ["a dog"], "1.png": []}
    assert [(r.name, r.reason) for r in dataset.refused] == [("7", "no image of this name in 2 uploaded files")]
    assert dataset.texts == ("a dog", "a cat")


@pytest.mark.parametrize("path", [
    *(f"parquet_types/{n}.parquet" for n in ("bytes", "json_string", "nested1xd", "struct", "tensor", "two_models")),
    "decimal_comma/emb.csv", "decimal_comma/emb_nohead.csv", "savetxt/emb.txt", "savetxt/emb.csv",
    "savetxt/emb_comma.csv"])
def test_a_table_of_vectors_is_no_table_of_captions(odd: Path, path: str) -> None:
    with pytest.raises(SourceError, match=r"got the columns (name \(text\), \w+ \((bytes|lists of numbers)\)|"
                                          r"\w+ \((numbers as text|lists of numbers)\)).*open it as vectors"):
        open_table(odd / path)


def test_tables_in_a_folder_are_read_or_named_for_what_they_are(odd: Path) -> None:
    for dataset in (open_folder(odd / "flickr_token"), open_zip(zipped(odd / "flickr_token"), "x.zip")):
        assert [len(captions) for captions in pairs(dataset).values()] == [2, 2, 2]
        assert [(r.name, r.reason) for r in dataset.left_out] == [
            ("results.token", "Flickr8k.token.txt is taken for the table of these images")]
    said = {r.name: r.reason for r in open_folder(odd / "coco").left_out}
    assert said["instances.json"] == ("no image has its name, and captions_val.json is taken for the table of these "
                                      "images")
    files = [("0.png", png()), ("instances.json", (odd / "coco" / "instances.json").read_bytes())]
    alone = open_uploads(files).left_out
    assert [r.name for r in alone] == ["instances.json"]
    assert "captions have the fields image_id and caption" in alone[0].reason
    words = open_uploads([("0.png", png()), ("words.json", b'{"0.png": "a dog"}')])
    assert pairs(words) == {"0.png": ["a dog"]}


def test_nothing_is_passed_over_in_silence(odd: Path) -> None:
    web = open_table(odd / "csv_kinds" / "laion.csv")
    assert [r.name for r in web.left_out] == ["URL"] and "addresses on the web" in web.left_out[0].reason
    empty = open_table(("t.csv", b"image,caption\n,\n0.png,a b\n,\n"), open_uploads([("0.png", png())]))
    assert [(r.name, r.reason) for r in empty.refused] == [
        (row, "it names no image and holds no caption") for row in ("row 1", "row 3")]
    images = open_uploads([("0.png", png()), ("1.png", png()), ("1.txt", b"beside")])
    none = open_table(("t.csv", b"caption,score\na b c,1\n"), images)
    assert [(r.name, r.reason) for r in none.left_out] == [
        ("3 uploaded files", "no column of t.csv names the images in it")]
    two = open_table(("t.csv", b"image,image2,caption\n0.png,1.png,a b c\n"), images)
    assert {r.name: r.reason for r in two.left_out} == {
        "image2": "it names images too; those of image are taken", "1.png": "no row of t.csv names it",
        "1 captions beside the images of 3 uploaded files": "those of t.csv are taken"}
    buffer = io.BytesIO()
    pd.DataFrame({"left": [{"bytes": png(), "path": "a.png"}], "right": [png("blue")], "text": ["a b c"]}).to_parquet(
        buffer)
    packed = open_table(("t.parquet", buffer.getvalue()))
    assert (packed.image_ids, [r.name for r in packed.left_out]) == (("a.png",), ["right"])


def test_no_words_of_a_library_reach_a_user() -> None:
    with pytest.raises(SourceError) as refused:
        read_table(b'{"a": [1, 2], "b": [1]}', "t.json")
    assert "arrays" not in str(refused.value) and "write a list of objects" in str(refused.value)


def test_whole_numbers_are_classes_and_seconds_a_scale(odd: Path) -> None:
    labels = open_table(odd / "labels" / "labels.csv").image_table["label"]
    assert set(labels.dropna()) == {"0", "1", "2"}
    ten = open_table(odd / "labels" / "ten_classes.csv").image_table["label"]
    assert sorted(set(ten), key=int)[:3] == ["0", "1", "2"]
    odd_ones = open_table(("t.csv", b"caption,label\na b c,1e3\nd e f,2\n")).text_table["label"]
    assert odd_ones.tolist() == ["1e3", "2"]
    seconds = open_table(("t.csv", b"caption,start\na b c,0.5\nd e f,1\n")).text_table["start"]
    assert np.issubdtype(seconds.dtype, np.floating)
    assert len(open_table(odd / "labels" / "rich.parquet").image_ids) > 0
    lists = pd.Series([1] * 300 + [[1, 2]])
    assert not is_plain(lists) and is_plain(lists[:300])


def test_the_same_by_upload(odd: Path) -> None:
    files = [(f.name, f.read_bytes()) for f in sorted((odd / "split_metadata" / "train").iterdir())]
    dataset = open_uploads(files)
    assert [c[0].split()[0] for c in pairs(dataset).values()] == ["train"] * 3
