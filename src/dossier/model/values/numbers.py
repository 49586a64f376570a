"""Exact amounts: Money, Quantity, Rating. Floor: model.

An amount is kept in lowest form (3.000 is stored as 3), so that two amounts that are equal are also stored as the
same bytes (law K1) and two sources that write 3.0 and 3.00 do not contradict each other. Every decimal place that
says something is kept, three and more.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal, InvalidOperation
from typing import Any

import attrs

from dossier.errors import Lang
from dossier.model.problems import BadValue, wrong_type
from dossier.model.values.text import check_text, last, plain_form

MAX_INTEGER_DIGITS = 18
MAX_DECIMALS = 6
MAX_DIGITS = MAX_INTEGER_DIGITS + MAX_DECIMALS

_CONTEXT = Context(prec=60)
_ONE = Decimal(1)
_TIMES = {"": 0, "千": 3, "万": 4, "百万": 6, "千万": 7, "亿": 8, "万亿": 12, "k": 3, "m": 6}
_AMOUNT = re.compile(r"([+-]?)(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d*))?(万亿|千万|百万|亿|万|千|[kKmM])?\Z", re.ASCII)
_LOWEST = re.compile(r"(0|-?[1-9]\d{0,17}(\.\d{0,5}[1-9])?)\Z", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_SIGNS = {"¥": "CNY", "￥": "CNY", "RMB": "CNY", "人民币": "CNY", "$": "USD", "US$": "USD", "HK$": "HKD",
          "€": "EUR", "£": "GBP"}  # fmt: skip
_MONEY = re.compile(
    r"(人民币|RMB|US\$|HK\$|[¥￥$€£]|[A-Z]{3})?\s*(.*?)\s*(人民币|元整|元|圆|美元|欧元|[A-Z]{3})?\Z", re.S
)
_AFTER = {"元": "CNY", "元整": "CNY", "圆": "CNY", "人民币": "CNY", "美元": "USD", "欧元": "EUR"}
_QUANTITY = re.compile(r"([+-]?[\d,]*\.?\d+(?:万|亿)?)\s*(\D[^\0]*)\Z", re.ASCII)


def exact(value: object) -> Decimal:
    """A Decimal in lowest form from a Decimal, a whole number or text. BadValue for floats, NaN, too many digits.

    At most 18 digits before the point and 6 after it.
    """
    if isinstance(value, str):
        if _LOWEST.match(value):
            return Decimal(value)
        amount = read_amount(value)
    elif isinstance(value, Decimal):
        if type(value) is Decimal and _LOWEST.match(str(value)):
            return value
        amount = value
    elif isinstance(value, int) and type(value) is int:
        if not -(10**MAX_INTEGER_DIGITS) < value < 10**MAX_INTEGER_DIGITS:
            raise BadValue("value.number_long", limit=MAX_DIGITS)
        return Decimal(value)
    elif isinstance(value, float):
        raise BadValue("value.float_money")
    else:
        raise wrong_type(value, "number")
    if not amount.is_finite():
        raise BadValue("value.not_finite")
    lowest = _CONTEXT.normalize(amount)
    if not lowest:
        return Decimal(0)
    exponent = lowest.as_tuple().exponent
    assert isinstance(exponent, int), "the number is finite"
    if lowest.adjusted() >= MAX_INTEGER_DIGITS or exponent < -MAX_DECIMALS:
        raise BadValue("value.number_long", limit=MAX_DIGITS)
    return lowest.quantize(_ONE, context=_CONTEXT) if exponent > 0 else lowest


def read_amount(given: str) -> Decimal:
    """The number that people write: 500000.50, 500,000.50, 50万, 1.2亿, full-width digits. BadValue if none."""
    if len(given) > 4 * MAX_DIGITS:
        raise BadValue("value.number_long", limit=MAX_DIGITS)
    text = plain_form(given).replace(" ", "")
    if text.lower() in ("nan", "inf", "-inf", "infinity", "-infinity", "+inf"):
        raise BadValue("value.not_finite")
    found = _AMOUNT.match(text)
    if found is None or (not found[2] and not found[3]):
        raise BadValue("value.number")
    whole = (found[2] or "0").replace(",", "")
    if len(whole.lstrip("0")) > MAX_INTEGER_DIGITS:
        raise BadValue("value.number_long", limit=MAX_DIGITS)
    try:
        number = Decimal(f"{found[1]}{whole}.{found[3] or '0'}")
        return number.scaleb(_TIMES[(found[4] or "").lower()], context=_CONTEXT)
    except InvalidOperation:
        pass
    raise BadValue("value.number")


def grouped(amount: Decimal, places: int = 0) -> str:
    """The amount with thousands separators and at least `places` decimals."""
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int)
    return f"{amount:,.{max(places, -exponent)}f}"


def check_currency(value: object) -> str:
    """`value` as it is when it is a code of three capital letters; BadValue otherwise."""
    if type(value) is not str or not _CURRENCY.match(value):
        raise BadValue("value.currency") if type(value) is str else wrong_type(value, "currency")
    return value


def _check_scale(scale: int, rating: Any) -> int:
    value = rating.value
    if type(value) is not int or type(scale) is not int:
        raise wrong_type(scale if type(value) is int else value, "whole number")
    if not 0 <= value <= scale <= 100 or scale < 1:
        raise BadValue("value.rating")
    return scale


@attrs.frozen
class Money:
    """An exact amount in a currency (ISO 4217 code, CNY unless said). Equal amounts are equal values: 3.0 is 3."""

    amount: Decimal = attrs.field(converter=exact)
    currency: str = attrs.field(default="CNY", converter=check_currency)

    @classmethod
    def parse(cls, text: str, /, *, currency: str = "CNY") -> Money:
        """Money from 50万, ￥500,000.50, 1.2亿元, USD 12.5. `currency` is taken where the text names none."""
        if type(text) is str:
            if _LOWEST.match(text):
                return cls(exact(text), currency)
            if len(text) > 4 * MAX_DIGITS:
                raise BadValue("value.number_long", limit=MAX_DIGITS)
        found = _MONEY.match(plain_form(text))
        assert found is not None
        before, number, after = found.groups()
        amount = exact(number or "?")
        named = {_SIGNS.get(before, before) if before else None, _AFTER.get(after, after) if after else None} - {None}
        if len(named) > 1:
            raise BadValue("value.currency")
        return cls(amount, str(named.pop()) if named else currency)

    def text(self, lang: Lang = "en") -> str:
        """`¥500,000.50` for CNY in Chinese, `CNY 500,000.50` otherwise; at least two decimals."""
        number = grouped(self.amount, 2)
        return f"¥{number}" if lang == "zh" and self.currency == "CNY" else f"{self.currency} {number}"


@attrs.frozen
class Quantity:
    """An exact amount of a unit, such as 26 °C or 3 箱."""

    amount: Decimal = attrs.field(converter=exact)
    unit: str = attrs.field(converter=check_text)

    @classmethod
    def parse(cls, text: str, /) -> Quantity:
        """A number followed by its unit."""
        found = _QUANTITY.match(plain_form(text))
        if found is None:
            raise BadValue("value.number")
        return cls(exact(found[1]), found[2].strip())

    def text(self, lang: Lang = "en") -> str:
        """The amount and its unit."""
        return f"{grouped(self.amount)}{'' if lang == 'zh' else ' '}{self.unit}"


@attrs.frozen
class Rating:
    """Whole marks out of a scale: 0 ≤ value ≤ scale, 1 ≤ scale ≤ 100."""

    value: int
    scale: int = last(5, _check_scale)

    @classmethod
    def parse(cls, text: str, /) -> Rating:
        """`4/5`."""
        found = re.match(r"(\d{1,3})\s*/\s*(\d{1,3})\Z", plain_form(text), re.ASCII)
        if found is None:
            raise BadValue("value.rating")
        return cls(int(found[1]), int(found[2]))

    def text(self, lang: Lang = "en") -> str:
        """`4/5` in both languages."""
        return f"{self.value}/{self.scale}"
