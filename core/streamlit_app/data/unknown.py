"""Words of a prompt that a model never saw."""

from __future__ import annotations

from core.streamlit_app import cached, panels


def say_unknown(model_id: str, text: str) -> None:
    """Name the words of a text that the model never saw, where there are some."""
    unknown = cached.encoder(model_id).unknown_words(text)
    if unknown:
        panels.notice(f"Words this model has never seen: {', '.join(unknown)[:300]}. They are letters without meaning "
                      "to it.", "warning")
