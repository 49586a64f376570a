"""The kit: everything that proves a repository, for whoever writes one.

Floor: testing. Needs the extra `testing` (pytest, hypothesis); `import dossier` never loads it.

    from dossier.testing import RepositoryContract

    class TestMine(RepositoryContract):
        driver = staticmethod(open_mine)

        def url(self, folder):
            return f"mine:{folder}"

runs every law of the contract against `open_mine` (see `contract`). Each law is also a plain function in `law_*`, which
takes `places` (a function that gives fresh addresses) and raises AssertionError. `oracle` is the reference repository,
`strategies` draws rows, batches and queries, `crash` kills children, `broken` holds repositories that break a law.
"""

from dossier.testing.archive_machine import ArchiveMachine
from dossier.testing.contract import RepositoryContract
from dossier.testing.desk_place import DeskPlace
from dossier.testing.oracle import Oracle, OracleDriver
from dossier.testing.place import Place, Places, Reach

__all__ = ["ArchiveMachine", "DeskPlace", "Oracle", "OracleDriver", "Place", "Places", "Reach", "RepositoryContract"]
