"""``python -m core embed SOURCE``: vectors of a folder, zip, tar, table or the built-in world, as one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.commands._progress import progress_line
from core.errors import SourceError
from core.types import Dataset

WORLD = "world"
REFUSED_SHOWN = 20


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("embed", help="write the vectors of a folder, zip, tar or table to a file")
    parser.add_argument("source", help="folder of images, zip, tar, caption table (CSV, TSV, JSONL, Parquet), or "
                                       "'world', the built-in one")
    parser.add_argument("--model", default="builtin", help="id, org/name@commit, folder, or builtin (default)")
    parser.add_argument("--out", required=True, type=Path, help="file to write: .parquet or .npz")
    parser.add_argument("--images", help="folder or zip of the images that a table names (default: the table's folder)")
    parser.add_argument("--sample", type=int, help="take so many images at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and of the world")
    parser.add_argument("--batch-size", type=int, help="items at once (default: what suits the device)")
    parser.set_defaults(func=run)


def open_source(source: str, images: str | None = None, seed: int = 0) -> Dataset:
    """The dataset that a word on the command line names."""
    from core.sources.images.opening import open_folder, open_zip
    from core.sources.solids.world import open_world
    from core.sources.tables.opening import open_table

    if source == WORLD:
        return open_world(seed=seed)
    path = Path(source)
    if path.is_dir():
        return open_folder(path)
    if not path.is_file():
        raise SourceError(f"a folder, a zip, a table, or {WORLD}", f"{source}, which is not there", "Check the path.")
    return open_zip(path) if path.suffix.lower() in (".zip", ".tar") else open_table(path, images)


def run(args: argparse.Namespace) -> int:
    """Embed and write; an interrupted run goes on from where it was, since the store keeps every batch."""
    from core.encoding.embedding import embed_with
    from core.encoding.export import ENDINGS, save_vectors
    from core.encoding.registry import misfit
    from core.encoding.store import Store
    from core.errors import check_choice
    from core.sources.sampling import sample

    check_choice("the ending of --out", args.out.suffix.lower(), ENDINGS)
    dataset = open_source(args.source, args.images, args.seed)
    if args.sample is not None and dataset.images is not None and args.sample < len(dataset.images):
        dataset = sample(dataset, args.sample, args.seed)
    store = Store()
    done = embed_with(args.model, dataset, store, on_progress=progress_line, batch_size=args.batch_size)
    save_vectors(done, args.out)
    odd = misfit(args.model, built_in_world=args.source == WORLD)
    for notice in [*store.notices, *([odd] if odd else [])]:
        print(notice, file=sys.stderr)
    for refusal in done.refused[:REFUSED_SHOWN]:
        print(f"refused: {refusal.name}: {refusal.reason}", file=sys.stderr)
    if len(done.refused) > REFUSED_SHOWN:
        print(f"refused: {len(done.refused) - REFUSED_SHOWN} more", file=sys.stderr)
    if done.truncated:
        print(f"{len(done.truncated)} texts are longer than the model reads; their ends were not seen", file=sys.stderr)
    images, texts = (0 if items is None else len(items) for items in (done.images, done.texts))
    print(f"{args.out}: {images:,} images and {texts:,} texts by {done.model.id}, {done.model.dim} dimensions, "
          f"{done.encoded:,} encoded now")
    return 0
