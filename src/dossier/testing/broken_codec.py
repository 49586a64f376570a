"""Codecs, registries and doors that are wrong on purpose: each must fail the law it names.

Floor: testing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import attrs

from dossier.codec.door import Door, Parsed
from dossier.codec.registry import SectionRegistry, Status
from dossier.codec.shelf import SectionCodec
from dossier.errors import InputError
from dossier.model.fields import SectionSpec
from dossier.model.sections import KERNEL
from dossier.model.values import Money
from dossier.repository.canonical import decode, encode


class BrokenRegistry(SectionRegistry):
    """Base of the broken registries; `law` is the check that must fail."""

    law: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(KERNEL)

    def codec(self, spec: SectionSpec) -> SectionCodec:
        """The broken codec of a section."""
        return self.broken(spec)

    def broken(self, spec: SectionSpec) -> SectionCodec:
        """Replaced by the variants."""
        return super().codec(spec)


class FoldsText(BrokenRegistry):
    """Stores text in composed form, so that two different names are stored as the same bytes."""

    law = "K1"

    def broken(self, spec: SectionSpec) -> SectionCodec:
        """A codec that normalises."""

        class Folding(SectionCodec):
            def dump(self, section: Any) -> bytes:
                return unicodedata.normalize("NFC", super().dump(section).decode()).encode()

        return Folding(spec)


class DropsFalse(BrokenRegistry):
    """Leaves out what is false: a zero and a no are stored as nothing."""

    law = "K1"

    def broken(self, spec: SectionSpec) -> SectionCodec:
        """A codec that confuses false with absent."""

        class Dropping(SectionCodec):
            def dump(self, section: Any) -> bytes:
                return encode(_truthy(decode(super().dump(section))))

        return Dropping(spec)


class TwoDecimals(BrokenRegistry):
    """Rounds every amount of money to two decimals."""

    law = "K1"

    def broken(self, spec: SectionSpec) -> SectionCodec:
        """A codec that rounds."""

        class Rounding(SectionCodec):
            def dump(self, section: Any) -> bytes:
                rounded = {
                    each.name: Money(held.amount.quantize(Decimal("0.01")), held.currency)
                    for each in attrs.fields(type(section))
                    if isinstance(held := getattr(section, each.name), Money) and abs(held.amount) < 10**15
                }
                return super().dump(attrs.evolve(section, **rounded))

        return Rounding(spec)


class ReadsByName(BrokenRegistry):
    """Calls whatever it can read `known`, so that a newer major would be edited."""

    law = "K2"

    def status(self, key: str, kind: str | None, stored: tuple[int, int]) -> Status:
        """Known by its name."""
        return "unknown" if self.find(key, kind) is None else "known"


class RefusesUnknown(BrokenRegistry):
    """Takes a field it does not know for damage."""

    law = "K2"

    def broken(self, spec: SectionSpec) -> SectionCodec:
        """A codec that loads only what it would itself have written."""

        class Refusing(SectionCodec):
            def load(self, body: Any) -> Any:
                found = super().load(body)
                assert self.dump(found) == bytes(body), "unknown fields"
                return found

        return Refusing(spec)


class BrokenDoor(Door):
    """Base of the broken doors; `law` is the check that must fail."""

    law: ClassVar[str] = "K3"


class FirstOnly(BrokenDoor):
    """Stops at the first problem."""

    def parse(self, spec: SectionSpec, values: Mapping[str, object]) -> Parsed:
        """One problem at most."""
        parsed = super().parse(spec, values)
        return attrs.evolve(parsed, problems=parsed.problems[:1])


class Quotes(BrokenDoor):
    """Quotes the input in the text of the problem."""

    def parse(self, spec: SectionSpec, values: Mapping[str, object]) -> Parsed:
        """Problems that say too much."""
        parsed = super().parse(spec, values)
        return attrs.evolve(parsed, problems=tuple(attrs.evolve(each, en=f"{values!r}") for each in parsed.problems))


class Chains(BrokenDoor):
    """Raises inside the except block, so that the error drags along what it came from."""

    def parse(self, spec: SectionSpec, values: Mapping[str, object]) -> Parsed:
        """An error with a context."""
        parsed = super().parse(spec, values)
        if parsed.problems:
            try:
                raise ValueError(repr(values))
            except ValueError:
                raise InputError(parsed.problems)  # noqa: B904 - the fault that this variant is there to show
        return parsed


BROKEN_REGISTRIES: tuple[type[BrokenRegistry], ...] = (FoldsText, DropsFalse, TwoDecimals, ReadsByName, RefusesUnknown)
BROKEN_DOORS: tuple[type[BrokenDoor], ...] = (FirstOnly, Quotes, Chains)


def _truthy(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _truthy(held) for name, held in value.items() if held}
    return [_truthy(each) for each in value] if isinstance(value, list) else value
