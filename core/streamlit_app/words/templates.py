"""What each template of the ensemble adds."""

from __future__ import annotations

from core.figures.words import templates as figures
from core.language.words.templates import Templates, template_effects
from core.streamlit_app import panels, ui, work
from core.streamlit_app.data.python import as_code
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.streamlit_app.words.asked import Asked
from core.types import fingerprint


def show(settings: Settings, ready: Ready, asked: Asked) -> None:
    """Each template alone, the ensemble without it, and what can be told apart."""
    texts, encoder = asked.texts, asked.encoder
    if texts is None or encoder is None:
        panels.notice("Templates are of prompts; the classes here are vectors, made elsewhere.")
        return
    if len(texts.templates) < 2:
        panels.notice("Write two templates or more, one a line, or start from an ensemble: what each adds shows here.")
        return
    if not len(asked.named.known) or len(asked.named.classes) < 2:
        panels.notice("Accuracy needs two classes or more, and images with a label among them.")
        return

    def measure(on_progress: work.Progress, should_stop: work.Stop) -> Templates:
        return template_effects(encoder, texts, asked.images, asked.named.truth, on_progress=on_progress,
                                should_stop=should_stop)

    found: Templates = work.result_of(fingerprint("zero.templates", asked.key), measure)
    ui.show(figures.templates(found, dark=ui.dark()), key="zero.templates", how_to_read=figures.CAPTION,
            table=lambda: figures.templates_table(found))
    panels.wrapped_table(figures.in_words(found))
    ui.copy_as_python(as_code([*asked.imports, "from core.figures.words.templates import templates",
                               "from core.language.words.templates import template_effects"], [
        *asked.lines, "report = template_effects(model, texts, images, named.truth)",
        "print(report.ensemble, report.adds)", "templates(report).show()"]))
