"""The maps onto the sphere that one looks at, and how far each can be trusted."""

from __future__ import annotations

import argparse
import time

import numpy as np

from core.commands.evaluate._report import Evaluation
from core.commands.evaluate._vectors import vectors_of
from core.types import Number

HELP = "the fidelity of every map"
FIDELITY = ("spearman", "knn_overlap", "trustworthiness", "continuity")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Every map that needs no choice of axes: its fidelity, and the seconds it takes."""
    from core.geometry.maps import fidelity
    from core.geometry.maps.registry import MAPS, available, fit_map

    found = vectors_of(args)
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
