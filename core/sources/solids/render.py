"""Scenes to pixels: batched sphere tracing of the solids, composited over a setting, finished in a style.

Only rays inside an object's bounding circle are traced (Hart, "Sphere tracing", 1996); the nearest approach of a ray
that misses gives its coverage, which is antialiasing for free.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from core.errors import Cancelled, ShapeError
from core.sources.solids.layers import Layers, View
from core.sources.solids.scene import Scene
from core.sources.solids.settings import paint_background
from core.sources.solids.shapes import BOUND, DISTANCES, whiteness
from core.sources.solids.styles import finish
from core.sources.solids.vocabulary import RGB, TEXTURES

if TYPE_CHECKING:
    from torch import Tensor

RENDERER_VERSION = "1"
STEPS, SIZES_PX = 22, (64, 512)
Drawn = TypeVar("Drawn")


@dataclass(frozen=True)
class Rendered:
    """Pictures and where their solids are.

    Attributes
    ----------
    images : (n, size, size, 3) uint8.
    boxes : (n, 3, 4) float32, x0, y0, x1, y1 in pixels of each solid's visible part; NaN where there is none.
    """

    images: np.ndarray
    boxes: np.ndarray


def camera_view(scenes: Sequence[Scene], size: int, device: str = "cpu") -> View:
    """The rays and the light of the camera of each scene, as tensors."""
    import torch

    def column(values: Sequence[float] | Sequence[tuple[float, float, float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device)

    cameras = [s.camera for s in scenes]
    yaw, pitch = column([c.yaw for c in cameras]), column([c.pitch for c in cameras])
    distance, target = column([c.distance for c in cameras]), column([c.target for c in cameras])
    spread = (column([c.field_of_view for c in cameras]) / 2).tan()
    back = torch.stack([yaw.sin() * pitch.cos(), pitch.sin(), yaw.cos() * pitch.cos()], 1)
    right = torch.stack([yaw.cos(), torch.zeros_like(yaw), -yaw.sin()], 1)
    up = torch.linalg.cross(back, right)
    eye = target + distance[:, None] * back
    line = (torch.arange(size, device=device) + 0.5) * 2 / size - 1
    u = (line[None, None, :] * spread[:, None, None])[..., None]
    v = (-line[None, :, None] * spread[:, None, None])[..., None]
    direction = u * right[:, None, None] + v * up[:, None, None] - back[:, None, None]
    direction = direction / direction.norm(dim=-1, keepdim=True)
    light_yaw, light_height = column([s.light_yaw for s in scenes]), column([s.light_height for s in scenes])
    light = torch.stack([light_yaw.sin() * light_height.cos(), light_height.sin(),
                         light_yaw.cos() * light_height.cos()], 1)
    return View(eye, direction, 2 * spread / size, light, column([s.brightness for s in scenes]),
                torch.tensor([s.seed % 65521 for s in scenes], device=device))


def _rotations(scenes: Sequence[Scene], slot: int, device: str) -> Tensor:
    """(b, 3, 3) object-to-world: lean about z, then turn about y; missing solids get anything."""
    import torch

    solids = [s.solids[slot] if slot < len(s.solids) else s.solids[0] for s in scenes]
    yaw, lean = (torch.tensor([getattr(s, a) for s in solids], dtype=torch.float32, device=device)
                 for a in ("yaw", "lean"))
    cy, sy, cl, sl = yaw.cos(), yaw.sin(), lean.cos(), lean.sin()
    zero = torch.zeros_like(yaw)
    return torch.stack([torch.stack([cy * cl, -cy * sl, sy], 1), torch.stack([sl, cl, zero], 1),
                        torch.stack([-sy * cl, sy * sl, cy], 1)], 1)


def _trace(distance: Callable[[Tensor, Tensor, Tensor], Tensor], bound: float, origin: Tensor, direction: Tensor,
           pixel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """March (n, 3) rays in object space: depth of the hit or nearest approach, coverage, and pixel width there."""
    import torch

    middle = -(origin * direction).sum(1)
    off = ((origin + middle[:, None] * direction) ** 2).sum(1)
    half = (bound**2 - off).clamp(min=1e-4).sqrt()
    t, end = middle - half, middle + half
    best_t, best = t.clone(), torch.full_like(t, 9.0)
    active = torch.arange(len(t), device=t.device)
    o, d, px, last, near, at = origin, direction, pixel, end, best.clone(), t.clone()
    for step in range(STEPS):
        p = o + t[:, None] * d
        gap = distance(p[:, 0], p[:, 1], p[:, 2])
        closer = gap < near
        near, at = gap.where(closer, near), t.where(closer, at)
        t = t + gap.clamp(min=0.0) * 0.97 + 1e-4
        if step % 4 == 3 or step == STEPS - 1:
            best[active], best_t[active] = near, at
            going = (t < last) & (near > 0.12 * px * t)
            if step == STEPS - 1 or not bool(going.any()):
                break
            keep = going.nonzero()[:, 0]
            active = active[keep]
            o, d, px, last, near, at, t = (a[keep] for a in (o, d, px, last, near, at, t))
    width = pixel * best_t
    return best_t, (1.0 - (best - 0.15 * width) / width).clamp(0, 1), width


def _normals(distance: Callable[[Tensor, Tensor, Tensor], Tensor], p: Tensor) -> Tensor:
    """(n, 3) unit gradients by four taps of a tetrahedron."""
    import torch

    h = 4e-3
    x, y, z = p.unbind(1)
    a = distance(x + h, y - h, z - h)
    b = distance(x - h, y - h, z + h)
    c = distance(x - h, y + h, z - h)
    e = distance(x + h, y + h, z + h)
    n = torch.stack([a - b - c + e, -a - b + c + e, -a + b - c + e], 1)
    return n / n.norm(dim=1, keepdim=True).clamp(min=1e-8)


def draw_solids(scenes: Sequence[Scene], view: View, layers: Layers) -> Tensor:
    """Trace every solid into the layers, far ones first; returns boxes (b, 3, 4)."""
    import torch

    device, b, size = view.eye.device, len(scenes), layers.size
    flat_direction = view.direction.reshape(b, -1, 3)
    order = [np.argsort([-np.linalg.norm(np.subtract(solid.centre, eye)) for solid in scene.solids]).tolist()
             for scene, eye in zip(scenes, view.eye.cpu().numpy())]
    for rank in range(3):
        rows = [i for i in range(b) if rank < len(order[i])]
        for shape, distance in DISTANCES.items():
            members = [i for i in rows if scenes[i].solids[order[i][rank]].shape == shape]
            if not members:
                continue
            solids = [scenes[i].solids[order[i][rank]] for i in members]
            bound = 1.04 * BOUND[shape]
            index = torch.tensor(members, device=device)
            centre = torch.tensor([s.centre for s in solids], dtype=torch.float32, device=device)
            radius = torch.tensor([s.radius for s in solids], dtype=torch.float32, device=device)
            turn = torch.stack([_rotations([Scene((s,))], 0, str(device))[0] for s in solids])
            offset = view.eye[index] - centre
            towards = flat_direction[index]
            closest = -(towards * offset[:, None]).sum(-1)
            miss = (offset**2).sum(-1)[:, None] - closest**2
            owner, where = ((miss < (bound * radius[:, None]) ** 2) & (closest > 0)).nonzero(as_tuple=True)
            if not len(owner):
                continue
            to_object = turn.transpose(1, 2)
            start = torch.einsum("nij,nj->ni", to_object, offset / radius[:, None])[owner]
            ray = torch.einsum("nij,nj->ni", to_object[owner], towards[owner, where])
            depth, cover, width = _trace(distance, bound, start, ray, view.pixel[index][owner])
            seen = cover > 0
            owner, where, depth, cover, width = (a[seen] for a in (owner, where, depth, cover, width))
            point = start[seen] + depth[:, None] * ray[seen]
            normal = _normals(distance, point)
            facing = ((normal * ray[seen]).sum(1, keepdim=True) < 0).to(normal.dtype) * 2 - 1
            normal = normal * facing
            white = torch.zeros_like(depth)
            kinds = torch.tensor([list(TEXTURES).index(s.texture) for s in solids], device=device)[owner]
            for kind, texture in enumerate(TEXTURES):
                of_kind = (kinds == kind).nonzero()[:, 0]
                if texture != "plain" and len(of_kind):
                    white[of_kind] = whiteness(texture, point[of_kind], normal[of_kind], width[of_kind])
            colour = torch.tensor([RGB[s.colour] for s in solids], dtype=torch.float32, device=device)[owner]
            albedo = colour + (0.97 - colour) * white[:, None]
            world = torch.einsum("nij,nj->ni", turn[owner], normal)
            light, gaze = view.light[index][owner], -towards[owner, where]
            half = light + gaze
            half = half / half.norm(dim=1, keepdim=True).clamp(min=1e-6)
            lit = 0.5 * (world * light).sum(1) + 0.5
            sky = 0.12 * world[:, 1]
            gloss = (world * half).sum(1).clamp(min=0) ** 40
            target = (index[owner], where)
            share = cover[:, None]
            layers.albedo[target] += share * (albedo - layers.albedo[target])
            layers.normal[target] += share * (world - layers.normal[target])
            layers.lit[target] += cover * ((lit + sky).clamp(0, 1) - layers.lit[target])
            layers.gloss[target] += cover * (gloss - layers.gloss[target])
            layers.cover[target] = 1 - (1 - layers.cover[target]) * (1 - cover)
            slot = torch.tensor([order[i][rank] + 1 for i in members], device=device)[owner]
            solid_pixels = cover > 0.5
            layers.which[index[owner][solid_pixels], where[solid_pixels]] = slot[solid_pixels]
    return _boxes(layers.which.reshape(b, size, size))


def _boxes(which: Tensor) -> Tensor:
    import torch

    b, size = len(which), which.shape[1]
    boxes = torch.full((b, 3, 4), float("nan"), device=which.device)
    line = torch.arange(size, device=which.device)
    for slot in range(3):
        mask = which == slot + 1
        columns, rows = mask.any(1), mask.any(2)
        seen = columns.any(1)
        for k, on, last in ((0, columns, False), (1, rows, False), (2, columns, True), (3, rows, True)):
            edge = (line * on).max(1).values + 1 if last else torch.where(on, line, size).min(1).values
            boxes[seen, slot, k] = edge[seen].to(boxes.dtype)
    return boxes


def empty_layers(background: Tensor, b: int, size: int) -> Layers:
    """Layers of ``b`` views on the background's device, with nothing drawn yet."""
    import torch

    def zeros(*channels: int) -> Tensor:
        return torch.zeros(b, size * size, *channels, device=background.device)

    return Layers(background=background, albedo=zeros(3), normal=zeros(3), lit=zeros(), gloss=zeros(), cover=zeros(),
                  which=zeros().long(), size=size)


def _render_batch(scenes: Sequence[Scene], size: int, device: str) -> tuple[np.ndarray, np.ndarray]:
    import torch

    b = len(scenes)
    view = camera_view(scenes, size, device)
    layers = empty_layers(paint_background(scenes, view), b, size)
    boxes = draw_solids(scenes, view, layers)
    for name in ("albedo", "normal", "lit", "gloss", "cover", "which"):
        value = getattr(layers, name)
        setattr(layers, name, value.reshape(b, size, size, *value.shape[2:]))
    lift = layers.cover.clamp(min=1e-3)
    layers.albedo = layers.albedo / lift[..., None]
    layers.lit = layers.lit / lift
    pictures = finish(scenes, view, layers)
    return (pictures.clamp(0, 1) * 255 + 0.5).to(torch.uint8).cpu().numpy(), boxes.cpu().numpy()


def render_chunks(scenes: Sequence[Scene], size: int = 128, *, device: str = "cpu") -> Iterator[Rendered]:
    """Render in chunks that fit in the processor's cache, a chunk a core at once; yields them in order."""
    yield from drawn_chunks(scenes, size, lambda piece: Rendered(*_render_batch(piece, size, device)), device=device)


def drawn_chunks(scenes: Sequence[Scene], size: int, draw: Callable[[Sequence[Scene]], Drawn], *,
                 device: str = "cpu") -> Iterator[Drawn]:
    """What ``draw`` makes of scenes, in chunks as `render_chunks`, in order."""
    import torch

    if not SIZES_PX[0] <= size <= SIZES_PX[1]:
        raise ShapeError(f"an image size from {SIZES_PX[0]} to {SIZES_PX[1]} px", str(size))
    at_once = max(1, (128 if device == "cpu" else 2048) * 64 * 64 // (size * size))
    pieces = [scenes[start:start + at_once] for start in range(0, len(scenes), at_once)]

    def drawn(piece: Sequence[Scene]) -> Drawn:
        with torch.inference_mode():
            return draw(piece)

    cores = min(len(pieces), os.cpu_count() or 1) if device == "cpu" else 1
    if cores <= 1:
        yield from map(drawn, pieces)
        return
    # One torch thread a chunk: threads that share a chunk mostly wait for each other.
    threads = torch.get_num_threads()
    with ThreadPoolExecutor(cores, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        ahead: deque[Future[Drawn]] = deque()
        try:
            for piece in pieces:
                ahead.append(pool.submit(drawn, piece))
                if len(ahead) > 2 * cores:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            torch.set_num_threads(threads)


def render(scenes: Sequence[Scene], size: int = 128, *, device: str = "cpu",
           on_progress: Callable[[float, str], None] | None = None,
           should_stop: Callable[[], bool] | None = None) -> Rendered:
    """Render scenes.

    Parameters
    ----------
    scenes : n scenes.
    size : width and height in px, 64 to 512.
    device : a torch device.
    on_progress : called with the finished fraction and a text.
    should_stop : asked between chunks.

    Raises
    ------
    ShapeError
        If the size is out of range.
    Cancelled
        If asked to stop.
    """
    images = np.empty((len(scenes), size, size, 3), np.uint8)
    boxes, done = np.empty((len(scenes), 3, 4), np.float32), 0
    for chunk in render_chunks(scenes, size, device=device):
        images[done:done + len(chunk.images)], boxes[done:done + len(chunk.images)] = chunk.images, chunk.boxes
        done += len(chunk.images)
        if on_progress:
            on_progress(done / len(scenes), f"{done:,} of {len(scenes):,} scenes rendered")
        if should_stop and should_stop():
            raise Cancelled(f"{done:,} scenes")
    return Rendered(images, boxes)
