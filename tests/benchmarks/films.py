"""What embedding a film costs over decoding and encoding alone, and how films are read beside other ways.

``python tests/benchmarks/films.py [--shape b32|builtin|photo] [--seconds N] [--rounds N] [--hours H] [--film FILE]``

The film is made here (720p, 30 frames a second, H.264) unless one is named. Processor time counts this process and the
ffmpegs that it starts; the ways are taken in turn, and each ratio is the median over rounds.

Embedding: a film at 2 frames a second through the pipeline, over the sum of decoding it alone (ffmpeg, no picture kept)
and of encoding as many ready pictures alone, as the pipeline does it.

Reading: 2 frames a second as pictures of 256 pixels by `FilmFrames`, moviepy's plain iteration with a resize, and PyAV
(``pip install av``, where it is there).

A long film (``--hours``): peak memory while it is read, and how much is decoded again when a run is stopped half way
and taken up.
"""

from __future__ import annotations

import argparse
import importlib.util
import resource
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def make_film(path: Path, seconds: float, size: str = "1280x720", fps: float = 30, noise: int = 12,
              preset: str = "veryfast", every: int = 250) -> Path:
    from tests.sources.films.filming import ffmpeg

    ffmpeg("-f", "lavfi", "-i", f"testsrc2=s={size}:r={fps}:d={seconds}", "-vf", f"noise=alls={noise}:allf=t",
           "-c:v", "libx264", "-preset", preset, "-crf", "24", "-pix_fmt", "yuv420p", "-g", str(every), str(path))
    return path


def processor_seconds() -> float:
    """Of this process and of all that it started and that has ended."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def in_turn(ways: dict[str, Callable[[], Any]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Name -> (wall, processor) seconds of each round."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun, worked = time.perf_counter(), processor_seconds()
            way()
            found[name].append((time.perf_counter() - begun, processor_seconds() - worked))
    return found


def decode_alone(path: Path) -> None:
    from core.sources.films.ffmpeg import Process, reading

    with Process(["-nostdin", *reading(path), "-map", "0:V:0", "-f", "null", "-"]) as process:
        process.finish()


def embedding(path: Path, shape: str, rounds: int, device: str) -> None:
    import torch

    from core.encoding.batching import all_threads, default_batch_size, streams
    from core.encoding.pipeline import embed
    from core.encoding.store import Store
    from core.sources.films.file import look_at, open_file
    from core.sources.films.film import films_dataset
    from core.sources.films.sampling import Sampling
    from tests.benchmarks.encoding import encoder

    model = encoder(shape, "bfloat16" if device == "cuda" else "float32", device)
    film = look_at(open_file(path, path.name), Sampling(per_second=2))
    batch = default_batch_size(model)
    pixels = model.preprocess([film.frames.decode(i) for i in range(min(batch, len(film)))])
    sizes = [min(batch, len(film) - start) for start in range(0, len(film), batch)]

    def encode() -> None:
        number, threads = streams(model.device)
        with ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(threads,)) as pool:
            list(pool.map(lambda n: model.encode_pixels(pixels[:n]), sizes))
        torch.set_num_threads(all_threads())

    def pipeline() -> None:
        with tempfile.TemporaryDirectory() as folder:
            again = look_at(open_file(path, path.name), Sampling(per_second=2))
            assert embed(films_dataset([again]), model, Store(folder)).encoded == len(again)
            again.frames.close()  # type: ignore[attr-defined]

    film.frames.close()  # type: ignore[attr-defined]
    encode()
    found = in_turn({"decode alone": lambda: decode_alone(path), "encode alone": encode, "pipeline": pipeline}, rounds)
    print(f"\nembedding, {shape} on {model.device}, {len(film)} frames at 2/s of {film.duration:.0f} s, "
          f"{rounds} rounds")
    for name, values in found.items():
        print(f"  {name:<14} {statistics.median(w for w, _ in values):7.2f} s wall, "
              f"{statistics.median(c for _, c in values):7.2f} s of processors")
    rows = list(zip(found["pipeline"], found["decode alone"], found["encode alone"], strict=True))
    ratios = [p[1] / (d[1] + e[1]) for p, d, e in rows]
    walls = [p[0] / max(d[0], e[0]) for p, d, e in rows]
    print(f"  processors: pipeline over decode + encode   {statistics.median(ratios):.3f} "
          f"({min(ratios):.3f} to {max(ratios):.3f})")
    print(f"  wall: pipeline over the larger of the two   {statistics.median(walls):.3f} "
          f"({min(walls):.3f} to {max(walls):.3f})")


def by_moviepy(path: Path) -> int:
    from moviepy import VideoFileClip
    from PIL import Image

    with VideoFileClip(str(path), audio=False) as clip:
        return sum(1 for frame in clip.iter_frames(fps=2) if Image.fromarray(frame).resize((455, 256)))


def by_pyav(path: Path) -> int:
    import av

    kept, due = 0, 0.0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        for frame in container.decode(stream):
            if frame.time + 1e-6 >= due:
                frame.to_image(width=455, height=256)
                kept, due = kept + 1, due + 0.5
    return kept


def reading_beside(path: Path, rounds: int) -> None:
    from core.sources.films.file import look_at, open_file
    from core.sources.films.sampling import Sampling

    def ours() -> int:
        frames = look_at(open_file(path, path.name), Sampling(per_second=2)).frames
        return sum(1 for i in range(len(frames)) if frames.decode(i))

    ways: dict[str, Callable[[], Any]] = {"our reader": ours, "moviepy": lambda: by_moviepy(path)}
    if importlib.util.find_spec("av"):
        ways["PyAV"] = lambda: by_pyav(path)
    found = in_turn(ways, rounds)
    print(f"\nreading at 2 frames/s, {rounds} rounds")
    for name, values in found.items():
        ratios = [c / o for (_, c), (_, o) in zip(values, found["our reader"], strict=True)]
        print(f"  {name:<12} {statistics.median(c for _, c in values):6.2f} s of processors, "
              f"{statistics.median(w for w, _ in values):6.2f} s wall; over ours {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")
    if "PyAV" not in ways:
        print("  PyAV         absent: pip install av")


class Memory:
    """The most memory (bytes) that this process and its children hold, looked at 20 times a second (Linux)."""

    def __enter__(self) -> Memory:
        self.most, self.first, self._end = 0, self._now(), threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.05):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        total = 0
        pids = [pid for task in Path("/proc/self/task").glob("*/children") for pid in task.read_text().split()]
        for pid in ["self", *pids]:
            try:
                total += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
            except (OSError, IndexError):
                continue
        return total


def long_film(hours: float, folder: Path) -> None:
    from core.encoding.models import load_model
    from core.encoding.pipeline import embed
    from core.encoding.store import Store
    from core.errors import Cancelled
    from core.sources.films.file import look_at, open_file
    from core.sources.films.film import films_dataset
    from core.sources.films.sampling import Sampling

    path = make_film(folder / "long.mp4", hours * 3600, "320x180", 2, 0, "ultrafast", 20)
    begun = time.perf_counter()
    file = open_file(path, path.name)
    opened = time.perf_counter() - begun
    film = look_at(file, Sampling(per_second=1, size=180))
    model = load_model("builtin", device="cpu", dtype="float32")
    print(f"\na film of {film.duration / 3600:.2f} hours, {len(file.times):,} frames, {len(film):,} looked at; "
          f"opened in {opened:.1f} s")
    done: list[float] = []
    with tempfile.TemporaryDirectory() as store, Memory() as memory:
        for stop_at in (0.5, 2.0):
            begun, worked = time.perf_counter(), processor_seconds()
            try:
                encoded = embed(films_dataset([film]), model, Store(store), should_stop=lambda: bool(
                    done and done[-1] >= stop_at), on_progress=lambda share, _: done.append(share)).encoded  # noqa: B023
                how = f"taken up: {encoded:,} encoded"
            except Cancelled:
                how = f"stopped at {done[-1]:.0%}"
            done.clear()
            film.frames.close()  # type: ignore[attr-defined]
            print(f"  {how}, {time.perf_counter() - begun:.1f} s wall, {processor_seconds() - worked:.1f} s of "
                  f"processors; memory {memory.first / 1e6:.0f} MB before, at most {memory.most / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["b32", "b16", "builtin", "photo"], nargs="*", default=["builtin", "b32"])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--film", type=Path)
    parser.add_argument("--no-reading", action="store_true")
    args = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as folder:
        path = args.film or Path(folder) / "film.mp4"
        if not args.film and (args.shape or not args.no_reading):
            make_film(path, args.seconds)
        if not args.no_reading:
            reading_beside(path, args.rounds)
        for shape in args.shape:
            embedding(path, shape, args.rounds, "cpu")
            if torch.cuda.is_available():
                embedding(path, shape, args.rounds, "cuda")
        if not torch.cuda.is_available():
            print("\nGPU: unmeasured, none is at hand")
        if args.hours:
            long_film(args.hours, Path(folder))


if __name__ == "__main__":
    main()
