"""``python -m core recipe FILE --data SOURCE --out kept.csv``: what a recipe keeps of data, without a browser."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.commands._opening import WORLD, no_image_of, open_source, tell
from core.commands._progress import progress_line
from core.errors import SourceError, check_choice
from core.types import Dataset

if TYPE_CHECKING:
    from core.language.quality.looked import Looked
    from core.language.quality.recipe import Recipe
    from core.sources.vectors.opening import VectorSource

_NO_MODEL = "precomputed"


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("recipe", help="write which items of a dataset a recipe keeps",
                                   description="Replays what was exported of the page Dataset quality: writes what is "
                                               "kept to --out, and what is dropped, with the action that dropped it, "
                                               "beside it as NAME.dropped.ENDING.")
    parser.add_argument("recipe", type=Path, help="file of the recipe, YAML or JSON")
    parser.add_argument("--data", required=True, help="folder of images, zip, tar, caption table, vectors, or 'world', "
                                                      "the built-in one")
    parser.add_argument("--out", required=True, type=Path, help="file to write: .csv, .parquet or .jsonl")
    parser.add_argument("--images", help="folder or zip of the images that a table names (default: the table's folder)")
    parser.add_argument("--model", help="id, org/name@commit, folder, or builtin (default: that of the recipe)")
    parser.add_argument("--encoding", help="how letters are written, where the guess is wrong (gb18030, cp1251, ...)")
    parser.add_argument("--strict", action="store_true", help="refuse data or vectors other than those that the recipe "
                                                              "was made for; otherwise that is only said")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Replay and write; what differs from the data that the recipe was made for is told on stderr.

    Exit status 2 where the recipe is none, an action cannot be done with these data, or, with ``--strict``, the data
    differ. Nothing is written then. That nothing is left is an answer.
    """
    from core.language.quality import evidence
    from core.language.quality.actions import replay, what_is_left
    from core.language.quality.kept import ENDINGS, dropped_table, kept_table, save_table
    from core.language.quality.recipe import read_recipe

    check_choice("the ending of --out", args.out.suffix.lower(), ENDINGS)
    recipe = read_recipe(_content(args.recipe))
    looked = _look(recipe, args)
    differing = recipe.differs(looked)
    if differing and args.strict:
        raise SourceError("the data that the recipe was made for", " ".join(differing).removesuffix("."),
                          "Leave out --strict to take the actions all the same.")
    for sentence in differing:
        print(sentence, file=sys.stderr)
    lacking = [f"{a.words}: {why}" for a in recipe.actions if a.on and (why := a.lacks(looked))]
    if lacking:
        raise SourceError("data with which every action can be done", "; ".join(lacking),
                          "Switch these off (active: false), or bring what they need.")
    for key in dict.fromkeys(key for action in recipe.actions if action.on for key in action.needs):
        evidence.find(looked, key, seed=recipe.seed, on_progress=progress_line)
    steps = replay(recipe.actions, looked, seed=recipe.seed)
    for number, step in enumerate(steps, 1):
        changed = f", {len(step.relabelled):,} relabelled" if len(step.relabelled) else ""
        off = "" if step.action.on else " (switched off)"
        print(f"{number}. {step.action.words}{off}: {len(step.images):,} images and {len(step.texts):,} texts "
              f"dropped{changed}")
    kept, beside = what_is_left(steps, looked), args.out.with_name(f"{args.out.stem}.dropped{args.out.suffix}")
    save_table(kept_table(looked, steps), args.out)
    save_table(dropped_table(looked, steps), beside)
    left, items = (int(kept.images.sum()), int(kept.texts.sum())), looked.items
    print(f"{args.out}: {left[0]:,} of {items.n_images:,} images and {left[1]:,} of {items.n_texts:,} texts are kept; "
          f"what was dropped is in {beside}")
    return 0


def _content(path: Path) -> bytes:
    from core.language.quality.recipe_file import MOST_BYTES

    try:
        with path.expanduser().open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise SourceError("a file with a recipe", f"{path}: {error.strerror or error}", "Check the path.") from error


def _look(recipe: Recipe, args: argparse.Namespace) -> Looked:
    """What the recipe looks at of what a source holds: what was selected of it, embedded, and sampled."""
    from core.encoding.embedding import embed_with
    from core.figures.scenes.embedding import Points
    from core.figures.scenes.thinning import only, thin
    from core.language.quality.looked import look

    named = "" if recipe.model.startswith(_NO_MODEL) else recipe.model
    opened, data = _opened(recipe, args), recipe.data
    listing = args.out.with_name(f"{args.out.name}.left_out.tsv")
    selected = data.image_ids is not None or data.text_ids is not None
    if isinstance(opened, Dataset):
        if not args.model and recipe.model and not named:
            raise SourceError("vectors, as the recipe was made for", f"{opened.name}, which has to be encoded",
                              "Bring the vectors, or name a model with --model.")
        part = _selected(opened, recipe) if selected else opened
        model = args.model or named or "builtin"
        done = embed_with(model, part, on_progress=progress_line)
        tell(opened, [r for r in done.refused if r not in set(opened.refused)], listing)
        failed = no_image_of(done.refused, len(done.images or ()))
        if failed:
            raise SourceError(f"images of {opened.name} that can be read", failed, "Check where the images are.")
        points = Points(done.images, done.texts, done.captions, done.links)
    else:
        model = args.model or named
        tell(opened, (), listing)
        points = Points(opened.images, opened.texts, opened.captions, opened.links)
        if selected:
            points = only(points, data.image_ids or (), data.text_ids or ()).points
    if data.sampled:
        points = thin(points, data.sampled).points
    return look(points, opened, prompts_by=model, labels=data.labels)


def _opened(recipe: Recipe, args: argparse.Namespace) -> Dataset | VectorSource:
    if args.data == WORLD and recipe.data.scenes:
        from core.sources.solids.faults import plant_all
        from core.sources.solids.world import open_world

        return plant_all(open_world(recipe.data.scenes, recipe.data.world_seed), recipe.data.faults)
    return open_source(args.data, args.images, recipe.data.world_seed, args.encoding)


def _selected(opened: Dataset, recipe: Recipe) -> Dataset:
    """The items that were selected, and those that belong to them."""
    import numpy as np

    from core.sources.sampling import take

    def rows(ids: tuple[str, ...], chosen: tuple[str, ...] | None) -> np.ndarray:
        wanted = frozenset(chosen or ())
        return np.array([i for i, name in enumerate(ids) if name in wanted], dtype=np.int64)

    images, texts = rows(opened.image_ids, recipe.data.image_ids), rows(opened.text_ids, recipe.data.text_ids)
    if not len(images) and not len(texts):
        raise SourceError("items that the recipe was made for", f"none of them in {opened.name}",
                          "Bring the data that they were selected in.")
    linked = opened.links[np.isin(opened.links[:, 0], images) | np.isin(opened.links[:, 1], texts)]
    return take(opened, np.union1d(images, linked[:, 0]), np.union1d(texts, linked[:, 1]))
