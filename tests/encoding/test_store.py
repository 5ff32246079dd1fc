"""The store of vectors: what goes in comes out, whatever happens to the process, the file or the disk."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from core.encoding.store import Store
from core.encoding.store_file import ROWS_A_BATCH, Damaged, StoreFile
from core.errors import ShapeError, StoreError

ROOT = Path(__file__).parents[2]
DIM = 16


def hashes(numbers: object) -> list[str]:
    return [hashlib.sha256(str(int(n)).encode()).hexdigest() for n in numbers]  # type: ignore[attr-defined]


def raw(numbers: object) -> np.ndarray:
    """What a model would give for item n: known from n alone, so that any reader can check it."""
    rows = [np.random.default_rng(int(n)).normal(size=DIM) * (1 + int(n) % 7) for n in numbers]  # type: ignore[attr-defined]
    return np.array(rows, dtype=np.float32)


def assert_right(store: Store, numbers: list[int], model: str = "m") -> int:
    """Every vector that the store gives is the one that belongs there; returns how many it has."""
    found, vectors, norms = store.get(model, hashes(numbers))
    truth = raw(np.array(numbers)[found]) if found.any() else np.empty((0, DIM))
    np.testing.assert_allclose(vectors.reshape(-1, DIM) * norms[:, None], truth, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors.reshape(-1, DIM), axis=1), 1, atol=1e-6)
    return int(found.sum())


def test_what_goes_in_comes_out_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    numbers = list(range(2 * ROWS_A_BATCH + 37))
    store.put("m", hashes(numbers), raw(numbers))
    wanted = [700, 3, 9999, 548, 3, 0, 255, 256]
    found, vectors, norms = store.get("m", hashes(wanted))
    assert found.tolist() == [n < len(numbers) for n in wanted]
    np.testing.assert_allclose(vectors * norms[:, None], raw([n for n in wanted if n < len(numbers)]), atol=1e-5)
    assert vectors.dtype == norms.dtype == np.float32
    assert store.has("m", hashes(wanted)).tolist() == found.tolist()
    assert Store(tmp_path).count() == len(numbers)


def test_models_do_not_mix_and_nothing_is_there_at_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    found, vectors, norms = store.get("m", hashes([1, 2]))
    assert not found.any()
    assert vectors.shape == (0, 0)
    assert norms.shape == (0,)
    store.put("m", hashes([1]), raw([1]))
    store.put("other", hashes([1]), np.ones((1, 3), np.float32))
    assert store.get("other", hashes([1]))[1].shape == (1, 3)
    assert assert_right(store, [1, 2]) == 1
    assert store.get("m", [])[0].shape == (0,)
    store.put("m", [], np.empty((0, DIM), np.float32))


def test_what_is_there_stays_and_repeated_rows_are_kept_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("m", hashes([1, 2]), raw([1, 2]))
    store.put("m", hashes([2, 3, 3, 4]), raw([8, 3, 9, 4]))
    assert assert_right(store, [1, 2, 3, 4]) == 4
    assert store.count() == 4


def test_refused_input(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(ShapeError, match="a row of zeros at row 1"):
        store.put("m", hashes([1, 2]), np.array([[1, 0], [0, 0]], np.float32))
    with pytest.raises(ShapeError, match="finite raw vectors; got 1 rows with NaN"):
        store.put("m", hashes([1]), np.array([[np.nan, 0]], np.float32))
    with pytest.raises(ShapeError, match="2 vectors, one for each hash; got 1"):
        store.put("m", hashes([1, 2]), np.ones((1, 2), np.float32))
    with pytest.raises(ShapeError, match="hashes in hexadecimal"):
        store.get("m", ["not hex"])
    with pytest.raises(ShapeError, match="sha256 hashes of 64 hexadecimal digits"):
        store.has("m", ["abcd"])


WRITER = """
import sys, time
sys.path.insert(0, {root!r})
from tests.encoding.test_store import hashes, raw
from core.encoding.store import Store
store = Store({folder!r})
for start in range({first}, {last}, {step}):
    numbers = list(range(start, min(start + {step}, {last})))
    store.put("m", hashes(numbers), raw(numbers))
    print(start, flush=True)
"""


def writer(folder: Path, first: int, last: int, step: int = 20) -> subprocess.Popen:
    code = WRITER.format(root=str(ROOT), folder=str(folder), first=first, last=last,
                         step=step)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_it_loses_one_batch_at_most(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for round_ in range(5):
        child = writer(tmp_path, 10_000 * round_, 10_000 * (round_ + 1))
        said = -1
        assert child.stdout is not None
        for line in child.stdout:
            said = int(line)
            if said >= 10_000 * round_ + 100:
                break
        time.sleep(float(rng.uniform(0, 0.1)))
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait()
        said = int(rest[-1]) if rest else said
        store = Store(tmp_path)
        kept = assert_right(store, list(range(10_000 * round_, 10_000 * round_ + 4_000)))
        assert kept >= said - 10_000 * round_ + 20
        assert store.notices == ()
        store.close()


def test_two_writers_and_a_reader_at_once(tmp_path: Path) -> None:
    one, two = writer(tmp_path, 0, 1500), writer(tmp_path, 500, 2000)
    reader, seen = Store(tmp_path), []
    while one.poll() is None or two.poll() is None:
        seen.append(assert_right(reader, list(range(0, 2000, 7))))
    assert one.returncode == two.returncode == 0
    assert assert_right(reader, list(range(2000))) == 2000
    assert reader.count() == 2000
    assert reader.notices == ()
    assert len(seen) > 2
    assert seen == sorted(seen)


def test_threads_share_one_store(tmp_path: Path) -> None:
    store, wrong = Store(tmp_path), []

    def work(k: int) -> None:
        try:
            for start in range(0, 200, 20):
                numbers = list(range(100 * k + start, 100 * k + start + 20))
                store.put("m", hashes(numbers), raw(numbers))
                assert_right(store, numbers)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert assert_right(store, list(range(500))) == 500


def test_a_forked_child_opens_its_own_connection(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put("m", hashes([1]), raw([1]))
    parents = store._file.connect()
    child = os.fork()
    if child == 0:
        try:
            store.put("m", hashes([2]), raw([2]))
            os._exit(0 if assert_right(store, [1, 2]) == 2 and store._file.connect() is not parents else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert assert_right(store, [1, 2]) == 2


def filled(folder: Path, n: int = 2000) -> Path:
    store = Store(folder)
    store.put("m", hashes(range(n)), raw(range(n)))
    store.close()
    return folder / "vectors-1.sqlite"


def test_a_flipped_byte_in_a_vector_is_found_and_the_rest_is_kept(tmp_path: Path) -> None:
    file = filled(tmp_path)
    row = (raw([700])[0] / np.linalg.norm(raw([700])[0].astype(np.float64))).astype("<f4").tobytes()
    content = bytearray(file.read_bytes())
    place = content.find(row[:32])
    assert place > 0
    content[place + 2] ^= 0x40
    file.write_bytes(content)
    store = Store(tmp_path)
    kept = assert_right(store, list(range(2000)))
    assert kept == 2000 - ROWS_A_BATCH
    (notice,) = store.notices
    assert notice.what == "The store of vectors was damaged."
    assert "(a batch does not pass its check)" in str(notice)
    assert f"set aside as damaged-vectors-1.sqlite; {kept:,} vectors passed" in notice.details
    assert (tmp_path / "damaged-vectors-1.sqlite").exists()
    assert not file.exists()
    store.put("m", hashes(range(2000)), raw(range(2000)))
    assert assert_right(store, list(range(2000))) == 2000
    assert store.notices == (notice,), "said once"


@pytest.mark.parametrize("harm", ["header", "index", "middle", "cut", "text", "batch"])
def test_other_damage_never_gives_a_wrong_vector(tmp_path: Path, harm: str) -> None:
    file = filled(tmp_path)
    content = bytearray(file.read_bytes())
    if harm == "header":
        content[:64] = os.urandom(64)
    elif harm == "middle":
        content[len(content) // 2:len(content) // 2 + 30_000] = os.urandom(30_000)
    elif harm == "cut":
        del content[len(content) // 2:]
    elif harm == "text":
        content = bytearray(b"hello\n" * 1000)
    file.write_bytes(content)
    if harm in ("index", "batch"):
        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE items SET position = (position + 1) % 200" if harm == "index"
                               else "DELETE FROM blobs WHERE batch = 3")
        connection.close()
    store = Store(tmp_path)
    assert_right(store, list(range(2000)))
    assert len(store.notices) == 1
    assert (tmp_path / "damaged-vectors-1.sqlite").exists()
    store.put("m", hashes(range(2000)), raw(range(2000)))
    assert assert_right(store, list(range(2000))) == 2000
    assert assert_right(Store(tmp_path), list(range(2000))) == 2000


def test_a_disk_that_damages_every_file_is_an_error_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def always(*_: object) -> None:
        raise Damaged("bad sectors")

    store = Store(tmp_path)
    monkeypatch.setattr(StoreFile, "read", always)
    with pytest.raises(StoreError, match=r"that stays readable; got one damaged again and again in .*Check the disk"):
        store.get("m", hashes([1]))
    assert "was damaged. (bad sectors)" in str(store.notices[0])


def test_another_process_follows_when_a_file_is_set_aside(tmp_path: Path) -> None:
    file = filled(tmp_path, 300)
    other = Store(tmp_path)
    assert assert_right(other, list(range(300))) == 300
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE blobs SET checksum = checksum + 1 WHERE batch = 1")
    connection.close()
    first = Store(tmp_path)
    assert assert_right(first, list(range(300))) == 300 - ROWS_A_BATCH
    first.put("m", hashes(range(300)), raw(range(300)))
    assert assert_right(other, list(range(300))) == 300
    assert other.notices == ()


def test_the_batches_used_longest_ago_go_first(tmp_path: Path) -> None:
    store = Store(tmp_path, limit_gb=0.0004)
    size = 64
    for start in range(0, 1000, size):
        store.put("m", hashes(range(start, start + size)), np.ones((size, 128), np.float32))
        with sqlite3.connect(tmp_path / "vectors-1.sqlite") as connection:
            connection.execute("UPDATE batches SET used = used - 7200")
        connection.close()
        store.get("m", hashes(range(size)))
    assert store.has("m", hashes(range(size))).all()
    assert store.has("m", hashes(range(start, start + size))).all()
    assert not store.has("m", hashes(range(size, 5 * size))).any()
    for start in range(1000, 9000, size):
        store.put("m", hashes(range(start, start + size)), np.ones((size, 128), np.float32))
    store.close()
    assert 0.2e6 < (tmp_path / "vectors-1.sqlite").stat().st_size < 0.5e6
    assert store.notices == ()


def test_a_full_disk_is_said_once_and_the_session_goes_on(tmp_path: Path) -> None:
    """A real limit on file size, set in a process of its own; the store says so and keeps vectors in memory."""
    code = f"""
import resource, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.encoding.test_store import assert_right, hashes, raw
from core.encoding.store import Store
store = Store({str(tmp_path)!r})
store.put("m", hashes(range(100)), raw(range(100)))
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
for start in range(100, 6000, 500):
    store.put("m", hashes(range(start, start + 500)), raw(range(start, start + 500)))
assert assert_right(store, list(range(6000))) == 6000
assert store.has("m", hashes([50, 5999, 7000])).tolist() == [True, True, False]
print(*store.notices, sep="\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    notices = done.stdout.strip().splitlines()
    assert len(notices) == 1
    assert "cannot be used on disk" in notices[0]
    assert "kept in memory for this session" in notices[0]
    assert_right(Store(tmp_path), list(range(6000)))


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "vectors")
    store.put("m", hashes([1, 2]), raw([1, 2]))
    store.put("m", hashes([3]), raw([3]))
    assert assert_right(store, [1, 2, 3, 4]) == 3
    assert store.count() == 3
    (notice,) = store.notices
    assert "set ORRERY_CACHE to a folder that can be written" in notice.details
    assert str(tmp_path) in notice.details and str(tmp_path) not in notice.what


def test_a_read_only_folder_is_still_read(tmp_path: Path) -> None:
    """As a user who may read but not write, which for root takes a process with another user id.

    That user may not be able to read the interpreter's own folder, so all that is needed is imported before.
    """
    tmp_path.chmod(0o755)
    folder = tmp_path / "vectors"
    filled(folder, 100)
    for path in [folder, *folder.iterdir()]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    code = f"""
import os, pathlib, sys
sys.path.insert(0, {str(ROOT)!r})
from tests.encoding.test_store import assert_right, hashes, raw
from core.encoding.store import Store
other = Store({str(tmp_path / "other")!r})
other.put("m", hashes([1]), raw([1]))
assert_right(other, [1])
pathlib.Path("/").as_uri()
if os.geteuid() == 0:
    for parent in {[str(p) for p in folder.parents if str(p).startswith('/tmp/')]!r}:
        os.chmod(parent, 0o755)
    os.setuid(65534)
store = Store({str(folder)!r})
assert assert_right(store, list(range(100))) == 100
store.put("m", hashes([200]), raw([200]))
assert assert_right(store, [*range(100), 200]) == 101
print(*store.notices, sep="\\n")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    folder.chmod(0o755)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kept in memory for this session") == 1


def resident() -> int:
    """Bytes of memory that this process holds now (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_memory_grows_with_the_vectors_only(tmp_path: Path) -> None:
    """What is held is the vectors and norms; what is needed meanwhile is a bounded amount more for each of them."""
    n, dim = 20_000, 256
    keys = [f"{i:064x}" for i in range(n)]
    vectors = np.random.default_rng(0).normal(size=(n, dim)).astype(np.float32)
    store = Store(tmp_path)
    for start in range(0, n, 1000):
        store.put("m", keys[start:start + 1000], vectors[start:start + 1000])
    store.close()
    store = Store(tmp_path)
    store.get("m", keys[:10])
    tracemalloc.start()
    found, got, norms = store.get("m", keys)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.all()
    rows = np.random.default_rng(1).integers(0, n, 500)
    np.testing.assert_allclose(got[rows] * norms[rows, None], vectors[rows], atol=1e-5)
    assert held < n * (4 * dim + 4 + 8)
    assert most - held < n * 800 + 100 * ROWS_A_BATCH * (4 * dim + 36)
