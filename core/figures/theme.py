"""One look for every figure, light and dark: colours that never change their meaning, and the plotly template."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import plotly.graph_objects as go

FONT = '"Source Sans", "Source Sans Pro", "Source Sans 3", Inter, Helvetica, Arial, sans-serif'
SMALLEST_FONT = 12
LABELS_OFF = 8        # from what they name, pixels: marks at the end of an axis do not lie on its labels


@dataclass(frozen=True)
class Palette:
    """Colours of one theme as #rrggbb; text on background has a contrast of at least 4.5.

    ``kinds`` are the colours of images, texts, prompts and plain things, after Okabe and Ito (2008), told apart by
    colour-blind readers; the light and the dark one of a kind have the same hue.
    """

    background: str
    panel: str
    text: str
    muted: str
    grid: str
    unselected: str
    sphere: str
    kinds: dict[str, str]
    categories: tuple[str, ...]


LIGHT = Palette(
    background="#ffffff", panel="#f5f7fa", text="#1c2430", muted="#566172", grid="#d5dbe4", unselected="#c3cad4",
    sphere="#e9eef5",
    kinds={"image": "#0072b2", "text": "#bf5000", "prompt": "#00835f", "plain": "#3a4452"},
    categories=("#4477aa", "#cc6677", "#117733", "#b8860b", "#882255", "#2a9d9d", "#aa4499", "#6b7a1f", "#332288",
                "#c2571a", "#5f6b7a", "#8c564b"),
)
DARK = Palette(
    background="#0e1117", panel="#171c26", text="#f2f5f9", muted="#a9b4c4", grid="#323b4a", unselected="#4a5464",
    sphere="#1b2330",
    kinds={"image": "#56b4e9", "text": "#f5903d", "prompt": "#2fd0a0", "plain": "#c9d2de"},
    categories=("#77aadd", "#ee8899", "#44bb77", "#e5c15d", "#d46a9f", "#5fd3d3", "#d78fd0", "#b5c24c", "#9a8cff",
                "#f0965a", "#a7b3c2", "#c99a8d"),
)
_SEQUENCE = ("#440154", "#482878", "#3e4989", "#31688e", "#26828e", "#1f9e89", "#35b779", "#6ece58", "#b5de2b",
             "#fde725")
_WARM_LIGHT = ("#fff3d6", "#fdd08a", "#f79a4b", "#df5a34", "#a81f3a")
_WARM_DARK = ("#3a1d14", "#8a3a17", "#d9701f", "#ffb04a", "#ffe9a8")
_TWO_WAY_LIGHT = ("#762a83", "#9970ab", "#f3eef5", "#5aae61", "#1b7837")
_TWO_WAY_DARK = ("#dcaef0", "#8e5ca8", "#1b2330", "#3d9450", "#94e8a0")


def palette(dark: bool = False) -> Palette:
    """Colours of the light or the dark theme."""
    return DARK if dark else LIGHT


def sides(dark: bool = False) -> tuple[str, str]:
    """The colours of A and of B, wherever the two are drawn: yellow and violet, as the ends of the map's scale."""
    categories = palette(dark).categories
    return categories[3], categories[8]


def rgb(colour: str) -> tuple[int, int, int]:
    """#rrggbb as three numbers in 0..255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def rgba(colour: str, alpha: float) -> str:
    """#rrggbb with an opacity in 0..1, as plotly and browsers read it."""
    return "rgba({},{},{},{:g})".format(*rgb(colour), alpha)


def mixed(a: str, b: str, share: float) -> str:
    """The colour that is ``share`` of ``a`` and the rest ``b``, as #rrggbb."""
    return "#" + "".join(f"{round(share * u + (1 - share) * v):02x}" for u, v in zip(rgb(a), rgb(b)))


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21 (WCAG 2.2, relative luminance)."""
    def luminance(colour: str) -> float:
        channels = [c / 255 for c in rgb(colour)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def sequence(dark: bool = False, *, steps: int = 256) -> np.ndarray:
    """Colours for growing numbers (viridis without the end that is lost on the background): (steps, 3) uint8."""
    return _ramp(_SEQUENCE, (0.18, 1.0) if dark else (0.0, 0.92), steps)


def warmth(dark: bool = False, *, steps: int = 64) -> np.ndarray:
    """Colours for heat laid over the sphere, unlike any of `sequence`: (steps, 3) uint8."""
    return _ramp(_WARM_DARK if dark else _WARM_LIGHT, (0.0, 1.0), steps)


def two_way(dark: bool = False, *, steps: int = 65) -> np.ndarray:
    """Colours for numbers on both sides of nothing, after ColorBrewer's PRGn: purple below, green above; (steps, 3)."""
    return _ramp(_TWO_WAY_DARK if dark else _TWO_WAY_LIGHT, (0.0, 1.0), steps)


def _ramp(colours: tuple[str, ...], ends: tuple[float, float], steps: int) -> np.ndarray:
    anchors = np.array([rgb(c) for c in colours], dtype=np.float64)
    at = np.linspace(*ends, steps) * (len(anchors) - 1)
    channels = [np.interp(at, np.arange(len(anchors)), anchors[:, c]) for c in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8)


def colorscale(dark: bool = False, *, heat: bool = False, both_ways: bool = False) -> list[list[object]]:
    """`sequence`, or `warmth` for heat, or `two_way`, as plotly writes it."""
    colours = two_way(dark, steps=17) if both_ways else warmth(dark, steps=17) if heat else sequence(dark, steps=17)
    return [[i / 16, "rgb({},{},{})".format(*map(int, c))] for i, c in enumerate(colours)]


def template(dark: bool = False) -> go.layout.Template:
    """The plotly template of the theme."""
    import plotly.graph_objects as go

    p = palette(dark)
    axis = {"gridcolor": p.grid, "zerolinecolor": p.grid, "linecolor": p.grid, "color": p.muted,
            "tickfont": {"size": SMALLEST_FONT, "color": p.muted}, "title": {"font": {"size": 13, "color": p.text}},
            "automargin": True}
    layout = go.Layout(
        font={"family": FONT, "size": 13, "color": p.text},
        paper_bgcolor=p.background, plot_bgcolor=p.background,
        colorway=[p.kinds["image"], p.kinds["text"], p.kinds["prompt"], *p.categories],
        title={"font": {"size": 17, "color": p.text}, "x": 0, "xref": "paper", "xanchor": "left"},
        legend={"font": {"size": SMALLEST_FONT, "color": p.text}, "itemsizing": "constant",
                "bgcolor": rgba(p.background, 0)},
        hoverlabel={"font": {"size": 13, "family": FONT, "color": p.text}, "bgcolor": p.panel, "bordercolor": p.grid,
                    "align": "left"},
        xaxis=axis, yaxis=axis | {"ticklabelstandoff": LABELS_OFF}, margin={"l": 56, "r": 24, "t": 64, "b": 56},
        coloraxis={"colorscale": colorscale(dark)},
        colorscale={"sequential": colorscale(dark)},
    )
    return go.layout.Template(layout=layout)
