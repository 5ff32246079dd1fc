"""The modality gap: its measures, the loss, and what each way of closing it does."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.commands.evaluate._vectors import vectors_of
from core.encoding.registry import has_gap
from core.errors import ChoiceError, ShapeError, SourceError

HELP = "the measures of the modality gap and what closing it does"
TEMPERATURE = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-closings", action="store_true", help="leave out what each way of closing the gap does")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """The measures of the gap, the loss as it is and with the gap closed, and what each way of closing does.

    Where there are too few pairs to fit on some and score on others, one line on stderr says so.
    """
    from core.geometry.gap.measures import BATCH, gap_measures, loss_at
    from core.geometry.gap.scoring import score_closings
    from core.geometry.pairs import Pairs
    from core.geometry.shift import shifted

    if not has_gap(args.model):
        raise ChoiceError("an image-text model (a CLIP)", "the photo model, whose texts are rows of its last layer",
                          "They are defined only up to a vector that all share, so that a gap to them means nothing.")
    found = vectors_of(args)
    if found.images is None or found.texts is None:
        raise SourceError("images and texts", f"no {'images' if found.images is None else 'texts'} in {found.data}",
                          "A file of vectors has arrays named image and text.")
    pairs = Pairs(found.images, found.texts, found.links)
    figures = gap_measures(pairs, seed=args.seed, on_progress=progress_line)
    if len(np.unique(pairs.links[:, 0])) > 1:
        of_batch = min(BATCH, len(np.unique(pairs.links[:, 0])))
        loss = f"natural logarithm, temperature {TEMPERATURE:g}, batches of {of_batch}"
        figures["loss_at_0"] = replace(loss_at(pairs, TEMPERATURE), unit=loss)
        figures["loss_closed"] = replace(loss_at(shifted(pairs, 0.5), TEMPERATURE), unit=loss)
    if args.no_closings:
        return Evaluation("gap", found.model, found.data, args.seed, figures, found.note)
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
    return Evaluation("gap", found.model, found.data, args.seed, figures, found.note)
