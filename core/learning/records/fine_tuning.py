"""Fine-tuning of a dual encoder on one's own pairs, with the features of a held-out probe set recorded."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.encoding.clip import DualEncoder
from core.encoding.models import load_model
from core.errors import Cancelled, ChoiceError, ModelError, OrreryError, ShapeError, SourceError, check_choice
from core.jobs import about
from core.learning.records.adapting import RANK, WAYS, Adapted
from core.learning.records.probing import probe_of, probe_part
from core.learning.records.record import Record
from core.learning.records.recorder import Recorder
from core.learning.towers.losses import pair_loss
from core.learning.towers.training import one_torch_thread
from core.settings import settings
from core.sources.images.readers import hashes_or_reasons
from core.sources.sampling import take
from core.types import Dataset

if TYPE_CHECKING:
    import torch
    from torch import Tensor

MOST_STEPS = 2_000
MOST_PAIRS, MOST_PAIRS_HOSTED = 1_000, 256
MOST_PROBE, PROBE_SHARE = 200, 0.25
WARM_UP = 0.1
MEMORY = 0.9
HIGHEST_SCALE = 100.0
SMALL_SIDE = 64

Progress = Callable[[float, str], None]
Stop = Callable[[], bool]


def fine_tune(model_id: str, pairs: Dataset, *, how: str = "lora", steps: int = 100, every: int = 10,
              learning_rate: float = 1e-3, batch: int = 32, seed: int = 0, rank: int = RANK,
              probe: Dataset | None = None, name: str = "", save_to: str | Path | None = None,
              on_record: Callable[[Record], None] | None = None, on_progress: Progress | None = None,
              should_stop: Stop | None = None) -> Record:
    """Train a model further on images and their captions, and keep what it sees in a probe set meanwhile.

    The loss is CLIP's, or SigLIP's for a SigLIP, where images with equal captions are no negatives of each other;
    AdamW, warmed up and then lowered along a cosine, gradients cut at length 1, dropout off. The temperature is learnt.
    The same arguments give the same record on one machine. The model that the app uses is not changed.

    Parameters
    ----------
    model_id : as `core.encoding.models.load_model` takes it; a dual encoder.
    pairs : images with captions; of several captions of an image one is drawn in each step. At most 1,000 images (256
        on a public server) are drawn by the seed.
    how : a key of `WAYS`.
    steps, every : up to 2,000, and how many lie between two looks.
    learning_rate : the highest.
    batch : pairs in a step; all that there are, where there are fewer.
    rank : of the adapters.
    probe : what is looked at; by default a quarter of the pairs, at most 200, which are not trained on, nor are
        images equal to one of them.
    save_to : a folder on one's own machine for the model that comes out, which can then be opened as a model.
    on_record : told the record after each look.
    should_stop : asked in each step; then what was recorded is kept.

    Returns
    -------
    The record; where the training diverged or was stopped, it says so.

    Raises
    ------
    ChoiceError, ShapeError
        If an argument is out of its range, or there are not two pairs with unlike captions to train on.
    ModelError
        If the model cannot be loaded, or is no dual encoder.
    Cancelled
        If asked to stop before the first look.
    """
    check_choice("what learns", how, WAYS)
    for what, value, low, high in (("steps", steps, 1, MOST_STEPS), ("steps between two looks", every, 1, MOST_STEPS),
                                   ("learning rate", learning_rate, 1e-7, 1), ("batch", batch, 2, 1024),
                                   ("rank", rank, 1, 64)):
        if not low <= value <= high:
            raise ChoiceError(f"{what} between {low:g} and {high:,g}", f"{value:g}")
    if save_to is not None and settings().hosted:
        raise SourceError("a folder on one's own machine", "a public server, which writes no models")
    tell, stop = on_progress or (lambda fraction, text: None), should_stop or (lambda: False)
    encoder = _dual_encoder(model_id)
    train, looked = _parts(pairs, probe, seed)
    data = _Pairs(train, encoder, lambda f, text: tell(0.1 * f, text), stop)
    recorder, left_out = _recorder(looked, encoder, every, name or f"{_title(model_id)}, fine-tuned", stop, {
        "model": model_id, "revision": encoder.spec.revision, "how": how, "steps": steps, "every": every, "rank": rank,
        "learning_rate": learning_rate, "batch": batch, "seed": seed, "pairs": pairs.name, "trained_on": len(data)})
    recorder.setup["left_out"] = [*data.left_out, *left_out]
    with _threads(encoder):
        adapted = Adapted(copy.deepcopy(encoder.model).float(), how, seed=seed, rank=rank)
        training = _Training(adapted, encoder, data, steps, learning_rate, batch, seed)
        _run(training, recorder, steps, every, lambda f, text: tell(0.1 + 0.9 * f, text), stop, on_record)
        if save_to is not None:
            encoder.save(adapted.merged(), Path(save_to).expanduser())
    record = recorder.record
    if record is None:
        raise ModelError(f"finite features of {model_id}", "some that are not", "Take another model.")
    return record


def seconds_of(model_id: str, pairs: int, *, steps: int, every: int, batch: int) -> float:
    """About how many seconds `fine_tune` takes here: a small batch is encoded, and a step is three times that."""
    import torch

    encoder = _dual_encoder(model_id)
    looked = min(MOST_PROBE, max(1, round(PROBE_SHARE * pairs)))
    with _threads(encoder):
        pixels = torch.zeros(4, 3, *encoder.preprocessor.size)
        encoder.encode_pixels(pixels)
        tries = []
        for _ in range(3):
            began = time.perf_counter()
            encoder.encode_pixels(pixels)
            encoder.encode_texts(["a photo of a cat on a mat"] * 4)
            tries.append(time.perf_counter() - began)
        each = min(tries) / 4
    return each * (steps * min(batch, max(2, pairs - looked)) * 3 + (steps // every + 1) * looked)


def _title(model_id: str) -> str:
    return "Built-in" if model_id == "builtin" else model_id.rstrip("/").rsplit("/", 1)[-1]


def _dual_encoder(model_id: str) -> DualEncoder:
    encoder = load_model(model_id, dtype="float32")
    if not isinstance(encoder, DualEncoder):
        raise ModelError("a dual encoder to train further", f"{model_id}, a classifier", "Take a CLIP.")
    return encoder


def _threads(encoder: DualEncoder) -> AbstractContextManager[None]:
    """One thread for a small model, whose steps are too short to share."""
    small = encoder.device.startswith("cpu") and encoder.image_size <= SMALL_SIDE
    return one_torch_thread() if small else nullcontext()


def _parts(pairs: Dataset, probe: Dataset | None, seed: int) -> tuple[Dataset, Dataset]:
    """What is trained on and what is looked at: no image of one is in the other."""
    whole = probe_part(pairs, MOST_PAIRS_HOSTED if settings().hosted else MOST_PAIRS, seed)
    assert whole.images is not None
    hashes, _ = hashes_or_reasons(whole.images)
    if probe is not None:
        looked = probe_part(probe, MOST_PROBE, seed)
        assert looked.images is not None
        held = set(hashes_or_reasons(looked.images)[0])
        rows = [i for i, one in enumerate(hashes) if one is not None and one not in held]
        if not rows:
            raise ShapeError("images to train on that are not looked at as well", "none", "Bring more pairs.")
        return take(whole, rows), looked
    unlike = sorted({one for one in hashes if one is not None})
    if len(unlike) < 2:
        raise ShapeError("at least two unlike images with captions: some to train on, some to look at",
                         f"{len(unlike)}", "Bring more pairs.")
    n = min(MOST_PROBE, max(1, round(PROBE_SHARE * len(unlike))))
    held = {unlike[i] for i in np.random.default_rng((seed, 1)).permutation(len(unlike))[:n]}
    chosen = {hash: i for i, hash in reversed(list(enumerate(hashes))) if hash in held}
    return (take(whole, [i for i, one in enumerate(hashes) if one is not None and one not in held]),
            take(whole, sorted(chosen.values())))


class _Pairs:
    """Pixels of each image that can be read, and its captions."""

    def __init__(self, part: Dataset, encoder: DualEncoder, tell: Progress, stop: Stop) -> None:
        self.pixels, self.rows, self.left_out = _pixels(part, encoder, tell, stop)
        place = {row: i for i, row in enumerate(self.rows)}
        self.captions: list[list[str]] = [[] for _ in self.rows]
        for image, text in part.links.tolist():
            if image in place:
                self.captions[place[image]].append(part.texts[text])
        if len({text for texts in self.captions for text in texts}) < 2 or len(self.rows) < 2:
            raise ShapeError("at least two images with unlike captions to train on", f"{len(self.rows)} images",
                             "Bring more pairs.")

    def __len__(self) -> int:
        return len(self.rows)

    def batches(self, size: int, seed: int) -> Iterator[tuple[Tensor, list[str]]]:
        """Pixels and a caption of each image, one order of all of them after another, without end."""
        for epoch in count():
            rng = np.random.default_rng((seed, epoch, 2))
            order = rng.permutation(len(self))
            for start in range(0, len(order) - min(size, len(order)) + 1, size):
                rows = order[start:start + size].tolist()
                yield self.pixels[rows], [self.captions[i][rng.integers(len(self.captions[i]))] for i in rows]


def _pixels(part: Dataset, encoder: DualEncoder, tell: Progress, stop: Stop) -> tuple[Tensor, list[int], list[str]]:
    """Pixels of the images that can be read, their rows, and the names of the others."""
    import torch

    assert part.images is not None
    found, rows, left_out = [], [], []
    for row, name in enumerate(part.image_ids):
        if stop():
            raise Cancelled(f"{row:,} images")
        tell(row / len(part.image_ids), f"Reading images: {row:,} of {len(part.image_ids):,}")
        try:
            found.append(encoder.preprocessor.one(part.images.decode(row)))
            rows.append(row)
        except OrreryError:
            left_out.append(name)
    if not found:
        raise ShapeError("at least one image that can be read", "none", "Bring others.")
    return torch.from_numpy(np.stack(found)), rows, left_out


def _recorder(looked: Dataset, encoder: DualEncoder, every: int, name: str, stop: Stop,
              setup: dict[str, object]) -> tuple[Recorder, list[str]]:
    pixels, rows, left_out = _pixels(looked, encoder, lambda f, text: None, stop)
    part = take(looked, rows)
    probe, images, _ = probe_of(part.image_ids, part.texts, part.links, part.image_table)
    return Recorder(pixels[images], probe.texts, None, tokens=encoder.tokens(probe.texts), every=every,
                    links=probe.links, labels=probe.labels, ids=probe.images, name=name, setup=setup), left_out


class _Training:
    """The steps."""

    def __init__(self, adapted: Adapted, encoder: DualEncoder, data: _Pairs, steps: int, rate: float, batch: int,
                 seed: int) -> None:
        import torch

        self._adapted, self._encoder = adapted, encoder
        self.model = adapted.model.eval()
        self._optimiser = torch.optim.AdamW(adapted.learning, lr=rate, weight_decay=0.0)
        warm = max(1, round(WARM_UP * steps))
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimiser, lambda step: (step + 1) / warm if step < warm else
            0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))
        self._batches = data.batches(min(batch, len(data)), seed)
        self._next = next(self._batches)

    def loss(self) -> Tensor:
        """Of the batch that comes next."""
        import torch.nn.functional as F

        pixels, texts = self._next
        device = self._encoder.device
        once = list(dict.fromkeys(texts))
        tokens = {key: part.to(device) for key, part in self._encoder.tokens(once).items()}
        own = [once.index(text) for text in texts]
        x = _pooled(self.model.get_image_features(pixel_values=pixels.to(device)))
        y = _pooled(self.model.get_text_features(**tokens))[own]
        same = _equal(own).to(device)
        sigmoid = hasattr(self.model, "logit_bias")
        scale = self.model.logit_scale.exp()
        return pair_loss(F.normalize(x, dim=-1), F.normalize(y, dim=-1), same, distance="cosine",
                         loss="sigmoid" if sigmoid else "info_nce", bias=self.model.logit_bias if sigmoid else 0.0,
                         scale=scale if sigmoid else scale.clamp(max=HIGHEST_SCALE))

    def step(self) -> float:
        """Do one; the loss of its batch, after which nothing was changed where it is not finite."""
        import torch

        loss = self.loss()
        value = float(loss.detach())
        if math.isfinite(value):
            self._optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self._adapted.learning, 1.0)
            self._optimiser.step()
            self._schedule.step()
            self._next = next(self._batches)
        return value


def _pooled(output: Any) -> Tensor:
    return getattr(output, "pooler_output", output)


def _equal(own: list[int]) -> torch.Tensor:
    import torch

    of = torch.tensor(own)
    return of[:, None] == of[None]


def _run(training: _Training, recorder: Recorder, steps: int, every: int, tell: Progress, stop: Stop,
         on_record: Callable[[Record], None] | None) -> None:
    import torch

    def look(step: int, loss: float) -> bool:
        kept = recorder.keep(step, training.model, loss=loss)
        if kept and on_record is not None and recorder.record is not None:
            on_record(recorder.record)
        return kept

    with torch.no_grad():
        mean = float(training.loss())
    began, seen = time.monotonic(), look(0, mean)
    for step in range(1, steps + 1):
        if not seen:
            return
        if stop():
            recorder.end(f"it was stopped after step {step - 1:,}")
            return
        value = training.step()
        if not math.isfinite(value):
            recorder.end(f"it diverged at step {step:,}: the loss is not a finite number")
            return
        mean = value if step == 1 else MEMORY * mean + (1 - MEMORY) * value
        if step % every == 0 or step == steps:
            seen = look(step, mean)
        left = (time.monotonic() - began) / step * (steps - step)
        tell(step / steps, f"Step {step:,} of {steps:,}, loss {mean:.3f}, {about(left)} left")
