"""The brief: what the person about to serve must know, and nothing else (M129).

Floor: present.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

from dossier.model.values import PersonName
from dossier.model.withheld import WITHHELD, Withheld, known


@attrs.frozen
class Brief:
    """How to address the customer, how the family name is read, and what must not be served or done.

    `taboos` is WITHHELD for callers who may not read it (service reads it under the purpose *serve*).
    """

    number: str
    address_as: str | None = attrs.field(repr=False)
    reading: str | None = attrs.field(repr=False)
    taboos: tuple[str, ...] | Withheld = attrs.field(repr=False)

    def text(self, lang: Literal["zh", "en"] = "zh") -> str:
        """The brief in two lines."""
        zh = lang == "zh"
        called = self.address_as or ("—" if zh else "-")
        if self.reading:
            called += f" ({self.reading})"
        if isinstance(self.taboos, Withheld):
            avoid = WITHHELD.text(lang)
        else:
            avoid = ("、" if zh else ", ").join(self.taboos) or ("无" if zh else "none")
        return f"称呼: {called}\n禁忌: {avoid}" if zh else f"address as: {called}\navoid: {avoid}"


def brief_of(view: Any) -> Brief:
    """The brief from a view of a dossier."""
    preferences, name = view.preferences, view.basic.name
    said = preferences.address_as if known(preferences.address_as) else None
    reading = None
    if known(name) and isinstance(name, PersonName):
        said = said or name.address_as or name.text()
        reading = name.family_reading
    taboos = preferences.taboos
    return Brief(view.number, said, reading, WITHHELD if isinstance(taboos, Withheld) else tuple(taboos))
