"""The kit: everything that proves a repository, for whoever writes one, and an application's use of a desk.

Floor: testing. Needs the extra `testing` (pytest, hypothesis); `import dossier` never loads it, and names are imported
when they are first looked at, so that pytest starts no slower where the kit is installed.

    from dossier.testing import RepositoryContract

    class TestMine(RepositoryContract):
        driver = staticmethod(open_mine)

        def url(self, folder):
            return f"mine:{folder}"

runs every law of the contract against `open_mine` (see `contract`); so does, without a class,
`pytest --pyargs dossier.testing.conformance --dossier-repository mine:`. Each law is also a plain function in `law_*`,
which takes `places` (a function that gives fresh addresses) and raises AssertionError. `oracle` is the reference
repository, `strategies` draws everything from rows to whole histories of desk calls, `crash` kills children, `broken`
holds repositories that break a law, and `broken_desk` desks that do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dossier.testing.archive_machine import ArchiveMachine
    from dossier.testing.contract import RepositoryContract
    from dossier.testing.desk_place import DeskPlace
    from dossier.testing.oracle import Oracle, OracleDriver
    from dossier.testing.place import Place, Places, Reach

_HOME = {
    "ArchiveMachine": "archive_machine",
    "DeskPlace": "desk_place",
    "Oracle": "oracle",
    "OracleDriver": "oracle",
    "Place": "place",
    "Places": "place",
    "Reach": "place",
    "RepositoryContract": "contract",
}


def __getattr__(name: str) -> Any:
    module = _HOME.get(name)
    if module is None:
        raise AttributeError(f"module 'dossier.testing' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"dossier.testing.{module}"), name)
    return value


__all__ = ["ArchiveMachine", "DeskPlace", "Oracle", "OracleDriver", "Place", "Places", "Reach", "RepositoryContract"]
