"""The loop that keeps a model busy: decoding ahead, batches that fit into memory, progress, and a stop at any item."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache

import numpy as np

from core.encoding.clip import DualEncoder
from core.encoding.store import Store, unit
from core.errors import Cancelled, ModelError, OrreryError, UnreadableItem
from core.sources.framing import FRAMED_SECONDS
from core.sources.images import decode_framed
from core.types import Images

Progress = Callable[[float, str], None]
Rows = dict[str, np.ndarray]
TEXT_COST = 0.3
BATCHES_AHEAD = 2
MOST_WORKERS = 8
MOST_STREAMS = 8


def default_batch_size(model: DualEncoder) -> int:
    """Items at once: 256 on a GPU; on a CPU about 16 images of 224 px, more of smaller ones."""
    if not model.device.startswith("cpu"):
        return 256
    return int(np.clip(16 * (224 / model.image_size) ** 2, 4, 256))


@cache
def all_threads() -> int:
    """How many threads torch uses in this process, before any run shares them out."""
    import torch

    return torch.get_num_threads()


def streams(device: str) -> tuple[int, int]:
    """How many batches are encoded at once, and the threads of each.

    On a CPU a batch a thread: threads that work on one batch together wait for each other at every operation, and for
    whatever else the machine does. On a GPU one stream.
    """
    if not device.startswith("cpu"):
        return 1, all_threads()
    number = max(1, min(MOST_STREAMS, all_threads()))
    return number, max(1, all_threads() // number)


@dataclass(frozen=True)
class Batch:
    """Items by index, how far the run is when they are done, and what encodes a slice of them."""

    items: list[int]
    position: int
    encode: Callable[[slice], np.ndarray]


class Run:
    """One run of `core.encoding.pipeline.embed` over what the store does not have.

    Parameters
    ----------
    model, store : what encodes, and where every finished batch goes.
    report : called as ``report(fraction, text)``.
    stop : asked between items.
    batch_size : items at once; halved when memory runs out.

    Attributes
    ----------
    seconds : where the time went: decode, resize and forward (summed over threads), store, wait (for a decoded image).
    encoded : vectors made so far.
    """

    def __init__(self, model: DualEncoder, store: Store, report: Progress, stop: Callable[[], bool],
                 batch_size: int) -> None:
        self.model, self.store, self.report, self.stop = model, store, report, stop
        self.batch_size = batch_size
        self.seconds: dict[str, float] = defaultdict(float)
        self.encoded = 0
        self._cost = self._spent = 0.0
        self._started = time.monotonic()

    def timed(self, part: str) -> _Timer:
        """A with block whose time is added to ``seconds[part]``."""
        return _Timer(self.seconds, part)

    def known(self, hashes: Sequence[str]) -> Rows:
        """hash -> (d + 1,) float32, unit vector and norm, of what the store has."""
        unique = list(dict.fromkeys(hashes))
        if not unique:
            return {}
        with self.timed("store"):
            found, vectors, norms = self.store.get(self.model.spec.fingerprint, unique)
            if not found.any():
                return {}
            rows = np.concatenate([vectors, norms[:, None]], axis=1)
        return dict(zip([h for h, yes in zip(unique, found, strict=True) if yes], rows, strict=True))

    def expect(self, n_images: int, n_texts: int) -> None:
        """What is to be done, for the progress; starts the clock."""
        self._cost = n_images + TEXT_COST * n_texts
        self._started = time.monotonic()

    def images(self, images: Images, todo: Sequence[int], hashes: Sequence[str | None], rows: Rows) -> dict[int, str]:
        """Encode images; fills ``rows`` and returns index -> reason of those that cannot be read."""
        refused: dict[int, str] = {}
        done = 0

        def finish(batch: Batch, raw: np.ndarray) -> None:
            nonlocal done
            bad = self._keep([str(hashes[i]) for i in batch.items], raw, rows)
            refused.update({batch.items[k]: "the model gave no finite vector for it" for k in bad})
            self._tell("images", batch.position, len(todo), batch.position - done, 1.0)
            done = batch.position

        self._through(self._image_batches(images, todo, refused), finish)
        if done < len(todo):
            self._tell("images", len(todo), len(todo), len(todo) - done, 1.0)
        return refused

    def texts(self, texts: Sequence[str], todo: Sequence[int], hashes: Sequence[str], rows: Rows) -> None:
        """Encode texts, sorted by length so that little is spent on padding; fills ``rows``."""
        lengths = self.model.token_counts([texts[i] for i in todo])
        order = [todo[k] for k in np.argsort(lengths, kind="stable")]

        def finish(batch: Batch, raw: np.ndarray) -> None:
            if self._keep([hashes[i] for i in batch.items], raw, rows):
                raise ModelError("finite vectors of texts", f"NaN, infinity or zero in {self.model.dtype}",
                                 "Use float32: set ORRERY_DTYPE=float32.")
            self._tell("texts", batch.position, len(order), len(batch.items), TEXT_COST)

        self._through(self._text_batches(texts, order), finish)

    def _through(self, batches: Iterator[Batch], finish: Callable[[Batch, np.ndarray], None]) -> None:
        """Encode batches on all streams at once; ``finish`` gets them in order, and what still ran when a stop came."""
        import torch

        number, threads = streams(self.model.device)
        flight: deque[tuple[Batch, Future[np.ndarray]]] = deque()
        pool = ThreadPoolExecutor(number, thread_name_prefix="encode", initializer=torch.set_num_threads,
                                  initargs=(threads,))
        try:
            for batch in batches:
                flight.append((batch, pool.submit(self._halving, batch)))
                if len(flight) > number:
                    first, future = flight.popleft()
                    finish(first, future.result())
            while flight:
                first, future = flight.popleft()
                finish(first, future.result())
        except Cancelled:
            for batch, future in flight:
                if not future.cancel():
                    finish(batch, future.result())
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            torch.set_num_threads(all_threads())

    def _image_batches(self, images: Images, todo: Sequence[int], refused: dict[int, str]) -> Iterator[Batch]:
        import torch

        pending: list[tuple[int, np.ndarray]] = []
        size = self._even(len(todo))
        for position, (index, result) in enumerate(self._ahead(images, todo), start=1):
            if isinstance(result, str):
                refused[index] = result
            else:
                pending.append((index, result))
            if pending and (len(pending) >= min(size, self.batch_size) or position == len(todo)):
                pixels = torch.from_numpy(np.stack([pixel for _, pixel in pending]))
                if self.model.device.startswith("cuda"):
                    pixels = pixels.pin_memory()
                yield Batch([i for i, _ in pending], position,
                            lambda part, pixels=pixels: self.model.encode_pixels(pixels[part]))  # type: ignore[misc]
                pending = []

    def _text_batches(self, texts: Sequence[str], order: Sequence[int]) -> Iterator[Batch]:
        size = self._even(len(order))
        start = 0
        while start < len(order):
            self._check_stop()
            items = list(order[start:start + min(size, self.batch_size)])
            start += len(items)
            wanted = [texts[i] for i in items]
            yield Batch(items, start, lambda part, wanted=wanted: self.model.encode_texts(wanted[part]))  # type: ignore[misc]

    def _even(self, n: int) -> int:
        """Items a batch, so that n of them are as many batches on every stream, none of them over the batch size."""
        number = streams(self.model.device)[0]
        if number == 1:
            return self.batch_size
        rounds = -(-n // (number * self.batch_size))
        return -(-n // max(1, number * rounds))

    def _ahead(self, images: Images, todo: Sequence[int]) -> Iterator[tuple[int, np.ndarray | str]]:
        """(index, pixels or reason) in order, made in threads at most `BATCHES_AHEAD` batches before they are used."""
        if not len(todo):
            return
        waiting: deque[tuple[int, Future[np.ndarray | str]]] = deque()
        remaining = iter(todo)
        pool = ThreadPoolExecutor(max(1, min(MOST_WORKERS, os.cpu_count() or 1)), thread_name_prefix="decode")
        try:
            while True:
                while len(waiting) < (BATCHES_AHEAD + 1) * self.batch_size:
                    index = next(remaining, None)
                    if index is None:
                        break
                    waiting.append((index, pool.submit(self._pixels, images, index)))
                if not waiting:
                    return
                self._check_stop()
                index, future = waiting.popleft()
                with self.timed("wait"):
                    result = future.result()
                yield index, result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _pixels(self, images: Images, index: int) -> np.ndarray | str:
        try:
            preprocessor = self.model.preprocessor
            if preprocessor.framing is None:
                with self.timed("decode"):
                    image = images.decode(index)
                with self.timed("resize"):
                    return preprocessor.one(image)
            with self.timed("decode"):
                image = decode_framed(images, index, preprocessor.framing)
            with _timing:
                self.seconds["decode"] -= image.info[FRAMED_SECONDS]
                self.seconds["resize"] += image.info[FRAMED_SECONDS]
            with self.timed("resize"):
                return preprocessor.normalised(image)
        except UnreadableItem as error:
            return error.got
        except OrreryError:
            raise
        except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
            return f"{type(error).__name__}: {error}"

    def _halving(self, batch: Batch) -> np.ndarray:
        """Encode a batch in pieces that fit into memory."""
        parts: list[np.ndarray] = []
        start, n = 0, len(batch.items)
        while start < n:
            size = min(self.batch_size, n - start)
            try:
                with self.timed("forward"):
                    parts.append(batch.encode(slice(start, start + size)))
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                if size == 1:
                    raise ModelError("memory for one item at a time", f"none left on {self.model.device}",
                                     "Take a smaller model, or set ORRERY_DEVICE=cpu.") from error
                self.batch_size = min(self.batch_size, size // 2)
                _free_memory(self.model.device)
                continue
            start += size
        return np.concatenate(parts)

    def _keep(self, hashes: Sequence[str], raw: np.ndarray, rows: Rows) -> list[int]:
        """Store a batch and note its rows; returns the positions of rows without a direction."""
        good = np.isfinite(raw).all(axis=1) & (np.abs(raw).max(axis=1) > 0)
        kept = [h for h, yes in zip(hashes, good, strict=True) if yes]
        with self.timed("store"):
            self.store.put(self.model.spec.fingerprint, kept, raw[good])
        vectors, norms = unit(raw[good])
        rows.update(zip(kept, np.concatenate([vectors, norms[:, None]], axis=1), strict=True))
        self.encoded += len(kept)
        return np.flatnonzero(~good).tolist()

    def _tell(self, what: str, done: int, of: int, new: int, cost: float) -> None:
        self._spent += new * cost
        elapsed = max(time.monotonic() - self._started, 1e-6)
        left = elapsed * max(self._cost - self._spent, 0.0) / self._spent
        rate = self.encoded / elapsed
        self.report(min(self._spent / self._cost, 1.0),
                    f"Encoding {what}: {done:,} of {of:,}, {rate:.3g} items/s, about {span(left)} left")

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled(f"{self.encoded:,} items")


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the GPU or beside it."""
    words = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)


def span(seconds: float) -> str:
    """A duration in words, as coarse as an estimate deserves."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _free_memory(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


_timing = threading.Lock()


class _Timer:
    """Adds the time inside a with block to one entry of a dict."""

    def __init__(self, seconds: dict[str, float], part: str) -> None:
        self.seconds, self.part = seconds, part

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        spent = time.perf_counter() - self.start
        with _timing:
            self.seconds[self.part] += spent
