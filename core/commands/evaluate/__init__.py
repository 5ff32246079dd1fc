"""``python -m core evaluate SUBJECT``: the figures of a subject as a table, or as one JSON object."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.commands._progress import progress_line
from core.errors import ChoiceError, ShapeError, SourceError
from core.types import Number

if TYPE_CHECKING:
    from core.encoding.pipeline import Embedded
    from core.sources.vectors.opening import VectorSource

VECTOR_FILES = (".npy", ".npz", ".parquet", ".csv", ".tsv")
FIDELITY = ("spearman", "knn_overlap", "trustworthiness", "continuity")
TEMPERATURE = 0.01


@dataclass(frozen=True)
class Evaluation:
    """Figures of a subject, and what they were computed on."""

    subject: str
    model: str
    data: str
    seed: int
    figures: dict[str, Number]


def _model(args: argparse.Namespace) -> Evaluation:
    if args.data:
        raise ChoiceError("no --data for the subject model, which is measured on the built-in world", args.data)
    from core.encoding.models import load_model
    from core.language.world_evaluation import evaluate_model

    model = load_model(args.model)
    figures = evaluate_model(model, seed=args.seed, on_progress=progress_line)
    return Evaluation("model", args.model, "built-in world", args.seed, figures)


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of the data, which belong together, and the names of the model and of the data."""

    images: np.ndarray | None
    texts: np.ndarray | None
    links: np.ndarray
    model: str
    data: str

    @classmethod
    def of(cls, source: VectorSource | Embedded, model: str, data: str) -> Vectors:
        images, texts = (None if s is None else s.vectors for s in (source.images, source.texts))
        return cls(images, texts, source.links, model, data)


def _vectors(args: argparse.Namespace) -> Vectors:
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
    from core.encoding.models import load_model
    from core.encoding.pipeline import embed
    from core.encoding.store import Store

    dataset = open_source(args.data or WORLD, seed=args.seed)
    done = embed(dataset, load_model(args.model), Store(), on_progress=progress_line)
    return Vectors.of(done, args.model, dataset.name)


def _sphere(args: argparse.Namespace) -> Evaluation:
    """Every map that needs no choice of axes: its fidelity, and the seconds it takes."""
    from core.geometry.maps import fidelity
    from core.geometry.maps.registry import MAPS, available, fit_map

    found = _vectors(args)
    x = np.concatenate([part for part in (found.images, found.texts) if part is not None])
    figures: dict[str, Number] = {}
    for key in available(x.shape[1]):
        if MAPS[key].needs == "axes":
            continue
        began = time.perf_counter()
        fitted = fit_map(x, key, seed=args.seed, with_fidelity=False)
        seconds = time.perf_counter() - began
        measured = fidelity.measure(x, fitted.map.coords, seed=args.seed)
        figures |= {f"{name}_{key}": measured[name] for name in FIDELITY if name in measured}
        figures[f"seconds_{key}"] = Number(seconds, n=len(x), unit="s")
    return Evaluation("sphere", found.model, found.data, args.seed, figures)


def _gap(args: argparse.Namespace) -> Evaluation:
    """The measures of the gap, the loss as it is and with the gap closed, and what each way of closing does.

    Where there are too few pairs to fit on some and score on others, one line on stderr says so.
    """
    from core.geometry.gap.measures import gap_measures, loss_at
    from core.geometry.gap.scoring import score_closings
    from core.geometry.gap.shift import shifted
    from core.geometry.pairs import Pairs

    found = _vectors(args)
    if found.images is None or found.texts is None:
        raise SourceError("images and texts", f"no {'images' if found.images is None else 'texts'} in {found.data}",
                          "A file of vectors has arrays named image and text.")
    pairs = Pairs(found.images, found.texts, found.links)
    figures = gap_measures(pairs, seed=args.seed, on_progress=progress_line)
    if len(np.unique(pairs.links[:, 0])) > 1:
        loss = f"natural logarithm, temperature {TEMPERATURE:g}"
        figures["loss_at_0"] = replace(loss_at(pairs, TEMPERATURE), unit=loss)
        figures["loss_closed"] = replace(loss_at(shifted(pairs, 0.5), TEMPERATURE), unit=loss)
    try:
        rows = score_closings(pairs, seed=args.seed, on_progress=progress_line).rows
    except ShapeError as error:
        print(error, file=sys.stderr)
        rows = ()
    for row in rows:
        figures[f"gap_{row.method}"] = row.gap
        for part, numbers in (("held_out", row.held_out), ("in_sample", row.in_sample)):
            if numbers:
                figures[f"r1_{part}_{row.method}"] = numbers["r1_image_to_text"]
                figures[f"r1_{part}_text_to_image_{row.method}"] = numbers["r1_text_to_image"]
    return Evaluation("gap", found.model, found.data, args.seed, figures)


SUBJECTS: dict[str, Callable[[argparse.Namespace], Evaluation]] = {"model": _model, "sphere": _sphere, "gap": _gap}


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("evaluate", help="print the figures of a subject")
    parser.add_argument("subject", choices=list(SUBJECTS))
    parser.add_argument("--data", help="vectors, a folder, a zip or a table (default: the built-in world)")
    parser.add_argument("--model", default="builtin", help="id of a model (default: builtin)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    parser.set_defaults(func=run)


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """The evaluation with what is absent left out and nothing that JSON cannot say."""
    def clean(number: Number) -> dict[str, Any]:
        return {k: v for k, v in asdict(number).items()
                if v is not None and not (isinstance(v, float) and not math.isfinite(v))}

    return {**asdict(evaluation), "figures": {k: clean(v) for k, v in evaluation.figures.items()}}


def as_table(evaluation: Evaluation) -> str:
    """Lines of name, value, 95 % interval, null, n and unit."""
    rows = [("figure", "value", "95 % interval", "null", "n", "unit")]
    for name, number in evaluation.figures.items():
        interval = "" if number.low is None or number.high is None else f"{number.low:.4g} to {number.high:.4g}"
        rows.append((name, f"{number.value:.4g}", interval, "" if number.null is None else f"{number.null:.4g}",
                     "" if number.n is None else f"{number.n:,}", number.unit))
    widths = [max(len(r[c]) for r in rows) for c in range(6)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths)).rstrip() for row in rows]
    head = f"{evaluation.subject}: {evaluation.model} on {evaluation.data}, seed {evaluation.seed}"
    return "\n".join([head, *lines])


def run(args: argparse.Namespace) -> int:
    evaluation = SUBJECTS[args.subject](args)
    print(json.dumps(as_json(evaluation)) if args.json else as_table(evaluation))
    return 0
