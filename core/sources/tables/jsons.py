"""Tables in JSON and JSON lines, in the shapes that datasets of images and captions come in."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from core.sources.tables.columns import SPLITS
from core.sources.text import lines
from core.types import Refusal


def read_json_lines(text: str) -> tuple[pd.DataFrame, list[Refusal]]:
    """A row for each line that is an object, and the lines that are none."""
    rows, refused = [], []
    for number, line in enumerate(lines(text), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                refused.append(Refusal(f"line {number}", f"it is not JSON ({str(error)[:200]})"))
                continue
            if isinstance(row, dict):
                rows.append(_plain(row))
            else:
                refused.append(Refusal(f"line {number}", "it is JSON, but no object with named fields"))
    return pd.DataFrame(rows), refused


def read_json(text: str) -> pd.DataFrame:
    """A list of objects or of captions; {image: caption or captions}; {"data": rows}; columns; COCO's captions;
    Karpathy's splits (sentences); FiftyOne's samples or labels.

    Raises
    ------
    ValueError
        If it is none of these, with what it is.
    """
    found = json.loads(text)
    if isinstance(found, list):
        return _of_list(found)
    if not isinstance(found, dict):
        raise ValueError(f"it holds one {type(found).__name__}, no rows")
    if isinstance(found.get("labels"), dict):
        classes = found.get("classes") or []
        rows = [(name, classes[at] if isinstance(at, int) and at < len(classes) else at)
                for name, at in found["labels"].items()]
        return pd.DataFrame(rows, columns=pd.Index(["image", "label"]))
    if isinstance(found.get("annotations"), list):
        return _of_annotations(found["annotations"], found.get("images"))
    for key in ("samples", "data", "rows", "images", "items", "records", "captions"):
        if isinstance(found.get(key), list):
            return _of_list(found[key])
    if found and all(isinstance(v, str) or (isinstance(v, list) and all(isinstance(c, str) for c in v))
                     for v in found.values()) and not _are_columns(found):
        return pd.DataFrame({"image": list(found), "captions": list(found.values())})
    if found and all(isinstance(v, dict) for v in found.values()):
        if not all(set(map(str, range(len(v)))) == set(v) for v in found.values()):
            return pd.DataFrame([{"image": name, **_plain(row)} for name, row in found.items()])
        return pd.DataFrame({name: list(column.values()) for name, column in found.items()})
    if _are_columns(found):
        return pd.DataFrame(found)
    fields = ", ".join(map(str, list(found)[:6])) or "nothing"
    raise ValueError(f"an object of {fields}, in which no rows are found; write a list of objects, or "
                     f"{{image: captions}}")


def _are_columns(found: dict[str, Any]) -> bool:
    """Whether an object holds columns: lists of one length under titles that name no image."""
    lists = [v for v in found.values() if isinstance(v, list)]
    named = any(name.lower().endswith((".png", ".jpg", ".jpeg", ".webp", ".gif")) for name in found)
    return len(lists) == len(found) and len(set(map(len, lists))) == 1 and not named


def _of_list(found: list[Any]) -> pd.DataFrame:
    if all(isinstance(row, str) for row in found):
        return pd.DataFrame({"caption": found})
    if not all(isinstance(row, dict) for row in found):
        kinds = sorted({type(row).__name__ for row in found})
        raise ValueError(f"a list of {', '.join(kinds)}; rows are objects with named fields")
    for row in found:
        if isinstance(row.get("sentences"), list):
            row["sentences"] = [s.get("raw") if isinstance(s, dict) else s for s in row["sentences"]]
    return pd.DataFrame([_plain(row) for row in found])


def _of_annotations(annotations: list[Any], images: Any) -> pd.DataFrame:
    """COCO's captions, with the names of their images where these are listed."""
    captions = pd.DataFrame([row for row in annotations if isinstance(row, dict)])
    if "caption" not in captions or "image_id" not in captions:
        columns = ", ".join(map(str, captions.columns[:8])) or "no fields"
        raise ValueError(f"annotations with {columns}; captions have the fields image_id and caption")
    if isinstance(images, list) and images and all(isinstance(row, dict) and "id" in row for row in images):
        named = pd.DataFrame(images)
        return captions[["image_id", "caption"]].merge(named, left_on="image_id", right_on="id", how="left")
    return captions


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """FiftyOne's nested fields as plain ones: a label's name, an id's digits, a tag that names a split."""
    plain = {}
    for key, value in row.items():
        if isinstance(value, dict):
            value = value.get("label", value.get("$oid", json.dumps(value)))
        elif key == "tags" and isinstance(value, list) and "split" not in row:
            plain["split"] = next((tag for tag in value if str(tag).lower() in SPLITS), None)
        plain[key] = value
    return plain
