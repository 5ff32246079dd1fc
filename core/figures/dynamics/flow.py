"""A flow on the sphere as a scene, and how fast groups of points move over a training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.figures import theme
from core.figures.frame import framed, plain, shortened
from core.geometry.dynamics.field import FEWEST
from core.geometry.dynamics.flow import Speeds
from core.geometry.dynamics.look import QUANTITIES, FlowLook
from core.geometry.dynamics.marks import KINDS, Found
from core.scene import Colouring, Mark, SphereScene

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = ("Lines follow the smoothed flow, with a head where they lead to; points lie where they were at the first "
           "step. Colour is the quantity chosen: of divergence, green where points flow apart and purple where they "
           "flow together; of curl, green where they turn anticlockwise, seen from outside. Nothing is drawn where "
           f"fewer than {FEWEST} points lie within the angle of diffusion. Marks lie beyond 95 % of fields whose "
           "displacements were shuffled among the points of a modality, over all places, divergence and curl together.")
SPEED_CAPTION = ("Mean angle that points of a group go from one snapshot to the next, over the steps between them, "
                 "with the 95 % interval of a jackknife over images with their texts, in a class over its images. A "
                 "ring: from there on it stays below half of its highest, beyond chance at every later snapshot, "
                 "all groups together.")
UNITS = {"divergence": "divergence over the move", "curl": "curl over the move (rad)", "speed": "speed (° a step)"}
MOST_MARKS = 12
_HEAD = 2


def flow_scene(look: FlowLook, what: str, coords: np.ndarray, kinds: np.ndarray, labels: Sequence[str], *,
               looked_at: np.ndarray | None = None, groups: Sequence[str] | None = None, who: str = "points",
               note: str = "", lines: bool = True, thumbnails: Mapping[int, bytes] | None = None) -> SphereScene:
    """A flow between two moments: heat, streamlines, marks, and the points where they were.

    Parameters
    ----------
    look
        What was found.
    what
        The heat: a key of `QUANTITIES`.
    coords
        (n, 3) places of all points at the first moment.
    kinds, labels, thumbnails
        Of the points, as `SphereScene` takes them.
    looked_at
        (n,) bool, the points that the flow is made of; the others turn grey. All where None.
    groups
        A class of each point, which colours it; by modality where None.
    who
        What the points looked at are called.
    note
        Written below, after what is said of the field: the map and its fidelity.
    lines
        Streamlines; else an arrow along the way of each point.
    """
    values = look.values[what]
    heat, ends = _heat(values, two_way=what != "speed")
    if lines:
        paths = look.lines
        arrows = np.array([(line[max(len(line) - 1 - _HEAD, 0)], line[-1]) for line in paths]).reshape(-1, 2, 3)
    else:
        paths, arrows = (), _arrows(look)
    flow, found = look.flow, look.marks
    said = (f"{UNITS[what][0].upper()}{UNITS[what][1:]}, smoothed over {found.degrees:g}°, from step "
            f"{look.steps[0]:,} to {look.steps[1]:,}; known on {100 * look.known:.0f} % of the sphere. Chance: "
            f"{found.shuffles} fields of shuffled displacements, seed {found.seed}.")
    if flow.opposite:
        said += f" {flow.opposite:,} points went to within 5° of their antipode and are left out."
    return SphereScene(
        coords, kinds, tuple(labels), title=finding(look, who), note=f"{said} {note}".strip(),
        colouring=None if groups is None else Colouring("class", groups=tuple(groups)), selected=looked_at,
        others="not looked at", lines=paths, arrows=arrows, heat=heat, heat_title=UNITS[what], heat_range=ends,
        heat_two_way=what != "speed", marks=tuple(_mark(one) for one in found.found[:MOST_MARKS]),
        thumbnails=thumbnails or {})


def _heat(values: np.ndarray, *, two_way: bool) -> tuple[np.ndarray, tuple[float, float]]:
    """Values as heat, nothing where they are not known, and the numbers of its ends."""
    known = np.isfinite(values)
    top = float(np.percentile(np.abs(values[known]), 99)) if known.any() else 0.0
    top = top if top > 0 else 1.0
    if two_way:
        return np.where(known, np.clip(0.5 + np.where(known, values, 0) / (2 * top), 0, 1), 0.5), (-top, top)
    return np.where(known, np.clip(np.where(known, values, 0) / top, 0, 1), 0.0), (0.0, top)


def _arrows(look: FlowLook) -> np.ndarray:
    base, v = look.flow.base, look.flow.vectors
    length = np.linalg.norm(v, axis=1, keepdims=True)
    return np.stack([base, base * np.cos(length) + v * np.sinc(length / np.pi)], axis=1)


def _mark(one: Found) -> Mark:
    if one.kind in ("source", "sink"):
        return Mark(one.place, f"{one.kind} {one.value:+.2f}".replace("-", "−"), "prompt" if one.value > 0 else "plain")
    sign = "↺" if one.value > 0 else "↻"
    return Mark(one.place, f"{sign} {np.degrees(abs(one.value)) / 2:.0f}°", "plain")


def finding(look: FlowLook, who: str = "points") -> str:
    """What lies beyond chance, in words."""
    found = look.marks
    parts = [f"{count} {noun}{'s' * (count != 1)}" for noun, count in (
        ("sink", found.count("sink")), ("source", found.count("source")),
        ("place of rotation", found.count("clockwise", "anticlockwise"))) if count]
    when = f"from step {look.steps[0]:,} to {look.steps[1]:,}"
    n = f"n = {found.n:,} {shortened(who, 24)}"
    if not len(found.places):
        return f"{n}: too few in any place to tell a flow {when}"
    if not parts:
        return f"No source, sink or rotation beyond chance {when} (p = {found.p:.2g}, {n})"
    said = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
    return f"{said.replace('place of rotations', 'places of rotation')} beyond chance {when} (p = {found.p:.2g}, {n})"


def marks_table(look: FlowLook) -> pd.DataFrame:
    """One row a mark: kind, place, value, the limit of 95 % of shuffled fields there, p, mass and extent."""
    return pd.DataFrame([{
        "kind": KINDS[one.kind], "x": one.place[0], "y": one.place[1], "z": one.place[2],
        "divergence": one.value if one.kind in ("source", "sink") else math.nan,
        "curl (rad)": math.nan if one.kind in ("source", "sink") else one.value,
        "95 % of shuffled fields within": one.limit, "p": one.p, "points near": one.near,
        "places": one.places, "from step": look.steps[0], "to step": look.steps[1], "smoothing (degrees)":
        look.marks.degrees, "n": look.marks.n, "shuffles": look.marks.shuffles, "seed": look.marks.seed}
        for one in look.marks.found], columns=None if look.marks.found else ["kind", "x", "y", "z", "p", "n"])


def field_table(look: FlowLook) -> pd.DataFrame:
    """One row a place of the grid on which something is known: latitude, longitude and each quantity."""
    rows, columns = next(iter(look.values.values())).shape
    latitude, longitude = np.meshgrid(np.linspace(-90, 90, rows), np.linspace(-180, 180, columns), indexing="ij")
    known = np.isfinite(look.values["speed"])
    return pd.DataFrame({"latitude (degrees)": latitude[known], "longitude (degrees)": longitude[known],
                         **{UNITS[key]: look.values[key][known] for key in QUANTITIES}})


def speeds(report: Speeds, *, at: tuple[int, int] | None = None, dark: bool = False) -> go.Figure:
    """Speed of each group over the steps.

    Parameters
    ----------
    report
        Of at least one group; "images" and "texts" have the colours of their modality.
    at
        Two steps between which the flow is looked at, shaded.
    dark
        Colours for a dark background.

    Returns
    -------
    plotly Figure: training step against degrees a step, logarithmic where speeds lie far apart.
    """
    import plotly.graph_objects as go

    p, figure = theme.palette(dark), go.Figure()
    own = {"images": p.kinds["image"], "texts": p.kinds["text"]}
    for number, (name, curve) in enumerate(report.curves.items()):
        colour = own.get(name, p.categories[number % len(p.categories)])
        if curve.low is not None and curve.high is not None:
            figure.add_trace(go.Scatter(
                x=np.concatenate([report.middles, report.middles[::-1]]), hoverinfo="skip", mode="lines",
                y=np.maximum(np.concatenate([curve.high, curve.low[::-1]]), 0), line={"width": 0}, fill="toself",
                fillcolor=theme.rgba(colour, 0.18), name=f"{plain(name)}, 95 %", showlegend=False))
        figure.add_trace(go.Scatter(
            x=report.middles, y=curve.values, mode="lines" if len(curve.values) > 1 else "markers", name=plain(name),
            line={"color": colour, "width": 2.2},
            hovertemplate=f"%{{y:.3g}}° a step around step %{{x:,}}<extra>{plain(name)}</extra>"))
        slow = report.slow_from[name]
        if slow is not None:
            i = int(np.flatnonzero(report.steps == slow)[0])
            figure.add_trace(go.Scatter(
                x=[report.middles[i]], y=[curve.values[i]], mode="markers", showlegend=False, name="slow from here on",
                marker={"symbol": "circle-open", "size": 12, "color": colour, "line": {"width": 2.5}},
                hovertemplate=f"{plain(name)}: slow from step {slow:,} on<extra></extra>"))
    if at is not None:
        figure.add_vrect(x0=at[0], x1=at[1], fillcolor=theme.rgba(p.muted, 0.14), line_width=0, layer="below")
    figure.update_xaxes(title_text="training step", range=[int(report.steps[0]), int(report.steps[-1])])
    figure.update_yaxes(title_text="degrees a step", rangemode="tozero")
    many = len(report.curves)
    return framed(figure, slowing(report), height=330 + 10 * max(many - 2, 0), dark=dark, legend=many > 1)


def slowing(report: Speeds) -> str:
    """Where each group slows, in words."""
    slow = {name: step for name, step in report.slow_from.items() if step is not None}
    if not slow:
        return "No group stays below half of its highest speed beyond chance"
    said = ", ".join(f"{shortened(name, 24)} from step {step:,}" for name, step in list(slow.items())[:3])
    more = f" and {len(slow) - 3} more groups" if len(slow) > 3 else ""
    first = next(iter(slow))
    curve = report.curves[first]
    top = int(curve.values.argmax())
    band = "" if curve.low is None or curve.high is None else f" ({curve.low[top]:.2g} to {curve.high[top]:.2g})"
    return (f"Slower than half of the fastest: {said}{more}; {shortened(first, 24)} at most {curve.values[top]:.2g}"
            f"{band}° a step, n = {report.counts[first]:,}")


def speeds_table(report: Speeds) -> pd.DataFrame:
    """One row a group and snapshot: steps from and to, degrees a step with interval, n, and whether it is slow."""
    frames = []
    for name, curve in report.curves.items():
        slow = report.slow_from[name]
        columns = {"group": name, "from step": report.steps[:-1], "to step": report.steps[1:],
                   "degrees a step": curve.values, "n": report.counts[name],
                   "slow from then on": report.steps[:-1] >= (np.inf if slow is None else slow)}
        if curve.low is not None and curve.high is not None:
            columns |= {"low": curve.low, "high": curve.high}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
