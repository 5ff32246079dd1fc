"""Worker processes that unpack untrusted image files, so that a crash or a bomb takes down nobody else.

Each worker is a fresh interpreter with a bound on its memory; it is spoken to through its standard input and output,
and a worker that dies or takes too long is replaced. Plain subprocesses rather than ``multiprocessing``, which would
import the program's own main module again in each of them.
"""

from __future__ import annotations

import atexit
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from core.settings import OWN_MACHINE
from core.sources.images import decoding
from core.sources.images.framing import FRAMED_SECONDS, PACKED_BYTES, UNFRAMED, Framing
from core.sources.reasons import MAX_FILE_BYTES, refuse, too_large

MEMORY_BYTES = 1536 * 1024**2
SECONDS = float(OWN_MACHINE.seconds)

KEPT_BYTES = 64 * 1024**2
"""Freed memory that a worker keeps for its next picture; the C library would hand it back and fetch it anew."""

_ROOT = Path(__file__).parents[2]
_REQUEST = struct.Struct(f"<QIf{PACKED_BYTES}s")
_REPLY = struct.Struct("<cIIfII")
_PICTURE, _REFUSED, _OUT_OF_MEMORY, _LARGE = b"P", b"R", b"M", b"L"


class _Lost(Exception):
    """The worker died, or speaks nonsense."""


class _Worker:
    def __init__(self, program: str, memory_bytes: int) -> None:
        self.served = 0
        self.worn = False
        env = dict(os.environ, OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1",
                   MALLOC_TRIM_THRESHOLD_=str(KEPT_BYTES), MALLOC_MMAP_THRESHOLD_=str(KEPT_BYTES // 2))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", program, str(_ROOT), str(memory_bytes)], env=env, bufsize=0,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, data: bytes, max_side: int | None, framing: Framing | None, seconds: float,
            watched: Callable[[], AbstractContextManager[None]], large: threading.Semaphore) -> Image.Image | str:
        """The picture, or the reason why there is none; raises _Lost when the worker dies on it.

        ``watched`` bounds the time of each step; a large picture waits for ``large`` before it is unpacked.
        """
        try:
            with watched():
                self._write(_REQUEST.pack(len(data), max_side or 0, seconds, framing.pack() if framing else UNFRAMED))
                self._write(data)
                reply = _REPLY.unpack(self._read(_REPLY.size))
                if reply[0] != _LARGE:
                    return self._answer(*reply)
            with large, watched():
                self._write(_LARGE)
                return self._answer(*_REPLY.unpack(self._read(_REPLY.size)))
        except (OSError, EOFError) as error:
            raise _Lost from error

    def _answer(self, status: bytes, a: int, b: int, framed: float, *whole: int) -> Image.Image | str:
        self.served += 1
        self.worn = status == _OUT_OF_MEMORY
        if status == _PICTURE:
            if not 0 < a * b <= decoding.MAX_PIXELS:
                raise _Lost
            picture = Image.frombytes("RGB", (a, b), bytes(self._read(a * b * 3)))
            picture.info[FRAMED_SECONDS] = framed
            if all(whole):
                picture.info[decoding.WHOLE_SIZE] = whole
            return picture
        return bytes(self._read(min(a, 10_000))).decode("utf-8", "replace")

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self.process.stdin.write(view):]  # type: ignore[union-attr]

    def _read(self, n: int) -> bytearray:
        out = bytearray(n)
        view = memoryview(out)
        while view:
            got = self.process.stdout.readinto(view)  # type: ignore[union-attr]
            if not got:
                raise EOFError
            view = view[got:]
        return out

    def close(self) -> None:
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait()


class DecoderPool:
    """A few worker processes; any number of threads may call ``decode`` at once and wait their turn.

    Pictures above ``decoding.LARGE_PIXELS`` are unpacked one at a time (of eight workers, two), to spare the memory.

    Parameters
    ----------
    workers : number of processes, started when first needed (default: one a core, at most 8).
    memory_bytes : address space each worker may use (held on Linux; elsewhere as far as the system does).
    seconds : time limit of one image; the worker is killed beyond it.
    """

    program = ("import sys; sys.path.insert(0, sys.argv[1]); "
               "from core.sources.workers import serve; serve(int(sys.argv[2]))")

    def __init__(self, workers: int | None = None, *, memory_bytes: int = MEMORY_BYTES,
                 seconds: float = SECONDS) -> None:
        self.size = workers or max(1, min(8, os.cpu_count() or 1))
        self.memory_bytes, self.seconds = memory_bytes, seconds
        self._idle: queue.LifoQueue[_Worker | None] = queue.LifoQueue()
        self._large = threading.Semaphore(max(1, self.size // 4))
        for _ in range(self.size):
            self._idle.put(None)

    def decode(self, data: bytes, name: str, *, max_side: int | None = None,
               framing: Framing | None = None) -> Image.Image:
        """The upright RGB picture of a file's bytes, framed where asked; see core.sources.images.decoding.decode.

        Raises
        ------
        UnreadableItem
            With the file's name and the reason in plain words.
        """
        if len(data) > MAX_FILE_BYTES:
            raise refuse(name, too_large(len(data)))
        answer = self._ask(data, max_side, framing)
        if isinstance(answer, str):
            raise refuse(name, answer)
        return answer

    def _ask(self, data: bytes, max_side: int | None, framing: Framing | None) -> Image.Image | str:
        worker = self._idle.get()
        try:
            while True:
                if worker is None or worker.worn or worker.process.poll() is not None:
                    if worker is not None:
                        worker.close()
                    worker = _Worker(self.program, self.memory_bytes)
                late = threading.Event()
                watched = partial(self._watched, worker.process, late)
                try:
                    return worker.ask(data, max_side, framing, self.seconds, watched, self._large)
                except _Lost:
                    used = worker.served > 0
                    worker.close()
                    code, worker = worker.process.returncode, None
                    if late.is_set() or code == -getattr(signal, "SIGALRM", 14):
                        return f"unpacking it took longer than {self.seconds:g} s"
                    if not used:  # a worker that had served others before may have died of something else
                        how = f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit status {code}"
                        return f"the file is damaged: it crashed its decoder ({how})"
        finally:
            self._idle.put(worker)

    @contextmanager
    def _watched(self, process: subprocess.Popen[bytes], late: threading.Event) -> Iterator[None]:
        """Kill the process once it takes too long."""
        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self.seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the workers; a later ``decode`` starts new ones."""
        ended = []
        while True:
            try:
                ended.append(self._idle.get_nowait())
            except queue.Empty:
                break
        for worker in ended:
            if worker is not None:
                worker.close()
            self._idle.put(None)


_shared: DecoderPool | None = None
_lock = threading.Lock()


def shared_pool() -> DecoderPool:
    """The one pool of this process, ended with it."""
    global _shared
    with _lock:
        if _shared is None:
            _shared = DecoderPool()
            atexit.register(_shared.close)
        return _shared


def serve(memory_bytes: int) -> None:
    """The loop of a worker: one request, one reply, until its input ends."""
    _limit(memory_bytes)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    Image.MAX_IMAGE_PIXELS = decoding.MAX_PIXELS // 2  # Pillow raises at twice this; also for frames beyond the screen
    while header := source.read(_REQUEST.size):
        size, max_side, seconds, packed = _REQUEST.unpack(header)
        limit = int(seconds) + 5

        def ask_leave(limit: int = limit) -> None:
            _alarm(0)
            sink.write(_REPLY.pack(_LARGE, 0, 0, 0, 0, 0))
            sink.flush()
            if not source.read(1):
                raise SystemExit
            _alarm(limit)

        _alarm(limit)
        try:
            picture = decoding.decode(source.read(size), max_side or None, ask_leave)
            framing = Framing.unpack(packed)
            if framing is None:
                _send(sink, picture, 0.0)
            else:
                picture = framing.apply(picture)
                _send(sink, picture, picture.info[FRAMED_SECONDS])
        except MemoryError:
            _refuse(sink, f"unpacking it needs more than {memory_bytes / 1024**3:.2g} GB of memory", _OUT_OF_MEMORY)
        except decoding.Unreadable as reason:
            _refuse(sink, str(reason))
        _alarm(0)


def _send(sink: BinaryIO, picture: Image.Image, framed: float) -> None:
    width, height = picture.size
    rows = max(1, 4_000_000 // width)
    first = (picture if rows >= height else picture.crop((0, 0, width, rows))).tobytes()
    sink.write(_REPLY.pack(_PICTURE, width, height, framed, *picture.info.get(decoding.WHOLE_SIZE, (0, 0))))
    sink.write(first)
    for top in range(rows, height, rows):
        sink.write(picture.crop((0, top, width, min(top + rows, height))).tobytes())
    sink.flush()


def _refuse(sink: BinaryIO, reason: str, status: bytes = _REFUSED) -> None:
    said = reason.encode()[:10_000]
    sink.write(_REPLY.pack(status, len(said), 0, 0, 0, 0) + said)
    sink.flush()


def _limit(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:
        return
    for what, bound in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        try:
            resource.setrlimit(what, (bound, bound))
        except (OSError, ValueError):
            continue


def _alarm(seconds: int) -> None:
    if hasattr(signal, "alarm"):
        signal.alarm(seconds)
