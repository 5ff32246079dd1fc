"""A recipe: actions with the data and the model they were made for, as a small file that gives the same list again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.errors import OrreryError, SourceError
from core.language.quality.actions import Action
from core.language.quality.looked import LABELS, Looked
from core.language.quality.recipe_file import load_plain, said_plainly

VERSION = 1
MOST_ACTIONS = 100
MOST_LETTERS = 400
MOST_SCENES = 100_000


@dataclass(frozen=True)
class Data:
    """What a recipe was made for.

    Attributes
    ----------
    name, fingerprint : of what was looked at, "" where nothing is known.
    images, texts : how many of each.
    scenes, world_seed : of the built-in world; 0 scenes: other data.
    faults : planted into these scenes, by fault the share of the items that it touches.
    labels : column of the labels of the images.
    sampled : at most so many images and texts were drawn from all, in shares of labels; 0: no sample.
    image_ids, text_ids : what was selected of all; None where nothing was. A sample is drawn after that.
    """

    name: str = ""
    fingerprint: str = ""
    images: int = 0
    texts: int = 0
    scenes: int = 0
    world_seed: int = 0
    faults: Mapping[str, float] = field(default_factory=dict)
    labels: str = LABELS
    sampled: int = 0
    image_ids: tuple[str, ...] | None = None
    text_ids: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Recipe:
    """Actions to take, in order, and what they were made for.

    Attributes
    ----------
    name : what a user calls it.
    actions : in order, also those that are switched off.
    seed : of everything random and of the findings.
    model, revision : id of the model whose vectors were looked at, and its pinned revision; "" where unknown.
    data : what they were made for.
    """

    name: str
    actions: tuple[Action, ...]
    seed: int = 0
    model: str = ""
    revision: str = ""
    data: Data = Data()

    @classmethod
    def of(cls, name: str, actions: Sequence[Action], looked: Looked, *, seed: int = 0, data: Data = Data()) -> Recipe:
        """A recipe for what is looked at; ``data`` says how that is made of what a source holds."""
        items, model = looked.items, looked.model
        return cls(name, tuple(actions), seed, looked.prompts_by or ("" if model is None else model.id),
                   "" if model is None else model.revision,
                   replace(data, name=looked.name, fingerprint=looked.fingerprint, images=items.n_images,
                           texts=items.n_texts))

    def differs(self, looked: Looked) -> list[str]:
        """In what the data or the model differ from those it was made for, in sentences; none where they are the same.

        What is not said in the recipe does not differ.
        """
        told, data, items = [], self.data, looked.items
        if data.fingerprint and data.fingerprint != looked.fingerprint:
            sizes = [f"{n:,} images and {m:,} texts" for n, m in ((data.images, data.texts),
                                                                  (items.n_images, items.n_texts))]
            told.append("The data are not those that the recipe was made for"
                        + (f" ({sizes[0]} then, {sizes[1]} now)." if sizes[0] != sizes[1] else
                           ": there are as many images and texts, but their contents or ids are others."))
        if self.revision and looked.model is not None and looked.model.revision != self.revision:
            told.append(f"The vectors are by {looked.model.id}@{looked.model.revision[:12]}, those of the recipe by "
                        f"{self.model or 'another model'}@{self.revision[:12]}.")
        return told

    def written(self) -> str:
        """As YAML, which `read_recipe` reads."""
        return said_plainly(_plain(self))


def read_recipe(content: str | bytes) -> Recipe:
    """A recipe from the YAML or JSON of a file.

    Parameters
    ----------
    content : of the file, UTF-8.

    Raises
    ------
    SourceError
        If it is no recipe; says what was expected and where.
    """
    plain = load_plain(content)
    top = _fields(plain, "a recipe", {"recipe": int, "name": str, "seed": int, "model": Mapping, "data": Mapping,
                                      "actions": list}, needed=("actions",))
    if top.get("recipe", VERSION) != VERSION:
        raise _wrong(f"a recipe of version {VERSION}", repr(top["recipe"])[:40], "Take a newer version of this app.")
    model = _fields(top.get("model", {}), "model", {"id": str, "revision": str})
    seed = top.get("seed", 0)
    if not 0 <= seed < 2**32:
        raise _wrong(f"a seed from 0 to {2**32 - 1}", f"{str(seed)[:20]}")
    if len(top["actions"]) > MOST_ACTIONS:
        raise _wrong(f"at most {MOST_ACTIONS} actions", f"{len(top['actions']):,}")
    actions = tuple(action_of(entry, f"action {i}") for i, entry in enumerate(top["actions"], 1))
    return Recipe(_short(top.get("name", ""), "name"), actions, seed, _short(model.get("id", ""), "model id"),
                  _short(model.get("revision", ""), "revision"), _data_of(top.get("data", {})))


def actions_as_text(actions: Sequence[Action]) -> str:
    """Actions in one short line, for an address; `actions_of_text` reads it."""
    return json.dumps([_action(a) for a in actions], ensure_ascii=False, separators=(",", ":")) if actions else ""


def actions_of_text(text: str) -> tuple[Action, ...]:
    """Actions from what `actions_as_text` wrote.

    Raises
    ------
    SourceError
        If it is something else.
    """
    return read_recipe(f'{{"actions": {text}}}').actions if text.strip() else ()


def action_of(entry: object, where: str) -> Action:
    """An action from a mapping with ``do``, its parameters, and ``active: false`` where it is switched off.

    Raises
    ------
    SourceError
        If it is none.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("do"), str):
        raise _wrong(f"{where} as a mapping with “do”", type(entry).__name__)
    said = {str(name): value for name, value in entry.items() if name not in ("do", "active")}
    on = entry.get("active", True)
    if not isinstance(on, bool):
        raise _wrong(f"{where}: active as true or false", repr(on)[:40])
    try:
        return Action(entry["do"], said, on)
    except OrreryError as error:
        raise _wrong(f"{where}: {error.expected}", error.got, error.hint) from error


def _action(action: Action) -> dict[str, object]:
    """An action as plain values, defaults left out."""
    known = action.act.parameters
    said = {name: value for name, value in action.said.items() if value != known[name].default}
    return {"do": action.kind, **said, **({} if action.on else {"active": False})}


def _plain(recipe: Recipe) -> dict[str, object]:
    data = recipe.data
    known: dict[str, object] = {"name": data.name, "fingerprint": data.fingerprint, "images": data.images,
                                "texts": data.texts}
    if data.scenes:
        known |= {"scenes": data.scenes, "world_seed": data.world_seed}
    if data.faults:
        known["faults"] = dict(data.faults)
    if data.labels != LABELS:
        known["labels"] = data.labels
    if data.sampled:
        known["sampled"] = data.sampled
    for name in ("image_ids", "text_ids"):
        if getattr(data, name) is not None:
            known[name] = list(getattr(data, name))
    actions = [{"do": a.kind, **{n: v for n, v in a.said.items() if v is not None},
                **({} if a.on else {"active": False})} for a in recipe.actions]
    return {"recipe": VERSION, "name": recipe.name, "seed": recipe.seed,
            "model": {"id": recipe.model, "revision": recipe.revision}, "data": known, "actions": actions}


def _data_of(plain: object) -> Data:
    data = _fields(plain, "data", {"name": str, "fingerprint": str, "images": int, "texts": int, "scenes": int,
                                   "world_seed": int, "faults": Mapping, "labels": str, "sampled": int,
                                   "image_ids": list, "text_ids": list})
    for name, value in data.items():
        most = MOST_SCENES if name == "scenes" else 2**32 - 1
        if isinstance(value, int) and not 0 <= value <= most:
            raise _wrong(f"data: {name} from 0 to {most}", str(value)[:20])
        if isinstance(value, list):
            odd = next((v for v in value if not isinstance(v, str)), None)
            if odd is not None:
                raise _wrong(f"data: {name} as a list of texts", type(odd).__name__, "Put each id in quotes.")
            data[name] = tuple(value)
        elif isinstance(value, str):
            _short(value, f"data: {name}")
        elif isinstance(value, Mapping):
            odd = next((v for v in value.values() if isinstance(v, bool) or not isinstance(v, int | float)), None)
            if odd is not None:
                raise _wrong(f"data: {name} as shares by name", type(odd).__name__)
    return Data(**data)


def _fields(plain: object, what: str, kinds: Mapping[str, type], needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """The fields of a mapping, each of its kind, and no other."""
    if not isinstance(plain, Mapping):
        raise _wrong(f"{what} as a mapping with {', '.join(needed or kinds)}", type(plain).__name__)
    for name, value in plain.items():
        if name not in kinds:
            raise _wrong(f"{what} with no more than {', '.join(kinds)}", repr(name)[:60], "Take that out.")
        if not isinstance(value, kinds[name]) or isinstance(value, bool):
            raise _wrong(f"{what}: {name} as {_KINDS[kinds[name]]}", type(value).__name__)
    for name in needed:
        if name not in plain:
            raise _wrong(f"{what} with {name}", ", ".join(map(str, plain))[:80] or "nothing")
    return dict(plain)


_KINDS = {int: "a whole number", str: "text, in quotes", list: "a list", Mapping: "a mapping"}


def _short(text: str, what: str) -> str:
    if len(text) > MOST_LETTERS:
        raise _wrong(f"{what} of at most {MOST_LETTERS} letters", f"{len(text):,}")
    return text


def _wrong(expected: str, got: str, hint: str = "") -> SourceError:
    return SourceError(expected, got, hint or "A recipe is what the page exports; see there.")
