"""Fields for files, and what was brought by them; a file that is refused leaves its field, and the reason stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import streamlit as st

from core.errors import SourceError
from core.settings import settings
from core.sources.tars import ARCHIVES
from core.streamlit_app import panels, state, uploads, work
from core.types import fingerprint

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from core.types import Dataset

T = TypeVar("T")
LONGEST_FILES = 120


@dataclass(frozen=True)
class Brought:
    """Files that were uploaded together.

    Attributes
    ----------
    files : rows (name, bytes).
    mark : tells this upload from any other.
    names : of the files, in a line.
    """

    files: tuple[tuple[str, bytes], ...]
    mark: object
    names: str

    @classmethod
    def of(cls, files: Sequence[UploadedFile]) -> Brought:
        return cls(tuple((f.name, f.getvalue()) for f in files), tuple(f.file_id for f in files), names_of(files))


    @property
    def source(self) -> tuple[bytes, str] | tuple[Sequence[tuple[str, bytes]]]:
        """What `open_vectors` takes: one file and its name, or several."""
        return (self.files[0][1], self.files[0][0]) if len(self.files) == 1 else (self.files,)


def open_images(files: Sequence[tuple[str, bytes]], encoding: str | None = None) -> Dataset:
    """Uploaded images, or the one archive of them; raises SourceError as the readers do."""
    from core.sources.images.opening import open_uploads, open_zip

    archives = [(name, data) for name, data in files if name.lower().endswith(ARCHIVES)]
    if archives and len(files) > 1:
        raise SourceError("either one zip or tar or several images",
                          f"{len(archives)} archives among {len(files)} files", "Upload the archive alone.")
    if archives:
        return open_zip(archives[0][1], archives[0][0], encoding=encoding)
    return open_uploads(files, encoding=encoding)


def names_of(files: Sequence[UploadedFile]) -> str:
    """The names of what was uploaded, in a line."""
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return files[0].name[:LONGEST_FILES - len(more)] + more


def upload(label: str, types: Sequence[str] | None, key: str, *, several: bool) -> list[UploadedFile]:
    """A field for files of these endings; empty again after each one that was refused.

    Before the first dot of ``key`` stands whose it is.
    """
    source = key.partition(".")[0]
    tries = st.session_state.get(f"{source}.tries", 0)
    key = f"{key}.{tries}" if tries else key
    endings = None if types is None else [ending.rpartition(".")[2] for ending in types]
    found = st.file_uploader(label, type=endings, accept_multiple_files=several, key=key,
                             max_upload_size=settings().budget.upload_mb)
    files = [] if not found else list(found) if isinstance(found, list) else [found]
    if (error := uploads.refusal()) is not None:
        refuse(source, (), error)
        st.rerun()
    return files


def refuse(source: str, files: Sequence[UploadedFile], error: Exception) -> None:
    """From now on the field is empty, and `say_refused` says why."""
    st.session_state[f"{source}.refused"] = panels.in_words(error)
    st.session_state[f"{source}.tries"] = st.session_state.get(f"{source}.tries", 0) + 1
    uploads.drop(file.file_id for file in files)


def say_refused(source: str) -> None:
    """Why what was brought last was refused, if it was."""
    if f"{source}.refused" in st.session_state:
        panels.error_panel(st.session_state[f"{source}.refused"])


def take(source: str, files: Sequence[UploadedFile]) -> None:
    """What was brought is open: it stays counted, and nothing is refused any more."""
    st.session_state.pop(f"{source}.refused", None)
    uploads.keep(source, files)


def bring(source: str, label: str, types: Sequence[str] | None,
          opening: Callable[..., T], *, at_work: bool = False) -> tuple[T, str] | None:
    """What was uploaded, opened once, with the names of its files; None until something is.

    Where it is refused the field is empty again, and the reason stands above it. ``opening`` takes rows (name, bytes);
    ``at_work`` it takes on_progress and should_stop too, and is long work that a visitor can stop.
    """
    slot = f"{source}.opened"
    held: tuple[T, str] | None = st.session_state.get(f"{source}.source")
    if held is not None:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(held[1], width="content")
            if st.button("Close", key=f"{source}.close", icon=":material/close:", type="tertiary"):
                del st.session_state[f"{source}.source"]
                uploads.close(source)
                state.write_url("file", None)
                st.rerun()
        return held
    say_refused(source)
    files = upload(label, types, f"{source}.upload", several=True)
    if not files:
        work.forget_here(slot)
        asked = st.query_params.get("file")
        panels.notice(f"The address is of a view of “{asked[:LONGEST_FILES]}”, which was uploaded: bring the same file "
                      "again." if asked else "They are forgotten when the visit ends." if settings().hosted
                      else "They stay on this machine.")
        return None
    try:
        if at_work:
            found = work.result_here(slot, fingerprint([file.file_id for file in files]),
                                     lambda on_progress, should_stop: opening(
                                         Brought.of(files).files, on_progress=on_progress, should_stop=should_stop))
            if found is None:
                return None
            work.forget_here(slot)
        else:
            with st.spinner("Reading …"):
                found = opening(Brought.of(files).files)
    except Exception as error:
        refuse(source, files, error)
    else:
        st.session_state[f"{source}.source"] = found, names_of(files)
        take(source, files)
    st.rerun()
