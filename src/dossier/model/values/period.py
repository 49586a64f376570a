"""A value of a period: sales of 2026, staff in the first quarter. Floor: model."""

from __future__ import annotations

import re
from typing import Generic, TypeVar

import attrs

from dossier.errors import Lang
from dossier.model.problems import BadValue, wrong_type
from dossier.model.values.text import plain_form

T = TypeVar("T")
_PERIOD = re.compile(r"\d{4}(-(H[12]|Q[1-4]|0[1-9]|1[0-2]))?\Z", re.ASCII)
_WRITTEN = re.compile(
    r"(\d{4})年?(?:[-/]?(?:([HQ])([1-4])|(\d{1,2})月?)|第?([1-4一二三四])季度?|([上下])半年)?\Z", re.ASCII | re.I
)
_QUARTER = {"一": "1", "二": "2", "三": "3", "四": "4"}


def parse_period(given: object) -> str:
    """The period in its one form (2026, 2026-H1, 2026-Q1, 2026-03) from that, 2026年3月, 第一季度 or the int 2026."""
    if type(given) is str and _PERIOD.match(given):
        return given
    if type(given) is int:
        given = str(given) if 0 < given < 10_000 else "?"
    found = _WRITTEN.match(plain_form(given, 40).replace(" ", ""))
    if found is None:
        raise BadValue("value.period")
    year, sort, which, month, quarter, half = found.groups()
    period = str(year)
    if sort:
        period += f"-{sort.upper()}{which}"
    elif month:
        period += f"-{int(month):02d}"
    elif quarter:
        period += f"-Q{_QUARTER.get(quarter, quarter)}"
    elif half:
        period += "-H1" if half == "上" else "-H2"
    return check_period(period)


def check_period(period: object) -> str:
    """`period` as it is when it is in its one form; BadValue otherwise."""
    if type(period) is not str:
        raise wrong_type(period, "period")
    if not _PERIOD.match(period):
        raise BadValue("value.period")
    return period


@attrs.frozen
class Per(Generic[T]):
    """A value in a period: 2026, 2026-H1, 2026-Q1 or 2026-03."""

    period: str = attrs.field(converter=check_period)
    value: T

    def text(self, lang: Lang = "en") -> str:
        """Period and value."""
        show = getattr(self.value, "text", None)
        value = show(lang) if callable(show) else str(self.value)
        return f"{period_text(self.period, lang)}: {value}"


def period_text(period: str, lang: Lang = "en") -> str:
    """2026年, 2026年上半年, 2026年第1季度, 2026年3月; in English the period as it is."""
    if lang == "en":
        return period
    year, _, rest = period.partition("-")
    if not rest:
        return f"{year}年"
    if rest[0] == "H":
        return f"{year}年{'上' if rest == 'H1' else '下'}半年"
    return f"{year}年第{rest[1]}季度" if rest[0] == "Q" else f"{year}年{int(rest)}月"
