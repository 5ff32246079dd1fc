"""Reading strangers' meshes in a process of its own, with a bound on its memory and on the time for each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from types import TracebackType

import numpy as np

from core.errors import OrreryError, SourceError
from core.settings import MB, settings
from core.sources.gate import refused
from core.sources.meshes.checking import check_head, unreadable
from core.sources.meshes.members import Members
from core.sources.meshes.mesh import Cloud, Mesh
from core.sources.meshes.reading import read_mesh

MEMORY_BYTES = 2048 * MB
_START_SECONDS = 40
_ROOT = Path(__file__).parents[3]
_PROGRAM = ("import sys; sys.path.insert(0, sys.argv[1]); from core.sources.meshes.apart import serve; "
            "serve(int(sys.argv[2]))")
_ARRAYS = ("vertices", "points", "faces", "colours", "uv", "texture_of")


class Apart:
    """One process that reads a mesh after the other; what dies of one is started anew for the next.

    Parameters
    ----------
    memory_bytes : address space that it may use.
    """

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self.memory_bytes = memory_bytes
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._end()

    def read(self, data: bytes, name: str, kind: str, members: Members) -> Mesh | Cloud:
        """As `core.sources.meshes.reading.read_mesh`; SourceError also where it takes too much memory or time."""
        check_head(data, kind, name)
        with tempfile.TemporaryDirectory(prefix="orrery-mesh-") as folder:
            place = Path(folder)
            (place / "mesh").write_bytes(data)
            names = members.keys()
            for i, member in enumerate(names):
                (place / f"member{i}").write_bytes(members.read(member))
            (place / "told.json").write_text(json.dumps({"name": name, "kind": kind, "members": names,
                                                         "folder": members.folder}))
            answer = self._ask(folder, name)
            if "refused" in answer:
                raise unreadable(name, answer["refused"])
            if "large" in answer:
                raise self._too_large(name)
            members.missing += answer["missing"]
            with np.load(place / "out.npz", allow_pickle=False) as kept:
                arrays = {key: kept[key] for key in kept.files}
        textures = tuple(arrays.pop(f"texture{i}") for i in range(answer["textures"]))
        if "points" in arrays:
            return Cloud(answer["title"], **arrays)
        return Mesh(answer["title"], **arrays, textures=textures)

    def _ask(self, folder: str, name: str) -> dict:
        """Its answer to one request; it is ended where it takes too long."""
        seconds = settings().budget.seconds
        if self._process is None:
            env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", PYTHONDONTWRITEBYTECODE="1")
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(_ROOT), str(self.memory_bytes)], env=env,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            seconds += _START_SECONDS
        process, late = self._process, threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(seconds, stop)
        timer.start()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(folder.encode() + b"\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except OSError:
            line = b""
        finally:
            timer.cancel()
        if not line.endswith(b"\n"):
            self._end()
            if late.is_set():
                raise refused("of reading", name, seconds, settings().budget.seconds, "s", "Bring a smaller mesh.")
            raise self._too_large(name)
        return json.loads(line)

    def _too_large(self, name: str) -> SourceError:
        return SourceError(f"a mesh that can be read within {self.memory_bytes // MB:,} MB in {name}",
                           "one that takes more, or that its reader dies of", "Bring a smaller mesh.")

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()
            self._process.wait()
            self._process = None


def serve(memory_bytes: int) -> None:
    """The loop of the process: a folder a line comes in, an answer a line goes out, until its input ends."""
    import resource

    for what, bound in ((resource.RLIMIT_AS, memory_bytes), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(what, (bound, bound))
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(_answer(Path(line.rstrip("\n")))), file=answers, flush=True)


def _answer(place: Path) -> dict[str, object]:
    told = json.loads((place / "told.json").read_text())
    files = {name: place / f"member{i}" for i, name in enumerate(told["members"])}
    members = Members(list(files), lambda name: files[name].read_bytes(), told["folder"])
    try:
        shape = read_mesh((place / "mesh").read_bytes(), told["name"], told["kind"], members)
        arrays = {key: value for key in _ARRAYS if (value := getattr(shape, key, None)) is not None}
        textures = getattr(shape, "textures", ())
        np.savez(place / "out.npz", allow_pickle=False, **arrays, **{f"texture{i}": t for i, t in enumerate(textures)})
    except MemoryError:
        return {"large": True}
    except SourceError as error:
        return {"refused": f"{error.got}; expected {error.expected}"}
    except OrreryError as error:
        return {"refused": error.got}
    return {"title": shape.name, "textures": len(textures), "missing": members.missing}
