"""Which picture is looked at, and the prompts that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import OrreryError, ShapeError
from core.sources.images.readers import decode_image
from core.sources.solids.captions import left_to_right, prompt
from core.sources.solids.scene import Scene, Solid
from core.sources.solids.world import SceneImages
from core.streamlit_app import panels, state, uploads
from core.streamlit_app.data.image_prompt import MOST_MEGABYTES, TYPES
from core.streamlit_app.data.opened import Opened
from core.streamlit_app.data.selections import kept
from core.streamlit_app.foveal.data import OWN, Looked
from core.types import Dataset, fingerprint

PICTURE, PROMPTS = "picture", "asked"
MOST_PROMPTS = 64
DEFAULT_PROMPTS = 6
FOR_ANYTHING = ("a photo of a person", "a photo of an animal", "a photo of a building", "a photo of food",
                "a photo of a landscape")


def pick_picture(opened: Opened) -> Looked | None:
    """One picture: of what is open by number or id, or a visitor's own; None where it cannot be read."""
    dataset = opened.dataset
    _follow_the_sphere(dataset)
    with st.container(horizontal=True, vertical_alignment="bottom", key="foveal.pick"):
        with st.container(width=220):
            asked = state.pick_text("Picture (number or id)", key=PICTURE, default=str(_first(dataset)), max_chars=300)
        n = 0 if dataset is None else len(dataset.image_ids)
        st.button("Before", icon=":material/chevron_left:", key="foveal.before", on_click=_step, args=(dataset, -1),
                  disabled=n < 2)
        st.button("Next", icon=":material/chevron_right:", key="foveal.next", on_click=_step, args=(dataset, 1),
                  disabled=n < 2)
        if dataset is not None:
            _from_a_selection(dataset)
        with st.popover("One of your own", icon=":material/upload:"):
            own = _own()
    if own is not None:
        st.caption(f"Looked at: {panels.plain(own.name, 60)}. Before or Next goes back to what is open.")
        return own
    assert dataset is not None and dataset.images is not None
    number = number_of(dataset, asked)
    held: tuple[tuple[str, int], Looked] | None = st.session_state.get("foveal.picture")
    if held is None or held[0] != (opened.key, number):
        held = (opened.key, number), Looked(number, dataset.image_ids[number], dataset.images.decode(number),
                                            dataset.images.content_hash(number), scene_of(dataset, number))
        st.session_state["foveal.picture"] = held
    return held[1]


def _first(dataset: Dataset | None) -> int:
    """Of the built-in world the first photo of two solids of different kinds and colours; else the first picture."""
    if dataset is None or not isinstance(dataset.images, SceneImages):
        return 0
    return next((number for number, scene in enumerate(dataset.images.scenes[:200])
                 if scene.style == "photo" and len(scene.solids) == 2
                 and scene.solids[0].shape != scene.solids[1].shape
                 and scene.solids[0].colour != scene.solids[1].colour), 0)


def number_of(dataset: Dataset, asked: str) -> int:
    """Row of the image with that id or, where none has it, with that number from 0.

    Raises
    ------
    ShapeError
        If there is none.
    """
    asked = asked.strip()
    if asked in dataset.image_ids:
        return dataset.image_ids.index(asked)
    if asked.isascii() and asked.isdigit() and len(asked) < 12 and int(asked) < len(dataset.image_ids):
        return int(asked)
    raise ShapeError(f"a number from 0 to {len(dataset.image_ids) - 1:,} or the id of an image", repr(asked[:80]))


def scene_of(dataset: Dataset, number: int) -> Scene | None:
    """The scene of the built-in world that an image shows as it is; None for any other image."""
    return dataset.images.scenes[number] if isinstance(dataset.images, SceneImages) else None


def pick_prompts(opened: Opened, looked: Looked) -> tuple[str, ...]:
    """Texts that the picture is compared with, one a line; by default what it shows and some that it does not."""
    default = "\n".join(default_prompts(opened, looked))
    before = st.session_state.get("foveal.default")
    if before not in (None, default) and st.session_state.get(PROMPTS) == before:
        for place in (st.session_state, state.kept()):
            place.pop(PROMPTS, None)
    st.session_state["foveal.default"] = default
    text = state.pick_text("Prompts, one a line", key=PROMPTS, default=default, lines=5, max_chars=6000)
    found = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not found:
        panels.notice("Without a prompt of your own those that stood here at first are used.")
        return tuple(default.splitlines())
    if len(found) > MOST_PROMPTS:
        panels.notice(f"{len(found):,} prompts; the first {MOST_PROMPTS} are used.", "warning")
    return found[:MOST_PROMPTS]


def default_prompts(opened: Opened, looked: Looked) -> tuple[str, ...]:
    """Of the built-in world its solids by name and others; else captions of the picture and others; else classes."""
    dataset = opened.dataset
    if looked.scene is not None:
        assert dataset is not None and isinstance(dataset.images, SceneImages)
        scenes = dataset.images.scenes
        others = (solid for i in range(1, len(scenes)) for solid in scenes[(looked.number + i) % len(scenes)].solids)
        texts = [_named(solid) for solid in (*left_to_right(looked.scene), *others)]
        return tuple(dict.fromkeys(texts))[:DEFAULT_PROMPTS]
    if dataset is None or looked.number == OWN:
        return FOR_ANYTHING
    if dataset.texts:
        own = [int(text) for image, text in dataset.links if image == looked.number]
        texts = [dataset.texts[row] for row in (*own, *range(min(len(dataset.texts), 100)))]
        return tuple(dict.fromkeys(" ".join(text.split())[:300] for text in texts if text.strip()))[:DEFAULT_PROMPTS]
    return FOR_ANYTHING


def _named(solid: Solid) -> str:
    return prompt(colour=solid.colour, solid=solid.shape)


def _step(dataset: Dataset | None, by: int) -> None:
    assert dataset is not None
    try:
        number = number_of(dataset, st.session_state[PICTURE])
    except ShapeError:
        number = 0
    st.session_state[PICTURE] = str((number + by) % len(dataset.image_ids))
    _back_to_what_is_open()


def _follow_the_sphere(dataset: Dataset | None) -> None:
    """An image that was clicked on the sphere since the last look is the picture now, unless the address names one."""
    clicked = str(state.kept().get("point", ""))
    before, st.session_state["foveal.clicked"] = st.session_state.get("foveal.clicked", ""), clicked
    name = clicked.removeprefix("image:")
    if clicked == before or name == clicked or dataset is None or name not in dataset.image_ids:
        return
    if PICTURE not in st.query_params:
        state.kept()[PICTURE] = name
        st.session_state.pop(PICTURE, None)


def _from_a_selection(dataset: Dataset) -> None:
    """The pictures of a kept selection, to take one."""
    known = set(dataset.image_ids)
    usable = {name: [i for i in selection.image_ids if i in known] for name, selection in kept().items()}
    names = [name for name, ids in usable.items() if ids]
    if not names:
        return
    with st.popover("From a selection", icon=":material/bookmark:"):
        name = st.selectbox("Selection", names, key="foveal.selection")
        ids = usable[name][:500]
        taken = st.selectbox("Picture of it", ids, key=f"foveal.of.{name}")
        st.button("Look at it", key="foveal.take", on_click=_take, args=(taken,), type="primary")


def _take(name: str) -> None:
    st.session_state[PICTURE] = name
    _back_to_what_is_open()


def _own() -> Looked | None:
    """A picture that a visitor brought to this page; None without one, or where it cannot be read."""
    turn = st.session_state.setdefault("foveal.turn", 0)
    upload = st.file_uploader("A picture to look at here", type=list(TYPES), key=f"foveal.file.{turn}",
                              max_upload_size=MOST_MEGABYTES)
    if (over := uploads.refusal()) is not None:
        panels.error_panel(over)
        return None
    if upload is None:
        st.session_state.pop("foveal.own", None)
        return None
    known: tuple[str, Looked | OrreryError] | None = st.session_state.get("foveal.own")
    if known is None or known[0] != upload.file_id:
        data = upload.getvalue()
        try:
            known = upload.file_id, Looked(OWN, upload.name[:200], decode_image(data, upload.name),
                                           fingerprint("own", data))
        except OrreryError as error:
            known = upload.file_id, error
        st.session_state["foveal.own"] = known
    if isinstance(known[1], OrreryError):
        panels.error_panel(known[1])
        return None
    return known[1]


def _back_to_what_is_open() -> None:
    st.session_state["foveal.turn"] += 1
    st.session_state.pop("foveal.own", None)


def names_of(solids: Sequence[Solid]) -> list[str]:
    """What each solid of a scene is called, unlike the others: "red cube", "red cube (2)"."""
    names: list[str] = []
    for solid in solids:
        name = f"{solid.colour} {solid.shape}"
        same = sum(one == name or one.startswith(f"{name} (") for one in names)
        names.append(f"{name} ({same + 1})" if same else name)
    return names
