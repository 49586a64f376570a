"""P9, P12 and N2-N5 where what may be seen hangs on the dossier."""

from __future__ import annotations

import pytest

from dossier.testing import law_policy_desk as law
from dossier.testing.desk_place import DeskPlaces


@pytest.mark.law("N2")
@pytest.mark.law("N4")
def test_N2_rows(places: DeskPlaces) -> None:
    law.check_N2_rows(places)


@pytest.mark.law("N2")
def test_N2_fields(places: DeskPlaces) -> None:
    law.check_N2_fields(places)


@pytest.mark.law("N3")
def test_N3(places: DeskPlaces) -> None:
    law.check_N3(places)


@pytest.mark.law("N5")
def test_N5(places: DeskPlaces) -> None:
    law.check_N5(places)


@pytest.mark.law("P9")
def test_P9(places: DeskPlaces) -> None:
    law.check_P9_desk(places)


@pytest.mark.law("P12")
def test_P12(places: DeskPlaces) -> None:
    law.check_P12(places)
