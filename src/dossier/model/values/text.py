"""Text as it may stand in a value: the limits, declared once for the door and the shelf.

Floor: model. `Short` and `Long` are plain `str` to a type checker; the shelf's decoder reads their limits from the
annotation, the door from the same place.
"""

from __future__ import annotations

import functools
import unicodedata
from typing import Annotated, Any, TypeVar

import msgspec

from dossier.model.problems import BadValue, type_name

C = TypeVar("C", bound=type)

SHORT = 200
LONG = 10_000

Short = Annotated[str, msgspec.Meta(min_length=1, max_length=SHORT)]
"""Text of 1 to 200 characters: names, titles, codes."""
Long = Annotated[str, msgspec.Meta(min_length=1, max_length=LONG)]
"""Text of 1 to 10,000 characters: descriptions."""


def check_text(value: object, limit: int = SHORT) -> str:
    """`value` as it is, or BadValue: a `str`, not empty, at most `limit` characters, no NUL, no lone surrogate."""
    if type(value) is not str:
        raise BadValue("value.type", expected="text", got=type_name(value))
    if not value:
        raise BadValue("value.empty")
    if len(value) > limit:
        raise BadValue("value.too_long", limit=limit)
    if "\0" in value:
        raise BadValue("value.nul")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            pass
        else:
            return value
        raise BadValue("value.surrogate")
    return value


def check_code(value: object) -> str:
    """A code or vocabulary name: short text without brackets and slashes, which paths use."""
    text = check_text(value)
    if text.isspace() or any(each in text for each in "[]/"):
        raise BadValue("value.code")
    return text


def plain_form(value: object, limit: int = SHORT) -> str:
    """Checked text in compatibility form (full-width digits and signs become ordinary ones), ends trimmed."""
    text = unicodedata.normalize("NFKC", check_text(value, limit)).strip()
    if not text:
        raise BadValue("value.empty")
    return text


def checked(cls: C) -> C:
    """Class decorator: run `_check` after the constructor.

    Not an attrs hook, because the shelf's decoder calls those too: what it reads was checked before it was stored, and
    checking it again at every load makes loading three times as slow.
    """
    construct: Any = cls.__init__  # type: ignore[misc]

    @functools.wraps(construct)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        construct(self, *args, **kwargs)
        self._check()

    cls.__init__ = init  # type: ignore[misc]
    return cls
