"""Films as paths on one sphere: their frames, the texts and prompts beside them, and what one sees in a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from core.errors import ShapeError
from core.geometry.directions import angle
from core.geometry.films.trajectory import Trajectory
from core.scene import Colouring, Mark, SphereScene


def path_scene(coords: np.ndarray, labels: Sequence[str], *, texts: np.ndarray | None = None,
               text_labels: Sequence[str] = (), prompts: np.ndarray | None = None, prompt_labels: Sequence[str] = (),
               pictures: Mapping[int, bytes] | None = None, colouring: Colouring | None = None, title: str = "",
               note: str = "") -> SphereScene:
    """Frames, then subtitles, then prompts, each at its place on a map.

    Parameters
    ----------
    coords : (n, 3) unit rows, where the frames lie.
    labels : what a frame says when one hovers over it.
    texts, text_labels : (t, 3) unit rows and what each subtitle says.
    prompts, prompt_labels : (p, 3) unit rows and what was typed; each has its mark.
    pictures : small pictures by frame.
    colouring : what the colours of the frames say; texts and prompts have none of their own.
    """
    if len(coords) != len(labels):
        raise ShapeError(f"{len(coords)} labels, one a frame", str(len(labels)))
    parts = [np.asarray(part) for part in (coords, texts, prompts) if part is not None and len(part)]
    sizes = [0 if part is None else len(part) for part in (coords, texts, prompts)]
    marks = tuple(Mark(place, label, "prompt") for place, label in zip(prompts if prompts is not None else (),
                                                                      prompt_labels))
    said = (*labels, *text_labels, *(f"Prompt: {text}" for text in prompt_labels))
    return SphereScene(np.concatenate(parts).astype(np.float32), np.repeat(np.arange(3, dtype=np.uint8), sizes), said,
                       title, note, colouring, marks=marks, thumbnails={} if pictures is None else pictures)


def headline(paths: Sequence[Trajectory]) -> str:
    """What one sees, in a sentence: how long the path is, and how far it comes."""
    if len(paths) == 1 and len(paths[0]) > 1:
        x = paths[0].points
        length, net = (float(np.degrees(v)) for v in (angle(x[:-1], x[1:]).sum(), angle(x[0], x[-1])))
        return (f"{paths[0].name}: {len(x):,} frames, a path of {length:,.0f}° that ends {net:.0f}° from where it "
                "begins")
    frames = sum(map(len, paths))
    return f"{len(paths):,} film{'s' * (len(paths) != 1)}, {frames:,} frame{'s' * (frames != 1)}"


def island_colouring(of_frames: Sequence[np.ndarray], names: Sequence[str], others: int) -> Colouring:
    """Colours by island.

    Parameters
    ----------
    of_frames : for each film, (n,) int, the island of each frame; -1 where it has none.
    names : of the islands, in the order of their numbers.
    others : points after the frames, which have none.
    """
    groups = [names[i] if i >= 0 else "" for part in of_frames for i in part.tolist()]
    return Colouring("island", groups=(*groups, *([""] * others)))
