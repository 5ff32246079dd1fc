"""Vectors as people keep them: what is read, what is taken for what, and what is left out with its reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.errors import ChoiceError, SourceError
from core.sources.images.opening import open_folder
from core.sources.opening import open_path
from core.sources.vectors.names import modality_of, words_of
from core.sources.vectors.opening import VectorSource, arrays_of, open_vectors
from tests.sources.images.test_images import png

RNG = np.random.default_rng(3)
A = RNG.normal(size=(12, 32)).astype(np.float32)
B = RNG.normal(size=(12, 32)).astype(np.float32)


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def same(source: VectorSource, images: np.ndarray | None, texts: np.ndarray | None, atol: float = 1e-6) -> None:
    for part, raw in ((source.images, images), (source.texts, texts)):
        assert (part is None) == (raw is None)
        if part is not None and raw is not None:
            np.testing.assert_allclose(part.vectors, unit(raw), atol=atol)


def both_ways(path: Path) -> list[VectorSource]:
    """By path as the app opens it, as an upload, and within a zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(path, path.name)
    found = open_path(path)
    assert isinstance(found, VectorSource)
    return [found, open_vectors(path.read_bytes(), path.name), open_vectors(packed.getvalue(), "x.zip")]


@pytest.mark.parametrize("kind", ["json_string", "nested1xd", "struct", "tensor", "bytes"])
def test_columns_of_parquet(reference: Path, kind: str) -> None:
    want = np.load(reference / "odd_data" / "npy_shapes" / "fort.npy")
    for source in both_ways(reference / "odd_data" / "parquet_types" / f"{kind}.parquet"):
        same(source, want, None)
        assert source.images is not None
        assert source.images.ids[:2] == ("n0", "n1")
        assert any("bytes" in n and "float32 numbers, 32 a row" in n for n in source.notices) == (kind == "bytes")


def test_two_models_in_one_table_are_not_pooled(reference: Path) -> None:
    path = reference / "odd_data" / "parquet_types" / "two_models.parquet"
    source = open_vectors(path)
    assert source.images is not None
    assert len(source.images) == 12
    assert [(r.name, r.reason) for r in source.left_out] == [(
        "two_models.parquet: dino", "12 x 32 float64: two_models.parquet: clip is taken for the images of these rows; "
                                    "say so if this is meant")]
    other = open_vectors(path, parts={"two_models.parquet: clip": "neither", "two_models.parquet: dino": "text"})
    assert other.images is None
    assert other.texts is not None
    assert [r.name for r in other.left_out] == ["two_models.parquet: clip"]
    with pytest.raises(ChoiceError, match=r"an array of these files to be one of two_models\.parquet: clip, "):
        open_vectors(path, parts={"clip": "text"})
    with pytest.raises(ChoiceError, match="what an array holds to be one of image, text, neither; got 'both'"):
        open_vectors(path, parts={"two_models.parquet: clip": "both"})


def test_a_parquet_of_nothing_that_is_a_vector_names_its_columns() -> None:
    buffer = io.BytesIO()
    pd.DataFrame({"name": ["a", "b"], "n": [1.0, 2.0], "v": [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]]}
                 ).to_parquet(buffer)
    with pytest.raises(SourceError, match=r"x.parquet with name \(text\), n \(float64\); x.parquet: v: list<.*several "
                                          r"vectors in a row; save one, such as their mean"):
        open_vectors(buffer.getvalue(), "x.parquet")


@pytest.mark.parametrize("name", ["savetxt/emb.txt", "savetxt/emb.csv", "savetxt/emb_comma.csv",
                                  "decimal_comma/emb.csv", "decimal_comma/emb_nohead.csv"])
def test_text_of_any_separator(reference: Path, name: str) -> None:
    want = np.load(reference / "odd_data" / "npy_shapes" / "fort.npy")
    for source in both_ways(reference / "odd_data" / name):
        same(source, want, None, 1e-5)
        assert (source.refused, source.left_out) == ((), ())


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("names", [None, [f"img{i}.jpg" for i in range(12)]])
def test_what_a_data_frame_writes(tmp_path: Path, index: bool, header: bool, names: list[str] | None) -> None:
    """32 dimensions and 12 rows, however it is written: a header 0...31 is none of the rows, an index no dimension."""
    pd.DataFrame(A, index=names).to_csv(tmp_path / "v.csv", index=index, header=header)
    for source in both_ways(tmp_path / "v.csv"):
        same(source, A, None, 1e-5)
        assert source.images is not None
        if index and names:
            assert list(source.images.ids) == names
    told = open_vectors(tmp_path / "v.csv").notices
    assert any("numbers the rows" in n for n in told) == (index and names is None)


def test_what_word2vec_writes() -> None:
    lines = ["12 32", *[f"word{i} " + " ".join(f"{v:.6f}" for v in row) for i, row in enumerate(A)]]
    source = open_vectors("\n".join(lines).encode(), "glove.txt")
    same(source, A, None, 1e-4)
    assert source.images is not None
    assert source.images.ids[:2] == ("word0", "word1")


def test_lines_of_another_width_are_refused() -> None:
    lines = [",".join(map(repr, row)) for row in A.tolist()]
    lines[4] += ",0.5"
    source = open_vectors("\n".join(lines).encode(), "v.csv")
    same(source, np.delete(A, 4, axis=0), None)
    assert [(r.name, r.reason) for r in source.refused] == [
        ("v.csv, line 5", "it has 33 fields; the others have 32")]


def test_shapes_and_kinds_of_numbers(reference: Path) -> None:
    shapes = reference / "odd_data" / "npy_shapes"
    want = np.load(shapes / "fort.npy")
    for name in ("be", "n1d", "longdouble", "fort"):
        same(open_vectors(shapes / f"{name}.npy"), want, None)
    same(open_vectors(shapes / "f16.npy"), want, None, 1e-3)
    same(open_vectors(shapes / "tiny.npy"), want, None)
    for name, said in (
            ("bf_as_v2", r"\(12, 32\) of \|V2: bytes whose kind of number the file does not say, as bfloat16 is saved"),
            ("empty", "at least one usable image vector; got 0 rows"),
            ("f64big", "got 12 rows, of which the first is no use: its vector is too long for float32; divide it"),
            ("one", r"one.npy with one \(float64\). One vector a row, .* a single vector x is x.reshape\(1, -1\)"),
            ("obj", "pickled Python objects, which are never loaded")):
        with pytest.raises(SourceError, match=said):
            open_vectors(shapes / f"{name}.npy")


@pytest.mark.parametrize(("name", "sizes", "left_out"), [
    ("pairs.npz", (12, 12), {"pairs": "12 x 2 int64: whole numbers, where others are decimal"}),
    ("proj.npz", (12, 0), {"projection": "12 x 2 float32: narrower than the widest array, whose rows have 32 numbers"}),
    ("onehot.npz", (12, 0), {"labels": "12 x 3 int64: whole numbers, where others are decimal"}),
    ("bbox.parquet", (12, 0), {"bbox": "12 x 4 int64: whole numbers, where others are decimal"}),
    ("neigh.parquet", (12, 0), {"neighbors": "12 x 3 int64: whole numbers, where others are decimal"}),
])
def test_other_arrays_beside_the_vectors(reference: Path, name: str, sizes: tuple[int, int],
                                         left_out: dict[str, str]) -> None:
    for source in both_ways(reference / "odd_data" / "npz_extra" / name):
        assert (len(source.images or ()), len(source.texts or ())) == sizes
        assert {r.name.removeprefix(f"{name}: "): r.reason for r in source.left_out} == left_out
        told = {a.name: a.part for a in source.arrays}
        assert [told[f"{name}: {key}"] for key in left_out] == ["neither"]


def test_a_user_says_which_array_is_what() -> None:
    data = npz(a=A, b=B, low=A[:, :4])
    source = open_vectors(data, "x.npz")
    same(source, A, None)
    assert next(a for a in source.arrays if a.name == "x.npz: a").guessed
    assert "Nothing says for certain whether x.npz: a holds images or texts" in source.notices[0]
    said = open_vectors(data, "x.npz", parts={"x.npz: a": "text", "x.npz: b": "image"})
    same(said, B, A)
    assert len(said.links) == 12
    same(open_vectors(data, "x.npz", parts={"x.npz: low": "image", "x.npz: a": "neither", "x.npz: b": "neither"}),
         A[:, :4], None)
    with pytest.raises(SourceError, match=r"image and text vectors of one space; got 4 and 32 .*say what each array"):
        open_vectors(data, "x.npz", parts={"x.npz: low": "image", "x.npz: a": "text", "x.npz: b": "neither"})


def test_columns_of_another_length_are_said() -> None:
    source = open_vectors(npz(image=A, names=np.arange(12).astype(str), odd=np.arange(7), scale=np.array(3.)), "x.npz")
    assert {r.name: r.reason for r in source.left_out} == {
        "x.npz: odd": "it has 7 values; no array of vectors that it could belong to has so many rows",
        "x.npz: scale": "shape () (one value) of float64: vectors are rows of a matrix (n, d), or two such matrices "
                        "(2, n, d) of images and texts"}
    buffer = io.BytesIO()
    np.save(buffer, A)
    source = open_vectors([("v.npy", buffer.getvalue()), ("metadata.tsv", b"word\tn\na\t1\nb\t2\n"), ("x.md", b"?"),
                           ("m.pt", b"?")], "x")
    assert {r.name: r.reason for r in source.left_out} == {
        "metadata.tsv": "it has 2 rows, but there are 12 image vectors; rows must be as many as vectors",
        "x.md": "it is no file of vectors (.npy, .npz, .parquet, .pq, .csv, .tsv, .tab, .txt)",
        "m.pt": "it would be unpickled by running what it says, and never is"}


@pytest.mark.parametrize(("name", "want"), [
    ("imagenet_image_features", "image"), ("imagenet_text_features", "text"), ("imagenet", None),
    ("textures_image_features", "image"), ("image_text_pairs_txt", "text"), ("image_text_pairs_img", "image"),
    ("image_text_pairs", None), ("unlabeled", None), ("context_emb", None), ("labels", None),
    ("imagenet_prompts", "text"),
    ("img_emb_0.npy", "image"), ("imgs", "image"), ("imgfeats", "image"), ("textEmbeddings", "text"),
    ("I_visual", "image"), ("captions", "text"), ("photos/text.npy", "text"), ("picturesque", None),
    ("prompter", None), ("x/img/0.npy", "image"),
])
def test_modality_by_words_of_names(name: str, want: str | None) -> None:
    assert modality_of(name) == want


def test_words_and_hints() -> None:
    assert words_of("imageFeatures_2.train-X") == ["image", "features", "train", "x"]
    assert [modality_of(n, hinted=True) for n in ("class_embeddings", "labels", "unlabeled", "classroom")] == [
        "text", "text", None, None]


@pytest.mark.parametrize(("name", "sizes", "pairs"), [
    ("imagenet", (12, 12), 12), ("textures", (12, 12), 12), ("pairfile", (12, 12), 12), ("classes", (12, 3), 0),
    ("zs.npz", (12, 12), 12), ("q.npz", (12, 0), 0)])
def test_modalities_of_the_reference(reference: Path, name: str, sizes: tuple[int, int], pairs: int) -> None:
    source = open_path(reference / "odd_data" / "modality_names" / name)
    assert isinstance(source, VectorSource)
    assert (len(source.images or ()), len(source.texts or ()), len(source.links)) == (*sizes, pairs)
    if name == "classes":
        assert source.notices == (
            "Nothing says for certain whether class_embeddings.npy holds images or texts: by its name its rows are "
            "taken for texts.",
            "There are no pairs: 12 images and 3 texts are not the same number, and no ids say which belong together.")
    if name == "q.npz":
        assert source.left_out[0].reason.endswith("if its columns are the vectors, save it transposed")


def test_what_the_authors_of_the_modality_gap_publish(tmp_path: Path) -> None:
    np.save(tmp_path / "features.npy", np.stack([A, B]))
    for source in both_ways(tmp_path / "features.npy"):
        same(source, A, B)
        assert source.links.tolist() == [[i, i] for i in range(12)]
        assert source.notices == ("features.npy has shape (2, 12, 32): its first half is taken for images, its second "
                                  "for texts.",)
    named = open_vectors(npz(embeddings=np.stack([A, B]), ids=np.array(list("abcdefghijkl"))), "x.npz")
    same(named, A, B)
    assert named.texts is not None
    assert named.texts.ids[0] == "a"
    swapped = open_vectors(tmp_path / "features.npy", parts={"features.npy: first half": "text",
                                                             "features.npy: second half": "image"})
    same(swapped, B, A)


def test_whole_labels_stay_whole(tmp_path: Path) -> None:
    rows = "\n".join(f"n{i},{i % 3}," + ",".join(map(repr, row)) for i, row in enumerate(A.tolist()))
    source = open_vectors(f"name,label,{','.join(f'd{i}' for i in range(32))}\n{rows}\n".encode(), "v.csv")
    assert source.images is not None
    assert source.images.table["label"].tolist()[:4] == [0, 1, 2, 0]
    assert source.images.table["label"].dtype == "int64"
    frame = pd.DataFrame({"id": [f"n{i}" for i in range(12)], "label": pd.array([0, 1, None] * 4, dtype="Int64"),
                          "vector": A.tolist()})
    frame.to_parquet(tmp_path / "v.parquet")
    source = open_vectors(tmp_path / "v.parquet")
    assert source.images is not None
    assert [str(v) for v in source.images.table["label"][:3]] == ["0", "1", "<NA>"]
    buffers = {}
    for name, arrays in (("a.npz", {"image": A, "label": np.arange(12)}), ("b.npz", {"image": B})):
        buffers[name] = npz(**arrays)
    joined = open_vectors(list(buffers.items()), "x")
    assert joined.images is not None
    assert [str(v) for v in joined.images.table["label"][[0, 11, 12]]] == ["0", "11", "<NA>"]


def test_index_of_a_parquet_names_the_rows(reference: Path) -> None:
    for name in ("unnamed_string_index", "multiindex"):
        source = open_vectors(reference / "odd_data" / "parquet_index" / f"{name}.parquet")
        assert source.images is not None
        assert not source.images.ids[0].startswith("image ")


def test_names_in_zips_that_do_not_say_their_letters(reference: Path) -> None:
    from core.sources.images.opening import open_zip

    for name, ids in (("utf8_noflag", ("狗/图片三.png", "猫/图片一.png", "猫/图片二.png")),
                      ("gbk", ("狗/图片三.png", "猫/图片一.png", "猫/图片二.png")),
                      ("sjis", ("写真/ソ能十.png", "写真/表示一.png"))):
        path = reference / "odd_data" / "zips" / f"{name}.zip"
        for dataset in (open_zip(path), open_zip(path.read_bytes(), path.name)):
            assert dataset.image_ids == ids
            assert (dataset.refused, dataset.left_out) == ((), ())
            assert len(dataset.links) == len(dataset.texts) == (0 if name == "sjis" else 3)
            assert bool(dataset.notices) == (name != "utf8_noflag")


def test_pictures_are_attached_by_the_names_of_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ids = [f"photos/{i}.jpg" for i in range(4)]
    data = npz(image=A[:4], image_ids=np.array(ids), text=B[:4])
    files = {f"{i}.png": png((i * 60, 0, 0)) for i in (3, 1, 0)} | {"other.png": png("blue"), "note.md": b"?"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    for pictures in (tmp_path, packed.getvalue(), open_folder(tmp_path)):
        source = open_vectors(data, "v.npz", pictures=pictures)
        assert source.pictures is not None
        red = [source.pictures.decode(at).getpixel((0, 0))[0] if at >= 0 else None for at in source.picture_places]
        assert red == [0, 60, None, 180]
        assert [r.name for r in source.left_out] == ["photos/2.jpg", "other.png", "note.md"]
        assert source.refused == ()
    order = rng.permutation(4)
    frame = pd.DataFrame({"id": [f"n{i}" for i in range(4)], "file": [f"{i}.png" for i in order],
                          "vector": A[:4].tolist()})
    frame.to_parquet(tmp_path / "v.parquet")
    source = open_path(tmp_path / "v.parquet", images=tmp_path)
    assert isinstance(source, VectorSource)
    assert source.pictures is not None
    assert (source.picture_places >= 0).tolist() == [i != 2 for i in order]
    with pytest.raises(SourceError, match=r"pictures that are called like the vectors; got 0.png, 1.png, ... in .*, "
                                          r"and vectors image 0, image 1, ..."):
        open_vectors(npz(image=A), "v.npz", pictures=tmp_path)
    with pytest.raises(SourceError, match="image vectors beside pictures; got vectors of texts alone"):
        open_vectors(npz(text=A), "v.npz", pictures=tmp_path)


def test_arrays_can_be_listed_where_they_do_not_fit_together(reference: Path) -> None:
    data = npz(image=A, text=B[:, :8])
    with pytest.raises(SourceError, match="say what each array holds"):
        open_vectors(data, "v.npz")
    assert [(a.name, a.part, a.rows, a.width) for a in arrays_of(data, "v.npz")] == [
        ("v.npz: image", "image", 12, 32), ("v.npz: text", "text", 12, 8)]
    said = open_vectors(data, "v.npz", parts={"v.npz: text": "neither"})
    assert (said.texts, [r.name for r in said.left_out]) == (None, ["v.npz: text"])
