"""What a visitor has chosen: widgets whose values outlive their page and stand in the URL, so a view can be shared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import streamlit as st

T = TypeVar("T", str, bool, int, float)
N = TypeVar("N", int, float)
MOST_URL_TEXT = 2000
_MANY = "|"


@dataclass(frozen=True)
class Settings:
    """What every page goes by.

    Attributes
    ----------
    model_id : the model in use, on disk and loadable (a key of MODELS, "id@revision" or a folder).
    seed : of everything random on the pages.
    """

    model_id: str = "builtin"
    seed: int = 0


def kept() -> dict[str, str | bool | int | float]:
    """Values of shared widgets by key, for as long as the visit lasts; Streamlit itself forgets them with the page."""
    return st.session_state.setdefault("kept", {})


def enter_page(title: str) -> None:
    """Note that a page is drawn; on a page just entered, widgets that it shares with the last one start anew."""
    if st.session_state.get("page") != title:
        st.session_state["page"] = title
        st.session_state["of_other_page"] = set(kept())


def _of_other_page() -> set[str]:
    """Keys whose value in the session state belongs to a widget of the page visited before."""
    return st.session_state.setdefault("of_other_page", set())


def open_view(query: dict[str, str]) -> None:
    """Go to a view of the same page that was kept: what its URL said, and defaults for the rest."""
    named = {*kept(), *query}
    for key in list(st.session_state):
        if str(key).split(":")[0] in named:
            del st.session_state[key]
    kept().clear()
    st.query_params.from_dict(query)


def write_url(key: str, value: str | None) -> None:
    """Put a value into the URL's query, or take it out, if it is not so already."""
    if value is None:
        if key in st.query_params:
            del st.query_params[key]
    elif st.query_params.get(key) != value:
        st.query_params[key] = value


def _restore(key: str, default: T, parse: Callable[[str], T | None], *, typed: bool = False) -> None:
    """Before a widget: its value of this page, else the URL's, else the one kept, else the default.

    The value is told anew in each run, since a widget in a closed popover hears of it only when that opens; but not
    to one that is ``typed`` in, where it could overwrite what is being typed.
    """
    if key in st.session_state and key not in _of_other_page():
        if not typed:
            st.session_state[key] = st.session_state[key]
        return
    _of_other_page().discard(key)
    raw = st.query_params.get(key)
    from_url = None if raw is None else parse(raw)
    st.session_state[key] = from_url if from_url is not None else kept().get(key, default)


def _remember(key: str, value: T, default: T) -> T:
    kept()[key] = value
    text = ("1" if value else "0") if isinstance(value, bool) else str(value)
    write_url(key, None if value == default or len(text) > MOST_URL_TEXT else text)
    return value


def value_of(key: str, default: str) -> str:
    """What a widget that is not drawn now was set to: the URL's value, else the one kept, else the default."""
    raw = st.query_params.get(key)
    return raw if raw is not None else str(kept().get(key, default))


def pick_option(label: str, options: Mapping[str, str], *, key: str, default: str | None = None,
                help: str | None = None, widget: Literal["select", "segments"] = "select",
                label_visible: bool = True) -> str:
    """One of ``options`` (value -> title); the first by default."""
    first = next(iter(options)) if default is None else default
    _restore(key, first, lambda raw: raw if raw in options else None)
    if st.session_state[key] not in options:
        st.session_state[key] = first
    shown: Literal["visible", "collapsed"] = "visible" if label_visible else "collapsed"
    if widget == "segments":
        value = st.segmented_control(label, list(options), format_func=options.__getitem__, key=key, help=help,
                                     required=True, label_visibility=shown, wrap=True)
    else:
        value = st.selectbox(label, list(options), format_func=options.__getitem__, key=key, help=help,
                             label_visibility=shown)
    return _remember(key, value or first, first)


def pick_several(label: str, options: Mapping[str, str], *, key: str, default: Sequence[str] = (),
                 help: str | None = None, most: int | None = None) -> tuple[str, ...]:
    """Any of ``options`` (value -> title), in the order they were chosen."""
    joined = _MANY.join(default)
    _restore(key, joined, lambda raw: raw)
    held = st.session_state[key]
    known = held.split(_MANY) if isinstance(held, str) else held
    valid = [value for value in known if value in options][:most]
    if valid != held:
        st.session_state[key] = valid
    chosen = st.multiselect(label, list(options), format_func=options.__getitem__, key=key, help=help,
                            max_selections=most)
    _remember(key, _MANY.join(chosen), joined)
    return tuple(chosen)


def pick_flag(label: str, *, key: str, default: bool = False, help: str | None = None, disabled: bool = False) -> bool:
    """A switch."""
    _restore(key, default, lambda raw: {"1": True, "0": False}.get(raw))
    return _remember(key, st.toggle(label, key=key, help=help, disabled=disabled), default)


def pick_number(label: str, low: N, high: N, *, key: str, default: N, step: N | None = None,
                help: str | None = None, unit: str = "") -> N:
    """A number in [low, high] on a slider; whole if ``default`` is."""

    def parse(raw: str) -> N | None:
        try:
            number = float(raw)
        except ValueError:
            return None
        if not math.isfinite(number):
            return None
        return type(default)(min(max(number, low), high))

    _restore(key, default, parse)
    if not low <= st.session_state[key] <= high:
        st.session_state[key] = min(max(st.session_state[key], low), high)
    digits = 2 if step is None or round(step, 2) == step else 3
    number_format = ("%d" if isinstance(default, int) else f"%.{digits}f") + (f" {unit}" if unit else "")
    value = st.slider(label, low, high, step=step, key=key, help=help, format=number_format)
    return _remember(key, type(default)(round(value, 6)), default)


def pick_range(label: str, values: Sequence[int], *, key: str, default: tuple[int, int],
               help: str | None = None) -> tuple[int, int]:
    """Two of at least two growing whole numbers, the first not above the second, on one slider; in the URL as "10-200".

    Each number has the same room, however far it lies from the next.
    """
    joined = "{}-{}".format(*default)
    asked = _two_numbers(value_of(key, joined)) or default
    first, second = (min(values, key=lambda value: abs(value - end)) for end in sorted(asked))
    widget = f"{key}:{values[0]}:{values[-1]}:{len(values)}"   # its state would not fit other numbers
    chosen: Any = st.select_slider(label, values, (first, second), key=widget, help=help, format_func="{:,}".format)
    first, second = chosen
    _remember(key, f"{first}-{second}", joined)
    return int(first), int(second)


def _two_numbers(raw: str) -> tuple[int, int] | None:
    """What "10-200" says; None where it says no two whole numbers."""
    parts = raw.split("-")
    return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdecimal() for part in parts) else None


def pick_text(label: str, *, key: str, default: str = "", help: str | None = None, placeholder: str | None = None,
              max_chars: int = 50_000, lines: int = 1) -> str:
    """A text; in the URL as long as it is short."""
    known = key in st.session_state and key not in _of_other_page()
    _restore(key, default, lambda raw: raw[:max_chars], typed=True)
    told = st.session_state[key] if known else ""   # what a text field starts with that is mounted only now
    if lines > 1:
        value = st.text_area(label, told, key=key, help=help, placeholder=placeholder, max_chars=max_chars,
                             height=24 * lines + 20)
    else:
        value = st.text_input(label, told, key=key, help=help, placeholder=placeholder, max_chars=max_chars)
    return _remember(key, value or "", default)
