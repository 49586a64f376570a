"""The whole conformance test of a plugin."""

from __future__ import annotations

from pathlib import Path

from dossier_jsonlines import STEPS, open_jsonlines

from dossier.testing import RepositoryContract
from dossier.testing.crash import small_disk


class TestJsonLines(RepositoryContract):
    driver = staticmethod(open_jsonlines)
    steps = STEPS
    small_disk = staticmethod(small_disk)

    def url(self, folder: Path) -> str:
        return f"jsonlines:{folder / 'a.jsonl'}"

    def foreign(self, folder: Path) -> str:
        (folder / "a.jsonl").write_bytes(b"no archive, but a letter\n" * 100)
        return self.url(folder)
