"""Findings on the page: one that fails leaves the others, and what was stopped goes on where it was."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from core.errors import Cancelled
from core.language.quality.evidence import KINDS, Find
from core.sources.solids.world import open_world
from core.streamlit_app.quality import health
from core.streamlit_app.quality.data import found_so_far
from core.types import Selection
from tests.pages.test_pages import LIMIT, button, finished, opened, words

PAGE = "pages/5_Dataset_Quality.py"
HELD_UP = "captions"


class Counted:
    """Each kind of finding counted, and one held up until it is stopped or let go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: Counter[str] = Counter()
        self.reached, self.let_go = threading.Event(), threading.Event()
        for key, kind in list(KINDS.items()):
            monkeypatch.setitem(KINDS, key, replace(kind, find=self._counted(key, kind.find)))

    def _counted(self, key: str, find: Find) -> Find:
        def counted(looked, *, seed, on_progress, should_stop):
            self.made[key] += 1
            while key == HELD_UP and not self.let_go.is_set():
                self.reached.set()
                if should_stop is not None and should_stop():
                    raise Cancelled("nothing")
                time.sleep(0.01)
            return find(looked, seed=seed, on_progress=on_progress, should_stop=should_stop)

        return counted


def at_work(**query: str) -> AppTest:
    """The page as it is while something is being made."""
    at = opened("app.py")
    at.switch_page(PAGE)
    for key, value in query.items():
        at.query_params[key] = value
    return at.run()


def run_until(at: AppTest, condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, words(at)
        assert not at.exception, at.exception
        at.run()


def test_what_was_stopped_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted(monkeypatch)
    at = at_work(scenes="110", sample="41")
    run_until(at, counted.reached.is_set)
    at.run()
    at.selectbox(key="finding").set_value("outliers").run()
    assert counted.made[HELD_UP] == 1, "a page drawn anew does not begin again"
    button(at, "Stop").click().run()
    run_until(at, lambda: "Stopped" in words(at))
    before = dict(counted.made)
    finished(at.run())
    assert dict(counted.made) == before, "nothing is made while it is stopped"
    counted.let_go.set()
    finished(button(at, "Go on").click().run())
    assert set(counted.made) >= set(KINDS) - {"leaks"}
    assert dict(counted.made) == {key: 1 + (key == HELD_UP) for key in counted.made}, "nothing is made twice"


def test_one_that_fails_leaves_the_others_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = KINDS["captions"]

    def fails(looked, *, seed, on_progress, should_stop):
        raise ArithmeticError("of this one")

    monkeypatch.setitem(KINDS, "captions", replace(whole, find=fails))
    at = finished(opened(PAGE, scenes="120", sample="42"))
    found = at.dataframe[0].value["finding"].tolist()
    assert whole.title not in found and KINDS["long"].title in found and KINDS["copies"].title in found
    assert "Mismatched captions could not be looked for" in words(at) and "of this one" in words(at)
    monkeypatch.setitem(KINDS, "captions", whole)
    finished(button(at, "Try again").click().run())
    assert whole.title in at.dataframe[0].value["finding"].tolist() and "could not be" not in words(at)


def test_a_finding_that_comes_while_the_sheet_is_drawn_stands_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at = finished(opened(PAGE, scenes="120", sample="44"))
    sheet = at.dataframe[0].value["finding"].tolist()
    looks = []

    def before_the_last(settings, data):
        looks.append(found_so_far(settings, data))
        return dict(list(looks[-1].items())[:-1]) if len(looks) == 1 else looks[-1]

    monkeypatch.setattr(health, "found_so_far", before_the_last)
    assert at.run().dataframe[0].value["finding"].tolist() == sheet


def test_an_address_with_thresholds_that_are_none_has_those_proposed() -> None:
    plain, odd = (finished(opened(PAGE, scenes="120", sample="43", quality="what_if", actions='[{"do":"random"}]',
                                         **said)) for said in (
        {}, {"at_copies": "nan", "at_outliers": "-inf", "at_captions": "1e999", "at_blur": "x", "health_page": "9" * 99,
             "b_scenes": "nan"}))
    assert not [h for h in odd.get("html") if 'role="alert"' in h.proto.body]
    tables = [at.dataframe[0].value for at in (plain, odd)]
    assert len(tables[0]) and tables[0].equals(tables[1])


def test_the_name_of_a_selection_is_seen_by_no_other_visit_that_selected_the_same() -> None:
    ids = open_world(120, 44).image_ids[:40]
    for name in ("of the walrus", "of the narwhal"):
        at = opened("app.py")
        at.session_state["selections"] = {name: Selection(name, ids, (), "")}
        at.switch_page(PAGE)
        for key, value in {"scenes": "120", "sample": "44", "selection": name, "health": "classes"}.items():
            at.query_params[key] = value
        finished(at.run())
        assert [looked.name for looked in at.session_state["quality.looked"].values()] == [name]
