"""Panels that every page shares: errors in words, refused items, pictures with captions; all user text as text."""

from __future__ import annotations

import base64
import html
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.errors import Cancelled, OrreryError
from core.geometry.intervals import decimals
from core.types import Number, Refusal

if TYPE_CHECKING:
    from PIL.Image import Image

_log = logging.getLogger("orrery")
LONGEST_SHOWN = 400
FITS_A_LINE = 40


def text_html(text: str, longest: int = LONGEST_SHOWN) -> str:
    """User text, shortened and escaped for HTML."""
    text = _whole(text)
    return html.escape(text if len(text) <= longest else text[:longest].rstrip() + " …")


def plain(text: str, longest: int = LONGEST_SHOWN) -> str:
    """User text, shortened, with every character escaped that Markdown would take for markup."""
    text = " ".join(_whole(text).split())
    text = text if len(text) <= longest else text[:longest].rstrip() + " …"
    return "".join(f"\\{c}" if c in "\\`*_{}[]()#+-.!|~$:<>&^=@\"'/" else c for c in text)


def _whole(text: str) -> str:
    """Text whose halves of letters, which no browser can be told, are question marks."""
    return str(text).encode("utf-8", "replace").decode()


def error_panel(error: OrreryError) -> None:
    """What was expected, what came, what to do next; a stop that the visitor asked for is said, and is no error."""
    if isinstance(error, Cancelled):
        notice(f"Stopped, as asked. {error.hint}")
        return
    rows = [("Expected", error.expected), ("Got", error.got)]
    if error.hint:
        rows.append(("Next", error.hint))
    body = "".join(f"<dt>{name}</dt><dd>{text_html(text, 1200)}</dd>" for name, text in rows)
    st.html('<section class="orrery-panel orrery-error" role="alert"><h4>This did not work</h4>'
            f'<dl>{body}</dl></section>')


@contextmanager
def friendly_errors() -> Iterator[None]:
    """Show errors as a panel, never as a traceback; unexpected ones go to the log."""
    try:
        yield
    except Exception as error:
        error_panel(in_words(error))


def in_words(error: Exception) -> OrreryError:
    """An error as one that can be shown; unexpected ones go to the log."""
    if isinstance(error, OrreryError):
        return error
    _log.error("unexpected error on a page", exc_info=error)
    return OrreryError("the page to be drawn", f"{type(error).__name__}: {error}"[:600],
                       "This is a fault of Orrery's. Reload the page; the log of the server has the details.")


def notice(text: str, kind: str = "note", *, one_line: bool = False) -> None:
    """One plain sentence in a quiet panel; ``kind`` is note or warning; on one line there is more of it on request."""
    said = f"<p>{text_html(text, 1200)}</p>"
    if one_line and len(text) > FITS_A_LINE:
        st.html(f'<details class="orrery-panel orrery-line orrery-{kind}"><summary>{said}</summary></details>')
    else:
        st.html(f'<section class="orrery-panel orrery-{kind}">{said}</section>')


def refused_panel(refused: Sequence[Refusal], unread: int = 0, *, key: str = "refused") -> None:
    """What could not be read, as a table with reasons; the last ``unread`` are texts the model knows nothing of."""
    if not refused:
        return
    n = len(refused) - unread
    said = [f"{n:,} {'item' if n == 1 else 'items'} could not be read"] if n else []
    if unread:
        said.append(f"{unread:,} {'text is' if unread == 1 else 'texts are'} left out: the model knows nothing that "
                    f"{'it says' if unread == 1 else 'they say'}")
    with st.expander("; ".join(said), icon=":material/report:", key=key):
        refused_table(refused, key=f"{key}.table")


def refused_table(refused: Sequence[Refusal], *, key: str) -> None:
    """Names and reasons."""
    st.dataframe(pd.DataFrame([(r.name, r.reason) for r in refused], columns=["item", "reason"]), hide_index=True,
                 height=min(38 * len(refused) + 40, 320), key=key)


def data_uri(picture: Image, quality: int = 85) -> str:
    """An image as a data URI (WebP)."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


def gallery(pictures: Sequence[tuple[Image | None, str, str]], *, key: str) -> None:
    """Small pictures in a row that wraps, each with a line of user text and a line of numbers."""
    tiles = "".join(
        f'<figure>{_picture(picture, text)}<figcaption><span>{text_html(text, 90)}</span>'
        f'<small>{text_html(numbers)}</small></figcaption></figure>' for picture, text, numbers in pictures)
    with st.container(key=key):
        st.html(f'<div class="orrery-gallery">{tiles}</div>')


def _picture(picture: Image | None, text: str) -> str:
    if picture is None:
        return '<div class="orrery-nopicture">no picture</div>'
    return f'<img src="{data_uri(picture)}" alt="{text_html(text, 90)}">'


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Names and values in two columns; values may be user text."""
    body = "".join(f"<dt>{html.escape(name)}</dt><dd>{text_html(value)}</dd>" for name, value in rows)
    st.html(f'<dl class="orrery-facts">{body}</dl>')


def wrapped_table(table: pd.DataFrame) -> None:
    """A table of text whose cells wrap, as high as it is; the first column is the head of each row.

    On a narrow page each row becomes a block, with the names of the columns beside its cells.
    """
    head = "".join(f"<th>{html.escape(str(column))}</th>" for column in table.columns)
    names = [html.escape(str(column), quote=True) for column in table.columns]
    rows = "".join("<tr>" + "".join(f'<td data-label="{names[i]}">{text_html(cell)}</td>' if i else
                                    f"<th>{text_html(cell)}</th>" for i, cell in enumerate(row)) + "</tr>"
                   for row in table.itertuples(index=False))
    st.html(f'<div class="orrery-table"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>')


def numbers_table(numbers: Mapping[str, Number]) -> pd.DataFrame:
    """Numbers with their interval, chance, n and unit, as text; no column for an interval or unit that none has."""
    rows = []
    for name, number in numbers.items():
        known = number.low is not None and number.high is not None and number.low < number.high
        form = f".{decimals(number)}f" if known else ",.0f" if abs(number.value) >= 1000 else ".3g"
        interval = f"{number.low:{form}} to {number.high:{form}}" if known else ""
        rows.append((name, f"{number.value:{form}}", interval, "" if number.null is None else f"{number.null:{form}}",
                     "" if number.n is None else f"{number.n:,}", number.unit))
    table = pd.DataFrame(rows, columns=["", "value", "95 % interval", "by chance", "n", "unit"])
    return table.drop(columns=[name for name in ("95 % interval", "unit") if not table[name].any()])
