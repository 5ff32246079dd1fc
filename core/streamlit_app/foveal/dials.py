"""The dials of the mask, which all sections share: widgets whose values stand in the address."""

from __future__ import annotations

import dataclasses

import streamlit as st

from core.attention.masks import FOVEAL, Steering
from core.attention.towers import ImageTower
from core.streamlit_app import state

HIGHEST_ALPHA = 12.0
PUBLISHED_ALPHA = 0.2      # with the last third of the layers, Zhuang et al. 2024, arXiv:2407.05578
KEYS = {name: f"foveal_{name}" for name in ("alpha", "sigma", "layers", "these_layers", "rows", "heads", "these_heads",
                                            "hard", "unleash")}


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
    if steering.idle:
        return "Changes nothing: " + ("alpha 0" if steering.layers != () and steering.heads != () else
                                      "no layer is chosen" if steering.layers == () else "no head is chosen")
    sigma = "" if steering.sigma == FOVEAL.sigma else f", sigma {steering.sigma:g}"
    said = ["hard mask" if steering.hard else f"alpha {steering.alpha:g}{sigma}", row_titles(tower)[steering.rows],
            _layers_in_words(steering.layers, tower.layers)]
    if steering.heads is not None:
        chosen = [_head(pair) for pair in steering.heads]
        said.append(f"{'head' if len(chosen) == 1 else 'heads'} {', '.join(chosen[:6])}"
                    + (f" and {len(chosen) - 6} more" if len(chosen) > 6 else ""))
    if steering.unleash:
        said.append("unleashed in the last layer" if steering.unleash == 1 else
                    f"unleashed in the last {steering.unleash} layers")
    return ", ".join(said)


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
    """The last third of the layers, rounded up."""
    return tuple(range(tower.layers - -(-tower.layers // 3), tower.layers))


def _dials(tower: ImageTower) -> Steering:
    hard = state.pick_flag("Hard: shut out what is outside", key=KEYS["hard"],
                           help="In place of the soft mask: patches outside the region are not looked at at all.")
    alpha, sigma = FOVEAL.alpha, FOVEAL.sigma
    if not hard:
        alpha = state.pick_number("Alpha: added to the attention logits at the centre", 0.0, HIGHEST_ALPHA,
                                  key=KEYS["alpha"], default=FOVEAL.alpha, step=0.1)
        sigma = state.pick_number("Sigma", 0.5, 100.0, key=KEYS["sigma"], default=FOVEAL.sigma, step=0.5,
                                  unit="patches", help="The mask is stretched from 0 to alpha, so that above about 5 "
                                  "patches sigma changes next to nothing.")
    probe = {} if tower.cls else {"help": "This model has no class token: a probe pools the patches, and the mask lies "
                                          "on the probe's row. Layers and heads then change nothing."}
    rows = state.pick_option("Rows", row_titles(tower), key=KEYS["rows"], default=FOVEAL.rows, widget="segments",
                             help=probe.get("help", "Whose attention is steered; the class token's row is the one that "
                                                    "becomes the embedding."))
    layers = _pick_layers(tower)
    heads = _pick_heads(tower)
    unleash = state.pick_number("Unleash: each head's response once more in so many last layers", 0, tower.layers,
                                key=KEYS["unleash"], default=FOVEAL.unleash)
    return Steering(alpha, sigma, layers, rows, heads, hard, unleash)


def _pick_layers(tower: ImageTower) -> tuple[int, ...] | None:
    third = last_third(tower)
    which = state.pick_option("Layers", {"all": "all", "third": "last third", "last": "last", "these": "chosen"},
                              key=KEYS["layers"], widget="segments")
    if which == "these":
        names = {str(layer): f"layer {layer + 1}" for layer in range(tower.layers)}
        chosen = state.pick_several("Which layers", names, key=KEYS["these_layers"], default=(str(tower.layers - 1),))
        return tuple(sorted(map(int, chosen)))
    return {"all": None, "third": third, "last": third[-1:]}[which]


def _pick_heads(tower: ImageTower) -> tuple[tuple[int, int], ...] | None:
    which = state.pick_option("Heads", {"all": "all", "these": "chosen"}, key=KEYS["heads"], widget="segments")
    if which == "all":
        return None
    pairs = {f"{layer}.{head}": (layer, head) for layer in range(tower.layers) for head in range(tower.heads)}
    chosen = state.pick_several("Which heads, as layer.head", {name: _head(pair) for name, pair in pairs.items()},
                                key=KEYS["these_heads"], default=(f"{tower.layers - 1}.0",))
    return tuple(sorted(pairs[name] for name in chosen))


def _head(pair: tuple[int, int]) -> str:
    return f"{pair[0] + 1}.{pair[1] + 1}"


def _layers_in_words(layers: tuple[int, ...] | None, n: int) -> str:
    if layers is None or len(layers) == n:
        return "all layers"
    if len(layers) == 1:
        return f"layer {layers[0] + 1} of {n}"
    together = layers == tuple(range(layers[0], layers[-1] + 1))
    said = f"{layers[0] + 1} to {layers[-1] + 1}" if together else ", ".join(str(layer + 1) for layer in layers)
    return f"layers {said} of {n}"


def _reset() -> None:
    for key in KEYS.values():
        state.kept().pop(key, None)
        st.session_state.pop(key, None)
        state.write_url(key, None)


def _published() -> None:
    _reset()
    state.write_url(KEYS["alpha"], str(PUBLISHED_ALPHA))
    state.write_url(KEYS["layers"], "third")
