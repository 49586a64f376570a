"""Where a customer is reached: Phone, Region, Address. Floor: model; the repr of each hides what it holds."""

from __future__ import annotations

import re

import attrs

from dossier.errors import Lang
from dossier.model.problems import BadValue
from dossier.model.values.text import check_text, optional_text, plain_form

_EXTENSION = re.compile(r"(?:转|轉|分机|分機|内线|ext\.?|extension|x|#)\s*[:.]?\s*(\d{1,8})\s*\Z", re.I)
_SEPARATOR = re.compile(r"[、/;,，；|]|或|\n")
_LANDLINE = re.compile(r"0(10|2\d|[3-9]\d{2})([2-9]\d{6,7})\Z")
_MOBILE = re.compile(r"1[3-9]\d{9}\Z")
_MOBILES = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_NO_DIGIT = re.compile(r"\D")
_BETWEEN = re.compile(r"[\s().\-‐–—·]")
_SERVICE = re.compile(r"[48]00\d{7}\Z")
_KIND = re.compile(r"[a-z][a-z0-9_]*\Z")
_E164 = re.compile(r"\+[1-9]\d{6,14}\Z")


def _check_number(value: object) -> str | None:
    if value is not None and not _E164.match(check_text(value)):
        raise BadValue("value.phone_number")
    return optional_text(value)


def _check_extension(value: object) -> str | None:
    if value is not None and not check_text(value).isdigit():
        raise BadValue("value.phone_number")
    return optional_text(value)


def _check_kind(value: object) -> str:
    text = check_text(value)
    if not _KIND.match(text):
        raise BadValue("value.code")
    return text


@attrs.frozen(repr=False)
class Phone:
    """A number as it was given, its international form where that is certain (else None), and the extension.

    An odd number is never refused: `186****5678` keeps `given` and has no `number`.
    """

    given: str = attrs.field(converter=check_text)
    number: str | None = attrs.field(default=None, converter=_check_number)
    extension: str | None = attrs.field(default=None, converter=_check_extension)

    @classmethod
    def parse(cls, text: str, /) -> Phone:
        """The phone in one cell; `转8001` and `ext. 12` give the extension, full-width digits are read.

        A bare Chinese mobile or landline number with its area code is taken as +86. Two numbers in the cell are a
        BadValue `value.phone_two`.
        """
        plain = plain_form(text)
        sides = _SEPARATOR.split(plain)
        if len(sides) > 1 and sum(len(_NO_DIGIT.sub("", side)) >= 7 for side in sides) > 1:
            raise BadValue("value.phone_two")
        found = _EXTENSION.search(plain)
        main = plain[: found.start()] if found else plain
        if len(_MOBILES.findall(main)) > 1:
            raise BadValue("value.phone_two")
        return cls(text.strip(), _international(main), found[1] if found else None)

    def __repr__(self) -> str:
        return f"Phone({self.masked()!r})"

    def masked(self) -> str:
        """`186****5678`: at most the first three and last four digits of a long number, nothing of a short one."""
        digits = _NO_DIGIT.sub("", self.given)
        return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else "****"

    def text(self, lang: Lang = "en") -> str:
        """The number as it was given."""
        return self.given


def _international(given: str) -> str | None:
    """E.164, or None where a digit would have to be guessed."""
    compact = _BETWEEN.sub("", given)
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    if compact.startswith("+"):
        compact = compact.replace("+860", "+86", 1)
        return compact if _E164.match(compact) else None
    if found := _LANDLINE.match(compact):
        return f"+86{found[1]}{found[2]}"
    if compact.startswith("86") and _MOBILE.match(compact[2:]):
        return f"+{compact}"
    return f"+86{compact}" if _MOBILE.match(compact) or _SERVICE.match(compact) else None


@attrs.frozen
class Region:
    """A place by name, with its official code (GB/T 2260 or a subdivision code) and country where they are known."""

    name: str = attrs.field(converter=check_text)
    code: str | None = attrs.field(default=None, converter=optional_text)
    country: str | None = attrs.field(default=None, converter=optional_text)

    @classmethod
    def parse(cls, text: str, /) -> Region:
        """The name as it is given; codes are never guessed."""
        return cls(plain_form(text))

    def text(self, lang: Lang = "en") -> str:
        """The name, and the country after it where one is known."""
        return self.name if self.country is None else f"{self.name}, {self.country}"


@attrs.frozen
class Ref:
    """Points at a dossier, record or thing by kind and id."""

    kind: str = attrs.field(converter=_check_kind)
    id: str = attrs.field(converter=check_text)

    @classmethod
    def parse(cls, text: str, /) -> Ref:
        """`kind:id`; a bare id is that of a dossier."""
        kind, colon, rest = check_text(text).partition(":")
        return cls(kind, rest) if colon and rest else cls("dossier", text)

    def text(self, lang: Lang = "en") -> str:
        """`kind:id`."""
        return f"{self.kind}:{self.id}"
