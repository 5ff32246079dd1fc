"""What a mesh names beside itself: found among what was brought together with it, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import unquote

from core.errors import OrreryError
from core.sources.archives import clean
from core.sources.meshes.formats import BESIDE


class Members:
    """Materials, buffers and textures by the names that a mesh gives them, as trimesh asks a resolver for them.

    A name is looked up in the folder of the mesh, then from the root of what was brought, then by its last part alone
    where only one file is called so. Nothing is ever opened outside, and no address of the net is ever followed.

    Parameters
    ----------
    names : relative names of all files that were brought.
    read : one of them; may raise OrreryError or OSError.
    folder : where the mesh lies among them.

    Attributes
    ----------
    read, folder : as given.
    missing : what the mesh asked for and was not there, or lies on the net, or is no file that a mesh may name.
    """

    def __init__(self, names: Sequence[str], read: Callable[[str], bytes], folder: str = "") -> None:
        self.missing: list[str] = []
        self.read, self.folder = read, folder
        self._names = {name.lower(): name for name in reversed(names) if name.lower().endswith(BESIDE)}
        self._last: dict[str, list[str]] = {}
        for lower, name in self._names.items():
            self._last.setdefault(lower.rpartition("/")[2], []).append(name)

    def get(self, name: str) -> bytes:
        """The bytes of a file; FileNotFoundError where it was not brought."""
        found = self.find(name)
        if found:
            try:
                return self.read(found)
            except (OrreryError, OSError):
                pass
        if name not in self.missing:
            self.missing.append(name)
        raise FileNotFoundError(name)

    __getitem__ = get

    def find(self, name: str) -> str:
        """Which of the files a mesh means by a name; "" for none."""
        if "://" in name or name.lower().startswith("data:"):
            return ""
        wanted = clean(unquote(name).strip().strip('"')).lower()
        for candidate in (f"{self.folder}/{wanted}".lstrip("/").lower(), wanted):
            if candidate in self._names:
                return self._names[candidate]
        same = self._last.get(wanted.rpartition("/")[2], [])
        return same[0] if len(same) == 1 else ""

    def write(self, name: str, data: bytes) -> None:
        """Nothing is written."""

    def namespaced(self, namespace: str) -> Members:
        """Itself: names are looked up in one way."""
        return self

    def keys(self) -> list[str]:
        """The names of all files that a mesh may ask for."""
        return list(self._names.values())

    def __contains__(self, name: str) -> bool:
        return bool(self.find(name))

    def notices(self, mesh: str) -> tuple[str, ...]:
        """What was not there, in sentences."""
        out = []
        for name in self.missing[:5]:
            on_the_net = "://" in name
            why = "lies on the net and is not fetched" if on_the_net else "is not among what was brought"
            out.append(f"{mesh} names {name[:80]}, which {why}.")
        if len(self.missing) > 5:
            out.append(f"{mesh} names {len(self.missing) - 5} more files that are not there.")
        return tuple(out)
