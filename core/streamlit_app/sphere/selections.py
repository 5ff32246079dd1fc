"""The selections below the sphere: what is selected and its name, those kept, and what tells two of them apart."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from core.figures.scenes.embedding import Points
from core.geometry.jackknife import clusters
from core.geometry.selections import tell_selections_apart
from core.language.difference import tell_apart
from core.streamlit_app import cached, panels, ui
from core.streamlit_app.concepts import Direction, show_below
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import LONGEST_NAME, LONGEST_NOTE, as_table, kept, load_panel
from core.streamlit_app.sphere.choices import columns_of
from core.streamlit_app.sphere.scene import BY_CAP, BY_LASSO, Selected
from core.streamlit_app.state import Settings
from core.types import Selection

MOST_WORDS = 400
MOST_CHANCE = 0.05


def keep_panel(ready: Ready, points: Points, selected: Selected) -> None:
    """What is selected, and a name to keep it under."""
    images = np.flatnonzero(selected.mask[:points.n_images])
    texts = np.flatnonzero(selected.mask[points.n_images:points.n_images + points.n_texts])
    with st.form("selection.form", border=True):
        st.text(f"Selected: {len(images):,} images and {len(texts):,} texts, {selected.words}.")
        left, right, button = st.columns([1, 2, 0.6], vertical_alignment="bottom")
        name = left.text_input("Name", value=f"Selection {len(kept()) + 1}", max_chars=LONGEST_NAME,
                               key=f"selection.name.{len(kept())}")
        note = right.text_input("Note", max_chars=LONGEST_NOTE)
        if button.form_submit_button("Keep", icon=":material/bookmark_add:", type="primary", width="stretch"):
            name = name.strip() or f"Selection {len(kept()) + 1}"
            kept()[name] = Selection(
                name, tuple(ready.images.ids[i] for i in images) if ready.images else (),
                tuple(ready.texts.ids[i] for i in texts) if ready.texts else (),
                f"{ready.opened.name}: {selected.words}", note)
            st.rerun()


def kept_panel(settings: Settings, ready: Ready) -> None:
    """The kept selections, with downloads, and what tells two of them apart."""
    if not kept():
        load_panel()
        return
    st.subheader("Your selections", anchor=False)
    table = pd.DataFrame([(s.name, len(s.image_ids), len(s.text_ids), s.source, s.note) for s in kept().values()],
                         columns=["name", "images", "texts", "from", "note"])
    st.dataframe(table, hide_index=True, key="selections.table")
    table = as_table(list(kept().values()))
    with st.container(horizontal=True):
        ui.download_table(lambda: table, "selections", label="Download")
        load_panel()
        if st.button("Forget all", icon=":material/delete:", key="selections.clear"):
            kept().clear()
            st.rerun()
    if len(kept()) > 1:
        _difference(settings, ready)


def _difference(settings: Settings, ready: Ready) -> None:
    names = list(kept())
    first, second = two_to_compare(list(kept().values()))
    left, right = st.columns(2)
    a = left.selectbox("Why does", names, index=first, key="selections.a")
    b = right.selectbox("differ from", names, index=second, key="selections.b")
    if a == b:
        panels.notice("Choose two different selections to see what tells them apart.")
        return
    if _same(kept()[a].image_ids, kept()[b].image_ids) and _same(kept()[a].text_ids, kept()[b].text_ids):
        panels.notice(f"{a} and {b} hold the same items, so nothing tells them apart.")
        return
    with panels.friendly_errors():
        _apart(settings, ready, kept()[a], kept()[b])
        show_below(settings, ready, lambda: _direction(ready, kept()[a], kept()[b]), key="sphere_apart",
                   label="What tells them apart, in words")
    items = [_items(ready, kept()[name]) for name in (a, b)]
    found = tell_apart(_features(ready, sorted({*items[0], *items[1]})), *items)
    if found.empty:
        return
    shown = found.head(12).rename(columns={"share_a": f"in {a}", "share_b": f"in {b}"})
    st.dataframe(shown.style.format({f"in {a}": "{:.0%}", f"in {b}": "{:.0%}", "z": "{:.1f}"}), hide_index=True,
                 key="selections.difference")
    st.caption("Share of items with a word in their text, or a value in a column; an image and its captions are one "
               "item. z: difference over its standard error; of so many features, a few pass 3 by chance alone.")


def two_to_compare(selections: Sequence[Selection]) -> tuple[int, int]:
    """The last selection and the one before it that holds other items; the last two where all hold the same."""
    last = len(selections) - 1
    mine = selections[last]
    for i in range(last - 1, -1, -1):
        if not (_same(selections[i].image_ids, mine.image_ids) and _same(selections[i].text_ids, mine.text_ids)):
            return i, last
    return last - 1, last


def _same(a: Sequence[str], b: Sequence[str]) -> bool:
    return set(a) == set(b)


def _apart(settings: Settings, ready: Ready, a: Selection, b: Selection) -> None:
    """How far two selections lie apart, with the items and words that show it; of one modality."""
    part, sides, together = ready.images, (a.image_ids, b.image_ids), _item_of(ready)[0]
    if part is None or min(map(len, sides)) < 2 or _same(*sides):
        part, sides, together = ready.texts, (a.text_ids, b.text_ids), _item_of(ready)[1]
    if part is None or min(map(len, sides)) < 2 or _same(*sides):
        panels.notice("Take selections with at least two images each, or two texts each, that are not the same.")
        return
    row_of = {name: i for i, name in enumerate(part.ids)}
    rows = [np.array([row_of[name] for name in ids if name in row_of], dtype=np.int64) for ids in sides]
    words = _words(settings, ready)
    vectors = None
    if words:
        encoder = cached.encoder(settings.model_id)
        vectors = cached.prompt_vectors(encoder.spec.fingerprint, words, settings.model_id)
    found = tell_selections_apart(part.vectors, *rows, together=together, words=words, word_vectors=vectors)
    st.text(f"Their {part.modality}s lie {found.distance.value:.3f} apart (difference of means; n "
            f"{found.distance.n:,}); random divisions of the same {part.modality}s, those of one item together, "
            f"{found.distance.null:.3f}; p {found.p_value:.3f}.")
    if circular := _circular(a, b):
        panels.notice(circular)
    for side, name, examples, said in zip(st.columns(2, gap="large"), (a.name, b.name), found.examples, found.words):
        with side:
            st.html(f'<div class="orrery-h">Towards {panels.text_html(name, 80)}</div>')
            _words_that_tell(said)
            if part.modality == "image":
                panels.gallery([(ready.pictures.small(int(i)), part.ids[i], "") for i in examples],
                               key=f"selections.examples.{name}")
            else:
                for i in examples:
                    st.text(ready.captions[i])


def _direction(ready: Ready, a: Selection, b: Selection) -> Direction | None:
    """From the images of a selection to those of another, or from texts to texts; None, which is said, without both."""
    for part, sides in ((ready.images, (a.image_ids, b.image_ids)), (ready.texts, (a.text_ids, b.text_ids))):
        if part is not None and not _same(*sides):
            of_a, of_b = (part.vectors[np.isin(part.ids, ids)] for ids in sides)
            if len(of_a) and len(of_b):
                return Direction((a.name, b.name), of_a, of_b, "difference")
    panels.notice("Take two selections that both hold images, or both hold texts.")
    return None


def _circular(a: Selection, b: Selection) -> str:
    """What the p of selections that were chosen by place does not say; empty where none was."""
    placed = [s.name for s in (a, b) if any(f": {how} " in s.source for how in (BY_CAP, BY_LASSO))]
    if not placed:
        return ""
    chosen = f"{placed[0]} was" if len(placed) == 1 else "Both were"
    return (f"{chosen} chosen by place and {'is' if len(placed) == 1 else 'are'} tested by place, so this p, and that "
            "of each word, is circular: what was drawn apart lies apart. It is a test only for selections that were "
            "made without looking where their points lie.")


def _words_that_tell(said: Sequence[tuple[str, float, float]]) -> None:
    """The words that go one way farther than chance takes any word, or that there are none."""
    telling = [(word, p) for word, _, p in said if p <= MOST_CHANCE]
    if telling:
        chips = "".join(f"<span>{panels.text_html(word)} · p {p:.3f}</span>" for word, p in telling)
        st.html(f'<div class="orrery-chips">{chips}</div>')
    elif said:
        st.caption(f"No word of the texts goes this way beyond chance (smallest p {min(p for *_, p in said):.2f}).")


def _words(settings: Settings, ready: Ready) -> tuple[str, ...]:
    """Words to name a difference with: those a small model knows, else the most frequent of the captions."""
    if ready.opened.vectors is not None:
        return ()
    known = cached.encoder(settings.model_id).known_words
    if known:
        return known
    counts = Counter(word for caption in ready.captions for word in set(re.findall(r"[^\W\d_]{3,}", caption.lower())))
    return tuple(sorted(word for word, _ in counts.most_common(MOST_WORDS)))


def _features(ready: Ready, items: list[int]) -> list[set[str]]:
    """Words and column values of some items, each an image with all its texts or what is linked to nothing."""
    columns = columns_of(ready)
    out: list[set[str]] = [set() for _ in range(max(items, default=-1) + 1)]
    for part, of in zip((ready.images, ready.texts), _item_of(ready)):
        for row in np.flatnonzero(np.isin(of, items)):
            assert part is not None
            out[of[row]] |= {f"{c} = {part.table[c].iloc[row]}" for c in columns if c in part.table}
            if part.modality == "text":
                out[of[row]] |= {f"word “{word}”" for word in ready.captions[row].lower().split()[:200]}
    return out


def _items(ready: Ready, selection: Selection) -> list[int]:
    """The items of which a selection holds the image or a text."""
    held = ((ready.images, set(selection.image_ids)), (ready.texts, set(selection.text_ids)))
    return sorted({int(item) for (part, ids), of in zip(held, _item_of(ready))
                   for row, item in enumerate(of) if part is not None and part.ids[row] in ids})


def _item_of(ready: Ready) -> list[np.ndarray]:
    """Item of each image and of each text."""
    return clusters([0 if part is None else len(part) for part in (ready.images, ready.texts)], ready.links)
