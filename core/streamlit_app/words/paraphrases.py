"""Paraphrases: texts that mean the same beside texts that do not."""

from __future__ import annotations

from core.encoding.encoder import Encoder
from core.figures.frame import share
from core.figures.words import paraphrased as figures
from core.figures.words import shares
from core.language.words.paraphrases import Altered, Spread, grammar_groups, read_groups, spread
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.typed import say_unread, typed_or_brought
from core.types import fingerprint

DEFAULT = "a red cube | a red box\na large ball | a big sphere\na striped ring | a banded donut"
PLACEHOLDER = "a small dog | a little dog"


def show(settings: Settings, ready: Ready, encoder: Encoder) -> None:
    """Synonyms of the grammar, or groups of one's own."""
    altered: tuple[Altered, ...] = ()
    sources = {"grammar": "Synonyms of the built-in world", "own": "Your own"}
    if state.pick_option("Texts", sources, key="paraphrases_from", default="grammar" if ready.opened.built_in else
                         "own", widget="segments") == "grammar":
        n = state.pick_number("Scenes, said in three ways each", 50, 400, key="paraphrases_n", default=150, step=50)
        groups, altered = grammar_groups(n, seed=settings.seed)
        made, name = f"*grammar_groups({n}, seed={settings.seed})", "grammar_groups"
    else:
        text = typed_or_brought("Texts that mean the same on one line, with | between them", key="paraphrases_typed",
                                default=DEFAULT if ready.opened.built_in else "", placeholder=PLACEHOLDER,
                                source="paraphrases_file")
        if not text.strip():
            panels.notice("Type or bring groups of texts that mean the same: “a small dog | a little dog”, two lines "
                          "or more; or a table with a row a group.")
            return
        groups = read_groups(text)
        made, name = f"read_groups({text!r})" if len(text) < 2000 else 'read_groups(open("groups.txt").read())', \
            "read_groups"
    say_unread(encoder, [text for group in groups for text in group])

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Spread:
        return spread(encoder, groups, altered, seed=settings.seed, on_progress=on_progress, should_stop=should_stop)

    found: Spread = work.result_of(fingerprint("paraphrases", encoder.spec.fingerprint, groups, repr(altered),
                                               settings.seed), measure)
    ui.show(figures.spreads(found, dark=ui.dark()), key="texts.paraphrases", how_to_read=figures.CAPTION,
            table=lambda: figures.spreads_table(found))
    panels.wrapped_table(panels.numbers_table({
        "a text of the same meaning is nearer than one of another": found.nearer,
        "the nearest text means the same": found.found}))
    if found.against_altered:
        numbers = {f"{kind} changed": number for kind, number in found.against_altered.items()}
        against = {f"{kind} changed": d for kind, d in found.over_chance.items()}
        least = min(numbers, key=lambda kind: numbers[kind].value)
        title = (f"Other words of the same meaning are nearer than the same words with one attribute changed: at least "
                 f"for {share(numbers[least])} ({least})")
        ui.show(shares.shares(numbers, title, "texts", against, dark=ui.dark()), key="texts.altered",
                how_to_read=shares.CAPTION, table=lambda: shares.shares_table(numbers, against))
    ui.copy_as_python(as_code(
        ["from core.encoding.models import load_model", "from core.figures.words.paraphrased import spreads",
         f"from core.language.words.paraphrases import {name}, spread"],
        [f"model = load_model({settings.model_id!r})", f"found = spread(model, {made})",
         "print(found.same, found.different, found.nearer)", "spreads(found).show()"]))
