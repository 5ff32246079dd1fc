"""Vectors made elsewhere: every layout in use becomes unit vectors with names, norms and pairs; none is unpickled."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core import settings as settings_module
from core.errors import SourceError
from core.settings import Settings
from core.sources.images import opening
from core.sources.vectors.names import modality_of
from core.sources.vectors.opening import VectorSource, open_vectors

RNG = np.random.default_rng(0)
A = RNG.normal(size=(6, 8)).astype(np.float32) * 3
B = RNG.normal(size=(6, 8)).astype(np.float32)
NAMES = [f"item {i}" for i in range(6)]


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npz(save: Callable[..., None] = np.savez, **arrays: Any) -> bytes:
    buffer = io.BytesIO()
    save(buffer, **arrays)
    return buffer.getvalue()


def parquet(columns: dict[str, Any]) -> bytes:
    import pyarrow as arrow
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(arrow.table(columns), buffer)
    return buffer.getvalue()


def text_of(array: np.ndarray, mark: str) -> str:
    return "\n".join(mark.join(repr(float(v)) for v in row) for row in array) + "\n"


def check(source: VectorSource, modality: str, raw: np.ndarray, ids: list[str] | None = None) -> None:
    """The set is ``raw`` row by row, in unit length, with its lengths beside."""
    chosen = source.images if modality == "image" else source.texts
    assert chosen is not None
    for row, norm, want in zip(chosen.vectors, chosen.norms, raw, strict=True):
        length = sum(float(v) ** 2 for v in want) ** 0.5
        assert norm == pytest.approx(length, rel=1e-5)
        assert np.allclose(row, [v / length for v in want], atol=1e-6)
    assert chosen.modality == modality
    if ids is not None:
        assert list(chosen.ids) == ids


def test_one_npy() -> None:
    source = open_vectors(npy(A), "features.npy")
    check(source, "image", A, [f"image {i}" for i in range(6)])
    assert source.texts is None
    assert source.pairs is None
    assert (source.name, len(source.links), source.refused, source.captions) == ("features", 0, (), ())
    check(open_vectors(npy(A), "text_features.npy"), "text", A, [f"text {i}" for i in range(6)])


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, ">f4"])
def test_other_kinds_of_numbers(dtype: Any) -> None:
    numbers = np.round(A * 8).astype(dtype)
    check(open_vectors(npy(numbers), "x.npy"), "image", numbers.astype(np.float32))
    fortran = np.asfortranarray(numbers)
    check(open_vectors(npy(fortran), "x.npy"), "image", numbers.astype(np.float32))


def test_the_model_is_pinned_by_content() -> None:
    one, same, other = (open_vectors(npy(x), "x.npy") for x in (A, A.copy(), A + 1e-6))
    assert one.images is not None
    assert same.images is not None
    assert other.images is not None
    assert (one.images.model.id, one.images.model.dim) == ("precomputed: x", 8)
    assert one.images.model == same.images.model
    assert one.images.model.revision != other.images.model.revision
    assert one.images.fingerprint == same.images.fingerprint != other.images.fingerprint


@pytest.mark.parametrize("keys", [("image", "text"), ("img_emb", "txt_emb"), ("image_embeddings", "caption_embeddings"),
                                  ("I_visual", "T_text")])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_of_pairs(keys: tuple[str, str], save: Callable[..., None]) -> None:
    source = open_vectors(npz(save, **{keys[0]: A, keys[1]: B}), "pairs.npz")
    check(source, "image", A)
    check(source, "text", B)
    assert source.links.tolist() == [[i, i] for i in range(6)]
    assert source.pairs is not None
    assert source.pairs.a.model == source.pairs.b.model


def test_npz_with_names_labels_and_other_arrays() -> None:
    data = npz(text=B, names=np.array(NAMES), label=np.arange(6), pixels=np.zeros((6, 3, 4, 4)), scale=np.array(3.0))
    source = open_vectors(data, "classes.npz")
    check(source, "text", B, NAMES)
    assert source.texts is not None
    assert source.texts.table["label"].tolist() == list(range(6))
    assert source.captions == tuple(NAMES)
    own = npz(image=A, text=B[:4], image_names=np.array(NAMES), captions=np.array(["w", "x", "y", "z"]))
    source = open_vectors(own, "set.npz")
    check(source, "image", A, NAMES)
    check(source, "text", B[:4], [f"text {i}" for i in range(4)])
    assert source.captions == ("w", "x", "y", "z")
    assert len(source.links) == 0


def test_npz_with_a_modality_for_each_row() -> None:
    modality = np.array(["image", "text"] * 3)
    ids = np.array(["p", "p", "q", "q", "r", "r"])
    source = open_vectors(npz(vectors=A, modality=modality, ids=ids), "mixed.npz")
    check(source, "image", A[::2], ["p", "q", "r"])
    check(source, "text", A[1::2], ["p", "q", "r"])
    assert source.links.tolist() == [[0, 0], [1, 1], [2, 2]]


def test_pairs_by_id_in_another_order() -> None:
    data = npz(image=A[:3], text=B[:4], image_ids=np.array(["a", "b", "c"]), text_ids=np.array(["c", "a", "x", "a"]))
    source = open_vectors(data, "x.npz")
    assert source.links.tolist() == [[2, 0], [0, 1], [0, 3]]
    assert source.texts is not None
    assert source.texts.ids == ("c", "a", "x", "a#2")


def test_repeated_ids_on_both_sides_are_pairs_row_by_row() -> None:
    ids = np.array(["a", "a", "b", "b", "c", "c"])
    source = open_vectors(npz(image=A, text=B, image_ids=ids, text_ids=ids), "x.npz")
    assert source.links.tolist() == [[i, i] for i in range(6)]


@pytest.mark.parametrize("form", ["list", "fixed", "columns"])
def test_parquet(form: str) -> None:
    import pyarrow as arrow

    columns: dict[str, Any] = {"id": NAMES, "label": list("abcabc")}
    if form == "columns":
        columns |= {f"dim_{i}": A[:, i] for i in reversed(range(8))}
    elif form == "list":
        columns["embedding"] = A.tolist()
    else:
        columns["embedding"] = arrow.FixedSizeListArray.from_arrays(arrow.array(A.ravel()), 8)
    source = open_vectors(parquet(columns), "x.parquet")
    check(source, "image", A, NAMES)
    assert source.images is not None
    assert source.images.table["label"].tolist() == list("abcabc")


def test_parquet_with_both_modalities_and_gaps() -> None:
    rows: list[Any] = A.tolist()
    rows[2] = None
    rows[4] = [1.0]
    data = parquet({"image_embedding": rows, "text_embedding": B.tolist(), "caption": NAMES})
    source = open_vectors(data, "x.parquet")
    check(source, "image", A[[0, 1, 3, 5]])
    check(source, "text", B)
    assert source.captions == tuple(NAMES)
    assert source.links.tolist() == [[0, 0], [1, 1], [2, 3], [3, 5]]
    assert [(r.name, r.reason) for r in source.refused] == [
        (f"image {i}", "its vector has NaN or infinite numbers, or is missing") for i in (2, 4)]


def test_parquet_with_a_modality_column_keeps_pairs() -> None:
    data = parquet({"id": ["a", "b", "t0", "t1", "t2"], "modality": ["image", "image", "text", "text", "text"],
                    "image_id": [None, None, "b", "a", "b"], "vector": A[:5].tolist()})
    source = open_vectors(data, "x.parquet")
    assert source.links.tolist() == [[1, 0], [0, 1], [1, 2]]


def clip_retrieval() -> dict[str, bytes]:
    files = {}
    for shard, rows in enumerate((slice(0, 4), slice(4, 6))):
        files[f"img_emb/img_emb_{shard}.npy"] = npy(A[rows].astype(np.float16))
        files[f"text_emb/text_emb_{shard}.npy"] = npy(B[rows].astype(np.float16))
        files[f"metadata/metadata_{shard}.parquet"] = parquet(
            {"image_path": [f"p/{n}.jpg" for n in NAMES[rows]], "caption": NAMES[rows]})
    return files


def test_what_clip_retrieval_writes(tmp_path: Path) -> None:
    for name, data in clip_retrieval().items():
        (tmp_path / "emb" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "emb" / name).write_bytes(data)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in clip_retrieval().items():
            archive.writestr(name, data)
    (tmp_path / "emb.zip").write_bytes(buffer.getvalue())
    for source in (open_vectors(tmp_path / "emb"), open_vectors(tmp_path / "emb.zip"),
                   open_vectors(buffer.getvalue(), "emb.zip"), open_vectors(list(clip_retrieval().items()), "emb")):
        assert source.name == "emb"
        check(source, "image", A.astype(np.float16).astype(np.float32), [f"p/{n}.jpg" for n in NAMES])
        check(source, "text", B.astype(np.float16).astype(np.float32))
        assert source.captions == tuple(NAMES)
        assert source.links.tolist() == [[i, i] for i in range(6)]


@pytest.mark.parametrize(("metadata", "column"), [
    ("\n".join(NAMES) + "\n", "name"), ("name\n" + "\n".join(NAMES) + "\n", "name"),
    ("word\tcount\n" + "\n".join(f"{n}\t{i}" for i, n in enumerate(NAMES)), "word"),
])
def test_what_the_tensorflow_projector_takes(metadata: str, column: str) -> None:
    files = [("vectors.tsv", text_of(A, "\t").encode()), ("metadata.tsv", metadata.encode())]
    source = open_vectors(files, "projector")
    check(source, "image", A, NAMES)
    assert source.images is not None
    assert source.images.table[column].tolist() == NAMES


def test_csv_layouts() -> None:
    check(open_vectors(text_of(A, ",").encode(), "x.csv"), "image", A)
    check(open_vectors(text_of(A, " ; ").encode(), "text.csv"), "text", A)
    header = "name,label," + ",".join(f"f{i}" for i in range(8))
    rows = [f"{n},{'NA' if i else ''},{','.join(repr(float(v)) for v in A[i])}" for i, n in enumerate(NAMES)]
    source = open_vectors("\n".join([header, *rows]).encode(), "x.csv")
    check(source, "image", A, NAMES)
    assert source.images is not None
    assert source.images.table["label"].tolist()[1] == "NA"
    bare = [f"{n},{','.join(repr(float(v)) for v in A[i])}" for i, n in enumerate(NAMES)]
    check(open_vectors("\n".join(bare).encode(), "x.csv"), "image", A, NAMES)
    listed = ["id\ttext_embedding", *[f"{n}\t{A[i].tolist()}" for i, n in enumerate(NAMES)]]
    check(open_vectors("\n".join(listed).encode(), "x.tsv"), "text", A, NAMES)
    printed = ["id\tembedding", *[f"{n}\t[{' '.join(repr(float(v)) for v in A[i])}]" for i, n in enumerate(NAMES)]]
    check(open_vectors("\n".join(printed).encode(), "x.tsv"), "image", A, NAMES)


def test_csv_with_gaps_and_words_among_the_numbers() -> None:
    header = "name," + ",".join(f"f{i}" for i in range(8))
    rows = [[n, *[repr(float(v)) for v in A[i]]] for i, n in enumerate(NAMES)]
    rows[1][3] = ""
    rows[2][3] = "nan"
    source = open_vectors("\n".join([header, *map(",".join, rows)]).encode(), "x.csv")
    check(source, "image", A[[0, 3, 4, 5]])
    rows[4][3] = "oops"
    source = open_vectors("\n".join([header, *map(",".join, rows)]).encode(), "x.csv")
    check(source, "image", A[[0, 3, 5]])
    assert [r.name for r in source.refused] == ["item 1", "item 2", "item 4"]


def test_unusable_rows_are_refused_and_pairs_follow() -> None:
    image, text = A.copy(), B.copy()
    image[1, 2], image[3], text[4, 0] = np.nan, 0, np.inf
    source = open_vectors(npz(image=image, text=text, names=np.array(NAMES)), "x.npz")
    check(source, "image", A[[0, 2, 4, 5]])
    check(source, "text", B[[0, 1, 2, 3, 5]])
    assert source.links.tolist() == [[0, 0], [1, 2], [3, 4]]
    assert [(r.name, r.reason) for r in source.refused] == [
        ("item 1", "its vector has NaN or infinite numbers, or is missing"),
        ("item 3", "its vector is zero and has no direction"),
        ("item 4", "its vector has NaN or infinite numbers, or is missing")]
    huge = A.copy()
    huge[0] = 3e38
    assert open_vectors(npy(huge), "x.npy").refused[0].reason == (
        "its vector is too long for float32; divide it by its length and save it again")
    with pytest.raises(SourceError, match="image vector; got 6 rows, of which the first is no use: its vector is zero"):
        open_vectors(npy(np.zeros((6, 8))), "x.npy")


class Trap:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("a file was unpickled",)


def test_nothing_is_ever_unpickled() -> None:
    trapped = np.array([Trap()], dtype=object)
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, trapped, allow_pickle=True)
    said = r"numbers or strings in x.npy; got pickled Python objects, which are never loaded.*dtype='float32'"
    with pytest.raises(SourceError, match=said):
        open_vectors(buffer.getvalue(), "x.npy")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("image.npy", npy(A))
        archive.writestr("meta.npy", buffer.getvalue())
    with pytest.raises(SourceError, match=r"numbers or strings in meta of x.npz"):
        open_vectors(packed.getvalue(), "x.npz")
    for ending in (".pkl", ".pt", ".joblib"):
        with pytest.raises(SourceError, match=r"cannot carry programs .* which is unpickled by running what it says"):
            open_vectors(pickle.dumps(Trap()), "x" + ending)
    with pytest.raises(SourceError):
        open_vectors(pickle.dumps(Trap()), "x.npy")


def lying_npy(shape: str) -> bytes:
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


def test_files_that_lie_or_break() -> None:
    with pytest.raises(SourceError, match=r"x.npy says shape \(100000000000, 512\), more than the file holds"):
        open_vectors(lying_npy("(100000000000, 512)"), "x.npy")
    with pytest.raises(SourceError, match=r"vectors in x.npy; got a file that cannot be read as npy"):
        open_vectors(npy(A)[:-20], "x.npy")
    with pytest.raises(SourceError, match="cannot be read as npz"):
        open_vectors(npz(image=A)[:100], "x.npz")
    with pytest.raises(SourceError, match="cannot be read as parquet"):
        open_vectors(b"PAR1", "x.parquet")
    with pytest.raises(SourceError, match="to at most 200 times their size"):
        open_vectors(npz(np.savez_compressed, image=np.zeros((100_000, 800), np.float32)), "x.npz")


def test_errors() -> None:
    with pytest.raises(SourceError, match=r"a file of vectors \(.npy, .npz, .*\); got x.bin. Save the vectors"):
        open_vectors(b"1", "x.bin")
    with pytest.raises(SourceError, match=r"the name of the file beside its bytes; got none. Its ending says"):
        open_vectors(b"1")
    with pytest.raises(SourceError, match=r"vectors of shape \(n, d\) in x.npy; got x float32 \(3, 3, 4\)"):
        open_vectors(npy(np.zeros((3, 3, 4), np.float32)), "x.npy")
    with pytest.raises(SourceError, match="vectors in x; got tables without any"):
        open_vectors(b"name,label\na,b\n", "x.csv")
    with pytest.raises(SourceError, match="image and text vectors of one space; got 8 and 4 dimensions"):
        open_vectors(npz(image=A, text=B[:, :4]), "x.npz")
    with pytest.raises(SourceError, match="image vectors of one length in x; got 4 and 8 dimensions"):
        open_vectors([("img_0.npy", npy(A)), ("img_1.npy", npy(A[:, :4]))], "x")
    import pyarrow as arrow

    empty = parquet({"embedding": arrow.array([[], []], arrow.list_(arrow.float32()))})
    with pytest.raises(SourceError, match=r"vectors in x; got none; x\.parquet: embedding: list<.*>: empty lists"):
        open_vectors(empty, "x.parquet")


def test_errors_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"the path of a file or folder of vectors; got /nope, which is not there"):
        open_vectors("/nope")
    with pytest.raises(SourceError, match=r"files of vectors in .*; got none. They end in .npy"):
        open_vectors(tmp_path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", b"x")
    with pytest.raises(SourceError, match=r"files of vectors in x; got 1 other files \(a.png\)"):
        open_vectors(buffer.getvalue(), "x.zip")
    public = Settings(settings_module.settings().cache, None, None, True, 1.0)
    monkeypatch.setattr(opening, "settings", lambda: public)
    with pytest.raises(SourceError, match="an uploaded file of vectors; got a path on the server"):
        open_vectors(tmp_path / "x.npy")


def test_too_many_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    local = settings_module.settings()
    monkeypatch.setattr(settings_module, "OWN_MACHINE", replace(local.budget, rows=3))
    with pytest.raises(SourceError, match=r"at most 3 rows in x.parquet; got 6"):
        open_vectors(parquet({"embedding": A.tolist()}), "x.parquet")


def test_modalities_by_name() -> None:
    assert [modality_of(n) for n in ("img_emb_0.npy", "text_emb/text_emb_1.npy", "metadata_0.parquet", "captions",
                                     "photos/text.npy", "image_text_pairs.npz", "visual")] == [
        "image", "text", None, "text", "text", None, "image"]


def test_many_vectors_open_quickly() -> None:
    many = np.random.default_rng(1).normal(size=(20_000, 64)).astype(np.float32)
    header = "name," + ",".join(f"f{i}" for i in range(64))
    lines = [header, *[f"n{i}," + ",".join(f"{v:.5f}" for v in row) for i, row in enumerate(many.tolist())]]
    source = open_vectors("\n".join(lines).encode(), "x.csv")
    assert source.images is not None
    assert np.allclose(source.images.vectors * source.images.norms[:, None], many, atol=1e-4)


def test_the_reference_features_open(reference: Path) -> None:
    features = reference / "features"
    pairs = open_vectors(features / "coco500_clip_vitb16_pairs.npz")
    assert pairs.pairs is not None
    assert len(pairs.pairs.links) == 500
    raw = np.load(features / "coco500_clip_vitb16_pairs.npz")
    check(pairs, "image", raw["image"])
    check(pairs, "text", raw["text"])
    lvis = open_vectors(features / "lvis1203_text_clip_vitb32.npz")
    assert lvis.texts is not None
    assert (len(lvis.texts), lvis.texts.ids[0], lvis.images) == (1203, "aerosol_can", None)
    assert 9 < lvis.texts.norms.mean() < 12
    coco = open_vectors(features / "coco80_text_clip_vitb32.npz")
    assert coco.captions[:3] == ("person", "bicycle", "car")
    gold = open_vectors((features / "clipretrieval7_gold_clip_vitb32.npz").read_bytes(), "gold.npz")
    assert gold.images is not None
    assert gold.images.ids[0].endswith("123_456.jpg")
    assert gold.refused == ()
