"""Texts that a visitor typed, line by line, and what a model cannot read of them."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.encoding.encoder import Encoder
from core.sources.tables.reading import ENDINGS, Table, read_table
from core.streamlit_app import panels, state
from core.streamlit_app.data.uploading import bring

_NAMED = 3
MOST_CHECKED = 2000


def lines_of(text: str) -> tuple[str, ...]:
    """Lines that are not empty, each once, in their order."""
    return tuple(dict.fromkeys(" ".join(line.split()) for line in text.splitlines() if line.strip()))


def say_unread(encoder: Encoder, texts: Sequence[str]) -> None:
    """Words that the model never saw, and texts whose end it does not see, where there are some."""
    texts = list(texts)[:MOST_CHECKED]
    unknown = list(dict.fromkeys(word for text in texts for word in encoder.unknown_words(text)))
    if unknown:
        panels.notice(f"Words this model has never seen: {', '.join(unknown)[:300]}. They are letters without meaning "
                      "to it.", "warning", one_line=True)
    cut = [text for text, long in zip(texts, encoder.truncated(texts)) if long]
    if cut:
        named = "; ".join(f"“{text[:60]}…”" for text in cut[:_NAMED])
        panels.notice(f"{len(cut):,} {'text is' if len(cut) == 1 else 'texts are'} longer than the model reads "
                      f"({encoder.context_length} tokens); the end is not seen: {named}", "warning", one_line=True)


def typed_or_brought(label: str, *, key: str, default: str, placeholder: str, source: str, lines: int = 6) -> str:
    """Rows that were typed, or those of a table that was uploaded, whose cells have | between them."""
    ways = {"typed": "Typed", "file": "A table"}
    if state.pick_option("Rows", ways, key=f"{key}_from", widget="segments") == "typed":
        return state.pick_text(label, key=key, default=default, placeholder=placeholder, lines=lines)
    found = bring(source, "A table (CSV, TSV, JSON, Parquet)", ENDINGS, read_one)
    if found is None:
        return ""
    table, _ = found
    panels.refused_panel(table.refused, key=f"{key}.refused")
    return rows_as_lines(table)


def read_one(files: Sequence[tuple[str, bytes]]) -> Table:
    """The first of the files that were uploaded, as a table; raises SourceError as the reader does."""
    name, data = files[0]
    if len(files) > 1:
        st.toast(f"Read: {panels.plain(name, 80)}, the first of {len(files)}.")
    return read_table(data, name)


def rows_as_lines(table: Table) -> str:
    """Rows of a table as lines, its filled cells with | between them."""
    rows = table.frame.astype("object").where(table.frame.notna(), "").to_numpy().tolist()
    return "\n".join(" | ".join(said for cell in row if (said := " ".join(str(cell).replace("|", " ").split())))
                     for row in rows)
