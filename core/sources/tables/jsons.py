"""Tables in JSON and JSON lines, in the shapes that datasets of images and captions come in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.sources.tables.cells import is_image_name
from core.sources.tables.columns import SPLITS, is_header, role_of
from core.sources.text import lines
from core.types import Refusal

_WRAPPERS = ("samples", "data", "rows", "images", "items", "records", "captions")


def read_json(text: str, *, by_lines: bool = False) -> tuple[pd.DataFrame, list[Refusal]]:
    """The rows of JSON or of JSON lines, whichever it is, and the lines that are no rows.

    A list of objects, of captions or of [image, caption]; {image: caption, captions, fields or rows}; {"data": rows};
    {"train": rows, "test": rows}; columns; COCO's captions; Karpathy's splits (sentences); FiftyOne's samples or
    labels.

    Parameters
    ----------
    text
        The whole file.
    by_lines
        Whether its name says that it holds JSON lines, so that a single object is a row.

    Raises
    ------
    ValueError
        If it is none of these, with what it is.
    """
    try:
        found = json.loads(text)
    except ValueError:
        return _of_lines(text, by_lines)
    if isinstance(found, list) and sum(isinstance(row, dict) for row in found) > len(found) / 2:
        refused = [Refusal(f"row {i}", f"it is {type(row).__name__}, no object with named fields")
                   for i, row in enumerate(found, 1) if not isinstance(row, dict)]
        return _of([row for row in found if isinstance(row, dict)]), refused
    return _of([found] if by_lines and isinstance(found, dict) else found), []


def _of_lines(text: str, by_lines: bool) -> tuple[pd.DataFrame, list[Refusal]]:
    """A row for each line that is an object (or a list, where none is), and the lines that are none."""
    found: list[tuple[int, Any]] = []
    refused: list[tuple[int, str]] = []
    for number, line in enumerate(lines(text), 1):
        if line.strip():
            try:
                found.append((number, json.loads(line)))
            except (ValueError, RecursionError) as error:
                refused.append((number, f"it is not JSON ({str(error)[:200]})"))
    kind = dict if any(isinstance(value, dict) for _, value in found) else list
    rows = [value for _, value in found if isinstance(value, kind)]
    if not rows or (not by_lines and len(refused) > len(rows)):
        json.loads(text)
    refused += [(number, "it is JSON, but no object with named fields") for number, value in found
                if not isinstance(value, kind)]
    return _of(rows), [Refusal(f"line {number}", reason) for number, reason in sorted(refused)]


def _of(found: Any) -> pd.DataFrame:
    """What a parsed file holds as a table; raises ValueError where no rows are in it."""
    if isinstance(found, list):
        return _of_list(found)
    if not isinstance(found, dict):
        raise ValueError(f"it holds one {type(found).__name__}, no rows")
    if isinstance(found.get("labels"), dict):
        classes = found.get("classes") or []
        rows = [(name, classes[at] if isinstance(at, int) and at < len(classes) else at)
                for name, at in found["labels"].items()]
        return pd.DataFrame(rows, columns=pd.Index(["image", "label"]))
    if _are_records(found.get("annotations")):
        return _of_annotations(found["annotations"], found.get("images"))
    if _are_columns(found):
        return pd.DataFrame(found)
    if found and all(key.lower() in SPLITS and isinstance(value, list | dict) for key, value in found.items()):
        return pd.concat([_of(value).assign(split=key) for key, value in found.items()], ignore_index=True)
    for key in _WRAPPERS:
        if isinstance(found.get(key), list):
            return _of_list(found[key])
    if any(role_of(key) in ("image", "caption") and isinstance(value, str) for key, value in found.items()):
        return pd.DataFrame([_plain(found)])
    return _of_mapping(found)


def _of_mapping(found: dict[str, Any]) -> pd.DataFrame:
    """Images with their captions, fields or rows; or columns whose rows are numbered, as a data frame writes them."""
    values = list(found.values())
    lengths = {len(value) for value in values if isinstance(value, list)}
    if all(isinstance(value, list) for value in values) and len(lengths) > 1 and any(map(role_of, found)):
        said = ", ".join(f"{key} has {len(value)}" for key, value in list(found.items())[:6])
        raise ValueError(f"columns of several lengths ({said}); each row needs a value in every column")
    if found and all(isinstance(value, str) or (isinstance(value, list) and all(isinstance(c, str) for c in value))
                     for value in values):
        return pd.DataFrame({"image": list(found), "captions": values})
    if found and all(isinstance(value, dict) for value in values):
        if not all(set(map(str, range(len(v)))) == set(v) for v in values):
            return pd.DataFrame([{"image": name, **_plain(row)} for name, row in found.items()])
        return pd.DataFrame({name: list(column.values()) for name, column in found.items()})
    if found and all(_are_records(value) for value in values):
        return pd.DataFrame([{"image": name, **_plain(row)} for name, rows in found.items() for row in rows])
    fields = ", ".join(map(str, list(found)[:6])) or "nothing"
    raise ValueError(f"an object of {fields}, in which no rows are found; write a list of objects, or "
                     f"{{image: captions}}")


def _are_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _are_columns(found: dict[str, Any]) -> bool:
    """Whether an object holds columns: lists of one length under titles, one of which speaks of images or captions or
    stands above numbers."""
    columns = list(found.values())
    if not columns or not all(isinstance(c, list) for c in columns) or len(set(map(len, columns))) != 1:
        return False
    if any(is_image_name(name) for name in found) or any(isinstance(cell, dict) for c in columns for cell in c):
        return False
    return any(map(role_of, found)) or any(isinstance(cell, int | float) for c in columns for cell in c)


def _of_list(found: list[Any]) -> pd.DataFrame:
    if all(isinstance(row, str) for row in found):
        return pd.DataFrame({"caption": found})
    if all(isinstance(row, list) for row in found):
        return _of_lists(found)
    if not all(isinstance(row, dict) for row in found):
        kinds = sorted({type(row).__name__ for row in found})
        raise ValueError(f"a list of {', '.join(kinds)}; rows are objects with named fields")
    for row in found:
        if isinstance(row.get("sentences"), list):
            row["sentences"] = [s.get("raw") if isinstance(s, dict) else s for s in row["sentences"]]
    return pd.DataFrame([_plain(row) for row in found])


def _of_lists(rows: list[list[Any]]) -> pd.DataFrame:
    """Rows without names, or with names in the first of them; two cells, of which one is an image's, are a pair."""
    width = max(map(len, rows))
    if all(isinstance(cell, str) for cell in rows[0]) and len(rows) > 1 and len(rows[0]) == width and is_header(
            rows[0], [[str(cell) for cell in row] for row in rows[1:]]):
        return pd.DataFrame(rows[1:], columns=pd.Index(rows[0]))
    titles: Sequence[str] = [f"column_{i + 1}" for i in range(width)]
    if width == 2 and sum(bool(row) and is_image_name(row[0]) for row in rows) > len(rows) / 2:
        titles = ("image", "caption")
    return pd.DataFrame(rows, columns=pd.Index(titles))


def _of_annotations(annotations: list[dict[str, Any]], images: Any) -> pd.DataFrame:
    """COCO's captions, with the names of their images where these are listed; images without a caption stay."""
    captions = pd.DataFrame(annotations)
    if "caption" not in captions or "image_id" not in captions:
        columns = ", ".join(map(str, captions.columns[:8])) or "no fields"
        raise ValueError(f"annotations with {columns}; captions have the fields image_id and caption")
    if not _are_records(images) or not all("id" in row for row in images):
        return captions
    named = {str(row["id"]): row for row in images}
    rows = [{**named.get(str(i), {"file_name": i}), "image_id": i, "caption": caption}
            for i, caption in zip(captions["image_id"].tolist(), captions["caption"].tolist())]
    spoken = {str(row["image_id"]) for row in rows}
    rows += [{**row, "image_id": row["id"]} for key, row in named.items() if key not in spoken]
    return pd.DataFrame(rows)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """FiftyOne's nested fields as plain ones: a label's name, an id's digits, a tag that names a split."""
    plain: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict):
            value = value.get("label", value.get("$oid", json.dumps(value)))
        elif key == "tags" and isinstance(value, list) and "split" not in row:
            split = next((tag for tag in value if str(tag).lower() in SPLITS), None)
            plain |= {} if split is None else {"split": split}
        plain[key] = value
    return plain
