"""Dates as people know them: a year, a month, a day, or a birthday without a year. Floor: model.

The precision that was given is kept; nothing is filled in. An impossible date is refused with the reason.
"""

from __future__ import annotations

import calendar
import datetime
import re
from typing import Any

import attrs

from dossier.errors import Lang
from dossier.model.problems import BadValue, wrong_type
from dossier.model.values.text import last, plain_form

_ISO = re.compile(r"(\d{4})(?:([-/.])(\d{1,2})(?:\2(\d{1,2}))?)?\Z", re.ASCII)
_PACKED = re.compile(r"(\d{4})(\d{2})(\d{2})\Z", re.ASCII)
_NO_YEAR = re.compile(r"--(\d{1,2})-(\d{1,2})\Z", re.ASCII)
_NUMERAL = "[0-9〇○零一二三四五六七八九十廿卅]+"
_CHINESE = re.compile(rf"(?:(民国)?({_NUMERAL}|元)年)?(?:({_NUMERAL})月(?:份)?)?(?:({_NUMERAL})[日号])?\Z")
_DIGITS = {each: str(value) for value, each in enumerate("〇一二三四五六七八九")} | {"零": "0", "○": "0"}
_REPUBLIC = 1911
"""Year 1 of the Republic of China calendar (民国) is 1912."""


def _check_day(day: int | None, date: Any) -> int | None:
    year, month = date.year, date.month
    for part in (year, month, day):
        if part is not None and type(part) is not int:
            raise wrong_type(part, "whole number")
    if (year is None and (month is None or day is None)) or (month is None and day is not None):
        raise BadValue("value.date")
    if year is not None and not 1 <= year <= 9999:
        raise BadValue("value.date_year")
    if month is not None and not 1 <= month <= 12:
        raise BadValue("value.date_month")
    if month is None or day is None or 1 <= day <= 28:
        return day
    last = 29 if month == 2 and year is None else calendar.monthrange(year or 2000, month)[1]
    if not 1 <= day <= last:
        raise BadValue("value.date_leap") if month == 2 and day == 29 else BadValue("value.date_day", limit=last)
    return day


def _check_end(end: PartialDate | None, span: Any) -> PartialDate | None:
    start = span.start
    for each in (start, end):
        if each is not None and type(each) is not PartialDate:
            raise wrong_type(each, "PartialDate")
    if start is None and end is None:
        raise BadValue("value.span")
    first = start.earliest if start is not None else None
    last = end.latest if end is not None else None
    if (start is not None and first is None) or (end is not None and last is None):
        raise BadValue("value.date")
    if first is not None and last is not None and last < first:
        raise BadValue("value.span")
    return end


@attrs.frozen
class PartialDate:
    """A year, year and month, full date, or month and day without a year (a birthday). Gregorian calendar."""

    year: int | None = None
    month: int | None = None
    day: int | None = last(None, _check_day)

    @classmethod
    def parse(cls, text: str, /) -> PartialDate:
        """Read 2020-03-05, 2020/3, 20200305, 2020年3月5日, 二〇二〇年三月, 民国114年, 3月5日, --03-05."""
        plain = plain_form(text).replace(" ", "")
        if found := _ISO.match(plain):
            return cls(int(found[1]), _whole(found[3]), _whole(found[4]))
        if found := _PACKED.match(plain):
            return cls(int(found[1]), int(found[2]), int(found[3]))
        if found := _NO_YEAR.match(plain):
            return cls(None, int(found[1]), int(found[2]))
        if found := _CHINESE.match(plain):
            era, year, month, day = found.groups()
            return cls(_year(era, year), _numeral(month), _numeral(day))
        raise BadValue("value.date")

    @classmethod
    def of(cls, day: datetime.date, /) -> PartialDate:
        """The full date of a `datetime.date`."""
        return cls(day.year, day.month, day.day)

    @property
    def earliest(self) -> datetime.date | None:
        """The first day it may be; None without a year."""
        return None if self.year is None else datetime.date(self.year, self.month or 1, self.day or 1)

    @property
    def latest(self) -> datetime.date | None:
        """The last day it may be; None without a year."""
        if self.year is None:
            return None
        month = self.month or 12
        return datetime.date(self.year, month, self.day or calendar.monthrange(self.year, month)[1])

    def text(self, lang: Lang = "en") -> str:
        """ISO 8601 in English, 2020年3月5日 in Chinese; without a year `--03-05` and 3月5日."""
        parts = ((self.month, "月"), (self.day, "日"))
        if lang == "zh":
            year = "" if self.year is None else f"{self.year:04d}年"
            return year + "".join(f"{part}{sign}" for part, sign in parts if part is not None)
        if self.year is None:
            return f"--{self.month:02d}-{self.day:02d}"
        return "-".join([f"{self.year:04d}", *(f"{part:02d}" for part, _ in parts if part is not None)])


@attrs.frozen
class Span:
    """From one partial date to another, each end included; an open end is None, but not both."""

    start: PartialDate | None = None
    end: PartialDate | None = last(None, _check_end)

    @classmethod
    def parse(cls, text: str, /) -> Span:
        """Read 2019-03~2021, 2019年3月至2021年, 2019至今, ~2021."""
        sides = re.split(r"\s*(?:~|～|—+|–|至|到|\.\.|/(?=\d{4}))\s*", plain_form(text))
        if len(sides) != 2:
            raise BadValue("value.date")
        start, end = (PartialDate.parse(side) if side and side not in ("今", "now") else None for side in sides)
        return cls(start, end)

    def covers(self, day: datetime.date) -> bool:
        """Whether `day` lies in the span, taking each end as wide as its precision allows."""
        first = self.start.earliest if self.start is not None else None
        last = self.end.latest if self.end is not None else None
        return (first is None or first <= day) and (last is None or day <= last)

    def text(self, lang: Lang = "en") -> str:
        """Both ends; an open end is 今 or nothing."""
        start = self.start.text(lang) if self.start is not None else ""
        end = self.end.text(lang) if self.end is not None else ("今" if lang == "zh" else "")
        return f"{start}{'至' if lang == 'zh' else ' – '}{end}".strip()


def _whole(text: str | None) -> int | None:
    return None if text is None else int(text)


def _year(era: str | None, text: str | None) -> int | None:
    if text is None:
        return None
    if era:
        return _REPUBLIC + (1 if text == "元" else _numeral(text) or 0)
    digits = "".join(_DIGITS.get(each, each) for each in text)
    if not re.fullmatch(r"\d{4}", digits, re.ASCII):
        raise BadValue("value.date")
    return int(digits)


def _numeral(text: str | None) -> int | None:
    """12, 十二, 二十一, 廿一, 一一四 (digit by digit), 一百 is not read."""
    if text is None:
        return None
    text = text.replace("廿", "二十").replace("卅", "三十")
    digits = "".join(_DIGITS.get(each, each) for each in text)
    if digits.isascii() and digits.isdigit() and len(digits) <= 4:
        return int(digits)
    found = re.fullmatch(r"(\d?)十(\d?)", digits)
    if found is None:
        raise BadValue("value.date")
    return int(found[1] or 1) * 10 + int(found[2] or 0)
