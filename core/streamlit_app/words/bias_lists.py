"""The lists of words of an association test: examples that fit the model, edited or one's own; what is not known."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.encoding.registry import PHOTO
from core.errors import ShapeError
from core.language.words.associated import (
    OF_CLASSES,
    OF_THE_WORLD,
    PUBLISHED,
    Known,
    Lists,
    known_of,
    missing_from,
    unknown_to,
)
from core.streamlit_app import cached, panels, state
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings

OWN = "own"
MOST_WORDS = 200


def examples(settings: Settings, ready: Ready) -> dict[str, Lists]:
    """The examples that the model at hand can read."""
    if ready.opened.dataset is None:
        return PUBLISHED
    if settings.model_id == PHOTO:
        return OF_CLASSES
    return OF_THE_WORLD if cached.encoder(settings.model_id).known_words else PUBLISHED


def pick_lists(settings: Settings, ready: Ready) -> dict[str, Lists]:
    """The widgets that choose and edit the lists."""
    offered = examples(settings, ready) | {OWN: Lists("list A", (), "list B", (), "written here")}
    titles = {key: "Your own words" if key == OWN else lists.title for key, lists in offered.items()}
    usual = [OWN] if ready.opened.dataset is None else list(offered)[:min(2, len(offered) - 1)]
    chosen = state.pick_several("Pairs of lists of words", titles, key="bias_lists", default=usual)
    found = {}
    for key in chosen:
        with st.expander(titles[key], icon=":material/edit_note:", expanded=key == OWN):
            found[key] = _edited(key, offered[key])
    return found


def _edited(key: str, lists: Lists) -> Lists:
    sides = []
    for side, name, words in (("a", lists.a_name, lists.a), ("b", lists.b_name, lists.b)):
        written = state.pick_text(f"{name.capitalize()}, one a line or with commas between", lines=4, max_chars=10_000,
                                  key=f"bias_{side} {key}", default="\n".join(words))
        own = tuple(dict.fromkeys(word for part in re.split(r"[\n,;]", written) if (word := part.strip())))
        if len(own) > MOST_WORDS:
            raise ShapeError(f"at most {MOST_WORDS} words in a list", f"{len(own):,}", "Write fewer.")
        sides.append(own)
    edited = (sides[0], sides[1]) != (lists.a, lists.b) and key != OWN
    if key != OWN:
        st.caption(panels.plain(f"Source: {lists.source}{', edited' if edited else ''}."))
    return Lists(lists.a_name, sides[0], lists.b_name, sides[1], lists.source + (", edited" if edited else ""))


def pick_template() -> str:
    """What is asked of the model, {} for the word."""
    written = state.pick_text("Prompt, {} for the word", key="bias_prompt", default="{}", max_chars=300).strip()
    return written if "{}" in written else f"{written} {{}}".strip()


def known_words(settings: Settings, ready: Ready, lists: Mapping[str, Lists], template: str) -> dict[str, Known]:
    """The words of each pair of lists that can be used; the rest is said, and so are lists that have none left."""
    unknown: Callable[[Sequence[str]], Mapping[int, str]] = (
        missing_from(ready.captions) if ready.opened.dataset is None else
        unknown_to(cached.encoder(settings.model_id)))
    known = {key: known_of(own, template, unknown) for key, own in lists.items()}
    refused = [refusal for own in known.values() for refusal in own.left_out]
    if refused:
        said = "; ".join(f"{refusal.name[:40]}: {refusal.reason[:120]}" for refusal in refused[:6])
        panels.notice(f"{len(refused):,} words are left out ({said}{'; and more' if len(refused) > 6 else ''}).",
                      "warning")
    for key, own in known.items():
        if not all(own.sizes):
            panels.notice(f"“{lists[key].title}” is not tested: "
                          + ("its lists are empty." if not (lists[key].a or lists[key].b) else
                             "one of its lists has no word that can be used."), "warning")
    return {key: own for key, own in known.items() if all(own.sizes)}
