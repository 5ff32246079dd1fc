"""YAML and JSON of strangers as plain values: no tags, no anchors, no depth, no size that could hurt."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from typing import Any

from core.errors import SourceError

MOST_BYTES = 16_000_000
MOST_DEPTH = 8
MOST_VALUES = 250_000
"""Twice as many as a page looks at; each costs a kilobyte and some microseconds while YAML is read."""
MOST_DIGITS = 18
_LONG_NUMBER = re.compile(r"[-+0-9_:.]{100,}")
_EXPECTED = "a recipe as YAML or JSON"


def load_plain(content: str | bytes) -> object:
    """Mappings, lists, texts, numbers and truth values of a small YAML or JSON file.

    Raises
    ------
    SourceError
        If it is too large, too deep, holds too many values, refers to itself, names a key twice, holds anything else,
        or is neither.
    """
    import yaml

    size = len(content) if isinstance(content, bytes) else len(content.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise SourceError(f"a recipe of at most {MOST_BYTES / 1e6:g} MB", f"{size / 1e6:.1f} MB",
                          "A recipe says what to do, not what comes of it.")
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
    except UnicodeDecodeError as error:
        raise SourceError(f"{_EXPECTED}, in UTF-8", "bytes that are no letters", "Save it as UTF-8.") from error
    try:
        plain = _json(text)
        if plain is None:
            _check_events(yaml, text)
            plain = yaml.load(text, Loader=_loader(yaml))
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        raise SourceError(_EXPECTED, _why(error), "Compare it with one that the page exports.") from error
    _check_plain(plain)
    return plain


def _json(text: str) -> object:
    """A mapping of JSON, which YAML reads otherwise where a text holds a line break of its own; None for no JSON."""
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        seen = dict(pairs)
        if len(seen) < len(pairs):
            raise _twice(Counter(name for name, _ in pairs).most_common(1)[0][0])
        return seen

    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text, object_pairs_hook=once)
    except json.JSONDecodeError:
        return None


def _twice(name: str) -> SourceError:
    return SourceError("each name once in a mapping", f"{name[:60]!r} twice", "Take one of them out.")


def said_plainly(plain: dict[str, Any]) -> str:
    """Plain values as YAML, in their order; letters that are not printed are written as escapes."""
    import yaml

    class Escaping(yaml.SafeDumper):
        def represent_str(self, text: str) -> Any:
            style = None if text.isprintable() else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", text, style)

    Escaping.add_representer(str, Escaping.represent_str)
    return yaml.dump(plain, Dumper=Escaping, sort_keys=False, allow_unicode=True, width=100)


def _check_events(yaml: Any, text: str) -> None:
    """Refuse anchors, tags, depth and very many values before anything is built."""
    depth = values = 0
    for event in yaml.parse(text, Loader=_base(yaml)):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise SourceError(f"{_EXPECTED} without anchors (&, *)", "one with them", "Write each value out.")
        if getattr(event, "tag", None) not in (None, "!"):
            raise SourceError(f"{_EXPECTED} without tags (!)", str(event.tag)[:80], "Take the tag out.")
        values += isinstance(event, yaml.NodeEvent)
        if values > MOST_VALUES:
            raise SourceError(f"a recipe of at most {MOST_VALUES:,} values", "one of more",
                              "A recipe says what to do, not what comes of it.")
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _LONG_NUMBER.fullmatch(event.value):
            raise _too_long()   # 1:1:1:... is a number to base 60, which takes hours
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                raise _too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _too_deep() -> SourceError:
    return SourceError(f"a recipe at most {MOST_DEPTH} levels deep", "a deeper one")


def _too_long() -> SourceError:
    return SourceError(f"numbers of at most {MOST_DIGITS} digits in a recipe", "a longer one", "Put texts in quotes.")


def _base(yaml: Any) -> Any:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _loader(yaml: Any) -> Any:
    """A safe loader that takes no key twice."""

    class Once(_base(yaml)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            seen: set[str] = set()
            for key, _ in node.value:
                name = str(key.value)
                if name in seen:
                    raise _twice(name)
                seen.add(name)
            return super().construct_mapping(node, deep)

    return Once


def _check_plain(value: object, depth: int = 0) -> None:
    """Refuse what is too deep, and what JSON does not hold: dates, sets, numbers that are none."""
    if depth > MOST_DEPTH:
        raise _too_deep()
    if isinstance(value, dict):
        for name, part in value.items():
            if not isinstance(name, str):
                raise SourceError("names of a recipe as text", repr(name)[:60], "Put the name in quotes.")
            _check_plain(part, depth + 1)
    elif isinstance(value, list):
        for part in value:
            _check_plain(part, depth + 1)
    elif isinstance(value, float) and not math.isfinite(value):
        raise SourceError("finite numbers in a recipe", repr(value))
    elif isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise _too_long()
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise SourceError("texts and numbers in a recipe", type(value).__name__, "Put it in quotes.")


def _why(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    where = "" if mark is None else f" in line {mark.line + 1}, column {mark.column + 1}"
    return f"{problem}{where}"[:200]
