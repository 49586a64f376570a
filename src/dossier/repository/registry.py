"""From an address to a repository: entry points of the group `dossier.repositories`, looked up when asked for.

Floor: repository.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Literal

from dossier.errors import UnknownSchemeError
from dossier.repository.contract import Driver, Repository

GROUP = "dossier.repositories"
_INSTALL = {
    "sqlite": "dossier-archive[sqlite]",
    "mongodb": "dossier-archive[mongodb]",
    "vault": "dossier-archive[vault]",
}


def split(url: str) -> tuple[str, str]:
    """("scheme", "rest") of an address. A path without a scheme (hotel.db, C:\\\\hotel.db) is `sqlite`."""
    scheme, sep, rest = url.partition(":")
    if not sep or len(scheme) < 2 or not scheme.isascii() or not scheme.replace("+", "").isalnum():
        return "sqlite", url
    return scheme.lower(), rest


def driver(scheme: str) -> Driver:
    """The driver for a scheme. UnknownSchemeError says what to install."""
    if scheme == "memory":
        from dossier.repository.memory import open_memory

        return open_memory
    name = "mongodb" if scheme == "mongodb+srv" else scheme
    for point in entry_points(group=GROUP, name=name):
        found: Driver = point.load()
        return found
    raise UnknownSchemeError(scheme=scheme, install=_INSTALL.get(name, f"dossier-{name}"))


def schemes() -> tuple[str, ...]:
    """The schemes that can be opened here, sorted."""
    return tuple(sorted({"memory", *(point.name for point in entry_points(group=GROUP))}))


def open_repository(
    url: str, *, mode: Literal["create", "rw", "r"] = "rw", options: Mapping[str, object] | None = None
) -> Repository:
    """Open the store at an address; see `Driver` for the errors."""
    scheme, _ = split(url)
    return driver(scheme)(url, mode=mode, options=options or {})
