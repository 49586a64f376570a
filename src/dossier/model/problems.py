"""The catalogue of what can be wrong with an input: one code, two languages, one remedy each.

Floor: model. Messages are filled from *facts*, and a fact is a field name, a type name or a limit, never anything
that came in as a value (law K3).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dossier.errors import InputError, Problem
from dossier.model.withheld import WITHHELD, Masked

_UNSET_ZH = "要撤销该资料请给 UNSET; 不知道请给 Absence.UNKNOWN"
_UNSET_EN = "give UNSET to withdraw it, or Absence.UNKNOWN if nobody knows"

# code: (zh, en, remedy zh, remedy en)
_TABLE: dict[str, tuple[str, str, str, str]] = {
    "value.type": (
        "应为 {expected}, 给的是 {got}",
        "expected {expected}, got {got}",
        "换成 {expected}",
        "give {expected}",
    ),
    "value.none": ("不接受 None", "None is not a value", _UNSET_ZH, _UNSET_EN),
    "value.withheld": (
        "被遮蔽的内容不能写回",
        "a withheld or masked value cannot be written",
        "只写要改的资料, 其余不必给出",
        "name only the fields you change; the others stay as they are",
    ),
    "value.empty": ("文字为空", "the text is empty", _UNSET_ZH, _UNSET_EN),
    "value.too_long": ("超过 {limit} 个字符", "longer than {limit} characters", "缩短, 或作为附件归档", "shorten it"),
    "value.too_many": ("超过 {limit} 项", "more than {limit} members", "拆分", "split it"),
    "value.nul": ("文字中有 NUL 字符", "the text holds a NUL character", "去掉该字符", "remove that character"),
    "value.surrogate": (
        "文字中有不成对的代理码位",
        "the text holds a lone surrogate",
        "按正确的编码重新读取来源",
        "read the source again with the right encoding",
    ),
    "value.container": (
        "应为列表, 给的是 {got}",
        "expected a list, got {got}",
        "单个成员也写成列表: [x]",
        "write a single member as a list too: [x]",
    ),
    "value.float_money": (
        "金额和数量不接受浮点数",
        "a float cannot hold an exact amount",
        '用文字或 Decimal, 如 "500000.50"',
        'give text or a Decimal, such as "500000.50"',
    ),
    "value.number": ("不是数字", "this is no number", "用 500000.50 或 50万 的写法", "write it like 500000.50"),
    "value.number_long": (
        "数字过长, 最多 {limit} 位",
        "the number has more than {limit} digits",
        "核对来源, 可能是几格连在了一起",
        "check the source; cells may have run together",
    ),
    "value.not_finite": ("不是有限的数", "the number is not finite", "给出有限的数", "give a finite number"),
    "value.currency": (
        "货币须为三个大写字母的代码",
        "a currency is a code of three capital letters",
        "如 CNY, USD",
        "such as CNY or USD",
    ),
    "value.date": (
        "读不懂的日期",
        "this is no date that can be read",
        "用 2020-03-05, 2020-03, 2020 或 2020年3月5日",
        "write 2020-03-05, 2020-03 or 2020",
    ),
    "value.date_year": ("年份须在 1 到 9999 之间", "a year is between 1 and 9999", "核对年份", "check the year"),
    "value.date_month": (
        "没有这个月份, 只有 1 到 12 月",
        "there is no such month; months are 1 to 12",
        "核对月份",
        "check it",
    ),
    "value.date_day": ("该月只有 {limit} 天", "that month has only {limit} days", "核对日期", "check the day"),
    "value.date_leap": (
        "该年不是闰年, 二月只有 28 天",
        "that year is not a leap year; February has 28 days",
        "核对年份和日期",
        "check the year and the day",
    ),
    "value.period": (
        "读不懂的期间",
        "this is no period that can be read",
        "用 2026, 2026-H1, 2026-Q1 或 2026-03",
        "write 2026, 2026-H1, 2026-Q1 or 2026-03",
    ),
    "value.span": (
        "期间的结束早于开始, 或两端都没有",
        "the span ends before it starts, or has neither end",
        "核对两个日期",
        "check both dates",
    ),
    "value.phone_two": (
        "一格里有两个电话号码",
        "two phone numbers in one cell",
        "分成两项",
        "give them as two members",
    ),
    "value.phone_number": (
        "号码须为 +国家码号码, 分机须为数字",
        "a number is + and 7 to 15 digits, an extension is digits",
        "把号码按原样给出即可, 不必自行规范",
        "give the phone as it is written; it is normalised here",
    ),
    "value.rating": (
        "评分须为 0 到满分之间的整数, 满分 1 到 100",
        "a rating is a whole number from 0 to its scale; the scale is 1 to 100",
        "如 4/5",
        "such as 4/5",
    ),
    "value.int_range": (
        "整数超出 ±(2^53-1)",
        "the whole number is outside ±(2^53-1)",
        "核对来源",
        "check the source",
    ),
    "value.code": (
        "代码须为非空的短文字, 不含方括号和斜线",
        "a code is short text without brackets and slashes",
        "核对代码",
        "check the code",
    ),
    "value.unreadable": (
        "读不懂的内容",
        "this cannot be read as a value of the field",
        "按该资料的写法填写",
        "write it as the field's documentation says",
    ),
    "value.vocabulary": (
        "代码属于别的词表, 应为 {expected}",
        "the code is of another vocabulary; expected {expected}",
        "改用 {expected} 的代码",
        "give a code of {expected}",
    ),
    "value.duplicate": (
        "同一个键或期间出现两次",
        "the same key or period stands there twice",
        "只留一个",
        "keep one of them",
    ),
    "field.unknown": (
        "没有这个资料, 最接近的是 {nearest}",
        "there is no such field; the nearest is {nearest}",
        "改用 {nearest}, 或去掉",
        "use {nearest}, or drop it",
    ),
    "field.computed": (
        "该资料由记录计算得出, 不能填写",
        "this field is computed from records and cannot be given",
        "登记相应的业务记录",
        "enter the record it is computed from",
    ),
    "field.edit": (
        "该资料不能这样增删",
        "this kind of edit does not fit the field",
        "单值直接给出; edit(add, remove) 用于集合, change 用于条目",
        "give a single value as it is; edit(add, remove) is for sets and parts, change for parts",
    ),
    "field.missing": ("缺少必填的 {name}", "{name} is missing", "补上 {name}", "give {name}"),
    "part.empty": ("条目是空的", "the part holds nothing", "至少给出一项", "give at least one field of it"),
    "section.unknown": (
        "没有这个资料项, 最接近的是 {nearest}",
        "there is no such section; the nearest is {nearest}",
        "改用 {nearest}, 或登记该资料项",
        "use {nearest}, or register the section",
    ),
    "json.invalid": ("不是合法的 JSON", "this is no valid JSON", "核对来源", "check the source"),
    "json.duplicate_key": (
        "JSON 对象里有重复的键",
        "a JSON object holds the same key twice",
        "只留一个",
        "keep one of them",
    ),
    "json.number": (
        "JSON 里有 NaN, 无穷大或过长的数",
        "the JSON holds NaN, an infinity or an overlong number",
        "以文字给出准确的数",
        "give the exact number as text",
    ),
    "json.depth": ("JSON 嵌套过深", "the JSON is nested too deeply", "核对来源", "check the source"),
    "json.too_long": ("JSON 超过 {limit} 字节", "the JSON is over {limit} bytes", "拆分", "split it"),
}

CATALOGUE: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(_TABLE)
"""Every input problem: code → (zh, en, remedy zh, remedy en), templates over the facts."""


def problem(code: str, path: str, **facts: str | int) -> Problem:
    """The `Problem` of a catalogue `code` at `path`. `facts`: field names, type names, limits; never input."""
    zh, en, fix_zh, fix_en = (text.format_map(facts) for text in _TABLE[code])
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


class BadValue(InputError, ValueError):
    """A value cannot be accepted: what constructors and `parse` of values raise.

    `reason` is the code of the problem, `details` its facts; the door turns it into a `Problem` at its place.
    """

    def __init__(self, reason: str, **details: str | int) -> None:
        self.reason = reason
        self.details = details
        super().__init__([problem(reason, "value", **details)])

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (self.reason, self.details))


def _rebuild(reason: str, details: dict[str, str | int]) -> BadValue:
    return BadValue(reason, **details)


def type_name(value: object) -> str:
    """The name of a value's type, as a fact."""
    return type(value).__name__[:60]


def wrong_type(value: object, expected: str) -> BadValue:
    """The BadValue for a value of a type that does not belong there; None and withheld values have their own."""
    if value is None:
        return BadValue("value.none")
    if value is WITHHELD or type(value) is Masked:
        return BadValue("value.withheld")
    return BadValue("value.type", expected=expected, got=type_name(value))
