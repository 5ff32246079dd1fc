"""``python -m core sheet OUT``: a contact sheet of the built-in world."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    parser = subparsers.add_parser("sheet", help="draw a contact sheet of the built-in world")
    parser.add_argument("out", type=Path, help="picture to write (png, jpg or webp)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=128, help="px of each picture, 64 to 512 (default 128)")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    from PIL import Image

    from core.sources.solids.render import render
    from core.sources.solids.scene import sample_scene
    from core.sources.solids.vocabulary import SETTINGS, SOLIDS, STYLES, TEXTURES

    scenes = [sample_scene(np.random.default_rng((args.seed, row, column)), count=1, held_out=None, style=style,
                           solid=solid, setting=list(SETTINGS)[(row + column) % len(SETTINGS)],
                           texture=list(TEXTURES)[(row + column) % len(TEXTURES)])
              for row, style in enumerate(STYLES) for column, solid in enumerate(SOLIDS)]
    scenes += [sample_scene(np.random.default_rng((args.seed, 99, column)), count=2 + column % 2, held_out=None)
               for column in range(len(SOLIDS))]
    pictures = render(scenes, args.size).images
    rows = pictures.reshape(-1, len(SOLIDS), *pictures.shape[1:])
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows], axis=0)
    Image.fromarray(sheet).save(args.out)
    print(f"{len(scenes)} scenes in {args.out}")
    return 0
