"""The vectors that a subject is measured on: of a file of them, or of a source that is embedded."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.commands._opening import WORLD, no_image_of, open_source, tell
from core.commands._progress import progress_line
from core.errors import SourceError
from core.settings import settings
from core.types import Dataset

if TYPE_CHECKING:
    from core.encoding.pipeline import Embedded
    from core.sources.vectors.opening import VectorSource

@dataclass(frozen=True)
class Vectors:
    """Unit vectors of the data, which belong together, the names of model and data, and why they measure nothing."""

    images: np.ndarray | None
    texts: np.ndarray | None
    links: np.ndarray
    model: str
    data: str
    note: str = ""

    @classmethod
    def of(cls, source: VectorSource | Embedded, model: str, data: str, note: str = "") -> Vectors:
        images, texts = (None if s is None else s.vectors for s in (source.images, source.texts))
        return cls(images, texts, source.links, model, data, note)


def vectors_of(args: argparse.Namespace) -> Vectors:
    """Vectors as they are, or of a source that is embedded; what is not used of it is told on stderr.

    Raises
    ------
    SourceError
        If nothing can be opened, or if images were brought and none of them could be read.
    """
    from core.encoding.embedding import embed_with
    from core.encoding.registry import misfit

    source = args.data or WORLD
    opened = open_source(source, args.images, args.seed, args.encoding)
    listing = settings().cache / "left_out" / f"{opened.name}.tsv"
    if not isinstance(opened, Dataset):
        tell(opened, (), listing)
        model = next(s.model.id for s in (opened.images, opened.texts) if s is not None)
        return Vectors.of(opened, model, Path(source).name)
    done = embed_with(args.model, opened, on_progress=progress_line)
    tell(opened, [r for r in done.refused if r not in set(opened.refused)], listing)
    failed = no_image_of(done.refused, len(done.images or ()))
    if failed:
        raise SourceError(f"images of {opened.name} that can be read", failed, "Check where the images are.")
    return Vectors.of(done, args.model, opened.name, misfit(args.model, built_in_world=source == WORLD))
