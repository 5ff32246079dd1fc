"""The two small towers: pictures of 16 px and captions of a few words to points of one space."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.learning.towers.setup import Setup
from core.types import fingerprint

if TYPE_CHECKING:
    from torch import Tensor, nn

WIDTH = 64
WORD = 32
PATCH = 4
HEADS = 4
TEMPERATURE = 0.07
HIGHEST_SCALE = 100.0
BIAS = -10.0
MOST_DEGREES = 85.0


def words_of(text: str) -> list[str]:
    """The words of a caption in their order: letters and digits, without capitals."""
    return "".join(c if c.isalnum() else " " for c in text.lower()).split()


class Vocabulary:
    """The words that the text tower knows; others are passed over.

    Parameters
    ----------
    texts : captions whose words are known, in the order of the alphabet.
    more : captions whose further words are known too, behind them, so that the first words keep their numbers.
    """

    def __init__(self, texts: Iterable[str], more: Iterable[str] = ()) -> None:
        first, further = ({word for text in set(some) for word in words_of(text)} for some in (texts, more))
        self.words = (*sorted(first), *sorted(further - first))
        self._number = {word: i + 1 for i, word in enumerate(self.words)}

    def __len__(self) -> int:
        return len(self.words)

    def numbers(self, texts: Sequence[str]) -> np.ndarray:
        """(m, longest) int64: the numbers of each caption's known words, from 1; 0 where there is none."""
        rows = [[self._number[word] for word in words_of(text) if word in self._number] for text in texts]
        out = np.zeros((len(rows), max(map(len, rows), default=0) or 1), np.int64)
        for out_row, row in zip(out, rows):
            out_row[:len(row)] = row
        return out


class Towers:
    """Two towers that end in one space, with the temperature and the bias of their loss.

    The image tower is two convolutions (3 to 24 to 48 channels, the side halved after each) and a linear layer, or a
    block of attention over patches of 4 px; the text tower is the mean of learned word vectors and two layers upon it.
    Both give 64 numbers of mean 0 and variance 1, which a linear map of each, or one of both, brings to ``setup.dim``.

    With the Euclidean distance the features are off the sphere while they learn, as EuCLIP takes them, and `unit`
    brings them onto it to be looked at. Each weight depends on the seed and its own name alone, so that runs with other
    dials begin alike where they can.

    Parameters
    ----------
    setup : dim, tower, projection, temperature, loss, distance and seed are read here.
    vocabulary : the words.
    """

    def __init__(self, setup: Setup, vocabulary: Vocabulary) -> None:
        import torch
        from torch import nn

        self.setup = setup
        heads = {"both": nn.Linear(WIDTH, setup.dim)} if setup.projection == "shared" else {
            "image": nn.Linear(WIDTH, setup.dim), "text": nn.Linear(WIDTH, setup.dim)}
        self.parts = nn.ModuleDict({
            "images": _convolutions() if setup.tower == "convolution" else _patches(),
            "words": nn.EmbeddingBag(len(vocabulary) + 1, WORD, mode="mean", padding_idx=0),
            "texts": nn.Sequential(nn.Linear(WORD, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH),
                                   nn.LayerNorm(WIDTH, elementwise_affine=False)),
            "heads": nn.ModuleDict(heads),
        })
        _initialise(self.parts, setup.seed)
        fixed = setup.temperature > 0
        start = setup.temperature if fixed else TEMPERATURE
        self.log_scale = nn.Parameter(torch.tensor(-math.log(start)), requires_grad=not fixed)
        self.bias = nn.Parameter(torch.tensor(BIAS), requires_grad=setup.loss == "sigmoid")
        self.turn: Tensor | None = None
        self.shift: Tensor | None = None

    def parameters(self) -> list[nn.Parameter]:
        """All that is learned."""
        return [p for p in (*self.parts.parameters(), self.log_scale, self.bias) if p.requires_grad]

    @property
    def scale(self) -> Tensor:
        """() inverse temperature; a learned one stays at 100 or below."""
        scale = self.log_scale.exp()
        return scale.clamp(max=HIGHEST_SCALE) if self.log_scale.requires_grad else scale

    def images(self, pictures: Tensor) -> Tensor:
        """(n, 3, 16, 16) uint8 to (n, dim) features: unit rows, but with the Euclidean distance."""
        hidden = self.parts["images"](pictures.float() / 127.5 - 1)
        return self._ended(self._head("image")(hidden))

    def texts(self, numbers: Tensor) -> Tensor:
        """(m, longest) word numbers to (m, dim) features: unit rows, but with the Euclidean distance."""
        return self._ended(self._texts(numbers))

    def begin(self, pictures: Tensor, numbers: Tensor) -> None:
        """Put the texts where ``setup.start`` wants them, as the means of these pictures and captions tell.

        ``turned`` turns them as a whole towards the images until the means are 85 degrees apart, where they are
        further; ``closed`` turns the one mean onto the other and then shifts the texts until both are one, as far as
        one can (a single caption has a mean of length 1). Turn and shift stay through training, behind the projection.
        """
        import torch

        if self.setup.start == "free":
            return
        with torch.no_grad():
            x, y = unit(self.images(pictures)).double().mean(0), unit(self.texts(numbers)).double().mean(0)
            wanted = math.radians(MOST_DEGREES) if self.setup.start == "turned" else 0.0
            self.turn = turn_towards(y, x, wanted).float()
            if self.setup.start == "closed":
                self._close(x, numbers)

    def _close(self, x: Tensor, numbers: Tensor) -> None:
        """Shift the texts until the mean of their unit rows is ``x``, as near as can be: they are few, it is a point.

        Such a shift is the least of a convex function, their spatial quantile (Chaudhuri, JASA 1996); lengths are
        rounded off at zero, so that no text loses its direction.
        """
        import torch
        from scipy.optimize import minimize

        y, mean = self._texts(numbers).double().numpy(), x.numpy()
        size = float(np.linalg.norm(y, axis=1).mean())

        def slope(shift: np.ndarray, least: float) -> tuple[float, np.ndarray]:
            moved = y + shift
            lengths = np.sqrt((moved * moved).sum(axis=1) + least * least)
            return float(lengths.mean() - mean @ shift), (moved / lengths[:, None]).mean(axis=0) - mean

        shift = np.zeros(len(mean))
        for least in (0.1, 0.003):
            shift = minimize(slope, shift, (least * size,), jac=True, method="BFGS").x
        self.shift = torch.from_numpy(shift).float()

    def _texts(self, numbers: Tensor) -> Tensor:
        y = self._head("text")(self.parts["texts"](self.parts["words"](numbers)))
        y = y if self.turn is None else y @ self.turn.T
        return y if self.shift is None else y + self.shift

    def _head(self, modality: str) -> nn.Module:
        heads = self.parts["heads"]
        return heads["both" if self.setup.projection == "shared" else modality]  # type: ignore[index]

    def _ended(self, features: Tensor) -> Tensor:
        return features if self.setup.distance == "euclidean" else unit(features)


def unit(features: Tensor) -> Tensor:
    """(n, d) rows of any length to unit rows."""
    import torch.nn.functional as F

    return F.normalize(features, dim=1)


def turn_towards(a: Tensor, b: Tensor, wanted: float) -> Tensor:
    """(d, d) rotation in the plane of ``a`` and ``b`` that brings ``a`` to within ``wanted`` radians of ``b``.

    The identity where it is that near already, or where one of the two has no direction.
    """
    import torch

    d = len(a)
    identity = torch.eye(d, dtype=a.dtype)
    if float(a.norm()) < 1e-9 or float(b.norm()) < 1e-9:
        return identity
    u, to = a / a.norm(), b / b.norm()
    angle = 2 * math.atan2(float((u - to).norm()), float((u + to).norm()))
    if angle <= wanted + 1e-9:
        return identity
    v = to - (to @ u) * u
    if float(v.norm()) < 1e-9:      # opposite poles: any plane through them will do
        axis = identity[int(u.abs().argmin())]
        v = axis - (axis @ u) * u
    v = v / v.norm()
    by = angle - wanted
    return (identity + (math.cos(by) - 1) * (torch.outer(u, u) + torch.outer(v, v))
            + math.sin(by) * (torch.outer(v, u) - torch.outer(u, v)))


def _convolutions() -> nn.Module:
    import torch
    from torch import nn

    layers = nn.Sequential(nn.Conv2d(3, 24, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(),
                           nn.Conv2d(24, 48, 3, padding=1), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
                           nn.Linear(48 * 4 * 4, WIDTH), nn.LayerNorm(WIDTH, elementwise_affine=False))
    for weight in layers.parameters():      # channels last: twice as fast
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return layers


def _patches() -> nn.Module:
    import torch
    import torch.nn.functional as F
    from torch import nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.before, self.after = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.asked, self.told = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.layer = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

        def forward(self, x: Tensor) -> Tensor:
            n, tokens, _ = x.shape
            q, k, v = self.asked(self.before(x)).view(n, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            heard = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, tokens, WIDTH)
            x = x + self.told(heard)
            return x + self.layer(self.after(x))

    class Patches(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cut = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
            self.place = nn.Parameter(torch.zeros(1, (16 // PATCH) ** 2, WIDTH))
            self.block = Block()
            self.end = nn.LayerNorm(WIDTH)

        def forward(self, pictures: Tensor) -> Tensor:
            tokens = self.cut(pictures).flatten(2).transpose(1, 2) + self.place
            return self.end(self.block(tokens)).mean(1)

    return Patches()


def _initialise(parts: nn.Module, seed: int) -> None:
    """Weights as torch draws them by default, but each from a generator of its own, whatever else draws meanwhile."""
    import torch

    with torch.no_grad():
        fan = 1
        for name, weight in parts.named_parameters():
            generator = torch.Generator().manual_seed(int(fingerprint("weight", seed, name)[:8], 16))
            if name.startswith("words"):
                weight.normal_(generator=generator)
                weight[0] = 0
            elif "place" in name:
                weight.normal_(0, 0.1, generator=generator)
            elif weight.ndim > 1:
                fan = weight[0].numel()
                weight.uniform_(-1 / math.sqrt(fan), 1 / math.sqrt(fan), generator=generator)
            elif not any(part in name for part in ("before", "after", "end.")):
                weight.uniform_(-1 / math.sqrt(fan), 1 / math.sqrt(fan), generator=generator)
