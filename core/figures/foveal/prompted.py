"""What prompts get of a picture before and after a mask, and with the same mask elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened

if TYPE_CHECKING:
    import plotly.graph_objects as go

MOST_SHOWN = 16
LEAST_CHANGE = 0.01      # of a probability that a title tells


def probabilities(prompts: Sequence[str], before: np.ndarray, after: np.ndarray | None,
                  elsewhere: np.ndarray | None = None, *, turned: float = 0.0,
                  turned_elsewhere: np.ndarray | None = None, dark: bool = False) -> go.Figure:
    """Probabilities of prompts as bars, before and after, and a mark for the same mask elsewhere.

    Parameters
    ----------
    prompts
        m texts; those that get most are shown, `MOST_SHOWN` at most.
    before, after
        (m,) in [0, 1]; ``after`` None where nothing is masked.
    elsewhere
        (k, m), with the mask at k other places.
    turned, turned_elsewhere
        Angle between the embeddings before and after, and (k,) with the mask elsewhere, in degrees.
    dark
        Colours for a dark background.
    """
    import plotly.graph_objects as go

    p = theme.palette(dark)
    shown = np.argsort(-np.maximum(before, before if after is None else after), kind="stable")[:MOST_SHOWN][::-1]
    names = [plain(f"{shortened(prompts[i], 34)}{chr(0x200b) * k}") for k, i in enumerate(shown)]
    figure = go.Figure()
    parts = [("without the mask", before, p.unselected)]
    if after is not None:
        parts.append(("with the mask", after, p.kinds["prompt"]))
    for name, values, colour in parts:
        figure.add_trace(go.Bar(y=names, x=100 * values[shown], orientation="h", name=name, marker={"color": colour},
                                hovertemplate=f"%{{x:.1f}} %<extra>{name}</extra>"))
    if elsewhere is not None and after is not None:
        mean, low, high = (100 * f(elsewhere, axis=0)[shown] for f in (np.mean, np.min, np.max))
        figure.add_trace(go.Scatter(
            y=names, x=mean, mode="markers", name=f"the mask elsewhere, {len(elsewhere)} places",
            marker={"color": p.kinds["text"], "size": 9, "symbol": "diamond"}, cliponaxis=False,
            error_x={"type": "data", "symmetric": False, "array": high - mean, "arrayminus": mean - low,
                     "color": p.kinds["text"], "thickness": 1.5},
            hovertemplate="%{x:.1f} % on average<extra>the mask elsewhere</extra>"))
    figure.update_xaxes(title_text="probability (%)", range=[0, 102])
    figure.update_yaxes(tickfont={"size": theme.SMALLEST_FONT})
    figure.update_layout(barmode="group", bargap=0.25)
    return framed(figure, _finding(prompts, before, after, elsewhere, turned, turned_elsewhere),
                  height=130 + 40 * len(shown), dark=dark, legend=after is not None)


def _finding(prompts: Sequence[str], before: np.ndarray, after: np.ndarray | None, elsewhere: np.ndarray | None,
             turned: float, turned_elsewhere: np.ndarray | None) -> str:
    if after is None:
        best = int(before.argmax())
        return f"“{shortened(prompts[best])}” gets {100 * before[best]:.0f} % of {len(prompts)} prompts"
    change = after - before
    best = int(change.argmax() if change.max() >= LEAST_CHANGE else change.argmin())
    if abs(change[best]) < LEAST_CHANGE:
        said = "No prompt gains or loses one percent"
    else:
        verb = "rises" if change[best] > 0 else "falls"
        said = f"“{shortened(prompts[best])}” {verb} from {100 * before[best]:.0f} to {100 * after[best]:.0f} %"
        if elsewhere is not None:
            said += f" (mask elsewhere {100 * elsewhere[:, best].mean():.0f} % on average)"
    said += f"; the embedding moves by {turned:.1f}°"
    if turned_elsewhere is not None:
        said += f" (elsewhere {turned_elsewhere.mean():.1f}°, n = {len(turned_elsewhere)} places)"
    return said


def probabilities_table(prompts: Sequence[str], before: np.ndarray, after: np.ndarray | None,
                        elsewhere: np.ndarray | None) -> pd.DataFrame:
    """One row a prompt: probabilities in [0, 1] before and after, and mean and range with the mask elsewhere."""
    table = pd.DataFrame({"prompt": list(prompts), "before": before})
    if after is not None:
        table["after"] = after
    if elsewhere is not None:
        table["elsewhere mean"], table["elsewhere lowest"], table["elsewhere highest"] = (
            elsewhere.mean(axis=0), elsewhere.min(axis=0), elsewhere.max(axis=0))
    return table
