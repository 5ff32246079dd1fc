"""Tables with right and wrong captions: the forms in which tests of binding are kept, and their bad rows."""

from __future__ import annotations

import json

import pytest

from core.errors import SourceError
from core.sources.tables.choices import choices_of, holds_choices
from core.sources.tables.reading import read_table

IDS = ("val/a.png", "val/b.png")


def table(data: object, name: str):
    return read_table(data.encode() if isinstance(data, str) else json.dumps(data).encode(), name)


@pytest.mark.parametrize(("data", "name"), [
    ("image,right,wrong,kind\na.png,a cat on a mat,a mat on a cat,order\nb.png,x,y,\n", "plain.csv"),
    ([{"image_path": "a.png", "true_caption": "a cat on a mat", "false_caption": "a mat on a cat",
       "relation_name": "order"}, {"image_path": "b.png", "true_caption": "x", "false_caption": "y",
                                   "relation_name": ""}], "aro.json"),
    ('{"filename": "a.png", "caption": "a cat on a mat", "negative_caption": "a mat on a cat", "type": "order"}\n'
     '{"filename": "b.png", "caption": "x", "negative_caption": "y", "type": ""}\n', "crepe.jsonl"),
])
def test_forms_of_two_captions(data, name):
    found = choices_of(table(data, name), IDS)
    assert found.right == ("a cat on a mat", "x") and found.wrong == ("a mat on a cat", "y")
    assert found.kinds == ("order", "all") and found.image.tolist() == [0, 1] and not len(found.twins)


def test_winoground_gives_two_rows_that_are_twins():
    found = choices_of(table([{"image_0": "a.png", "image_1": "b", "caption_0": "p q", "caption_1": "q p",
                               "tag": "Noun"}], "w.json"), IDS)
    assert found.right == ("p q", "q p") and found.wrong == ("q p", "p q") and found.image.tolist() == [0, 1]
    assert found.twins.tolist() == [[0, 1]] and found.kinds == ("Noun", "Noun")


def test_bad_rows_are_listed_and_others_go_on():
    found = choices_of(table("image,right,wrong\na.png,p,q\nb.png,p,p\nc.png,p,q\na.png,,q\n", "t.csv"), IDS)
    assert len(found) == 1 and found.kinds == ("all",)
    assert [(r.name, r.reason) for r in found.refused] == [
        ("row 2", "two captions that are the same"), ("row 3", "no image at hand is called 'c.png'"),
        ("row 4", "no caption")]


def test_what_is_no_such_table_is_said():
    plain = table("image,caption\na.png,a cat\n", "t.csv")
    assert not holds_choices(plain)
    with pytest.raises(SourceError, match="a column for a wrong caption"):
        choices_of(plain, IDS)
    with pytest.raises(SourceError, match="none"):
        choices_of(table("image,right,wrong\nz.png,p,q\n", "t.csv"), IDS)
