"""A torchvision that does not fit the torch at hand is put aside, so that transformers does without it."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys

_log = logging.getLogger("orrery")
_looked_at: list[str] = []


def put_aside_torchvision() -> str:
    """Hide a torchvision that cannot be imported, as one for another torch; preprocessing here never needs it.

    transformers looks for it by its name alone and dies where its import fails. It is tried once in a process.

    Returns
    -------
    What is wrong with it, in a sentence, which is logged once; "" where it fits or is not there.
    """
    if not _looked_at:
        _looked_at.append(_fault())
        if _looked_at[0]:
            for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
            sys.modules["torchvision"] = None  # type: ignore[assignment]
            if "transformers" in sys.modules:
                from transformers.utils import import_utils

                import_utils.is_torchvision_available.cache_clear()
            _log.warning(_looked_at[0])
    return _looked_at[0]


def _fault() -> str:
    if importlib.util.find_spec("torchvision") is None:
        return ""
    try:
        importlib.import_module("torchvision")
    except Exception as error:
        import torch

        reason = " ".join(str(error).split())[:200]
        return (f"The torchvision that is installed does not fit torch {torch.__version__} and is not used "
                f"({type(error).__name__}: {reason}). Install the torchvision of this torch, or none.")
    return ""
