"""K2, the codec's part: newer minors are carried along, newer majors are told apart."""

from __future__ import annotations

import pytest

from dossier.codec import default_registry
from dossier.testing import broken_codec
from dossier.testing.law_codec import check_K2


@pytest.mark.law("K2")
def test_K2_unknown_fields_survive() -> None:
    check_K2(default_registry(), examples=100)


@pytest.mark.law("K2")
@pytest.mark.parametrize("broken", [each for each in broken_codec.BROKEN_REGISTRIES if each.law == "K2"])
def test_K2_control(broken: type[broken_codec.BrokenRegistry]) -> None:
    with pytest.raises(AssertionError):
        check_K2(broken(), examples=200)
