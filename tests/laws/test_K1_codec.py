"""K1, the codec's part: what is dumped is loaded again, and equal bytes mean equal objects."""

from __future__ import annotations

import pytest

from dossier.codec import default_registry
from dossier.testing import broken_codec
from dossier.testing.law_codec import check_K1


@pytest.mark.law("K1")
def test_K1_load_dump_and_equality() -> None:
    check_K1(default_registry(), examples=150)


@pytest.mark.law("K1")
@pytest.mark.parametrize("broken", [each for each in broken_codec.BROKEN_REGISTRIES if each.law == "K1"])
def test_K1_control(broken: type[broken_codec.BrokenRegistry]) -> None:
    with pytest.raises(AssertionError):
        check_K1(broken(), examples=600)
