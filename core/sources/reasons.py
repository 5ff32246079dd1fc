"""Why a file is left out, in plain words."""

from __future__ import annotations

from core.errors import UnreadableItem
from core.settings import MB, OWN_MACHINE

MAX_FILE_BYTES = OWN_MACHINE.member_mb * MB


def refuse(name: str, reason: str, what: str = "image") -> UnreadableItem:
    """The error of one item; ``error.got`` is the reason alone."""
    return UnreadableItem(f"a readable {what} in {name}", reason)


def too_large(n_bytes: int) -> str:
    return f"the file has {n_bytes / 1024**2:,.0f} MB; the limit is {MAX_FILE_BYTES // 1024**2} MB"


def why_not(error: OSError) -> str:
    """Why a file cannot be opened, in plain words."""
    if isinstance(error, FileNotFoundError):
        return "the file is not there"
    if isinstance(error, PermissionError):
        return "the file may not be read by this user"
    if isinstance(error, IsADirectoryError):
        return "it is a folder"
    return f"the disk says: {error.strerror or error}"
