"""``python -m core embed SOURCE``: vectors of a folder, zip, tar, table or the built-in world, as one file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from core.commands._opening import WORLD, no_image_of, open_source, tell
from core.commands._progress import progress_line
from core.errors import SourceError
from core.types import Dataset


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("embed", help="write the vectors of a folder, zip, tar or table to a file")
    parser.add_argument("source", help="folder of images, zip, tar, caption table (CSV, TSV, JSONL, Parquet), or "
                                       "'world', the built-in one")
    parser.add_argument("--model", default="builtin", help="id, org/name@commit, folder, or builtin (default)")
    parser.add_argument("--out", required=True, type=Path, help="file to write: .parquet or .npz")
    parser.add_argument("--images", help="folder or zip of the images that a table names (default: the table's folder)")
    parser.add_argument("--encoding", help="how letters are written, where the guess is wrong (gb18030, cp1251, ...)")
    parser.add_argument("--sample", type=int, help="take so many images at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample and of the world")
    parser.add_argument("--batch-size", type=int, help="items at once (default: what suits the device)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """Embed and write; an interrupted run goes on from where it was, since the store keeps every batch.

    All that is not used is told, with its reason. Exit status 2 where images were brought and none could be read; the
    texts are written all the same.
    """
    from core.encoding.embedding import embed_with
    from core.encoding.export import ENDINGS, save_vectors
    from core.encoding.registry import misfit
    from core.encoding.store import Store
    from core.errors import check_choice
    from core.sources.sampling import sample

    check_choice("the ending of --out", args.out.suffix.lower(), ENDINGS)
    dataset = open_source(args.source, args.images, args.seed, args.encoding)
    if not isinstance(dataset, Dataset):
        raise SourceError("images or texts to embed", f"{dataset.name}, which holds vectors already",
                          "evaluate --data and the app take them as they are.")
    opened = dataset
    if args.sample is not None and dataset.images is not None and args.sample < len(dataset.images):
        dataset = sample(dataset, args.sample, args.seed)
    store = Store()
    done = embed_with(args.model, dataset, store, on_progress=progress_line, batch_size=args.batch_size)
    save_vectors(done, args.out)
    odd = misfit(args.model, built_in_world=args.source == WORLD)
    for notice in [*store.notices, *([odd] if odd else [])]:
        print(notice, file=sys.stderr)
    tell(opened, [r for r in done.refused if r not in set(opened.refused)],
         args.out.with_name(f"{args.out.name}.left_out.tsv"))
    if done.truncated:
        print(f"{len(done.truncated)} texts are longer than the model reads; their ends were not seen", file=sys.stderr)
    images, texts = (0 if items is None else len(items) for items in (done.images, done.texts))
    print(f"{args.out}: {images:,} images and {texts:,} texts by {done.model.id}, {done.model.dim} dimensions, "
          f"{done.encoded:,} encoded now")
    failed = no_image_of(done.refused, images)
    if failed:
        print(failed, file=sys.stderr)
    return 2 if failed else 0
