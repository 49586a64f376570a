"""The reference repository of the kit keeps the contract too, so that its broken variants break one law each."""

from __future__ import annotations

from pathlib import Path

import pytest

from dossier.testing import OracleDriver, RepositoryContract


class TestOracle(RepositoryContract):
    driver = OracleDriver()
    outlives = False
    examples = 20

    def url(self, folder: Path) -> str:
        return f"oracle:{folder}"

    @pytest.mark.skip(reason="the oracle has no physical steps")
    def test_K4_crash(self) -> None: ...
