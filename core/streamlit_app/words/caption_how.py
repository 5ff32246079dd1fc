"""How a caption is searched for: the grammar of the built-in world, a language model, or a list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.encoding.causal import LANGUAGE_MODELS, download_language_model, load_language_model, located
from core.encoding.encoder import Encoder
from core.errors import OrreryError
from core.language.words import by_grammar, by_language, by_list
from core.language.words.fluency import Bigrams, of_the_world
from core.language.words.scored import Search, Target, Texts
from core.settings import settings as process_settings
from core.sources.tables.lists import read_list
from core.streamlit_app import panels, state, ui, work
from core.streamlit_app.data.ready import Ready
from core.streamlit_app.state import Settings
from core.types import fingerprint

OTHER = "other"
MOST_MEGABYTES = 20
Run = Callable[[Target, Texts, Search | None, work.Progress, work.Stop], Search]
BINDING = ("Which solid has which colour, and which stands left, is at chance in this model (held-out scenes, Text "
           "geometry): the caption names solids and colours, but their binding is not to be trusted.")
UNEQUAL = ("The texts of a list say unequally much: the highest cosine often goes to a vague one. Read both scores in "
           "the figure of candidates.")


@dataclass(frozen=True, eq=False)
class How:
    """A search that was chosen.

    Attributes
    ----------
    key : of all its dials.
    texts : what makes the model's texts with their fluency; it may load a language model.
    run : the search.
    python : imports and lines that run it, on ``target``; they make ``texts`` of ``model``.
    """

    key: str
    texts: Callable[[], Texts]
    run: Run
    python: tuple[tuple[str, ...], tuple[str, ...]]


def pick_how(settings: Settings, ready: Ready, encoder: Encoder) -> How | None:
    """The widgets that choose it; None, which is said, where something is missing."""
    ways = {"grammar": "The grammar of the built-in world"} if encoder.known_words else {
        "language": "A language model"}
    ways["list"] = "A list of captions"
    way = state.pick_option("Candidates from", ways, key="caption_way")
    if way == "grammar":
        return _grammar(settings, encoder)
    return _listed(settings, ready, encoder) if way == "list" else _language(settings, encoder)


def _grammar(settings: Settings, encoder: Encoder) -> How:
    with st.popover("Dials", icon=":material/tune:"):
        solids = state.pick_number("Solids that the caption names", 1, 3, key="caption_solids", default=1)
        width = state.pick_number("Beam: statements kept", 1, 8, key="caption_width", default=by_grammar.WIDTH)
        rounds = state.pick_number("Rounds of rewriting", 0, 6, key="caption_rounds", default=by_grammar.ROUNDS)
        score = state.pick_option("Ranked by", {"cosine": "Cosine, among statements that say equally much",
                                                "information": "Mutual information (it saturates: try it and see)"},
                                  key="caption_score")
    if solids > 1:
        panels.notice(BINDING, one_line=True)

    def run(target: Target, texts: Texts, before: Search | None, say: work.Progress, stop: work.Stop) -> Search:
        return by_grammar.search(target, texts, solids=solids, width=width, rounds=rounds, seed=settings.seed,
                                 by_information=score == "information", on_progress=say, should_stop=stop)

    dials = f"solids={solids}, width={width}, rounds={rounds}, by_information={score == 'information'}, " \
            f"seed={settings.seed}"
    return How(fingerprint("grammar", dials), lambda: Texts(encoder, of_the_world(), attributes=True), run,
               (("from core.language.words.by_grammar import search",
                 "from core.language.words.fluency import of_the_world"),
                ("texts = Texts(model, of_the_world(), attributes=True)", f"found = search(target, texts, {dials})")))


def _listed(settings: Settings, ready: Ready, encoder: Encoder) -> How | None:
    upload = st.file_uploader("Captions to choose from (txt, CSV, JSON); without a file, those that are open",
                              type=["txt", "csv", "tsv", "json"], key="caption.list", max_upload_size=MOST_MEGABYTES)
    listed = ready.captions
    if upload is not None:
        found = read_list(upload.getvalue(), upload.name)
        ui.refused_panel(found.refused, key="caption.refused")
        listed = found.rows
    if not listed:
        panels.notice("No captions are open. Upload a list of them.", "warning")
        return None
    unread = encoder.unread(listed)
    given = [text for i, text in enumerate(listed) if i not in unread]
    cut = int(encoder.truncated(given).sum())
    if cut:
        panels.notice(f"{cut:,} texts are longer than the model reads ({encoder.context_length} tokens): their end "
                      "does not count.", "warning")
    panels.notice(UNEQUAL, one_line=True)
    attributes = bool(encoder.known_words)

    def run(target: Target, texts: Texts, before: Search | None, say: work.Progress, stop: work.Stop) -> Search:
        return by_list.search(target, texts, given, on_progress=say, should_stop=stop)

    return How(fingerprint("list", given), lambda: Texts(encoder, Bigrams.of(given), attributes=attributes), run,
               (("from core.language.words.by_list import search", "from core.language.words.fluency import Bigrams"),
                ('listed = open("captions.txt").read().splitlines()' if upload is not None else
                 "listed = points.captions",
                 f"texts = Texts(model, Bigrams.of(listed), attributes={attributes})",
                 "found = search(target, texts, listed)")))


def _language(settings: Settings, encoder: Encoder) -> How | None:
    titles = {name: f"{entry.title}, {entry.size_mb} MB" for name, entry in LANGUAGE_MODELS.items()}
    if not process_settings().hosted:
        titles[OTHER] = "Another one …"
    name = state.pick_option("Language model", titles, key="caption_lm")
    if name == OTHER:
        name = state.pick_text("Hub id with its commit, or a folder on this machine", key="caption_lm_id",
                               placeholder="org/name@commit").strip()
        if not name:
            panels.notice("Name a language model, or take a list of captions.")
            return None
    if located(name) is None:
        _offer(name)
        return None
    with st.popover("Dials", icon=":material/tune:"):
        prefix = state.pick_text("Begins with", key="caption_prefix", default=by_language.PREFIX, max_chars=200)
        length = state.pick_number("Tokens after it", 1, by_language.MOST_LENGTH, key="caption_length", default=8)
        top = state.pick_number("Next tokens proposed", 2, by_language.MOST_TOP, key="caption_top", default=48)
        width = state.pick_number("Beam: sentences kept", 1, by_language.MOST_WIDTH, key="caption_beam", default=4)
        rounds = state.pick_number("Rounds of rewriting", 0, by_language.MOST_ROUNDS, key="caption_anew", default=12)
        weight = state.pick_number("Weight of the cosine beside fluency (nats)", 0.0, 200.0, key="caption_weight",
                                   default=30.0)
    how = by_language.Writing(prefix, length, top, width, rounds, weight, settings.seed)

    def texts() -> Texts:
        return Texts(encoder, load_language_model(name), attributes=False)

    def run(target: Target, texts: Texts, before: Search | None, say: work.Progress, stop: work.Stop) -> Search:
        return by_language.search(target, texts, load_language_model(name), how, before=before, on_progress=say,
                                  should_stop=stop)

    return How(fingerprint("language", name, how), texts, run,
               (("from core.encoding.causal import load_language_model",
                 "from core.language.words.by_language import Writing, search"),
                (f"language = load_language_model({name!r})", "texts = Texts(model, language, attributes=False)",
                 f"found = search(target, texts, language, {how!r})")))


def _offer(name: str) -> None:
    """What a language model that is not here is, and a button that fetches it."""
    entry = LANGUAGE_MODELS.get(name)
    if entry is not None:
        panels.facts([("Trained on", entry.training_data), ("Licence", entry.licence)])
    panels.notice("This language model is not on this machine yet. Until it is, take a list of captions.")
    key = f"download:{name}"
    job = work.running(key)
    if job is None and st.button(f"Download ({entry.size_mb} MB)" if entry else "Download", key="caption.download",
                                 icon=":material/download:"):
        job = work.start(key, lambda say, stop: download_language_model(name, on_progress=say, should_stop=stop))
    if job is None:
        return
    if not job.over:
        work.watch(job)
        return
    work.forget(key)
    if job.error is not None:
        raise job.error if isinstance(job.error, OrreryError) else work.as_error(job.error)
    st.rerun()
