"""Words and captions: what a model says of the built-in world, or chooses between the captions of a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.commands._progress import progress_line
from core.commands.evaluate._report import Evaluation
from core.errors import SourceError

HELP = "questions, captions, concept words, binding and order of words, on held-out scenes or a file of your own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from core.language.words.evaluation import SCENES

    parser.add_argument("--scenes", type=int, default=SCENES, help=f"of each kind that are scored (default: {SCENES}); "
                        "not with --data: then a table with right and wrong captions of images is judged, and other "
                        "data give R@1 both ways")


def evaluate(args: argparse.Namespace) -> Evaluation:
    """Scenes of combinations held out of training; or two captions an image; or pairs."""
    from core.encoding.registry import misfit
    from core.language.words.evaluation import evaluate_words, retrieval_figures

    if not args.data:
        from core.encoding.models import load_model

        found = evaluate_words(load_model(args.model), seed=args.seed, n=args.scenes, on_progress=progress_line)
        return Evaluation("words", args.model, "scenes of the built-in world, held out of training", args.seed,
                          found.figures, misfit(args.model, built_in_world=True), found.chosen)
    judged = _two_captions(args)
    if judged is not None:
        return judged
    from core.commands.evaluate._vectors import vectors_of

    pairs = vectors_of(args)
    if pairs.images is None or pairs.texts is None or not len(pairs.links):
        raise SourceError("images and captions that belong together, or a table with right and wrong captions",
                          pairs.data, "A table of choices has the columns image, right and wrong.")
    figures = retrieval_figures(pairs.images, pairs.texts, pairs.links, (1, 5))
    return Evaluation("words", pairs.model, pairs.data, args.seed, figures, pairs.note)


def _two_captions(args: argparse.Namespace) -> Evaluation | None:
    """What a table with right and wrong captions gives; None where the data are no such table."""
    from core.commands._opening import tell_rows
    from core.encoding.embedding import embed_with
    from core.encoding.models import load_model
    from core.encoding.registry import misfit
    from core.language.words.evaluation import evaluate_choices
    from core.settings import settings
    from core.sources.images.opening import open_given
    from core.sources.tables.choices import choices_of, holds_choices
    from core.sources.tables.reading import ENDINGS, read_table

    path = Path(args.data).expanduser()
    if not path.is_file() or path.suffix.lower() not in ENDINGS:
        return None
    table = read_table(path, path.name, args.encoding)
    if not holds_choices(table):
        return None
    done = embed_with(args.model, open_given(args.images or path.parent), on_progress=progress_line)
    if done.images is None:
        raise SourceError(f"images that {path.name} names", "none that can be read", "Say where they are by --images.")
    choices = choices_of(table, done.images.ids)
    tell_rows([("refused", r) for r in (*choices.refused, *done.refused)],
              settings().cache / "left_out" / f"{path.stem}.tsv")
    found = evaluate_choices(load_model(args.model), done.images.vectors, choices, seed=args.seed,
                             on_progress=progress_line)
    return Evaluation("words", args.model, path.name, args.seed, found.figures,
                      misfit(args.model, built_in_world=False))
