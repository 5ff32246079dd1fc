"""A record as a file: it comes back as it was, and no file that is wrong does harm or ends in a traceback."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from core.errors import OrreryError, SourceError
from core.geometry.directions import unit
from core.learning.records.file import HEADER, SUFFIX, read_record, record_bytes, write_record
from core.learning.records.record import Probe, Record
from core.settings import settings


def a_record(*, s: int = 4, n: int = 5, m: int = 3, d: int = 6, seed: int = 0, **also: object) -> Record:
    rng = np.random.default_rng(seed)

    def rows(k: int) -> np.ndarray:
        return unit(rng.normal(size=(s * k, d)).astype(np.float32)).reshape(s, k, d)

    links = np.stack([np.arange(n), np.arange(n) % m], axis=1)
    probe = Probe(tuple(f"picture {i}" for i in range(n)), tuple(f"caption {i} é \ud83e" for i in range(m)), links,
                  tuple("ab"[i % 2] for i in range(n)))
    measures = {"loss": np.linspace(3, 0, s), "r1": np.array([np.nan, *np.linspace(0.1, 1, s - 1)])}
    return Record("My run", probe, np.arange(s) * 10, rows(n), rows(m), measures, {"seed": 3, "rate": 1e-3}, **also)  # type: ignore[arg-type]


def repacked(data: bytes, change: Callable[[dict[str, bytes]], None], packing: int = zipfile.ZIP_STORED) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy(array: np.ndarray) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


def test_a_record_comes_back_as_it_was_and_its_file_byte_for_byte(tmp_path: Path) -> None:
    record = a_record(ended="it diverged at step 40: the loss is not a number")
    path = write_record(record, tmp_path / f"mine{SUFFIX}")
    again = read_record(path)
    assert again.fingerprint == record.fingerprint
    assert (again.name, dict(again.setup), again.ended) == (record.name, record.setup, record.ended)
    np.testing.assert_array_equal(again.measures["r1"], record.measures["r1"])
    assert record_bytes(again) == path.read_bytes() == record_bytes(record)
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "nothing else is left there"
    assert read_record(path.read_bytes()).fingerprint == record.fingerprint
    with np.load(path, allow_pickle=False) as arrays:       # numpy's own reader sees the same arrays
        np.testing.assert_array_equal(arrays["images"], record.images)
    packed = repacked(path.read_bytes(), lambda members: None, zipfile.ZIP_DEFLATED)
    assert read_record(packed).fingerprint == record.fingerprint, "packed again by other tools"


def test_arrays_of_others_are_told_what_is_missing(tmp_path: Path) -> None:
    np.savez(tmp_path / "theirs.npz", image=np.zeros((3, 2)), step=np.arange(3))
    with pytest.raises(SourceError, match=r"image.npy, step.npy; record.json, steps.npy.* are missing.*Recorder"):
        read_record(tmp_path / "theirs.npz")
    with pytest.raises(SourceError, match="cut off"):
        read_record(record_bytes(a_record())[:-200])
    with pytest.raises(SourceError, match="no zip"):
        read_record(b"step,loss\n1,2\n", "run.csv")
    with pytest.raises(SourceError, match="Check the path"):
        read_record(tmp_path / "absent")
    with pytest.raises(SourceError, match="Check the path"):
        read_record(tmp_path)


def with_header(**said: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[HEADER] = json.dumps({**json.loads(members[HEADER]), **said}).encode()

    return change


def with_member(name: str, content: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: content})


def _claiming(shape: str) -> bytes:
    """A header of numpy's format that says more than follows it."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head


@pytest.mark.parametrize(("change", "said"), [
    (with_header(version=2), "newer Orrery"),
    (with_header(format="other"), "format orrery-run"),
    (with_header(images="abc"), "images"),
    (with_header(labels=[1, 2, 3, 4, 5]), "not all texts"),
    (with_header(images=["a", "a", "b", "c", "d"]), "unlike each other"),
    (with_header(images=["a"]), r"links within 1 images"),
    (with_member(HEADER, b"{" * 100_000), "whole record"),
    (with_member(HEADER, b"[" * 100_000), "whole record"),
    (with_member("images.npy", _claiming("(99999999999, 99999999, 512)")), "not what it holds"),
    (with_member("images.npy", _claiming("(-1, 4)")), "not what it holds"),
    (with_member("images.npy", pickle.dumps([1])), "magic string"),
    (with_member("images.npy", npy(np.zeros((4, 5, 6), object))), "kind"),
    (with_member("images.npy", npy(np.zeros((4, 5, 6)))), "kind"),
    (with_member("images.npy", npy(np.zeros((4, 5, 6), np.float32))), "unit rows"),
    (with_member("images.npy", npy(np.full((4, 5, 6), np.nan, np.float32))), "finite"),
    (with_member("images.npy", npy(np.zeros((4, 9, 6), np.float32))), r"shape \(4, 5, d\)"),
    (with_member("steps.npy", npy(np.array([0, 10, 10, 20]))), "steps that grow"),
    (with_member("steps.npy", npy(np.array([0, 10, 20, 2**62]))), "steps from 0 to"),
    (with_header(name="n" * 2000), "name in the header is longer"),
    (with_member("links.npy", npy(np.array([[0, 7]]))), "links within"),
    (with_member("links.npy", npy(np.arange(3))), "links of shape"),
    (with_member("measures/loss.npy", npy(np.zeros(9))), "measures among"),
])
def test_a_wrong_part_is_said(change: Callable[[dict[str, bytes]], None], said: str) -> None:
    with pytest.raises(OrreryError, match=said):
        read_record(repacked(record_bytes(a_record()), change), "theirs")


def test_traps_are_refused_before_they_unpack(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = repacked(record_bytes(a_record()), with_member("texts.npy", bytes(30_000_000)), zipfile.ZIP_DEFLATED)
    assert len(bomb) < 200_000
    with pytest.raises(SourceError, match="only a trap"):
        read_record(bomb)
    out = io.BytesIO(record_bytes(a_record()))
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("images.npy", b"")
    with pytest.raises(SourceError, match="two files of one name"):
        read_record(out.getvalue())


def test_what_would_take_all_memory_to_look_at_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORRERY_HOSTED", "1")
    settings.cache_clear()
    try:
        most = settings().budget.probe
        wide = with_header(images=[f"i{i}" for i in range(most + 1)])
        with pytest.raises(SourceError, match=f"at most {most:,} images and as many texts"):
            read_record(repacked(record_bytes(a_record()), wide))
        many = with_header(images=[f"i{i}" for i in range(100)], texts=[f"t{i}" for i in range(100)])
        with pytest.raises(SourceError, match="at most 125,000 steps of 100 images"):
            read_record(repacked(repacked(record_bytes(a_record()), many),
                                 with_member("steps.npy", npy(np.arange(125_001)))))
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_halves_of_letters_in_a_name_and_classes_are_told_as_question_marks() -> None:
    changed = with_header(name="a\ud83e", labels=["\ud83e"] * 5)
    read = read_record(repacked(record_bytes(a_record()), changed))
    assert (read.name, read.probe.labels[0]) == ("a?", "?")


def test_no_damage_ends_in_a_traceback() -> None:
    data = record_bytes(a_record())
    rng = np.random.default_rng(0)
    broken = [data[:k] for k in rng.integers(0, len(data), 30)]
    for k in rng.integers(0, len(data), 300):
        broken.append(data[:k] + bytes([data[k] ^ int(rng.integers(1, 256))]) + data[k + 1:])
    refused = 0
    for one in broken:
        try:
            read_record(one)
        except OrreryError:
            refused += 1
    assert refused > 250, "each byte of a member is under a checksum"
