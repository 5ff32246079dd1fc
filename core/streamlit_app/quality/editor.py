"""The list of actions: each can be switched, changed, moved and taken out; others are added, steps undone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.errors import OrreryError
from core.language.quality.actions import ACTIONS, Action, Parameter, Step, Value
from core.language.quality.evidence import KINDS
from core.streamlit_app import panels
from core.streamlit_app.data.unknown import say_unknown
from core.streamlit_app.quality import stack

PROMPTS = ("prompt", "against", "centre")


def show(steps: Sequence[Step], model_id: str) -> None:
    """The actions with what each drops, and the widgets that change them; a change draws the page anew.

    Words of prompts that the model ``model_id`` never saw are named, where one encodes them.
    """
    for place, step in enumerate(steps):
        _row(place, step, len(steps))
        said = step.action.said
        if model_id and not step.lacks and said.get("around", "prompt") == "prompt":
            say_unknown(model_id, " ".join(str(said[name]) for name in PROMPTS if name in said))
    with st.container(horizontal=True, vertical_alignment="bottom", key="quality.add"):
        kind = st.selectbox("Another action", list(ACTIONS), format_func=lambda key: ACTIONS[key].title,
                            key="quality.kind", width=300)
        with st.popover("Add", icon=":material/add:", key=f"quality.add.{stack.version()}"):
            st.caption(ACTIONS[kind].explanation)
            _form(kind, {}, True, f"new.{kind}.{stack.version()}", lambda action: stack.put((*stack.actions(), action)),
                  "Add it")
        for way, label, icon in ((-1, "Undo", ":material/undo:"), (1, "Redo", ":material/redo:")):
            if st.button(label, icon=icon, disabled=not stack.can_go(way), key=f"quality.{label.lower()}"):
                stack.go(way)
                st.rerun()
        if st.button("Clear", icon=":material/delete:", type="tertiary", disabled=not steps, key="quality.clear"):
            stack.put(())
            st.rerun()


def _row(place: int, step: Step, n: int) -> None:
    action = step.action
    mark = f"{place}.{stack.version()}"
    with st.container(horizontal=True, vertical_alignment="center", key=f"quality.action.{place}"):
        on = st.toggle("On", value=action.on, key=f"on.{mark}", label_visibility="collapsed")
        st.markdown(f"**{place + 1}.** {panels.plain(action.words)}", width="stretch")
        st.text(_counted(step), width="content")
        with st.popover("Change", icon=":material/tune:"):
            st.caption(action.act.explanation)
            _form(action.kind, action.said, action.on, mark, lambda new: stack.change(place, lambda _: new),
                  "Take it so")
            with st.container(horizontal=True):
                up = st.button("Earlier", icon=":material/arrow_upward:", disabled=place == 0, key=f"up.{mark}")
                out = st.button("Take it out", icon=":material/delete:", key=f"out.{mark}")
    if step.lacks:
        panels.notice(f"Not done: {step.lacks}", "warning")
    if on != action.on:
        stack.switch(place, on)
        st.rerun()
    if up:
        known = list(stack.actions())
        known[place - 1:place + 1] = known[place - 1:place + 1][::-1]
        stack.put(known)
        st.rerun()
    if out:
        stack.change(place, lambda _: None)
        st.rerun()


def _counted(step: Step) -> str:
    if not step.action.on:
        return "off"
    parts = [f"−{len(rows):,} {noun}{'s' * (len(rows) != 1)}" for rows, noun in
             ((step.images, "image"), (step.texts, "caption")) if len(rows)]
    parts += [f"{len(step.relabelled):,} relabelled"] if len(step.relabelled) else []
    return ", ".join(parts) or "nothing to do"


def _form(kind: str, said: Mapping[str, Value], on: bool, mark: str, take: Callable[[Action], None],
          label: str) -> None:
    """The parameters of an action, and a button that takes them."""
    with st.form(f"form.{mark}", border=False):
        new = {name: _field(name, parameter, said.get(name, parameter.default), f"{mark}.{name}")
               for name, parameter in ACTIONS[kind].parameters.items()}
        if st.form_submit_button(label, type="primary"):
            try:
                take(Action(kind, new, on))
            except OrreryError as error:
                panels.error_panel(error)
                return
            st.rerun()


def _field(name: str, parameter: Parameter, value: Value, key: str) -> Value:
    label = parameter.title + (f", {parameter.unit}" if parameter.unit else "")
    if parameter.kind == "choice":
        options = list(parameter.choices)
        titles: Mapping[str, str] = {k: v.title for k, v in KINDS.items()} if name == "finding" else {}
        return st.selectbox(label, options, index=options.index(str(value)), key=key,
                            format_func=lambda option: titles.get(option, option))
    if parameter.kind == "text":
        return st.text_input(label, str(value), key=key, max_chars=400)
    low, high = (None if abs(bound) > 1e8 else bound for bound in (parameter.low, parameter.high))
    if parameter.kind == "whole":
        return st.number_input(label, None if low is None else int(low), None if high is None else int(high),
                               value=None if value is None else int(value), key=key)
    return st.number_input(label, low, high, value=None if value is None else float(value), key=key, format="%.4g",
                           placeholder="as proposed" if parameter.default is None else "")
