"""Tables of every kind that can be put together: no error but a friendly one, and every row accounted for."""

from __future__ import annotations

import csv
import io
import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import OrreryError
from core.sources.images.opening import open_uploads
from core.sources.tables.opening import open_table
from tests.sources.images.test_images import png

WORDS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\x85"),
                min_size=1, max_size=12).map(lambda text: "a " + text + " thing")
NAMES = st.sampled_from(["0.png", "a b.png", "caf\u00e9.png", "cafe\u0301.png", "x/1.png", "x\\1.png", "D:\\y\\2.png",
                         "\u732b.png"])
TITLES = st.sampled_from([("image", "caption"), ("file_name", "text"), ("Image.png", "Caption"), ("filepath", "title")])
EXTRAS = st.lists(st.sampled_from(["2021", "", "note", "note", "nan", "score"]), max_size=3)
CELLS = st.one_of(st.none(), st.integers(-5, 5).map(str), WORDS)
SEPARATED = st.sampled_from([(",", "csv"), (";", "csv"), ("\t", "tsv"), ("|", "csv")])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030", "cp1252"])


@st.composite
def rows(draw: st.DrawFn) -> tuple[list[str], list[list[str | None]]]:
    titles = [*draw(TITLES), *draw(EXTRAS)]
    body = draw(st.lists(st.tuples(NAMES, WORDS), min_size=2, max_size=8))
    return titles, [[name, caption, *(draw(CELLS) for _ in titles[2:])] for name, caption in body]


def accounted(data: bytes, name: str, captions: int) -> None:
    """Opened without its pictures and with some of them: every caption is read, or its row is named."""
    try:
        dataset = open_table((name, data))
    except OrreryError:
        return
    lost = [r for r in dataset.refused if r.name.startswith("line ")]
    assert len(dataset.texts) + len(lost) == captions
    given_pictures = open_uploads([("0.png", png()), ("1.png", png("blue")), ("caf\u00e9.png", png("lime"))])
    beside = open_table((name, data), given_pictures)
    assert len(beside.texts) + len([r for r in beside.refused if r.name.startswith("line ")]) == captions
    linked = {int(j) for _, j in beside.links}
    missing = {r.name for r in beside.refused}
    for j, identity in enumerate(beside.text_ids):
        assert j in linked or identity.rsplit("/", 1)[0] in missing


@settings(max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(), SEPARATED, ENCODINGS, st.sampled_from(["\n", "\r\n"]))
def test_separated_values(table: tuple[list[str], list[list[str | None]]], how: tuple[str, str], encoding: str,
                          end: str) -> None:
    titles, body = table
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=how[0], lineterminator=end)
    writer.writerow(titles)
    writer.writerows([["" if cell is None else cell for cell in row] for row in body])
    accounted(buffer.getvalue().encode(encoding, "replace"), f"t.{how[1]}", len(body))


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows(), st.sampled_from(["json", "jsonl", "data", "parquet"]), st.booleans())
def test_objects(table: tuple[list[str], list[list[str | None]]], kind: str, ascii_only: bool) -> None:
    titles, body = table
    titles = [title or f"empty {i}" for i, title in enumerate(titles)]
    objects = [dict(zip(titles, row)) for row in body]
    if kind == "parquet":
        buffer = io.BytesIO()
        pd.DataFrame(objects).to_parquet(buffer)
        accounted(buffer.getvalue(), "t.parquet", len(body))
        return
    lines = [json.dumps(row, ensure_ascii=ascii_only) for row in objects]
    text = "\n".join(lines) if kind == "jsonl" else f"[{','.join(lines)}]"
    text = f'{{"data": {text}}}' if kind == "data" else text
    accounted(text.encode(), "t.jsonl" if kind == "jsonl" else "t.json", len(body))


@settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400), st.sampled_from(["csv", "tsv", "txt", "json", "jsonl", "parquet"]))
def test_bytes_of_anything(data: bytes, ending: str) -> None:
    try:
        dataset = open_table((f"t.{ending}", data))
    except OrreryError:
        return
    assert len(dataset.texts) or len(dataset.image_ids)


def test_an_account_that_does_not_add_up_would_be_seen() -> None:
    with pytest.raises(AssertionError):
        accounted(b"image,caption\n0.png,a b\n", "t.csv", 2)
