"""The memory repository keeps the contract."""

from __future__ import annotations

from pathlib import Path

from dossier.repository.memory import STEPS, open_memory
from dossier.testing import RepositoryContract


class TestMemory(RepositoryContract):
    driver = staticmethod(open_memory)
    steps = STEPS
    outlives = False

    def url(self, folder: Path) -> str:
        return f"memory:{folder}"
