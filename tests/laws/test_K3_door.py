"""K3, the door's part: exactly the planted problems, and never the planted value."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dossier.codec import Door, default_registry, strict_loads
from dossier.errors import DossierError
from dossier.model.sections import OrganizationBasic, PhonePart
from dossier.model.values import Money, PartialDate, Per, Phone, Rating, Region, Span, Term
from dossier.testing import broken_codec
from dossier.testing.law_codec import check_K3, leaks

MARKER = "QWERTZUIOPASDF"


@pytest.mark.law("K3")
def test_K3_exactly_the_planted_problems() -> None:
    registry = default_registry()
    check_K3(Door(registry), registry, examples=300)


@pytest.mark.law("K3")
@pytest.mark.parametrize("broken", broken_codec.BROKEN_DOORS)
def test_K3_control(broken: type[broken_codec.BrokenDoor]) -> None:
    registry = default_registry()
    with pytest.raises(AssertionError):
        check_K3(broken(registry), registry, examples=200)


REGISTRY = default_registry()
SPEC = REGISTRY.spec("basic", "organization")
RAISING: dict[str, Callable[[], object]] = {
    "money": lambda: Money.parse(MARKER),
    "currency": lambda: Money(5, MARKER),
    "date": lambda: PartialDate.parse(MARKER),
    "span": lambda: Span.parse(MARKER),
    "period": lambda: Per(MARKER, 1),
    "rating": lambda: Rating(MARKER),  # type: ignore[arg-type]
    "term": lambda: Term(MARKER, f"[{MARKER}]"),
    "region": lambda: Region(MARKER + "\0"),
    "phone": lambda: Phone(MARKER, MARKER),
    "surrogate": lambda: Phone(MARKER + "\ud800"),
    "long": lambda: Phone(MARKER * 100),
    "container": lambda: OrganizationBasic(phones=MARKER),  # type: ignore[arg-type]
    "typed": lambda: Door(REGISTRY).check(OrganizationBasic(name=MARKER + "\0", phones=[PhonePart(use=[MARKER])])),  # type: ignore[list-item, arg-type]
    "leaf": lambda: SPEC.leaf(f"phones[{MARKER}]/numbr"),
    "leaf name": lambda: SPEC.leaf(MARKER),
    "section": lambda: REGISTRY.spec(MARKER),
    "load": lambda: REGISTRY.codec(SPEC).load(f'{{"name": ["{MARKER}"]}}'.encode()),
    "json": lambda: strict_loads(f'{{"{MARKER}": 1, "{MARKER}": NaN}}'),
    "json surrogate": lambda: strict_loads(f'["{MARKER}\\ud800"]'),
    "json broken": lambda: strict_loads(f'["{MARKER}"'),
}


@pytest.mark.law("K3")
@pytest.mark.parametrize("name", RAISING)
def test_K3_no_value_hangs_on_an_error(name: str) -> None:
    with pytest.raises(DossierError) as raised:
        RAISING[name]()
    assert leaks(raised.value, MARKER) == []
    assert raised.value.text("zh") and raised.value.text("en") and raised.value.fix("zh") and raised.value.fix("en")
