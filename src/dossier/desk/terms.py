"""What a value is indexed as: from the JSON that is stored, and from what a caller asks for.

Floor: desk. Both sides go through one function, so that what was written is found as it is asked for. Text is folded
(`fold`: full-width forms, capitals and blanks do not tell texts apart).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, Literal

import attrs

from dossier.model.fields import Leaf, Shape
from dossier.model.values import Money, PartialDate, PersonName, Phone, Ref, Region, Term
from dossier.repository import MAX_TERM, fold

Family = Literal["text", "phone", "day", "monthday", "money", "currency", "number", "truth", "ref", "word"]
Terms = tuple[str, ...] | tuple[int, ...]

_SEPARATORS = re.compile(r"[\s().\-‐–—·]")
_PARTS = ("full", "family", "given")
_SHIFT = 10**24
"""Makes every amount in millionths (at most 24 digits) a number without a sign, so that its digits sort as text."""


@attrs.frozen
class Kind:
    """How one type of value is indexed: `terms` of its stored JSON, the most general first, none where it has none."""

    family: Family
    type: Literal["text", "int", "bool"]
    terms: Callable[[Any], Terms]


@lru_cache(maxsize=4096)
def text_terms(node: str) -> Terms:
    """Folded text. Words of a vocabulary, regions, trades come again and again."""
    text = fold(node)[:MAX_TERM]
    return (text,) if text else ()


def name_text(node: Mapping[str, str]) -> str:
    """A stored name in full; where only parts are known, put together as `PersonName.text` does."""
    full = node.get("full")
    return full or PersonName(**{part: node[part] for part in _PARTS if part in node}).text()


def _phone(node: Mapping[str, str]) -> Terms:
    number = node.get("number") or _SEPARATORS.sub("", fold(node["given"]))[:MAX_TERM]
    extension = node.get("extension")
    if not number:
        return ()
    return (number, f"{number}x{extension}") if extension and node.get("number") else (number,)


def first_day(node: Mapping[str, int]) -> str | None:
    """The first day that a stored date may be, as ISO text; None without a year."""
    if "year" not in node:
        return None
    return f"{node['year']:04d}-{node.get('month', 1):02d}-{node.get('day', 1):02d}"


def _day(node: Mapping[str, int]) -> Terms:
    day = first_day(node)
    return (day,) if day is not None else ()


def _monthday(node: Mapping[str, int]) -> Terms:
    return (f"{node['month']:02d}-{node['day']:02d}",) if "day" in node else ()


def money_term(node: Mapping[str, str]) -> str:
    """A stored amount as text that sorts by currency, then by amount; every decimal of `Money` is in it."""
    return f"{node['currency']} {int(Decimal(node['amount']).scaleb(6)) + _SHIFT:025d}"


MONTHDAY: Final = Kind("monthday", "text", _monthday)
CURRENCY: Final = Kind("currency", "text", lambda node: (f"{node} ",))
"""Not a column of its own: what the terms of an amount begin with."""
NUMBER: Final = Kind("text", "text", lambda node: (node,))
"""A registration number, as it is."""
WORD: Final = Kind("word", "text", lambda node: (node,))
"""A word of the kernel: kind, standing, stage."""
KINDS: Final[dict[Any, Kind]] = {
    str: Kind("text", "text", text_terms),
    Term: Kind("text", "text", lambda node: text_terms(node["code"])),
    Region: Kind("text", "text", lambda node: text_terms(node["name"])),
    PersonName: Kind("text", "text", lambda node: text_terms(name_text(node))),
    Phone: Kind("phone", "text", _phone),
    PartialDate: Kind("day", "text", _day),
    Money: Kind("money", "text", lambda node: (money_term(node),)),
    Ref: Kind("ref", "text", lambda node: (f"{node['kind']}:{node['id']}",)),
    int: Kind("number", "int", lambda node: (node,)),
    bool: Kind("truth", "bool", lambda node: (node,)),
}


def kind_of(leaf: Leaf, token: str) -> Kind:
    """How a leaf with the index word `token` is indexed. TypeError for a type that cannot be, and for a series."""
    found = KINDS.get(leaf.type) if leaf.shape is not Shape.SERIES else None
    if token == "monthday":
        found = MONTHDAY if leaf.type is PartialDate else None
    if found is None:
        raise TypeError(f"{leaf.pattern} cannot be indexed: {leaf.shape.value} of {leaf.type!r}")
    return found
