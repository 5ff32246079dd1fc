"""How busy the pipeline keeps a model: images a second over the pure forward pass, and over simpler loops.

``python tests/benchmarks/encoding.py [--shape b32|b16|builtin|photo] [--images N] [--rounds N] [--open-clip FOLDER]``

All numbers come from one run on JPEG files of 640 x 480 made here; the ways are taken in turn, and each ratio is the
median over rounds. The weights are random (but for "builtin"), which costs the same time. On a machine that others use
trust the ratio of processor time (Linux): the share of the forward pass in what the pipeline takes, decoders included.

The forward pass is taken three ways: "plain torch" calls it batch by batch in a process of its own, as torch and the C
library come; "alone" does the same here, where freed memory is kept (`core.encoding.allocator`); "batch a thread" is
what the pipeline itself does, on pixels that are there.

open_clip's own ViT-B-32 behind a torch DataLoader needs ``pip install --no-deps --target FOLDER open_clip_torch
torchvision timm ftfy wcwidth``, with the torchvision that belongs to the torch at hand.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))


def photos(folder: Path, n: int) -> list[Path]:
    """JPEG files with shapes at many scales, none like another."""
    rng = np.random.default_rng(0)
    files = []
    for i in range(n):
        picture = sum(np.asarray(Image.fromarray(rng.integers(0, 256, (3 * 4**k, 4 * 4**k, 3), dtype=np.uint8))
                                 .resize((640, 480), Image.Resampling.BICUBIC), dtype=np.float32) / 4 for k in range(4))
        files.append(folder / f"{i:04d}.jpg")
        Image.fromarray(np.asarray(picture).clip(0, 255).astype(np.uint8)).save(files[-1], quality=90)
    return files


def encoder(shape: str, dtype: str, device: str) -> Any:
    from transformers import CLIPConfig, CLIPModel

    from core.encoding.clip import DualEncoder
    from core.encoding.models import load_model
    from tests.encoding.made_models import clip_processor, clip_tokenizer

    if shape in ("builtin", "photo"):
        return load_model(shape, device=device, dtype=dtype)
    text = {"vocab_size": 600, "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(vision_config={"patch_size": {"b32": 32, "b16": 16}[shape]}, text_config=text)
    return DualEncoder(CLIPModel(config), clip_tokenizer(), clip_processor(224), id=shape, revision="0", device=device,
                       dtype=dtype)


def naive_features(model: Any, pixels: Any) -> Any:
    import torch

    with torch.inference_mode():
        moved = pixels.to(model.device).to(getattr(torch, model.dtype))
        return model._image_features(moved).float().cpu()


def one_by_one(model: Any, files: list[Path]) -> None:
    for file in files:
        with Image.open(file) as image:
            pixels = model.preprocessor.processor([image.convert("RGB")], return_tensors="pt")["pixel_values"]
        naive_features(model, pixels)


class Files:
    """What a torch DataLoader reads: a file's pixels by the processor of transformers."""

    def __init__(self, files: list[Path], processor: Any) -> None:
        self.files, self.processor = files, processor

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> Any:
        import torch

        torch.set_num_threads(1)
        with Image.open(self.files[index]) as image:
            return self.processor([image.convert("RGB")], return_tensors="pt")["pixel_values"][0]


def behind_a_loader(model: Any, files: list[Path], batch: int) -> None:
    from torch.utils.data import DataLoader

    for pixels in DataLoader(Files(files, model.preprocessor.processor), batch_size=batch, num_workers=2):  # type: ignore[arg-type,var-annotated]
        naive_features(model, pixels)


class Transformed(Files):
    """The same by a transform of torchvision."""

    def __getitem__(self, index: int) -> Any:
        import torch

        torch.set_num_threads(1)
        with Image.open(self.files[index]) as image:
            return self.processor(image)


def open_clip_loader(folder: str, dtype: str, files: list[Path], batch: int) -> Callable[[], int]:
    """One pass of open_clip's own model over the files, as its users write it."""
    import torch
    from torch.utils.data import DataLoader

    sys.path.append(folder)
    if "open_clip" not in sys.modules:
        with contextlib.suppress(RuntimeError):  # what a torchvision without its compiled part asks for
            for name in ("nms", "qnms"):
                torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou) -> Tensor")
    import open_clip

    sys.path.remove(folder)
    precision = {"float32": "fp32", "bfloat16": "pure_bf16"}[dtype]
    model, _, transform = open_clip.create_model_and_transforms("ViT-B-32", pretrained=None, precision=precision)
    model.eval()

    def run() -> int:
        for pixels in DataLoader(Transformed(files, transform), batch_size=batch, num_workers=2):  # type: ignore[arg-type,var-annotated]
            with torch.inference_mode():
                model.encode_image(pixels.to(getattr(torch, dtype)), normalize=True).float().numpy()
        return len(files)

    return run


def plain_forward(shape: str, dtype: str, sizes: list[int], link: Any) -> None:
    """A process that makes one forward pass a batch whenever it is told to, with nothing of ours round it."""
    import torch

    from core.encoding import clip

    clip.keep_freed_memory = lambda: False
    model = encoder(shape, dtype, "cpu")
    side = model.image_size
    pixels = torch.rand((max(sizes), 3, side, side))
    naive_features(model, pixels)
    link.send("ready")
    while link.recv():
        for n in sizes:
            naive_features(model, pixels[:n])
        link.send("done")


def processor_seconds() -> float:
    """Processor time of this process and of its live children, in seconds; of this process alone outside Linux."""
    ticks = 0
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def measure(shape: str, dtype: str, device: str, files: list[Path], rounds: int, scratch: Path,
            open_clip: str | None) -> None:
    import torch

    from core.encoding.batching import all_threads, default_batch_size, streams
    from core.encoding.pipeline import embed
    from core.encoding.store import Store
    from core.sources.images.opening import open_folder

    model = encoder(shape, dtype, device)
    batch = default_batch_size(model)
    dataset = open_folder(files[0].parent)
    pixels = model.preprocess([Image.open(file).convert("RGB") for file in files[:batch]])
    parts: list[dict[str, float]] = []
    few = files[:max(4, len(files) // 4)]

    sizes = [min(batch, len(files) - start) for start in range(0, len(files), batch)]
    link, theirs = multiprocessing.get_context("spawn").Pipe()

    def plain() -> int:
        link.send(True)
        link.recv()
        return len(files)

    def forward() -> int:
        for n in sizes:
            model.encode_pixels(pixels[:n])
        return len(files)

    def shared_out() -> int:
        number, threads = streams(device)
        with ThreadPoolExecutor(number, initializer=torch.set_num_threads, initargs=(threads,)) as pool:
            list(pool.map(lambda n: model.encode_pixels(pixels[:n]), sizes))
        torch.set_num_threads(all_threads())
        return len(files)

    def pipeline() -> int:
        with tempfile.TemporaryDirectory(dir=scratch) as folder:
            done = embed(dataset, model, Store(folder))
        parts.append(dict(done.seconds))
        return done.encoded

    def loop() -> int:
        one_by_one(model, few)
        return len(few)

    def loader() -> int:
        behind_a_loader(model, files, batch)
        return len(files)

    ways: dict[str, Callable[[], int]] = {"forward pass alone": forward, "forward, batch a thread": shared_out,
                                          "pipeline": pipeline, "one image at a time": loop,
                                          "torch DataLoader": loader}
    if device == "cpu":
        child = multiprocessing.get_context("spawn").Process(target=plain_forward, args=(shape, dtype, sizes, theirs))
        child.start()
        link.recv()
        ways = {"forward, plain torch": plain, **ways}
    if open_clip and shape == "b32" and device == "cpu":
        ways["open_clip + DataLoader"] = open_clip_loader(open_clip, dtype, files, batch)
    model.encode_pixels(pixels)
    pipeline()
    parts.clear()
    rates: dict[str, list[float]] = {name: [] for name in ways}
    busy: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun, worked = time.perf_counter(), processor_seconds()
            n = way()
            rates[name].append(n / (time.perf_counter() - begun))
            busy[name].append((processor_seconds() - worked) / n)
    print(f"\n{shape}, {dtype}, {model.device}, batches of {batch}, {len(files)} images, {rounds} rounds, "
          f"{torch.get_num_threads()} threads")
    for name, values in rates.items():
        print(f"  {name:<24} {statistics.median(values):8.1f} images/s")
    for name in (n for n in ways if n != "pipeline"):
        ratios = [a / b for a, b in zip(rates["pipeline"], rates[name], strict=True)]
        print(f"  pipeline over {name:<24} {statistics.median(ratios):6.2f}   ({min(ratios):.2f} to {max(ratios):.2f})")
    whole = 1e3 * statistics.median(busy["pipeline"])
    print(f"  processor time of the pipeline: {whole:.1f} ms an image; of others over it:")
    for name in (n for n in ways if n != "pipeline"):
        shares = [a / b for a, b in zip(busy[name], busy["pipeline"], strict=True)]
        print(f"    {name:<24} {statistics.median(shares):6.2f}   ({min(shares):.2f} to {max(shares):.2f}), "
              f"{1e3 * statistics.median(busy[name]):.1f} ms")
    each = {key: 1e3 * statistics.median(p.get(key, 0.0) for p in parts) / len(files)
            for key in ("decode", "resize", "wait", "forward", "store", "hash")}
    print("  ms an image: " + ", ".join(f"{key} {value:.2f}" for key, value in each.items())
          + "  (decode and resize run in processes beside the others)")
    if device == "cpu":
        link.send(False)
        child.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=["b32", "b16", "builtin", "photo"], default="b32")
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--open-clip", help="folder in which open_clip_torch and torchvision are installed")
    args = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "photos"
        made.mkdir()
        files = photos(made, args.images)
        for dtype in ("float32", "bfloat16"):
            measure(args.shape, dtype, "cpu", files, args.rounds, Path(folder), args.open_clip)
        if torch.cuda.is_available():
            measure(args.shape, "bfloat16", "cuda", files, args.rounds, Path(folder), args.open_clip)
        else:
            print("\nGPU: unmeasured, none is at hand")
    if not args.open_clip:
        print("open_clip's own model behind a DataLoader: unmeasured, no --open-clip FOLDER was given")


if __name__ == "__main__":
    main()
