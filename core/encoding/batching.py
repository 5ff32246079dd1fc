"""The loop that keeps a model busy: decoding ahead, batches that fit into memory, progress, and a stop at any item."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice

import numpy as np

from core.encoding.ahead import Own, ahead
from core.encoding.allocator import free_memory, out_of_memory
from core.encoding.encoder import Encoder
from core.encoding.sharing import Shares
from core.encoding.store import Store, unit
from core.encoding.timing import Seconds, span
from core.errors import Cancelled, ModelError
from core.types import Images

Progress = Callable[[float, str], None]
Rows = dict[str, np.ndarray]
TEXT_COST = 0.3
BATCHES_AHEAD = 2
MOST_STREAMS = 8
ASK_AGAIN_SECONDS = 0.2
STEPS, LEAST_BATCH = 10, 16


def default_batch_size(model: Encoder) -> int:
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
    shares : which items no other run is at work on.
    report : called as ``report(fraction, text)``.
    stop : asked between items.
    batch_size : items at once; halved when memory runs out.

    Attributes
    ----------
    seconds : where the time went: decode, resize and forward (summed over threads), store, wait (for a decoded image).
    encoded : vectors made so far.
    """

    def __init__(self, model: Encoder, store: Store, shares: Shares, report: Progress, stop: Callable[[], bool],
                 batch_size: int) -> None:
        self.model, self.store, self.shares, self.report, self.stop = model, store, shares, report, stop
        self.batch_size = self._step = batch_size
        self.seconds = Seconds()
        self.encoded = 0
        self._cost = self._spent = 0.0
        self._started = time.monotonic()

    def known(self, hashes: Sequence[str]) -> Rows:
        """hash -> (d + 1,) float32, unit vector and norm, of what the store has."""
        unique = list(dict.fromkeys(hashes))
        if not unique:
            return {}
        with self.seconds.timed("store"):
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
        names = {i: str(hashes[i]) for i in todo}

        def keep(batch: Batch, raw: np.ndarray) -> None:
            bad = self._keep([names[i] for i in batch.items], raw, rows)
            refused.update({batch.items[k]: "the model gave no finite vector for it" for k in bad})

        def batches(own: Own) -> Iterator[Batch]:
            return self._image_batches(images, len(todo), own, names, refused)

        self._in_turn("images", 1.0, todo, names, rows, batches, keep)
        return refused

    def texts(self, texts: Sequence[str], todo: Sequence[int], hashes: Sequence[str | None], rows: Rows) -> None:
        """Encode texts, sorted by length so that little is spent on padding; fills ``rows``."""
        lengths = self.model.token_counts([texts[i] for i in todo])
        order = [todo[k] for k in np.argsort(lengths, kind="stable")]
        names = {i: str(hashes[i]) for i in todo}

        def keep(batch: Batch, raw: np.ndarray) -> None:
            if self._keep([names[i] for i in batch.items], raw, rows):
                raise ModelError("finite vectors of texts", f"NaN, infinity or zero in {self.model.dtype}",
                                 "Use float32: set ORRERY_DTYPE=float32.")

        self._in_turn("texts", TEXT_COST, order, names, rows,
                      lambda own: self._text_batches(texts, len(order), own), keep)

    def _in_turn(self, what: str, cost: float, todo: Sequence[int], names: Mapping[int, str], rows: Rows,
                 batches: Callable[[Own], Iterator[Batch]], keep: Callable[[Batch, np.ndarray], None]) -> None:
        """Encode what no other run is at work on; then take from the store what the others made, or make it."""
        done, left = 0, list(todo)

        def finish(batch: Batch, raw: np.ndarray) -> None:
            nonlocal done
            keep(batch, raw)
            self._tell(what, batch.position, len(todo), batch.position - done, cost)
            done = batch.position

        while left:
            others: list[int] = []
            self._through(batches(self._own(left, len(todo) - len(left), names, rows, others)), finish)
            left = others
            if left:
                self._spent += (len(todo) - len(left) - done) * cost
                done = len(todo) - len(left)
                self.report(self._fraction(), f"Waiting for {len(left):,} {what} that another run is encoding")
                self._check_stop()
                time.sleep(ASK_AGAIN_SECONDS)
        if done < len(todo):
            self._tell(what, len(todo), len(todo), len(todo) - done, cost)

    def _own(self, todo: Sequence[int], before: int, names: Mapping[int, str], rows: Rows, others: list[int]) -> Own:
        """(how many are settled with it, index) of items that are this run's; fills ``rows`` with what others made."""
        for start in range(0, len(todo), self._step):
            part = todo[start:start + self._step]
            mine = self.shares.take([names[i] for i in part])
            known = self.known([h for h in (names[i] for i in part) if h in mine])
            rows.update(known)
            self.shares.give_back(known)
            for at, i in enumerate(part, start=start + 1):
                if names[i] not in mine:
                    others.append(i)
                elif names[i] not in known:
                    yield before + at - len(others), i

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

    def _image_batches(self, images: Images, n: int, own: Own, names: Mapping[int, str],
                       refused: dict[int, str]) -> Iterator[Batch]:
        import torch

        def batch(position: int) -> Batch:
            pixels = torch.from_numpy(np.stack([pixel for _, pixel in pending]))
            if self.model.device.startswith("cuda"):
                pixels = pixels.pin_memory()
            return Batch([i for i, _ in pending], position, lambda part: self.model.encode_pixels(pixels[part]))

        pending: list[tuple[int, np.ndarray]] = []
        size, position = self._even(n), 0
        for position, index, result in ahead(images, own, self.model.preprocessor,
                                             lambda: (BATCHES_AHEAD + 1) * self.batch_size, self._check_stop,
                                             self.seconds):
            if isinstance(result, str):
                refused[index] = result
                self.shares.give_back([names[index]])
            else:
                pending.append((index, result))
            if len(pending) >= min(size, self.batch_size):
                yield batch(position)
                pending = []
        if pending:
            yield batch(position)

    def _text_batches(self, texts: Sequence[str], n: int, own: Own) -> Iterator[Batch]:
        size = self._even(n)
        while items := list(islice(own, max(1, min(size, self.batch_size)))):
            self._check_stop()
            wanted = [texts[i] for _, i in items]
            yield Batch([i for _, i in items], items[-1][0],
                        lambda part, wanted=wanted: self.model.encode_texts(wanted[part]))  # type: ignore[misc]

    def _even(self, n: int) -> int:
        """Items a batch, so that n of them are as many batches on every stream, none of them over the batch size.

        On a CPU they are so many that the progress has steps, as long as a batch is worth its call.
        """
        number = streams(self.model.device)[0]
        rounds = -(-n // (number * self.batch_size))
        size = self.batch_size if number == 1 else -(-n // max(1, number * rounds))
        steps = min(STEPS, n // (number * LEAST_BATCH)) if self.model.device.startswith("cpu") else 0
        return min(size, -(-n // (number * steps))) if steps else size

    def _halving(self, batch: Batch) -> np.ndarray:
        """Encode a batch in pieces that fit into memory."""
        parts: list[np.ndarray] = []
        start, n = 0, len(batch.items)
        while start < n:
            size = min(self.batch_size, n - start)
            try:
                with self.seconds.timed("forward"):
                    parts.append(batch.encode(slice(start, start + size)))
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                if size == 1:
                    raise ModelError("memory for one item at a time", f"none left on {self.model.device}",
                                     "Take a smaller model, or set ORRERY_DEVICE=cpu.") from error
                self.batch_size = min(self.batch_size, size // 2)
                free_memory(self.model.device)
                continue
            start += size
        return np.concatenate(parts)

    def _keep(self, hashes: Sequence[str], raw: np.ndarray, rows: Rows) -> list[int]:
        """Store a batch and note its rows; returns the positions of rows without a direction."""
        good = np.isfinite(raw).all(axis=1) & (np.abs(raw).max(axis=1) > 0)
        kept = [h for h, yes in zip(hashes, good, strict=True) if yes]
        with self.seconds.timed("store"):
            self.store.put(self.model.spec.fingerprint, kept, raw[good])
        vectors, norms = unit(raw[good])
        rows.update(zip(kept, np.concatenate([vectors, norms[:, None]], axis=1), strict=True))
        self.shares.give_back(hashes)
        self.encoded += len(kept)
        return np.flatnonzero(~good).tolist()

    def _tell(self, what: str, done: int, of: int, new: int, cost: float) -> None:
        self._spent += new * cost
        elapsed = max(time.monotonic() - self._started, 1e-6)
        left = elapsed * max(self._cost - self._spent, 0.0) / self._spent
        rate = self.encoded / elapsed
        self.report(self._fraction(),
                    f"Encoding {what}: {done:,} of {of:,}, {rate:.3g} items/s, about {span(left)} left")

    def _fraction(self) -> float:
        return min(self._spent / self._cost, 1.0)

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled(f"{self.encoded:,} items")
