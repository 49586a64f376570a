"""The JSON form of a value: what is absent is left out, keys sorted, amounts as text. Floor: model.

Values without optional parts are encoded by msgspec as they are; the others are turned into objects here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from dossier.model.values.contact import Phone, Region
from dossier.model.values.dates import PartialDate, Span
from dossier.model.values.names import PersonName

encode: Callable[[Any], bytes] = msgspec.json.Encoder(order="sorted").encode
"""Canonical bytes of a plain value: objects with sorted keys, Decimal as text."""


def _phone(value: Phone) -> dict[str, Any]:
    plain = {"given": value.given}
    if value.number is not None:
        plain["number"] = value.number
    if value.extension is not None:
        plain["extension"] = value.extension
    return plain


def _region(value: Region) -> dict[str, Any]:
    plain = {"name": value.name}
    if value.code is not None:
        plain["code"] = value.code
    if value.country is not None:
        plain["country"] = value.country
    return plain


def _date(value: PartialDate) -> dict[str, Any]:
    plain = {}
    if value.year is not None:
        plain["year"] = value.year
    if value.month is not None:
        plain["month"] = value.month
    if value.day is not None:
        plain["day"] = value.day
    return plain


def _span(value: Span) -> dict[str, Any]:
    plain = {}
    if value.start is not None:
        plain["start"] = _date(value.start)
    if value.end is not None:
        plain["end"] = _date(value.end)
    return plain


def _name(value: PersonName) -> dict[str, Any]:
    plain = {}
    if value.full is not None:
        plain["full"] = value.full
    if value.family is not None:
        plain["family"] = value.family
    if value.given is not None:
        plain["given"] = value.given
    if value.reading is not None:
        plain["reading"] = value.reading
    if value.address_as is not None:
        plain["address_as"] = value.address_as
    return plain


PLAIN: dict[type, Callable[[Any], dict[str, Any]]] = {
    Phone: _phone,
    Region: _region,
    PartialDate: _date,
    Span: _span,
    PersonName: _name,
}
"""The values whose JSON form leaves absent parts out."""


def canonical(value: object) -> bytes:
    """Canonical bytes of one value."""
    make = PLAIN.get(type(value))
    return encode(value if make is None else make(value))
