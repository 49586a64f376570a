"""K3 at the desk."""

from __future__ import annotations

import pytest

from dossier.testing.desk_place import DeskPlace
from dossier.testing.law_values import check_K3_desk


@pytest.mark.law("K3")
def test_K3_desk(place: DeskPlace) -> None:
    check_K3_desk(lambda: place)
