"""Carrying a style over: one view composed anew, and how often that lands where it should."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from core.figures.objects import classes as labels
from core.figures.objects import styles as figures
from core.geometry.objects.reports import StyleReport
from core.geometry.objects.styles import METHODS, Composed, Requests, compose, fit_styles
from core.geometry.objects.transfer import OF_A_RANK, TASKS, Setting, score_styles, style_task
from core.language.objects.evaluation import ObjectsEvaluation, evaluate_objects
from core.streamlit_app import cached, panels, state, ui, work
from core.streamlit_app.objects import python
from core.streamlit_app.objects.data import ObjectsData, pick_object, prompts_of, takes_prompts, vectors_of
from core.streamlit_app.state import Settings
from core.types import fingerprint

NEAREST = 8
FIRST_RANK = 8
SCALE = 100.0


def show(settings: Settings, data: ObjectsData) -> None:
    """One case by hand, then all cases; the built-in world's evaluation beside."""
    if data.rendering is None or len(data.views.style_names) < 2:
        panels.notice("A style is carried over between styles: draw the objects in two or more (Look, above).")
    else:
        prompts = prompts_of(settings, data)
        _by_hand(settings, data, prompts)
        if len(data.views.names) > 1:
            _all_cases(settings, data, prompts)
    if takes_prompts(settings):
        _evaluation(settings)


def _by_hand(settings: Settings, data: ObjectsData, prompts: tuple[str, ...]) -> None:
    names, styles = data.views.names, data.views.style_names
    alone = len(names) == 1
    allowed = [key for key in _allowed(settings) if not alone or METHODS[key].needs in ("texts", "nothing")]
    if alone:
        panels.notice("One object alone has no style means: what is left are prompts. Bring a second object for the "
                      "rest.")
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        task = "change" if alone else state.pick_option("Task", TASKS, key="task", widget="segments")
        kept = pick_object(data, key="kept_object", label="Object that is kept (B)")
        first = state.pick_option("Its style", {name: name for name in styles}, key="from_style")
        wanted = [name for name in styles if name != first]
        taken = state.pick_option("Style that is taken", {name: name for name in wanted}, key="to_style")
        if task == "transfer":
            shown = [name for name in names if name != names[kept]]
            source = names.index(state.pick_option("Scene that shows it (A)", {name: name for name in shown},
                                                   key="scene"))
        else:
            source = kept if alone else next(i for i in range(len(names)) if i != kept)
        method = state.pick_option("Composed by", {key: METHODS[key].title for key in allowed}, key="method")
        rank = state.pick_number("Rank", 1, 30, key="style_rank", default=FIRST_RANK) if method in OF_A_RANK else 1
        alpha = state.pick_number("Alpha: how far to go", 0.0, 3.0, key="alpha", default=1.0, step=0.05)
        st.caption(panels.plain(METHODS[method].formula))
        view = state.pick_number("View", 0, int(data.views.views.max()), key="view_number", default=0)
    content = _row(data, kept, styles.index(first), view)
    shows = _row(data, source, styles.index(taken), view)
    with right:
        if content is None or shows is None:
            panels.notice("That view could not be encoded; choose another.")
            return
        found = _composed(settings, data, method, content, shows, rank, alpha, change=task == "change")
        _nearest(data, content, shows, found)
        _labels(settings, data, prompts, content, found)
    ui.copy_as_python(python.style(settings, data, method, content, shows, rank, alpha,
                                    change=task == "change"))


def _row(data: ObjectsData, number: int, style: int, view: int) -> int | None:
    rows = data.rows(number, style)
    at = rows[data.views.views[rows] == view]
    return int(at[0]) if len(at) else None


def _allowed(settings: Settings) -> list[str]:
    """Methods that the model of the page can follow."""
    return [key for key, method in METHODS.items() if takes_prompts(settings) or method.needs != "texts"]


def _texts(settings: Settings, data: ObjectsData) -> np.ndarray | None:
    """(styles, d) a prompt for each style; None where the model takes none."""
    if not takes_prompts(settings):
        return None
    assert data.rendering is not None
    return vectors_of(settings, [data.rendering.text(style) for style in data.views.style_names])


def _composed(settings: Settings, data: ObjectsData, method: str, content: int, source: int, rank: int, alpha: float,
              *, change: bool) -> Composed:
    """Fitted on all views but the one that is asked about."""
    views = data.views
    fitted = views.part((views.views != views.views[content]) & (views.views != views.views[source]))
    fit = fit_styles(fitted, _texts(settings, data))
    return compose(method, fit, Requests.of(views, np.array([content]), np.array([source])), rank=rank, alpha=alpha,
                   change=change)


def _nearest(data: ObjectsData, content: int, source: int, found: Composed) -> None:
    """The inputs, then the renderings nearest to what came out."""
    views, images = data.views, data.ready.images
    assert images is not None
    panels.gallery([(data.ready.pictures.whole(content), "kept: its object", images.ids[content]),
                    (data.ready.pictures.whole(source), "taken: its style", images.ids[source])], key="objects.inputs")
    cosines = found.vectors[0] @ views.vectors.astype(np.float64).T
    cosines[[content, source]] = -np.inf
    order = np.argsort(-cosines)[:NEAREST]
    right = (views.objects[order] == views.objects[content]) & (views.styles[order] == views.styles[source])
    wanted = f"{views.names[views.objects[content]]}, {views.style_names[views.styles[source]]}"
    says = "the object and the style that were wanted" if right[0] else \
        f"{views.names[views.objects[order[0]]]}, {views.style_names[views.styles[order[0]]]}, not {wanted}"
    st.html(f'<div class="orrery-h">Nearest rendering: {panels.text_html(says)}</div>')
    panels.gallery([(data.ready.pictures.whole(row), ("✓ " if ok else "") + images.ids[row],
                     f"cosine {cosines[row]:.3f}") for row, ok in zip(order.tolist(), right.tolist())],
                   key="objects.nearest")
    st.caption(f"Of {len(views) - 2:,} renderings, the two inputs left out; {int(right.sum())} of the nearest "
               f"{len(order)} show {panels.plain(wanted)}." + (
                   f" Length left outside the subspaces: {found.residuals[0]:.2f}." if np.isfinite(found.residuals[0])
                   else ""))


def _labels(settings: Settings, data: ObjectsData, prompts: tuple[str, ...], content: int, found: Composed) -> None:
    """Zero-shot probabilities of objects and of styles, before and after; nothing where the model takes no prompts."""
    style_texts = _texts(settings, data)
    if style_texts is None:
        return
    encoder = cached.encoder(settings.model_id)
    scale = encoder.logit_scale if np.isfinite(encoder.logit_scale) else SCALE
    sides = np.stack([data.views.vectors[content].astype(np.float64), found.vectors[0]])
    for title, names, texts, key in (
            ("object", data.views.names, vectors_of(settings, prompts), "objects.says"),
            ("style", data.views.style_names, style_texts, "objects.says_style")):
        chances = _softmax(scale * sides @ texts.astype(np.float64).T)
        ui.show(labels.before_and_after(title, names, chances[0], chances[1], dark=ui.dark()), key=key,
                how_to_read=f"Zero-shot probabilities of the {title}s, at the model's own temperature: of the view "
                            "that was kept, and of what came out.",
                table=partial(labels.before_and_after_table, names, *chances))


def _softmax(logits: np.ndarray) -> np.ndarray:
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def _all_cases(settings: Settings, data: ObjectsData, prompts: tuple[str, ...]) -> None:
    """Success of every method over all pairs of objects and styles, at one rank and alpha."""
    task = state.value_of("task", "transfer")
    change = task == "change"
    rank = int(float(state.value_of("style_rank", str(FIRST_RANK))))
    alpha = float(state.value_of("alpha", "1.0"))
    texts, names = _texts(settings, data), vectors_of(settings, prompts) if prompts else None

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> StyleReport:
        cases = [style_task(data.views, texts, change=change, seed=settings.seed)]
        return score_styles(cases, {key: Setting(rank, alpha) for key in _allowed(settings)}, prompts=names,
                            on_progress=on_progress)

    key = fingerprint("styles", data.key, change, rank, alpha, prompts, settings.seed)
    report: StyleReport = work.result_of(key, measure)
    ui.show(figures.success(report, dark=ui.dark()), key="objects.success",
            how_to_read="Share of cases whose nearest rendering shows the kept object in the taken style; fitted on "
                        "every other view and asked for between them. Rank and alpha are those set above, not tuned.",
            table=lambda: figures.success_table([report]))


def _evaluation(settings: Settings) -> None:
    """What `python -m core evaluate objects` prints, run here when asked for."""
    st.subheader("On the built-in world", anchor=False)
    st.caption("Ten green plain solids in five styles (hard), and ten of nine colours (easy): what the command "
               "`python -m core evaluate objects` prints. Rank and alpha are chosen on other seeds than those scored.")
    key = fingerprint("evaluate objects", settings.model_id, settings.seed)

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> ObjectsEvaluation:
        return evaluate_objects(cached.encoder(settings.model_id), cached.store(), seed=settings.seed,
                                on_progress=on_progress)

    found: ObjectsEvaluation | None = work.result_when_asked(
        key, "Run it (a minute or two)", "objects.evaluate", measure)
    if found is None:
        return
    kind = state.pick_option("Set", {"hard": "Hard: ten green plain solids", "easy": "Easy: nine colours"}, key="set",
                             widget="segments", label_visible=False)
    for task in TASKS:
        report = found.styles[kind, task]
        ui.show(figures.success(report, dark=ui.dark()), key=f"objects.evaluated.{task}",
                how_to_read="As above, over all sets that were scored; intervals are over objects.",
                table=partial(figures.success_table, [report]))
        ui.show(figures.over_rank(report, dark=ui.dark()), key=f"objects.rank.{task}",
                how_to_read="The two subspace ways over their rank, at alpha 1: as written, the fit holds the style "
                            "itself, and nothing of the other style is left above a low rank.",
                table=partial(figures.over_rank_table, report))
    before = "" if kind == "hard" else f"{kind}_"
    numbers = {name: number for name, number in found.figures().items()
               if name.startswith(f"{before}recognise" if before else "recognise")}
    st.dataframe(panels.numbers_table(numbers), hide_index=True, height="content", key="objects.recognised")
    st.json(found.chosen(), expanded=False)
