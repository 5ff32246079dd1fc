"""A public server and what strangers send it."""

from __future__ import annotations

import pytest

from tests.streamlit_app.protocol import Visitor


@pytest.mark.parametrize("model_id", ["core/../../../../etc", "~root", "~nosuchuser", "n" * 300, "org/name"])
def test_a_link_to_a_model_that_is_not_offered_is_answered_in_words(hosted: str, model_id: str) -> None:
    visitor = Visitor(hosted, model="other", model_id=model_id).run()
    assert "The address names a model that this server does not offer" in visitor.shown
    assert "How to start" in visitor.shown
    assert model_id not in visitor.shown and "Download" not in visitor.shown
    visitor.leave()
