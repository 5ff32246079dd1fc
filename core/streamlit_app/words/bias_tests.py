"""Association tests on a page: which groups and words, every test with p and interval, what drives one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.errors import Cancelled
from core.figures.words import associations as figures
from core.geometry.association import (
    associations,
    leanings,
    least_p,
    parts_of_items,
    parts_of_words,
    without_each_word,
)
from core.geometry.directions import unit
from core.language.words.associated import Associated, Known, Lists, Pair, apart, associate, rows_of
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.data.python import as_code, points_lines
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.data.selections import keep
from core.streamlit_app.state import Settings
from core.streamlit_app.words.bias_groups import WAYS, Groups, pick_groups, readable
from core.streamlit_app.words.bias_lists import known_words, pick_lists, pick_template
from core.types import fingerprint

SIDES = {"one": "One-sided, as in the paper", "two": "Two-sided"}
HELP = ("One-sided asks whether the first group leans more to the first list: a direction that was said before. "
        "Two-sided asks whether the groups differ.")
MOST_SHOWN = 48


@dataclass(frozen=True, eq=False)
class Found:
    """The scores of all items for the words of each pair of lists, and the tests."""

    scores: dict[str, np.ndarray]
    report: Associated


def show(settings: Settings, ready: Ready) -> None:
    """Groups and words, then all tests, then one of them."""
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        ways = [way for way in WAYS if way != "typed" or (ready.opened.dataset is not None and ready.has_gap)]
        groups = pick_groups(ready, "bias", ways, column="colour" if ready.opened.built_in else "")
        if groups is not None and groups.kind == "typed":
            groups = readable(cached.encoder(settings.model_id), groups)
        lists = pick_lists(settings, ready)
        template = pick_template()
        two_sided = state.pick_option("p", SIDES, key="bias_sides", help=HELP, default="one" if groups is not None
                                      and len(groups.rows) == 2 else "two") == "two"
    with right:
        if not lists:
            panels.notice("Choose a pair of lists of words.", "warning")
        if groups is None or not lists:
            return
        if groups.kind == "text" and not ready.has_gap:
            panels.notice("Texts cannot be tested with this model: it reads class names only.", "warning")
            return
        known = known_words(settings, ready, lists, template)
        if not known:
            return
        found = _measured(settings, ready, groups, lists, known, two_sided)
        report = found.report
        ui.show(figures.forest(report, dark=ui.dark()), key="words.associations", how_to_read=figures.CAPTION,
                table=lambda: figures.table(report))
        if groups.kind == "image" and not ready.has_gap:
            st.caption(f"Scores are the model's own: {cached.encoder(settings.model_id).score_name}.")
        if len(report.tests) > figures.MOST_ROWS:
            st.caption(f"The {figures.MOST_ROWS} of the smallest p are drawn; the table has all {len(report.tests)}.")
    pair = _pick_test(report)
    _one_test(ready, groups, known[pair[2]], found, pair)
    ui.copy_as_python(_python(settings, ready, groups, {key: lists[key] for key in known}, template, two_sided))


def _measured(settings: Settings, ready: Ready, groups: Groups, lists: Mapping[str, Lists],
              known: Mapping[str, Known], two_sided: bool) -> Found:
    key = fingerprint("association", ready.key, settings.model_id, groups.kind, groups.texts,
                      [[name, rows.tolist()] for name, rows in groups.rows.items()],
                      [[k, repr(lists[k]), own.texts, own.first] for k, own in known.items()], two_sided, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Found:
        def say(share: float, text: str) -> None:
            on_progress(share, text)
            if should_stop():
                raise Cancelled("some of the tests")

        on_progress(0.02, "Scores for the words")
        scores = {}
        for k, own in known.items():
            scores[k] = scores_of(settings, ready, groups, own)
            say(0.2, "Scores for the words")
        return Found(scores, associate(scores, known, {k: lists[k] for k in known}, groups.rows, two_sided=two_sided,
                                       seed=settings.seed, on_progress=lambda s, text: say(0.2 + 0.8 * s, text)))

    found: Found = work.result_of(key, measure)
    return found


def scores_of(settings: Settings, ready: Ready, groups: Groups, known: Known) -> np.ndarray:
    """(n, w) float32: how well each item fits each word, by the model's own scores for images, else cosines."""
    if ready.opened.dataset is None:
        part = ready.images if groups.kind == "image" else ready.texts
        assert part is not None and ready.texts is not None
        return part.vectors @ ready.texts.vectors[rows_of(ready.captions, known.texts)].T
    encoder = cached.encoder(settings.model_id)
    if groups.kind == "image":
        assert ready.images is not None
        return encoder.scores(ready.images.vectors, ready.images.norms, list(known.texts))
    words = unit(encoder.encode_texts(list(known.texts)))
    if groups.kind == "typed":
        return unit(encoder.encode_texts(list(groups.texts))) @ words.T
    assert ready.texts is not None
    return ready.texts.vectors @ words.T


def _pick_test(report: Associated) -> Pair:
    st.subheader("One test", anchor=False)
    keys = {"~".join(pair): pair for pair in report.tests}
    return keys[state.pick_option("Test", {key: f"{x} less {y}, {report.titles[k].title}"
                                           for key, (x, y, k) in keys.items()}, key="bias_test",
                                   default="~".join(figures.clearest(report)[0]))]


def _one_test(ready: Ready, groups: Groups, known: Known, found: Found, pair: Pair) -> None:
    report, scores, first = found.report, found.scores[pair[2]], np.array(known.first)
    st.markdown(panels.plain(figures.verdict(report, pair), 800))
    if shared := report.shared[pair]:
        panels.notice(f"{shared:,} items stand in both groups and are left out of this test.", "warning")
    n, m = report.sizes[pair]
    if least_p(n, m) > 0.01:
        panels.notice(f"Groups of {n} and {m} can have no p below {least_p(n, m):.3f}."
                      + (" Of one item each d is 1.41 or -1.41 whatever they are." if n == m == 1 else ""), "warning")
    left, right = st.columns(2, gap="medium")
    with right:
        ui.show(figures.singles(report, pair[2], dark=ui.dark()), key="words.singles",
                how_to_read=figures.CAPTION_OF_SINGLES, table=lambda: figures.singles_table(report))
        st.caption(f"p of a group alone deals the {known.sizes[0]} and {known.sizes[1]} words anew: it cannot be below "
                   f"{least_p(*known.sizes):.4f} before Holm.")
    if report.tests[pair].p is None:
        return
    rows = apart(groups.rows[pair[0]], groups.rows[pair[1]])
    x, y = (scores[own] for own in rows)
    adds, without = parts_of_words(x, y, first), without_each_word(x, y, first)
    with left:
        ui.show(figures.parts(known, report.titles[pair[2]], pair, adds, without, dark=ui.dark()), key="words.parts",
                how_to_read=figures.CAPTION_OF_PARTS,
                table=lambda: figures.parts_table(known, report.titles[pair[2]], adds, without))
    _drivers(ready, groups, found, pair, rows, leanings(scores, first))


def _drivers(ready: Ready, groups: Groups, found: Found, pair: Pair, rows: tuple[np.ndarray, np.ndarray],
             lean: np.ndarray) -> None:
    """The items that add most to the effect, and the effect without them."""
    report, both = found.report, np.concatenate(rows)
    effect = report.tests[pair].change.value
    adds = np.concatenate(parts_of_items(lean[rows[0]], lean[rows[1]])) * np.sign(effect or 1)
    st.markdown(f"##### Which {'texts' if groups.kind != 'image' else 'images'} drive it")
    most = min(MOST_SHOWN, len(both) - 2)
    k = state.pick_number("How many", 1, most, key="bias_drivers", default=min(12, most)) if most > 1 else 1
    order = np.argsort(-adds, kind="stable")[:k]
    chosen = both[order]
    left_x, left_y = (np.setdiff1d(own, chosen) for own in rows)
    if len(left_x) and len(left_y):
        rest, = associations(lean[left_x][:, None], lean[left_y][:, None], two_sided=report.two_sided,
                             seed=report.seed)
        st.markdown(panels.plain(f"Without these {k} the effect is {figures.told(rest, by='')}; with them "
                                 f"{effect:.2f}. They were chosen for what they add, so that this p tests nothing: see "
                                 f"whether a few {'images' if groups.kind == 'image' else 'texts'} make the finding."))
    side = np.where(order < len(rows[0]), pair[0], pair[1])
    if groups.kind == "image":
        panels.gallery([(ready.pictures.small(int(row)), str(name), f"adds {add:+.3f}; {groups.ids[row]}")
                        for row, name, add in zip(chosen, side, adds[order])], key="bias.drivers.gallery")
    else:
        said = ready.captions if groups.kind == "text" else groups.texts
        panels.wrapped_table(figures.drivers_table([said[row] for row in chosen], side.tolist(), adds[order]))
    if groups.kind == "typed":
        return
    ids = [groups.ids[row] for row in chosen]
    images, texts = (ids, []) if groups.kind == "image" else ([], ids)
    st.button(f"Keep these {k} as a selection", icon=":material/bookmark_add:", key="bias.keep", on_click=keep,
              args=(ready, f"Drives {pair[0]} less {pair[1]}", images,
                    f"the {k} that add most to {pair[0]} less {pair[1]}, {report.titles[pair[2]].title}", texts))


def _python(settings: Settings, ready: Ready, groups: Groups, lists: Mapping[str, Lists], template: str,
            two_sided: bool) -> str:
    elsewhere = ready.opened.dataset is None
    imports, lines = points_lines(settings, ready)
    if groups.kind == "typed":
        imports, lines = ["from core.encoding.models import load_model"], [f"model = load_model({settings.model_id!r})"]
    lines += [*groups.python[1], f"lists = {dict(lists)!r}"]
    unknown = "missing_from(points.captions)" if elsewhere else "unknown_to(model)"
    lines.append(f"known = {{key: known_of(own, {template!r}, {unknown}) for key, own in lists.items()}}")
    imports += [*groups.python[0], "from core.figures.words.associations import forest",
                "from core.language.words.associated import Lists, associate, known_of, "
                + ("missing_from, rows_of" if elsewhere else "unknown_to")]
    part = "points.images" if groups.kind == "image" else "points.texts"
    words = "unit(model.encode_texts(list(own.texts)))"
    if elsewhere:
        scores = f"{part}.vectors @ points.texts.vectors[rows_of(points.captions, own.texts)].T"
    elif groups.kind == "image":
        scores = "model.scores(points.images.vectors, points.images.norms, list(own.texts))"
    else:
        imports.append("from core.geometry.directions import unit")
        scores = f"{'unit(model.encode_texts(texts))' if groups.kind == 'typed' else part + '.vectors'} @ {words}.T"
    return as_code(imports, [
        *lines, f"scores = {{key: {scores} for key, own in known.items()}}",
        f"report = associate(scores, known, lists, groups, two_sided={two_sided}, seed={settings.seed})",
        "print(report.tests)", "forest(report).show()"])
