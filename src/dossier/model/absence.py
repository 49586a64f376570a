"""Why a value is not there. Floor: model.

"Has no fax", "would not say" and "nobody asked" are three facts; only the last is no claim at all.
"""

from __future__ import annotations

import enum

from dossier.errors import Lang


class Absence(enum.Enum):
    """A reason that is itself claimed in place of a value."""

    UNKNOWN = "unknown"
    NONE = "none"
    DECLINED = "declined"
    NOT_APPLICABLE = "not_applicable"

    def text(self, lang: Lang = "en") -> str:
        """The reason in words."""
        zh, en = _WORDS[self.value]
        return zh if lang == "zh" else en


_WORDS = {
    "unknown": ("不详", "unknown"),
    "none": ("无", "none"),
    "declined": ("不愿提供", "declined to say"),
    "not_applicable": ("不适用", "not applicable"),
}
