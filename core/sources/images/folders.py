"""What the folders of image files say of them."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.sources.tables.columns import SPLITS


def labels_from_folders(names: Sequence[str]) -> pd.DataFrame:
    """Columns ``split`` and ``label`` (and ``folder_1``, ``folder_2``, ... where deeper) from the folders of files.

    What all files share is left out; a folder named train, val, test or the like is the split, not the label.
    """
    folders = [name.split("/")[:-1] for name in names]
    first, last = min(folders, default=[]), max(folders, default=[])
    shared = next((i for i, (a, b) in enumerate(zip(first, last)) if a != b), min(len(first), len(last)))
    if shared and folders[0][shared - 1].lower() in SPLITS:
        shared -= 1
    folders = [parts[shared:] for parts in folders]
    table = pd.DataFrame(index=range(len(names)))
    splits = [SPLITS.get(parts[0].lower(), "") if parts else "" for parts in folders]
    if any(splits):
        table["split"] = splits
        folders = [parts[1:] if split else parts for parts, split in zip(folders, splits)]
    if all(parts and all(part.isdecimal() and len(part) > 3 for part in parts) for parts in folders):
        return table  # numbered shards, not classes
    depth = max((len(parts) for parts in folders), default=0)
    if depth:
        table["label"] = ["/".join(parts) for parts in folders]
    if depth > 1:
        for level in range(depth):
            table[f"folder_{level + 1}"] = [parts[level] if level < len(parts) else "" for parts in folders]
    return table
