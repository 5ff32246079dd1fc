"""Untrusted files crash, hang and fill the memory of a worker, and nobody else is any the worse."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import UnreadableItem
from core.sources import reasons, workers
from core.sources.images.decoding import WHOLE_SIZE, decode
from core.sources.workers import DecoderPool

ROOT = Path(__file__).parents[2]
PATIENT = 120
HOSTILE = """
import sys
sys.path.insert(0, sys.argv[1])
import os, signal, time
from core.sources import reasons, workers
from core.sources.images import decoding
sound = decoding.decode
def hostile(data, *how):
    if data.startswith(b"crash"):
        import ctypes
        ctypes.string_at(0)
    if data.startswith(b"killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if data.startswith(b"exit"):
        os._exit(3)
    if data.startswith(b"hang"):
        while True: pass
    if data.startswith(b"sleep"):
        time.sleep(1000)
    if data.startswith(b"greedy"):
        return len(bytearray(4 * 1024**3))
    if data.startswith(b"write"):
        open(data[5:].decode(), "wb").write(b"x" * 100_000)
    return sound(data, *how)
decoding.decode = hostile
workers.serve(int(sys.argv[2]))
"""


class HostilePool(DecoderPool):
    program = HOSTILE


@pytest.fixture
def pool() -> Iterator[HostilePool]:
    pool = HostilePool(1, seconds=PATIENT)
    yield pool
    pool.close()


def png(colour: str = "red", size: tuple[int, int] = (8, 4)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def refusal(pool: DecoderPool, data: bytes) -> str:
    with pytest.raises(UnreadableItem) as caught:
        pool.decode(data, "x.png")
    assert str(caught.value) == f"Expected a readable image in x.png; got {caught.value.got}."
    return caught.value.got


def test_pixels_come_back_as_they_were_decoded(pool: DecoderPool) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (211, 307, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    noise.save(buffer, "JPEG")
    assert np.array_equal(np.asarray(pool.decode(buffer.getvalue(), "x")), np.asarray(decode(buffer.getvalue())))
    small = pool.decode(buffer.getvalue(), "x", max_side=50)
    assert (small.size, small.info[WHOLE_SIZE]) == ((50, 34), (307, 211))


def test_a_large_picture_comes_back_strip_by_strip(pool: DecoderPool) -> None:
    ramp = np.broadcast_to(np.arange(2_500, dtype=np.uint16)[:, None] % 251, (2_500, 2_000)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(ramp).save(buffer, "PNG", compress_level=1)
    assert np.array_equal(np.asarray(pool.decode(buffer.getvalue(), "x"))[..., 1], ramp)


def test_large_pictures_are_unpacked_one_at_a_time() -> None:
    large, small = png("red", (5_000, 4_500)), png("blue")
    pool = HostilePool(3, seconds=PATIENT)
    inside, most = [0], [0]
    semaphore, lock = pool._large, threading.Lock()

    class Counted:
        def __enter__(self) -> None:
            semaphore.acquire()
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])

        def __exit__(self, *error: object) -> None:
            with lock:
                inside[0] -= 1
            semaphore.release()

    pool._large = Counted()  # type: ignore[assignment]
    with ThreadPoolExecutor(6) as threads:
        sizes = list(threads.map(lambda data: pool.decode(data, "x").size, [large, small, large, large, small]))
    assert sizes == [(5_000, 4_500), (8, 4), (5_000, 4_500), (5_000, 4_500), (8, 4)]
    assert most == [1]
    pool.close()


@pytest.mark.parametrize(("data", "said"), [
    (b"crash", "the file is damaged: it crashed its decoder (signal SIGSEGV)"),
    (b"killed", "the file is damaged: it crashed its decoder (signal SIGKILL)"),
    (b"exit", "the file is damaged: it crashed its decoder (exit status 3)"),
    (b"hang", "unpacking it took longer than 2 s"),
])
def test_a_worker_that_dies_is_replaced(pool: DecoderPool, data: bytes, said: str) -> None:
    assert pool.decode(png(), "before").getpixel((0, 0)) == (255, 0, 0)
    pool.seconds = 2 if data == b"hang" else PATIENT
    assert refusal(pool, data) == said
    pool.seconds = PATIENT
    assert pool.decode(png("blue"), "after").getpixel((0, 0)) == (0, 0, 255)


@pytest.mark.skipif(sys.platform != "linux", reason="the bound on memory is held on Linux")
def test_the_memory_of_a_worker_is_bounded(pool: DecoderPool) -> None:
    assert refusal(pool, b"greedy") == "unpacking it needs more than 1.5 GB of memory"
    assert pool.decode(png(), "after").size == (8, 4)


@pytest.mark.skipif(sys.platform == "win32", reason="no such bound there")
def test_a_worker_writes_no_files(pool: DecoderPool, tmp_path: Path) -> None:
    assert "crashed its decoder" in refusal(pool, b"write" + str(tmp_path / "loot").encode())
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) == 0


def test_a_worker_found_dead_is_not_blamed_on_the_next_file(pool: DecoderPool) -> None:
    pool.decode(png(), "first")
    worker = pool._idle.get()
    assert worker is not None
    worker.process.kill()
    pool._idle.put(worker)
    assert pool.decode(png("blue"), "next").getpixel((0, 0)) == (0, 0, 255)


def test_a_file_over_the_limit_is_not_even_sent(pool: DecoderPool, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (workers, reasons):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 1024)
    monkeypatch.setattr(pool, "_ask", None)
    assert refusal(pool, bytes(2048)) == "the file has 0 MB; the limit is 0 MB"


def test_the_reason_of_a_large_file() -> None:
    assert reasons.too_large(1300 * 1024**2) == "the file has 1,300 MB; the limit is 256 MB"


def test_many_threads_share_a_few_workers() -> None:
    pool = HostilePool(2, seconds=PATIENT)
    colours = ["red", "lime", "blue", "white"] * 25
    jobs = [png(c) for c in colours]
    for at in (10, 50, 90):
        jobs[at] = b"crash"

    def ask(data: bytes) -> object:
        try:
            return pool.decode(data, "x").getpixel((0, 0))
        except UnreadableItem:
            return None

    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(ask, jobs))
    want: list[object] = [Image.new("RGB", (1, 1), c).getpixel((0, 0)) for c in colours]
    for at in (10, 50, 90):
        want[at] = None
    assert got == want
    assert pool._idle.qsize() == 2
    pool.close()


def test_a_hang_holds_up_nobody_else() -> None:
    pool, others = HostilePool(2, seconds=10), set(threading.enumerate())
    slow = threading.Thread(target=lambda: refusal(pool, b"sleep"))
    slow.start()
    until = time.monotonic() + PATIENT
    while time.monotonic() < until and not any(
            isinstance(thread, threading.Timer) for thread in set(threading.enumerate()) - others):
        time.sleep(0.01)                # it is asked, within the ten seconds
    pool.seconds = PATIENT
    assert pool.decode(png(), "x").size == (8, 4)
    assert slow.is_alive()
    slow.join()
    pool.close()


def test_workers_end_with_their_parent() -> None:
    code = ("import sys, io; from PIL import Image; from core.sources.workers import shared_pool; b = io.BytesIO(); "
            "Image.new('RGB', (2, 2)).save(b, 'PNG'); p = shared_pool(); p.decode(b.getvalue(), 'x'); "
            "print(p._idle.get().process.pid, flush=True); import os; os._exit(0)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    pid = int(done.stdout)
    until = time.monotonic() + PATIENT
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.1)
    assert not _alive(pid)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return not (stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z")
    except OSError:
        return False


BROKEN = """
import json, resource, sys
from pathlib import Path
from core.errors import UnreadableItem
from core.sources.images.readers import decode_small
from core.sources.images.opening import open_folder
dataset = open_folder(sys.argv[1])
out = {r.name: r.reason for r in dataset.refused}
for i, name in enumerate(dataset.image_ids):
    try:
        out[name] = list(dataset.images.decode(i).size)
    except UnreadableItem as error:
        out[name] = error.got
from core.sources.workers import shared_pool
shared_pool().close()
status = Path("/proc/self/status").read_text()  # getrusage would count the process that started this one
own = int(status.split("VmHWM:")[1].split()[0]) / 1024
peaks = [own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]
print(json.dumps([out, peaks]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_every_broken_file_is_decoded_or_refused_with_its_reason(reference: Path) -> None:
    import json

    folder = reference / "broken_images"
    done = subprocess.run([sys.executable, "-c", BROKEN, str(folder)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    out, (own, children) = json.loads(done.stdout)
    assert set(out) == {p.name for p in folder.iterdir()}
    reasons = {name: said for name, said in out.items() if isinstance(said, str)}
    assert all(said and "Error" not in said and "Traceback" not in said for said in reasons.values())
    assert 15 <= len(reasons) <= 20
    for name in ("truncated_jpeg.jpg", "truncated_image.png", "truncated_end_chunk.png"):
        assert reasons[name] == "the file is truncated"
    assert reasons["decompression_bomb.gif"] == "it would unpack to 4,365 megapixels; the limit is 100"
    assert "text block" in reasons["png_decompression_dos.png"]
    assert out["hopper_orientation_7.jpg"] == [128, 128]
    assert out["g4_orientation_7.tif"] == [590, 88]
    assert own + children < 2048
