"""The brief: what the person about to serve must know, and nothing else (M129).

Floor: present.
"""

from __future__ import annotations

from typing import Any, Literal

import attrs

from dossier.model.absence import Absence
from dossier.model.values import PersonName
from dossier.model.withheld import WITHHELD, Withheld, known


@attrs.frozen
class Brief:
    """How to address the customer, how the family name is read, and what must not be served or done.

    `taboos` names what is known; None: nobody has asked; an `Absence`: what the answer was (NONE: there are none);
    WITHHELD for callers who may not read it (service reads it under the purpose *serve*).
    """

    number: str
    address_as: str | None = attrs.field(repr=False)
    reading: str | None = attrs.field(repr=False)
    taboos: tuple[str, ...] | Absence | Withheld | None = attrs.field(repr=False)

    def text(self, lang: Literal["zh", "en"] = "zh") -> str:
        """The brief in two lines."""
        zh = lang == "zh"
        called = self.address_as or ("—" if zh else "-")
        if self.reading:
            called += f" ({self.reading})"
        if self.taboos is None:
            avoid = "未询问" if zh else "not asked"
        elif isinstance(self.taboos, Withheld | Absence):
            avoid = self.taboos.text(lang)
        else:
            avoid = ("、" if zh else ", ").join(self.taboos)
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
    if isinstance(taboos, Withheld):
        return Brief(view.number, said, reading, WITHHELD)
    # Nothing known is not known to be nothing: a kitchen must not read "none" where nobody asked.
    return Brief(view.number, said, reading, tuple(taboos) or view.absence("preferences/taboos"))
