"""The dials of the mask, which all sections share: widgets whose values stand in the address."""

from __future__ import annotations

import dataclasses

import streamlit as st

from core.attention.masks import FOVEAL, PUBLISHED, Steering
from core.attention.towers import ImageTower
from core.streamlit_app import state

HIGHEST_ALPHA = 12.0
OF_THE_CLASS_TOKEN = "Whose attention is steered. The class token is what becomes the embedding."
OF_THE_PROBE = ("Whose attention is steered. This model has no class token: a probe pools the patches after the last "
                "layer, and is counted as one more layer.")
PROFILE_TITLES = {"share": "by share", "gaussian": "as published"}
KEYS = {name: f"foveal_{name}" for name in ("alpha", "sigma", "layers", "these_layers", "rows", "heads", "these_heads",
                                            "hard", "unleash", "profile")}


def pick_steering(tower: ImageTower) -> Steering:
    """All dials of the mask, in a panel that opens; what is set is said beside it in one line."""
    with st.container(horizontal=True, vertical_alignment="center", key="foveal.dials"):
        with st.popover("Mask", icon=":material/center_focus_strong:"):
            steering = _dials(tower)
            with st.container(horizontal=True):
                st.button("As published", icon=":material/article:", key="foveal.published", on_click=_published,
                          help="Alpha 0.2 on the last third of the layers, as FALIP's authors do (arXiv 2407.05578).")
                st.button("Back to the first setting", icon=":material/undo:", key="foveal.reset", on_click=_reset)
        st.text(in_words(steering, tower), width="content")
    return steering


def in_words(steering: Steering, tower: ImageTower) -> str:
    """What is set, on one line."""
    why = _why_idle(steering, tower)
    if why:
        return f"Changes nothing: {why}"
    sigma = "" if steering.sigma == FOVEAL.sigma else f", sigma {steering.sigma:g}"
    profile = "" if steering.profile == FOVEAL.profile else f"{PROFILE_TITLES[steering.profile]}, "
    said = ["hard mask" if steering.hard else f"{profile}alpha {steering.alpha:g}{sigma}",
            row_titles(tower)[steering.rows], _layers_in_words(steering.layers, tower)]
    if steering.heads is not None:
        chosen = [_head(pair) for pair in steering.heads]
        said.append(f"{'head' if len(chosen) == 1 else 'heads'} {', '.join(chosen[:6])}"
                    + (f" and {len(chosen) - 6} more" if len(chosen) > 6 else ""))
    if steering.unleash:
        said.append("unleashed in the last layer" if steering.unleash == 1 else
                    f"unleashed in the last {steering.unleash} layers")
    return ", ".join(said)


def _why_idle(steering: Steering, tower: ImageTower) -> str:
    """Why nothing is changed; "" where something is."""
    probe = tower.layers
    if steering.layers == ():
        return "no layer is chosen"
    if steering.heads == ():
        return "no head is chosen"
    if steering.idle:
        return "alpha 0"
    at = set(range(tower.depth)) if steering.layers is None else set(steering.layers)
    at &= at if steering.heads is None else {layer for layer, _ in steering.heads}
    if not at:
        return "no head of the layers is chosen"
    if not tower.cls and steering.rows == "cls" and probe not in at:
        return "the probe is not among the layers"
    return ""


def as_code(steering: Steering) -> str:
    """The steering as a Python expression that names what is unlike the first setting."""
    said = [f"{field.name}={getattr(steering, field.name)!r}" for field in dataclasses.fields(steering)
            if getattr(steering, field.name) != field.default]
    return f"Steering({', '.join(said)})"


def row_titles(tower: ImageTower) -> dict[str, str]:
    """What takes the mask, by `Steering.rows`; without a class token it is the probe that pools."""
    return {"cls": "class token's row" if tower.cls else "pooling probe's row", "all": "all rows",
            "diagonal": "each patch to itself"}


def last_third(tower: ImageTower) -> tuple[int, ...]:
    """The last third of the layers, rounded up; a probe is the last of them."""
    return tuple(range(tower.depth - -(-tower.depth // 3), tower.depth))


def _dials(tower: ImageTower) -> Steering:
    hard = state.pick_flag("Hard: shut out what is outside", key=KEYS["hard"],
                           help="In place of the soft mask: patches outside the region are not looked at at all.")
    alpha, sigma, profile = FOVEAL.alpha, FOVEAL.sigma, FOVEAL.profile
    if not hard:
        profile = state.pick_option("Profile", PROFILE_TITLES, key=KEYS["profile"], default=FOVEAL.profile,
                                    widget="segments", help="By share: attention to each patch is multiplied by the "
                                    "share of it that the region covers, at least by exp(-alpha). As published: alpha "
                                    "is added in the middle of each box, and nothing at its corners.")
        alpha = state.pick_number("Alpha: logits between what is looked at and what is not", 0.0, HIGHEST_ALPHA,
                                  key=KEYS["alpha"], default=FOVEAL.alpha, step=0.1)
        sigma = state.pick_number("Sigma", 0.5, 100.0, key=KEYS["sigma"], default=FOVEAL.sigma, step=0.5,
                                  unit="patches", help="Of a Gaussian about the middle of each box. The published "
                                  "profile is stretched from 0 to alpha, so that above about 5 patches sigma changes "
                                  "next to nothing.")
    rows = state.pick_option("Rows", row_titles(tower), key=KEYS["rows"], default=FOVEAL.rows, widget="segments",
                             help=OF_THE_CLASS_TOKEN if tower.cls else OF_THE_PROBE)
    layers = _pick_layers(tower)
    heads = _pick_heads(tower)
    unleash = state.pick_number("Unleash: each head's response once more in so many last layers", 0, tower.depth,
                                key=KEYS["unleash"], default=FOVEAL.unleash)
    return Steering(alpha, sigma, layers, rows, heads, hard, unleash, profile)


def _pick_layers(tower: ImageTower) -> tuple[int, ...] | None:
    third = last_third(tower)
    which = state.pick_option("Layers", {"all": "all", "third": "last third", "last": "last", "these": "chosen"},
                              key=KEYS["layers"], widget="segments")
    if which == "these":
        names = {str(layer): f"layer {layer + 1}" for layer in range(tower.layers)}
        names |= {} if tower.cls else {str(tower.layers): "the probe"}
        chosen = state.pick_several("Which layers", names, key=KEYS["these_layers"], default=(str(tower.depth - 1),))
        return tuple(sorted(map(int, chosen)))
    return {"all": None, "third": third, "last": third[-1:]}[which]


def _pick_heads(tower: ImageTower) -> tuple[tuple[int, int], ...] | None:
    which = state.pick_option("Heads", {"all": "all", "these": "chosen"}, key=KEYS["heads"], widget="segments")
    if which == "all":
        return None
    pairs = {f"{layer}.{head}": (layer, head) for layer in range(tower.depth) for head in range(tower.heads)}
    chosen = state.pick_several("Which heads, as layer.head", {name: _head(pair) for name, pair in pairs.items()},
                                key=KEYS["these_heads"], default=(f"{tower.depth - 1}.0",))
    return tuple(sorted(pairs[name] for name in chosen))


def _head(pair: tuple[int, int]) -> str:
    return f"{pair[0] + 1}.{pair[1] + 1}"


def _layers_in_words(layers: tuple[int, ...] | None, tower: ImageTower) -> str:
    n = tower.layers
    if layers is None or len(layers) == tower.depth:
        return "all layers"
    if layers == (n,):
        return "the probe alone"
    if len(layers) == 1:
        return f"layer {layers[0] + 1} of {n}"
    below = [layer for layer in layers if layer < n]
    together = below == list(range(below[0], below[-1] + 1)) and len(below) > 1
    said = f"{below[0] + 1} to {below[-1] + 1}" if together else ", ".join(str(layer + 1) for layer in below)
    return f"layer{'s' if len(below) > 1 else ''} {said} of {n}" + (" and the probe" if n in layers else "")


def _reset() -> None:
    for key in KEYS.values():
        state.kept().pop(key, None)
        st.session_state.pop(key, None)
        state.write_url(key, None)


def _published() -> None:
    _reset()
    state.write_url(KEYS["alpha"], str(PUBLISHED.alpha))
    state.write_url(KEYS["profile"], PUBLISHED.profile)
    state.write_url(KEYS["layers"], "third")
