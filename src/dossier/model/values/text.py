"""Text as it may stand in a value: the limits, declared once for the door and the shelf.

Floor: model. The checks are converters of the values' attributes: they run when a value is made, and not when the
shelf decodes one, which was checked before it was stored (attrs validators would run there too and make loading three
times as slow). `Short` and `Long` are plain `str` to a type checker; the shelf's decoder reads their limits from the
annotation, the door from the same place.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Any

import attrs
import msgspec

from dossier.model.problems import BadValue, wrong_type

_NO_CODE = re.compile(r"[\[\]/{}]")

SHORT = 200
LONG = 10_000

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=SHORT)]
"""Text of 1 to 200 characters: names, titles, codes."""
Long = Annotated[str, msgspec.Meta(min_length=1, max_length=LONG)]
"""Text of 1 to 10,000 characters: descriptions."""


def check_text(value: object, limit: int = SHORT) -> str:
    """`value` as it is, or BadValue: a `str`, not empty, at most `limit` characters, no NUL, no lone surrogate."""
    if type(value) is not str:
        raise wrong_type(value, "text")
    if 0 < len(value) <= limit and "\0" not in value:
        try:
            value.encode()
            return value
        except UnicodeEncodeError:
            pass
        raise BadValue("value.surrogate")
    if not value:
        raise BadValue("value.empty")
    raise BadValue("value.too_long", limit=limit) if len(value) > limit else BadValue("value.nul")


def optional_text(value: object) -> str | None:
    """`check_text`, or None."""
    return None if value is None else check_text(value)


def check_code(value: object) -> str:
    """A code or vocabulary name: short text without brackets and slashes, which paths use."""
    text = check_text(value)
    if _NO_CODE.search(text) or text.isspace():
        raise BadValue("value.code")
    return text


def plain_form(value: object, limit: int = SHORT) -> str:
    """Checked text in compatibility form (full-width digits and signs become ordinary ones), ends trimmed."""
    text = unicodedata.normalize("NFKC", check_text(value, limit)).strip()
    if not text:
        raise BadValue("value.empty")
    return text


def last(default: object, check: Callable[[Any, Any], object]) -> Any:
    """The last attribute of a value, with a converter `check(given, value)` that sees the attributes before it."""
    return attrs.field(default=default, converter=attrs.Converter(check, takes_self=True))
