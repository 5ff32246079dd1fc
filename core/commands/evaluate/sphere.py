"""The maps onto the sphere that one looks at, and how far each can be trusted."""

from __future__ import annotations

import argparse
import time

import numpy as np

from core.commands.evaluate._report import Evaluation
from core.commands.evaluate._vectors import vectors_of
from core.types import Number

HELP = "the fidelity of every map"


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Every map that needs no choice of axes: its fidelity, and the seconds it takes."""
    from core.geometry.maps.registry import MAPS, available, fit_map, measured

    found = vectors_of(args)
    sides = [np.zeros((0, 0)) if part is None else part for part in (found.images, found.texts)]
    x = np.concatenate([side for side in sides if len(side)])
    texts = np.repeat([False, True], [len(side) for side in sides]) if all(map(len, sides)) else None
    figures: dict[str, Number] = {}
    for key in available(x.shape[1], both=texts is not None):
        if MAPS[key].needs == "axes":
            continue
        began = time.perf_counter()
        fitted = fit_map(x, key, texts=texts, seed=args.seed, with_fidelity=False)
        seconds = time.perf_counter() - began
        trust = measured(fitted, x, texts=texts).map.fidelity
        figures |= {f"{name}_{key}": number for name, number in trust.items()}
        figures[f"seconds_{key}"] = Number(seconds, n=len(x), unit="s")
    return Evaluation("sphere", found.model, found.data, args.seed, figures, found.note)
