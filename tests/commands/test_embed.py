"""``python -m core embed``: what it writes is what the app opens, and a run that is cut off goes on."""

from __future__ import annotations

import json
import tarfile
import zipfile
from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.commands import main
from core.commands._opening import open_source
from core.encoding.export import save_vectors
from core.encoding.pipeline import embed
from core.encoding.store import Store
from core.errors import ChoiceError, SourceError
from core.settings import settings
from core.sources.vectors.opening import open_vectors
from core.types import Dataset
from tests.encoding.kills import kill_and_resume
from tests.encoding.made_models import Pictures, dataset, pictures, save_small_clip, small_clip


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_clip(tmp_path_factory.mktemp("model") / "small")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, image in enumerate(pictures(7)):
        image.save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes((folder / "0.png").read_bytes()[:60])
    rows = ["image,caption,label"] + [f"{i}.png,the cube {i} {k},{'ab'[i % 2]}" for i in range(7) for k in range(2)]
    (tmp_path / "captions.csv").write_text("\n".join(rows) + "\n")
    return folder


@pytest.mark.parametrize("ending", ["parquet", "npz"])
def test_a_table_becomes_a_file_that_the_app_opens(photos: Path, tmp_path: Path, model_folder: Path, ending: str,
                                                   capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "deep" / f"vectors.{ending}"
    status = main(["embed", str(tmp_path / "captions.csv"), "--images", str(photos), "--model", str(model_folder),
                   "--out", str(out)])
    said = capsys.readouterr()
    assert status == 0, said.err
    assert "7 images and 14 texts by local/small, 24 dimensions" in said.out
    opened = open_vectors(out)
    assert opened.images is not None
    assert opened.texts is not None
    model = small_clip()
    raw = np.concatenate([model.encode_images([image]) for image in pictures(7)])
    order = [int(Path(name).stem) for name in opened.images.ids]
    np.testing.assert_allclose(opened.images.vectors, (raw / np.linalg.norm(raw, axis=1, keepdims=True))[order],
                               atol=1e-5)
    assert sorted(opened.captions) == sorted(f"the cube {i} {k}" for i in range(7) for k in range(2))
    pairs = {(Path(opened.images.ids[i]).stem, opened.captions[j].split()[2]) for i, j in opened.links}
    assert pairs == {(str(i), str(i)) for i in range(7)}
    assert len(opened.links) == 14


def test_parquet_says_what_made_it(photos: Path, tmp_path: Path, model_folder: Path) -> None:
    import pyarrow.parquet as parquet

    out = tmp_path / "v.parquet"
    assert main(["embed", str(tmp_path / "captions.csv"), "--images", str(photos), "--model", str(model_folder),
                 "--out", str(out)]) == 0
    table = parquet.read_table(out)
    told = json.loads(table.schema.metadata[b"orrery"])
    assert told["id"] == "local/small"
    assert told["dim"] == 24
    frame = table.to_pandas()
    assert set(frame["model"]) == {told["fingerprint"]}
    assert {"id", "modality", "image_id", "caption", "label", "norm", "vector"} <= set(frame.columns)
    texts = frame[frame["modality"] == "text"]
    assert [Path(i).stem for i in texts["image_id"]] == [c.split()[2] for c in texts["caption"]]
    images = frame[frame["modality"] == "image"]
    assert images["label"].tolist() == ["ab"[int(Path(i).stem) % 2] for i in images["id"]]
    assert (frame["norm"] > 0).all()


def test_refused_files_are_listed_and_the_second_time_is_from_the_store(
        photos: Path, tmp_path: Path, model_folder: Path, capsys: pytest.CaptureFixture) -> None:
    arguments = ["embed", str(photos), "--model", str(model_folder), "--out", str(tmp_path / "v.npz")]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "refused: broken.png" in said.err
    assert "7 images and 0 texts" in said.out
    assert main(arguments) == 0
    assert "0 encoded now" in capsys.readouterr().out
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for file in photos.glob("[0-3].png"):
            archive.write(file, file.name)
    assert main(["embed", str(tmp_path / "z.zip"), *arguments[2:], "--sample", "2"]) == 0
    assert "2 images and 0 texts by local/small, 24 dimensions, 0 encoded now" in capsys.readouterr().out


def test_what_cannot_be(photos: Path, tmp_path: Path, model_folder: Path, capsys: pytest.CaptureFixture) -> None:
    def error(source: str, out: str) -> str:
        assert main(["embed", source, "--model", str(model_folder), "--out", out]) == 2
        return capsys.readouterr().err

    assert "the ending of --out to be one of .parquet, .npz; got '.csv'" in error(str(photos), "v.csv")
    assert "a table, vectors, or world; got /no/where, which is not there" in error("/no/where", "v.npz")
    (tmp_path / "file").write_text("in the way")
    assert "a place to write v.npz; got" in error(str(photos), str(tmp_path / "file" / "v.npz"))


def test_images_of_which_none_is_read_are_no_success_and_all_reasons_are_kept(
        tmp_path: Path, model_folder: Path, capsys: pytest.CaptureFixture) -> None:
    rows = ["image,caption"] + [f"lost{i}.png,a cube {i}" for i in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    out = tmp_path / "v.npz"
    assert main(["embed", str(tmp_path / "t.csv"), "--model", str(model_folder), "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert "0 images and 100 texts" in said.out
    assert f"no image at all: 100 were refused, the first is lost0.png: no image of this name in {tmp_path.name}" in (
        said.err)
    assert "refused: lost19.png" in said.err
    assert "refused: lost20.png" not in said.err
    listing = tmp_path / "v.npz.left_out.tsv"
    assert f"80 more; all 100 are in {listing}" in said.err
    lines = listing.read_text().splitlines()
    assert lines[0].split("\t") == ["what", "name", "reason"]
    assert [line.split("\t")[1] for line in lines[1:]] == [f"lost{i}.png" for i in range(100)]
    assert main(["evaluate", "sphere", "--data", str(tmp_path / "t.csv"), "--model", str(model_folder)]) == 2
    said = capsys.readouterr()
    assert "images of t that can be read; got no image at all: 100 were refused" in said.err
    assert str(settings().cache / "left_out" / "t.tsv") in said.err
    (tmp_path / "words.csv").write_text("caption,note\na cube,1\na ball,2,3,4\n")
    assert main(["embed", str(tmp_path / "words.csv"), "--model", str(model_folder), "--out", str(out)]) == 0
    assert "refused: line 3: it has 4 fields; the header has 2" in capsys.readouterr().err


def test_what_is_guessed_and_left_out_is_said(tmp_path: Path, model_folder: Path, photos: Path,
                                              capsys: pytest.CaptureFixture) -> None:
    (photos / "0.txt").write_bytes("ein grüner Würfel".encode("cp1252"))
    (photos / "lost.txt").write_text("a caption of no image")
    assert main(["embed", str(photos), "--model", str(model_folder), "--out", str(tmp_path / "v.npz")]) == 0
    said = capsys.readouterr().err
    assert "they were read as Western European (Windows)" in said
    assert "left out: lost.txt: no image has its name" in said
    again = ["embed", str(photos), "--model", str(model_folder), "--out", str(tmp_path / "v.npz"), "--encoding"]
    assert main([*again, "cp1250"]) == 0
    assert "they were read as" not in capsys.readouterr().err
    assert main([*again, "klingon"]) == 2
    assert "--encoding to be one of cp1252, cp1251" in capsys.readouterr().err
    assert main(["embed", str(tmp_path / "v.npz"), "--out", str(tmp_path / "w.npz")]) == 2
    assert "got v, which holds vectors already" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "sizes"), [
    ("clip_retrieval", (60, 60)), ("clip_retrieval.zip", (60, 60)), ("projector", (12, 0)),
    ("savetxt/emb.csv", (12, 0)), ("numbered_captions/ratings.csv", (12, 12)), ("list_columns/bbox.parquet", (4, 4)),
    ("tars/packed.tar.gz", (3, 0)), ("flickr_token/results.token", (3, 6))])
def test_data_is_opened_as_the_app_opens_it(reference: Path, name: str, sizes: tuple[int, int]) -> None:
    from core.commands.evaluate._vectors import vectors_of

    found = vectors_of(Namespace(data=str(reference / "odd_data" / name), images=None, seed=0, model="builtin",
                                 encoding=None))
    assert (len(found.images if found.images is not None else ()),
            len(found.texts if found.texts is not None else ())) == sizes


def test_pairs_that_npz_cannot_say(tmp_path: Path) -> None:
    given = dataset(Pictures(pictures(2)), ["x", "cube"], [(0, 1), (1, 0)])
    done = embed(given, small_clip(), Store(tmp_path / "store"))
    with pytest.raises(ChoiceError, match=r"an npz file for other pairs. Write to a name that ends in .parquet"):
        save_vectors(done, tmp_path / "v.npz")
    assert list(tmp_path.glob("*v.npz*")) == []
    opened = open_vectors(save_vectors(done, tmp_path / "v.parquet"))
    assert opened.links.tolist() == [[1, 0], [0, 1]]
    with pytest.raises(ChoiceError, match=r"the ending of the file to be one of .parquet, .npz"):
        save_vectors(done, tmp_path / "v.pt")


def test_columns_of_any_kind_are_written(tmp_path: Path) -> None:
    from dataclasses import replace

    given = dataset(Pictures(pictures(3)), [])
    odd = pd.DataFrame({"id": [1, 2, 3], "mixed": [1, "a", None], "nested": [{"a": 1}, [2], 3.5],
                        "share": [.1, .2, .3]})
    given = replace(given, image_table=odd)
    frame = pd.read_parquet(save_vectors(embed(given, small_clip(), Store(tmp_path)), tmp_path / "v.parquet"))
    assert frame["id"].tolist() == ["i0", "i1", "i2"]
    assert frame["id_"].tolist() == [1, 2, 3]
    assert frame["mixed"].tolist()[:2] == ["1", "a"]
    assert frame["share"].tolist() == [.1, .2, .3]


def test_a_full_disk_leaves_no_half_a_file(tmp_path: Path) -> None:
    given = dataset(Pictures(pictures(2)), [])
    done = embed(given, small_clip(), Store(tmp_path / "store"))
    with pytest.raises(SourceError, match=r"a place to write v.parquet; got .*Choose another folder"):
        save_vectors(done, "/proc/nothing/v.parquet")


def test_five_killed_runs_end_as_an_undisturbed_one(tmp_path: Path, model_folder: Path) -> None:
    assert kill_and_resume(tmp_path, model_folder, kills=5) >= 4


def test_the_cache_of_this_run_is_its_own() -> None:
    assert "orrery-test-cache-" in str(settings().cache)


def test_zips_and_tars_are_archives(photos: Path, tmp_path: Path) -> None:
    names = sorted(file.name for file in photos.glob("*.png"))
    assert names
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as packed, tarfile.open(tmp_path / "p.tar", "w") as shard:
        for name in names:
            packed.write(photos / name, name)
            shard.add(photos / name, name)
    with tarfile.open(tmp_path / "p.tar.gz", "w:gz") as shard:
        for name in names:
            shard.add(photos / name, name)
    for ending in ("zip", "tar", "tar.gz"):
        opened = open_source(str(tmp_path / f"p.{ending}"))
        assert isinstance(opened, Dataset)
        assert set(opened.image_ids) == set(names)


@pytest.mark.parametrize("out", ["out.parquet", "out.npz"])
@pytest.mark.parametrize("name", ["tags.parquet", "nullable.parquet", "bbox.parquet", "tags.jsonl"])
def test_columns_of_lists_and_missing_cells_are_written(reference: Path, tmp_path: Path, name: str, out: str) -> None:
    assert main(["embed", str(reference / "odd_data" / "list_columns" / name), "--out", str(tmp_path / out)]) == 0
    assert (tmp_path / out).stat().st_size > 0
