"""From a dataset to unit vectors: what the store has is read, the rest is decoded, encoded once and kept.

Decoding and preprocessing run ahead of the model in a few threads (the readers of images decode in processes of their
own), in order and bounded. Every finished batch goes to the store before the next one, so that a stop, a crash or a
power cut loses one batch at most.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from core.encoding.clip import DualEncoder
from core.encoding.store import Store, unit
from core.errors import Cancelled, ModelError, OrreryError, ShapeError, UnreadableItem
from core.types import Dataset, EmbeddingSet, Images, Modality, ModelSpec, PairedEmbeddings, Refusal, fingerprint

Progress = Callable[[float, str], None]
TEXT_COST = 0.3
BATCHES_AHEAD = 2


@dataclass(frozen=True, eq=False)
class Embedded:
    """A dataset as vectors.

    Attributes
    ----------
    images, texts : unit vectors of the items that could be read, in the order of the dataset; None where it has none.
    links : (m, 2) int64, rows (index in images, index in texts).
    refused : what could not be read, when the dataset was opened or now.
    truncated : ids of texts whose end the model did not see.
    encoded : how many items were encoded now; the others came from the store.
    seconds : where the time went: hash, decode, resize (summed over threads), forward, store, wait.
    """

    images: EmbeddingSet | None
    texts: EmbeddingSet | None
    links: np.ndarray
    refused: tuple[Refusal, ...]
    truncated: tuple[str, ...]
    encoded: int
    seconds: Mapping[str, float] = field(default_factory=dict)

    def pairs(self) -> PairedEmbeddings:
        """Images, texts and links as one value; ShapeError where one of them is absent."""
        if self.images is None or self.texts is None or not len(self.links):
            raise ShapeError("images and texts that belong together", "a dataset without such pairs",
                             "Take a dataset with captions.")
        return PairedEmbeddings(self.images, self.texts, self.links)


def text_hash(text: str) -> str:
    """Content hash of a text: sha256 (hex), never that of an image."""
    return fingerprint("text", text)


def missing(dataset: Dataset, spec: ModelSpec, store: Store) -> int:
    """How many different images and texts of a dataset have no vector by this model yet."""
    hashes, _ = _image_hashes(dataset)
    wanted = list(dict.fromkeys([h for h in hashes if h] + [text_hash(t) for t in dataset.texts]))
    return int((~store.has(spec.fingerprint, wanted)).sum()) if wanted else 0


def embed(dataset: Dataset, model: DualEncoder, store: Store, *, on_progress: Progress | None = None,
          should_stop: Callable[[], bool] | None = None, batch_size: int | None = None) -> Embedded:
    """Unit vectors of all images and texts of a dataset.

    Each content is encoded once, however often and wherever it appears. A vector does not depend on the batch it was in
    (to 1e-5 in float32). When memory runs out, the batch is halved.

    Parameters
    ----------
    dataset : Dataset
        Images, texts, or both.
    model : DualEncoder
        What encodes.
    store : Store
        Where vectors are looked up and kept.
    on_progress : callable, optional
        Called as ``on_progress(fraction, text)``; the text has items a second and the time left.
    should_stop : callable, optional
        Asked between items.
    batch_size : int, optional
        Images or texts at once, >= 1; by default what suits the device and the image size.

    Raises
    ------
    Cancelled
        When ``should_stop`` says so; finished batches are in the store.
    ModelError
        If not even one item fits into memory.
    """
    run = _Run(model, store, on_progress or (lambda fraction, text: None), should_stop or (lambda: False),
               batch_size or default_batch_size(model))
    with run.timed("hash"):
        image_hashes, unreadable = _image_hashes(dataset)
        text_hashes = [text_hash(text) for text in dataset.texts]
    image_rows = run.known([h for h in image_hashes if h])
    text_rows = run.known(text_hashes)
    image_todo = _first_of_each(image_hashes, image_rows)
    text_todo = _first_of_each(text_hashes, text_rows)
    run.expect(len(image_todo), len(text_todo))
    if dataset.images is not None:
        unreadable |= run.images(dataset.images, image_todo, image_hashes, image_rows)
    run.texts(dataset.texts, text_todo, text_hashes, text_rows)
    spec = model.spec
    images, image_index = _collect(dataset.image_ids, image_hashes, image_rows, "image", dataset.image_table, spec)
    texts, text_index = _collect(dataset.text_ids, text_hashes, text_rows, "text", dataset.text_table, spec)
    links = np.stack([image_index[dataset.links[:, 0]], text_index[dataset.links[:, 1]]], axis=1)
    reasons = {image_hashes[i] or str(i): reason for i, reason in unreadable.items()}
    refused = [Refusal(dataset.image_ids[i], reasons.get(h or str(i), "it could not be read"))
               for i, h in enumerate(image_hashes) if image_index[i] < 0]
    cut = [dataset.text_ids[i] for i in np.flatnonzero(run.truncated(dataset.texts))]
    run.report(1.0, "Done")
    return Embedded(images if dataset.images is not None else None, texts if dataset.texts else None,
                    links[(links >= 0).all(axis=1)], (*dataset.refused, *refused), tuple(cut), run.encoded,
                    dict(run.seconds))


def default_batch_size(model: DualEncoder) -> int:
    """Items at once: 256 on a GPU; on a CPU about 16 images of 224 px, more of smaller ones."""
    if not model.device.startswith("cpu"):
        return 256
    return int(np.clip(16 * (224 / model.image_size) ** 2, 4, 256))


class _Run:
    """One run of `embed`: its counters, its clock, and the loop over batches."""

    def __init__(self, model: DualEncoder, store: Store, report: Progress, stop: Callable[[], bool],
                 batch_size: int) -> None:
        self.model, self.store, self.report, self.stop = model, store, report, stop
        self.batch_size = batch_size
        self.seconds: dict[str, float] = defaultdict(float)
        self.encoded = 0
        self.total = self.cost = self.spent = 0.0
        self.started = time.monotonic()

    def timed(self, part: str) -> _Timer:
        return _Timer(self.seconds, part)

    def known(self, hashes: Sequence[str]) -> dict[str, np.ndarray]:
        """hash -> (unit vector, norm) rows from the store, as one array of d + 1 numbers."""
        unique = list(dict.fromkeys(hashes))
        if not unique:
            return {}
        with self.timed("store"):
            found, vectors, norms = self.store.get(self.model.spec.fingerprint, unique)
            rows = np.concatenate([vectors, norms[:, None]], axis=1) if len(norms) else np.empty((0, 0), np.float32)
        return dict(zip([h for h, yes in zip(unique, found, strict=True) if yes], rows, strict=True))

    def expect(self, n_images: int, n_texts: int) -> None:
        self.total, self.cost = n_images + n_texts, n_images + TEXT_COST * n_texts
        self.started = time.monotonic()

    def images(self, images: Images, todo: Sequence[int], hashes: Sequence[str | None],
               rows: dict[str, np.ndarray]) -> dict[int, str]:
        """Encode images; fills ``rows`` and returns index -> reason of those that cannot be read."""
        import torch

        refused: dict[int, str] = {}
        batch: list[tuple[int, np.ndarray]] = []

        def flush() -> None:
            pixels = torch.from_numpy(np.stack([p for _, p in batch]))
            raw = self._halving(lambda part: self.model.encode_pixels(pixels[part]), len(batch))
            bad = self._keep([str(hashes[i]) for i, _ in batch], raw, rows)
            refused.update({batch[k][0]: "the model gave no finite vector for it" for k in bad})
            self._advance(len(batch), 1.0, "images")
            batch.clear()

        for index, result in self._ahead(images, todo):
            if isinstance(result, str):
                refused[index] = result
                self._advance(1, 1.0, "images", done=0)
                continue
            batch.append((index, result))
            if len(batch) == self.batch_size:
                flush()
        if batch:
            flush()
        return refused

    def texts(self, texts: Sequence[str], todo: Sequence[int], hashes: Sequence[str],
              rows: dict[str, np.ndarray]) -> None:
        """Encode texts, sorted by length so that little is spent on padding; fills ``rows``."""
        lengths = self.model.token_counts([texts[i] for i in todo])
        order = [todo[k] for k in np.argsort(lengths, kind="stable")]
        for start in range(0, len(order), self.batch_size):
            self._check_stop()
            part = order[start:start + self.batch_size]
            wanted = [texts[i] for i in part]
            raw = self._halving(lambda s, w=wanted: self.model.encode_texts(w[s]), len(part))  # type: ignore[misc]
            if self._keep([hashes[i] for i in part], raw, rows):
                raise ModelError("finite vectors of texts", "NaN, infinity or zero",
                                 "Use float32: set ORRERY_DTYPE=float32.")
            self._advance(len(part), TEXT_COST, "texts")

    def truncated(self, texts: Sequence[str]) -> np.ndarray:
        """(n,) bool; only texts with more bytes than the model has places are tokenised."""
        cut = np.zeros(len(texts), dtype=bool)
        long = [i for i, text in enumerate(texts) if len(text.encode()) + 3 > self.model.context_length]
        if long:
            cut[long] = self.model.truncated([texts[i] for i in long])
        return cut

    def _ahead(self, images: Images, todo: Sequence[int]) -> Iterator[tuple[int, np.ndarray | str]]:
        """(index, pixels or reason) in order, made in threads at most `BATCHES_AHEAD` batches before they are used."""
        workers = max(1, min(4, (os.cpu_count() or 2)))
        waiting: deque[tuple[int, Future[np.ndarray | str]]] = deque()
        remaining = iter(todo)
        pool = ThreadPoolExecutor(workers, thread_name_prefix="decode")
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
            with self.timed("decode"):
                image = images.decode(index)
            with self.timed("resize"):
                return self.model.preprocessor.one(image)
        except UnreadableItem as error:
            return str(error)
        except OrreryError:
            raise
        except (OSError, ValueError, ArithmeticError, LookupError, TypeError) as error:
            return f"{type(error).__name__}: {error}"

    def _halving(self, encode: Callable[[slice], np.ndarray], n: int) -> np.ndarray:
        """Encode rows [0, n) in pieces that fit into memory."""
        parts: list[np.ndarray] = []
        start = 0
        while start < n:
            size = min(self.batch_size, n - start)
            try:
                with self.timed("forward"):
                    parts.append(encode(slice(start, start + size)))
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                if size == 1:
                    raise ModelError("memory for one item at a time", "none left on " + self.model.device,
                                     "Take a smaller model, or set ORRERY_DEVICE=cpu.") from error
                self.batch_size = size // 2
                _free_memory(self.model.device)
                continue
            start += size
        return np.concatenate(parts)

    def _keep(self, hashes: Sequence[str], raw: np.ndarray, rows: dict[str, np.ndarray]) -> list[int]:
        """Store a batch and note its rows; returns the positions of rows without a direction."""
        good = np.isfinite(raw).all(axis=1) & (np.abs(raw).sum(axis=1) > 0)
        kept = [h for h, yes in zip(hashes, good, strict=True) if yes]
        with self.timed("store"):
            self.store.put(self.model.spec.fingerprint, kept, raw[good])
        vectors, norms = unit(raw[good])
        rows.update(zip(kept, np.concatenate([vectors, norms[:, None]], axis=1), strict=True))
        self.encoded += len(kept)
        return np.flatnonzero(~good).tolist()

    def _advance(self, n: int, cost: float, what: str, done: int | None = None) -> None:
        self.spent += n * cost
        elapsed = max(time.monotonic() - self.started, 1e-6)
        rate = self.encoded / elapsed
        left = elapsed * (self.cost - self.spent) / self.spent if self.spent else 0.0
        text = f"Encoding {what}: {self.encoded} of {self.total:.0f}, {rate:.3g} items/s, {_span(left)} left"
        self.report(min(self.spent / max(self.cost, 1e-9), 1.0), text)

    def _check_stop(self) -> None:
        if self.stop():
            raise Cancelled(f"{self.encoded} of {self.total:.0f} items")


class _Timer:
    """Adds the time inside a with block to one entry of a dict."""

    def __init__(self, seconds: dict[str, float], part: str) -> None:
        self.seconds, self.part = seconds, part

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds[self.part] += time.perf_counter() - self.start


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, on the GPU or beside it."""
    words = ("out of memory", "can't allocate memory", "cannot allocate memory", "not enough memory")
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in words)


def _free_memory(device: str) -> None:
    import torch

    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif device == "mps":
        torch.mps.empty_cache()


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"about {seconds:.0f} s"
    return f"about {seconds / 60:.0f} min" if seconds < 5400 else f"about {seconds / 3600:.1f} h"


def _image_hashes(dataset: Dataset) -> tuple[list[str | None], dict[int, str]]:
    """Content hash of each image, None for one that cannot be read, with index -> reason."""
    hashes: list[str | None] = []
    refused: dict[int, str] = {}
    for index in range(len(dataset.image_ids)):
        try:
            hashes.append(dataset.images.content_hash(index))  # type: ignore[union-attr]
        except (UnreadableItem, OSError) as error:
            hashes.append(None)
            refused[index] = str(error)
    return hashes, refused


def _first_of_each(hashes: Sequence[str | None], known: Mapping[str, np.ndarray]) -> list[int]:
    first: dict[str, int] = {}
    for index, h in enumerate(hashes):
        if h is not None and h not in known:
            first.setdefault(h, index)
    return list(first.values())


def _collect(ids: Sequence[str], hashes: Sequence[str | None], rows: Mapping[str, np.ndarray], modality: Modality,
             table: pd.DataFrame, spec: ModelSpec) -> tuple[EmbeddingSet, np.ndarray]:
    """The set of the items that have a vector, and old index -> new index, -1 for the others."""
    kept = [i for i, h in enumerate(hashes) if h is not None and h in rows]
    index = np.full(len(ids), -1, dtype=np.int64)
    index[kept] = np.arange(len(kept))
    both = np.stack([rows[str(hashes[i])] for i in kept]) if kept else np.empty((0, spec.dim + 1), np.float32)
    return EmbeddingSet(both[:, :-1], both[:, -1], tuple(ids[i] for i in kept), modality,
                        table.iloc[kept].reset_index(drop=True), spec), index
