"""The vectors that a subject is measured on: of a file of them, or of a source that is embedded."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from core.commands._progress import progress_line
from core.errors import SourceError

if TYPE_CHECKING:
    from core.encoding.pipeline import Embedded
    from core.sources.vectors.opening import VectorSource

VECTOR_FILES = (".npy", ".npz", ".parquet", ".csv", ".tsv")


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
    """Vectors from a file of them, or of a source that is embedded."""
    from core.sources.vectors.opening import open_vectors

    path = Path(args.data or "")
    if path.suffix.lower() in VECTOR_FILES and path.is_file():
        try:
            opened = open_vectors(path)
        except SourceError:
            if path.suffix.lower() in (".npy", ".npz"):
                raise
        else:
            model = next(s.model.id for s in (opened.images, opened.texts) if s is not None)
            return Vectors.of(opened, model, path.name)
    from core.commands.embed import WORLD, open_source
    from core.encoding.embedding import embed_with
    from core.encoding.registry import misfit

    source = args.data or WORLD
    dataset = open_source(source, seed=args.seed)
    done = embed_with(args.model, dataset, on_progress=progress_line)
    return Vectors.of(done, args.model, dataset.name, misfit(args.model, built_in_world=source == WORLD))
