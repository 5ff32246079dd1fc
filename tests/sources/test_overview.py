"""What a dataset holds, in words; parts of it by split and language; and whatever lies at a path."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import SourceError
from core.settings import settings
from core.sources.opening import is_of_vectors, open_path
from core.sources.overview import columns, counted, facts, narrowed
from core.sources.tables.columns import Roles
from core.sources.tables.opening import columns_of, open_table
from core.sources.vectors.opening import VectorSource, open_vectors
from core.types import Dataset


def dataset() -> Dataset:
    """Four images, one without a text; seven texts in two languages, one of them without an image."""
    rows = [("a.png", "a cat", "en", "train"), ("a.png", "eine Katze", "de", "train"),
            ("b.png", "a dog", "en", "train"), ("b.png", "ein Hund", "de", "train"), ("b.png", "wau", "de", "train"),
            ("c.png", "a bird", "en", "test"), ("d.png", None, "en", "test"), (None, "alone", "en", "test")]
    frame = pd.DataFrame(rows, columns=["image", "caption", "lang", "split"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for i, name in enumerate("abcd"):
            data = io.BytesIO()
            Image.new("RGB", (4, 4), (i, 0, 0)).save(data, "PNG")
            packed.writestr(f"{name}.png", data.getvalue())
    return open_table(("t.csv", frame.to_csv(index=False).encode()), buffer.getvalue())


def test_facts_and_columns() -> None:
    said = dict(facts(dataset()))
    assert said == {"Images": "4", "Texts": "7", "Texts an image": "1 to 3; 1 without",
                    "Texts without an image": "1", "Splits": "2: train 2, test 2", "Languages": "2: en 4, de 3",
                    "Columns": "language, split"}
    assert counted(dataset(), "split") == {"train": 2, "test": 2}
    assert counted(dataset(), "label") == {}
    table = columns(dataset()).set_index(["column", "of"])
    assert table.loc[("split", "images"), "different"] == 2
    assert table.loc[("language", "texts"), "begins with"] == "en, de"


def test_many_values_are_shortened() -> None:
    frame = pd.DataFrame({"caption": [f"words of row {i}" for i in range(40)], "label": [f"l{i}" for i in range(40)],
                          **{f"c{k}": range(40) for k in range(9)}})
    said = dict(facts(open_table(("t.csv", frame.to_csv(index=False).encode()))))
    assert said["Labels"].startswith("40: l0 1, ")
    assert said["Labels"].endswith(" and 34 more")
    assert said["Columns"].endswith(" and 4 more")
    assert "Texts an image" not in said


@pytest.mark.parametrize(("split", "language", "images", "texts"), [
    ("", "", "abcd", 7), ("train", "", "ab", 5), ("test", "", "cd", 2), ("", "de", "abcd", 3), ("train", "de", "ab", 3),
    ("test", "de", "cd", 0),
])
def test_a_split_and_a_language(split: str, language: str, images: str, texts: int) -> None:
    whole = dataset()
    part = narrowed(whole, split, language)
    assert part.image_ids == tuple(f"{name}.png" for name in images)
    assert len(part.texts) == texts
    linked = {part.texts[j]: part.image_ids[i] for i, j in part.links}
    before = {whole.texts[j]: whole.image_ids[i] for i, j in whole.links}
    assert linked == {text: image for text, image in before.items() if text in part.texts and image in part.image_ids}
    assert (part is whole) == (not split and not language)
    if split:
        assert f", {split}" in part.name


def test_of_a_very_wide_table_the_first_columns_are_told() -> None:
    frame = pd.DataFrame({"caption": ["some words here", "other words there"], **{f"f{k}": [k, k] for k in range(900)}})
    whole = open_table(("t.csv", frame.to_csv(index=False).encode()))
    assert dict(facts(whole))["Columns"].startswith("f0, f1")
    assert len(columns(whole)) <= 200


def test_a_split_that_only_texts_have() -> None:
    frame = pd.DataFrame({"caption": ["one of it", "two of it", "three of it"], "split": ["train", "test", "test"]})
    part = narrowed(open_table(("t.csv", frame.to_csv(index=False).encode())), "test")
    assert part.texts == ("two of it", "three of it")


@pytest.fixture
def things(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "photos" / "a.png")
    rng = np.random.default_rng(0)
    (tmp_path / "vectors").mkdir()
    np.save(tmp_path / "vectors" / "img_emb.npy", rng.normal(size=(5, 8)))
    np.savez(tmp_path / "v.npz", image=rng.normal(size=(5, 8)))
    with zipfile.ZipFile(tmp_path / "v.zip", "w") as packed:
        packed.write(tmp_path / "v.npz", "v.npz")
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as packed:
        packed.writestr("a.doc", "x")
    pd.DataFrame({"id": range(5), "vector": list(rng.normal(size=(5, 32)))}).to_parquet(tmp_path / "rows.parquet")
    np.savetxt(tmp_path / "tensor.tsv", rng.normal(size=(5, 32)), delimiter="\t")
    pd.DataFrame({"caption": [f"some words {i}" for i in range(5)], "a": range(5)}).to_csv(tmp_path / "c.csv")
    scores = {f"score_{k}": rng.normal(size=5) for k in range(20)}
    pd.DataFrame({"caption": [f"some words {i}" for i in range(5)], **scores}).to_csv(tmp_path / "scores.csv")
    (tmp_path / "c.json").write_text(json.dumps(["some words", "others"]))
    (tmp_path / "odd.xyz").write_text("?")
    (tmp_path / "w.pkl").write_text("?")
    return tmp_path


@pytest.mark.parametrize(("name", "images", "texts"), [
    ("photos", 1, 0), ("c.csv", 0, 5), ("scores.csv", 0, 5), ("c.json", 0, 2)])
def test_paths_of_images_and_tables(things: Path, name: str, images: int, texts: int) -> None:
    found = open_path(things / name)
    assert isinstance(found, Dataset)
    assert (len(found.image_ids), len(found.texts)) == (images, texts)


@pytest.mark.parametrize("name", ["vectors", "v.npz", "v.zip", "rows.parquet", "tensor.tsv"])
def test_paths_of_vectors(things: Path, name: str) -> None:
    found = open_path(things / name)
    assert isinstance(found, VectorSource)
    assert found.images is not None
    assert len(found.images) == 5


def test_with_roles_a_table_is_a_table(things: Path) -> None:
    assert columns_of(things / "c.csv")[1] == Roles(captions=("caption",))
    assert columns_of(("c.csv", (things / "c.csv").read_bytes())) == columns_of(things / "c.csv")
    found = open_path(things / "rows.parquet", Roles(captions=("id",)))
    assert isinstance(found, Dataset)
    assert found.texts == ("0", "1", "2", "3", "4")
    assert not is_of_vectors(things / "c.json")
    (things / "broken.parquet").write_bytes(b"PAR1")
    assert not is_of_vectors(things / "broken.parquet")
    (things / "long.csv").write_text("image,caption\na.png," + "x" * 2_000_000)
    assert not is_of_vectors(things / "long.csv")
    with pytest.raises(SourceError, match="vectors in head; got tables without any"):
        open_vectors(b"image,caption\n", "head.csv")


@pytest.mark.parametrize(("name", "said"), [
    ("nowhere", "the path of a folder or file; got .*nowhere, which is not there"),
    ("none.zip", "got 1 other files"),
    ("odd.xyz", r"a folder, an archive \(zip, tar\), a table or a file of vectors; got odd.xyz, which ends in .xyz"),
    ("w.pkl", "a format that cannot carry programs .* got w.pkl, which is unpickled by running what it says"),
])
def test_errors(things: Path, name: str, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        open_path(things / name)


def test_a_public_server_opens_no_path(things: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    try:
        with pytest.raises(SourceError, match="an uploaded file; got a path on the server"):
            open_path(things / "photos")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
