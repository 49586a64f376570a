"""The SQLite repository keeps the contract."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from dossier.testing import RepositoryContract
from dossier.testing.crash import small_disk
from dossier_sqlite import STEPS, open_sqlite


class TestSqlite(RepositoryContract):
    driver = staticmethod(open_sqlite)
    steps = STEPS
    small_disk = staticmethod(small_disk)

    def url(self, folder: Path) -> str:
        return f"sqlite:{folder / 'a.db'}"

    def foreign(self, folder: Path) -> str:
        (folder / "a.db").write_bytes(b"no archive, but a letter\n" * 100)
        return self.url(folder)

    def spoil(self, folder: Path) -> bool:
        conn = sqlite3.connect(folder / "a.db")
        conn.execute('delete from "s_files.tags"')
        conn.commit()
        conn.close()
        return True
