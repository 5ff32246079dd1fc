"""The ffmpeg binary that moviepy brings, run on strangers' files: bounded, never hanging, with no way to other files.

Only the demuxers named here are opened, whatever a file is called, so that a list that names other files or addresses
(HLS, DASH, concat) is none of them; no protocol but that of files and pipes is known to it.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType

from core.errors import Cancelled, SourceError
from core.settings import MB, settings

DEMUXERS = ("mov", "matroska", "avi", "gif", "apng", "webp_anim", "mpegts", "mpeg", "flv", "ogg", "asf", "mxf", "nut",
            "ivf", "dv", "rm", "yuv4mpegpipe")
MEMORY_BYTES = 6144 * MB
HOSTED_MEMORY_BYTES = 3072 * MB
CPU_SECONDS, HOSTED_CPU_SECONDS = 24 * 3600, 1800
_LINES_KEPT, _LINE_BYTES = 200, 4096
_POLL_SECONDS = 0.1
_ENDED_SECONDS = 30

Stop = Callable[[], bool]


@cache
def binary() -> str:
    """Where the ffmpeg of imageio-ffmpeg is; SourceError where there is none."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise SourceError("ffmpeg, which reads films", "none on this machine",
                          "Install it with: pip install imageio-ffmpeg") from error


def reading(path: Path, *, before: Sequence[str] = ()) -> list[str]:
    """The arguments that open a file and nothing else; ``before`` are further options of the input."""
    threads = str(max(1, min(4, os.cpu_count() or 1)))
    return ["-protocol_whitelist", "file,pipe", "-format_whitelist", ",".join(DEMUXERS), "-threads", threads,
            "-max_pixels", str(settings().budget.megapixels * 1_000_000), *before, "-i", named(path)]


def named(path: Path) -> str:
    """A file's name as ffmpeg takes it for a file, whatever it begins with."""
    return "file:" + os.path.abspath(path)


class Process:
    """One run of ffmpeg, whose standard error is always read, and which ends when it is left.

    Parameters
    ----------
    arguments : what comes after the general ones.
    told : what it gets through its standard input, as bytes.
    should_stop : asked at first, where it raises Cancelled, and every tenth of a second, where the run is killed and
        `check` raises Cancelled.
    on_line : called with each line of its standard error, in a thread of its own.
    takes : whether more goes to its standard input later, through `process.stdin`.

    Attributes
    ----------
    process : the process; its standard output is a pipe.
    said : the last lines of its standard error.
    """

    def __init__(self, arguments: Sequence[str], *, told: bytes = b"", should_stop: Stop | None = None,
                 on_line: Callable[[str], None] | None = None, takes: bool = False) -> None:
        self.said: deque[str] = deque(maxlen=_LINES_KEPT)
        self.cancelled = False
        self._on_line, self._stop = on_line, should_stop
        self._ended = threading.Event()
        if should_stop is not None and should_stop():
            raise Cancelled("nothing of the film")
        command = [binary(), "-hide_banner", "-nostats", "-max_alloc", str(1024 * MB), *arguments]
        env = {key: value for key, value in os.environ.items() if key not in ("FFREPORT", "AV_LOG_FORCE_COLOR")}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        stdin=subprocess.PIPE if told or takes else subprocess.DEVNULL)
        _bound(self.process.pid)
        self._threads = [threading.Thread(target=self._listen, name="ffmpeg-says", daemon=True)]
        if should_stop is not None:
            self._threads.append(threading.Thread(target=self._watch, name="ffmpeg-stop", daemon=True))
        for thread in self._threads:
            thread.start()
        if told:
            assert self.process.stdin is not None
            with contextlib.suppress(OSError):      # it may end before it reads; what it said tells why
                self.process.stdin.write(told)
                self.process.stdin.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def read(self, n_bytes: int) -> bytes:
        """So many bytes of its output, fewer only at the end."""
        assert self.process.stdout is not None
        try:
            return self.process.stdout.read(n_bytes)
        except ValueError:      # closed by another thread
            return b""

    def lines(self) -> Iterator[str]:
        """The lines of its output."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line.decode("utf-8", "replace").rstrip("\r\n")

    def finish(self) -> int:
        """Its exit status, when it has ended by itself and all that it said was heard."""
        code = self.process.wait()
        self._threads[0].join(_ENDED_SECONDS)
        self.check()
        return code

    def check(self) -> None:
        """Raise Cancelled where it was stopped."""
        if self.cancelled:
            raise Cancelled("a part of the film")

    def close(self) -> None:
        """End it, whatever it does."""
        self._ended.set()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(_ENDED_SECONDS)

    def _listen(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as pipe:
            while line := pipe.readline(_LINE_BYTES):
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                self.said.append(text)
                if self._on_line is not None:
                    self._on_line(text)

    def _watch(self) -> None:
        assert self._stop is not None
        while not self._ended.wait(_POLL_SECONDS) and self.process.poll() is None:
            if self._stop():
                self.cancelled = True
                self.process.kill()
                return


def _bound(pid: int) -> None:
    """Bounds on the memory and the processor time of a process, where the system has them (Linux)."""
    try:
        import resource
    except ImportError:
        return
    if not hasattr(resource, "prlimit"):
        return
    hosted = settings().hosted
    memory, seconds = ((HOSTED_MEMORY_BYTES, HOSTED_CPU_SECONDS) if hosted else (MEMORY_BYTES, CPU_SECONDS))
    for what, bound in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        try:
            resource.prlimit(pid, what, (bound, bound))
        except (OSError, ValueError):
            continue


_REASONS = (
    (r"moov atom not found", "its list of pictures is missing: it is cut off, or was never finished"),
    (r"Format not on whitelist|Invalid data found when processing input|EBML header parsing failed|"
     r"Protocol .* not on whitelist|Unknown input format", "its bytes are none of a film that is read here"),
    (r"matches no streams|does not contain any stream", "it has no pictures, perhaps sound alone"),
    (r"[Pp]icture size \d+x\d+ is invalid|Invalid frame dimensions|exceeds|max_pixels",
     "its pictures are larger than is read here"),
    (r"Cannot allocate memory|Error while opening decoder.*-12", "it needs more memory than it may have"),
    (r"Decoder .* not found|Unknown decoder|no decoder found|Decoding requested, but no decoder",
     "its pictures are packed in a way that is not read here"),
    (r"Permission denied", "the file may not be read by this user"),
    (r"No such file", "the file is not there"),
)


def reason(said: Sequence[str]) -> str:
    """Why a run of ffmpeg gave nothing, in plain words; nothing of what it said is repeated, for it names files."""
    text = "\n".join(said)
    return next((words for pattern, words in _REASONS if re.search(pattern, text)),
                "it is damaged: none of its pictures can be unpacked")


def not_a_film(name: str, why: str, advice: str = "") -> SourceError:
    """The refusal of a file as a film."""
    return SourceError(f"a film in {name}", why, advice or "Films are mp4, mov, webm, mkv, avi, gif, ts, mpg, flv, ogv "
                       "and wmv; save it anew as mp4, or see whether it plays.")
