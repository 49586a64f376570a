"""业务记录, records: dated facts that stay true when a later one arrives (M33-M37, M62, M78, M152).

Floor: model. A kind of record is declared like a section, under the key `record:KIND`, so that the same door, shelf,
masks and labels serve it. Its head adds the state; `STATES` says which follow which.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import attrs

from dossier.model.fields import Tier, items, many, one, section
from dossier.model.values import Long, Money, PartialDate, Quantity, Rating, Short, Term

PREFIX: Final = "record:"


def _at(zh: str = "日期", en: str = "date") -> PartialDate | None:
    declared: PartialDate | None = one(zh, en, row="M33")
    return declared


def _due(zh: str = "期限", en: str = "due") -> PartialDate | None:
    declared: PartialDate | None = one(zh, en, row="M158")
    return declared


def _by(zh: str = "经办人", en: str = "handled by") -> str | None:
    declared: str | None = one(zh, en, row="M62")
    return declared


def _text(zh: str = "内容", en: str = "content", row: str = "M62") -> str | None:
    declared: str | None = one(zh, en, row=row, tier=Tier.CONFIDENTIAL)
    return declared


def _amount(zh: str = "金额", en: str = "amount", row: str = "M33") -> Money | None:
    declared: Money | None = one(zh, en, row=row, tier=Tier.CONFIDENTIAL)
    return declared


def _ref(zh: str = "单号", en: str = "reference") -> str | None:
    declared: str | None = one(zh, en, row="M34")
    return declared


@attrs.frozen(kw_only=True)
class Line:
    """One line of an order or a return: what, which model, colour and style, how many, at what price (M35)."""

    key: str = ""
    product: Short | None = one("商品", "product", row="M35", tier=Tier.CONFIDENTIAL)
    model: Short | None = one("型号", "model", row="M35", tier=Tier.CONFIDENTIAL)
    colour: Short | None = one("颜色", "colour", row="M35", tier=Tier.CONFIDENTIAL)
    style: Short | None = one("款式", "style", row="M35", tier=Tier.CONFIDENTIAL)
    quantity: Quantity | None = one("数量", "quantity", row="M35", tier=Tier.CONFIDENTIAL)
    price: Money | None = one("单价", "unit price", row="M35", tier=Tier.CONFIDENTIAL)
    amount: Money | None = one("金额", "amount", row="M35", tier=Tier.CONFIDENTIAL)


@section("record:visit", zh="拜访", en="visit")
@attrs.frozen(kw_only=True)
class Visit:
    """A visit to or by the customer, or any other contact: talk, letter, call (M62, M78)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due("下次时间", "next time")
    by: Short | None = _by()
    ref: Short | None = _ref()
    met: tuple[Short, ...] = many("会见", "met", row="M78", tier=Tier.INTERNAL, flags="third_party")
    text: Long | None = _text()
    place: Short | None = one("地点", "place", row="M78")


@section("record:visit_report", zh="访问日报", en="visit report")
@attrs.frozen(kw_only=True)
class VisitReport:
    """客户访问日报: prepared how, talked of what, next appointment (M78, M162)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due("下次时间", "next time")
    by: Short | None = _by()
    ref: Short | None = _ref()
    met: tuple[Short, ...] = many("会见", "met", row="M78", flags="third_party")
    preparation: Long | None = one("访前准备", "preparation", row="M78", tier=Tier.CONFIDENTIAL)
    text: Long | None = _text("会谈内容", "talks", "M78")
    next_place: Short | None = one("下次地点", "next place", row="M78")
    next_outline: Long | None = one("下次提纲", "next outline", row="M78", tier=Tier.CONFIDENTIAL)


@section("record:complaint", zh="投诉", en="complaint")
@attrs.frozen(kw_only=True)
class Complaint:
    """A complaint, when it is to be answered, how it ended (M62, M152)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due("答复期限", "to be answered by")
    by: Short | None = _by()
    ref: Short | None = _ref()
    text: Long | None = _text("投诉内容", "complaint", "M62")
    answer: Long | None = one("处理结果", "answer", row="M152", tier=Tier.CONFIDENTIAL)
    rating: Rating | None = one("满意度", "satisfaction", row="M33", tier=Tier.CONFIDENTIAL)


@section("record:order", zh="订单", en="order")
@attrs.frozen(kw_only=True)
class Order:
    """An order with its lines (M33-M35)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due("交货期限", "required by")
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount()
    delivered: PartialDate | None = one("交货日期", "delivered", row="M35")
    freight: Money | None = one("运费", "freight", row="M34", tier=Tier.CONFIDENTIAL)
    lines: tuple[Line, ...] = items("明细", "lines", row="M35", identity="product", same="equal")
    text: Long | None = _text("备注", "note")


@section("record:contract", zh="合同", en="contract")
@attrs.frozen(kw_only=True)
class Contract:
    """A contract: what about, how much, until when (M34)."""

    at: PartialDate | None = _at("签订日期", "signed")
    due: PartialDate | None = _due("到期", "ends")
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount(row="M34")
    text: Long | None = _text()


@section("record:payment", zh="付款", en="payment")
@attrs.frozen(kw_only=True)
class Payment:
    """Money received (M34, M37)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount(row="M37")
    method: Term | None = one("方式", "method", row="M34", vocabulary="payment_method")
    text: Long | None = _text("备注", "note")


@section("record:receivable", zh="应收款", en="receivable")
@attrs.frozen(kw_only=True)
class Receivable:
    """Money owed to us, from when it is due (M37). What comes in is entered as a payment; a receivable stays open
    until it is written off, which is a credit problem (M32), or cancelled."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due("应付日期", "due")
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount(row="M37")
    text: Long | None = _text("备注", "note")


@section("record:return_case", zh="退赔折价", en="return")
@attrs.frozen(kw_only=True)
class ReturnCase:
    """Goods returned or given at a discount, why, and whose responsibility it was (M36)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount(row="M36")
    reason: Long | None = one("原因", "reason", row="M36", tier=Tier.CONFIDENTIAL)
    responsibility: Long | None = one("责任鉴定", "responsibility", row="M36", tier=Tier.CONFIDENTIAL)
    lines: tuple[Line, ...] = items("明细", "lines", row="M36", identity="product", same="equal")


@section("record:survey", zh="满意度调查", en="survey")
@attrs.frozen(kw_only=True)
class Survey:
    """What the customer answered when asked (M33, M151)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    ref: Short | None = _ref()
    rating: Rating | None = one("满意度", "satisfaction", row="M33", tier=Tier.CONFIDENTIAL)
    text: Long | None = _text("意见", "opinion", "M62")


@section("record:observation", zh="观察", en="observation")
@attrs.frozen(kw_only=True)
class Observation:
    """What somebody noticed once: names a field, but is no claim (M76)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    field: Short | None = one("所涉资料", "field", row="M76")
    text: Long | None = one("所见", "noticed", row="M76", tier=Tier.PERSONAL, flags="personal")


@section("record:assessment", zh="班组分析", en="assessment")
@attrs.frozen(kw_only=True)
class Assessment:
    """What the team concluded from observations; adopting it is a claim by channel `assessment` (M76)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    field: Short | None = one("所涉资料", "field", row="M76")
    basis: tuple[Short, ...] = many("依据", "basis (ids of observations)", row="M76")
    text: Long | None = one("结论", "conclusion", row="M76", tier=Tier.PERSONAL, flags="personal")


@section("record:repair", zh="维修", en="repair")
@attrs.frozen(kw_only=True)
class Repair:
    """A repair asked for and done (M52, M172)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due()
    by: Short | None = _by()
    ref: Short | None = _ref()
    amount: Money | None = _amount("费用", "cost", "M52")
    text: Long | None = _text("报修内容", "what is broken", "M52")


@section("record:reminder", zh="提醒", en="reminder")
@attrs.frozen(kw_only=True)
class Reminder:
    """Something to be done on a day: the next appointment, a birthday, a call back (M158, M159)."""

    at: PartialDate | None = _at()
    due: PartialDate | None = _due()
    by: Short | None = _by("负责人", "responsible")
    text: Long | None = _text("事项", "what", "M159")


@section("record:correspondence", zh="往来文书", en="correspondence")
@attrs.frozen(kw_only=True)
class Correspondence:
    """A document sent or received (M62, M170)."""

    at: PartialDate | None = _at()
    by: Short | None = _by()
    ref: Short | None = _ref()
    direction: Term | None = one("方向", "direction", row="M170", vocabulary="direction")
    text: Long | None = _text("内容", "about", "M170")


KINDS: Final = (
    Visit, VisitReport, Complaint, Order, Contract, Payment, Receivable, ReturnCase, Survey, Observation, Assessment,
    Repair, Reminder, Correspondence,
)  # fmt: skip
"""The kernel's kinds of record."""

_OPEN_CLOSED: Mapping[str, tuple[str, ...]] = {"open": ("closed", "cancelled"), "closed": ("open",), "cancelled": ()}
_STATES: dict[str, Mapping[str, tuple[str, ...]]] = {
    "complaint": {"open": ("answered", "cancelled"), "answered": ("closed", "open"), "closed": ("open",),
                  "cancelled": ()},
    "order": {"open": ("delivered", "cancelled"), "delivered": ("returned",), "returned": (), "cancelled": ()},
    "contract": _OPEN_CLOSED,
    "receivable": {"open": ("written_off", "cancelled"), "written_off": (), "cancelled": ()},
    "return_case": _OPEN_CLOSED,
    "repair": _OPEN_CLOSED,
    "reminder": _OPEN_CLOSED,
}  # fmt: skip
_ENTERED: Mapping[str, tuple[str, ...]] = {"entered": ("cancelled",), "cancelled": ()}
STATES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = MappingProxyType(_STATES)
"""Kind → state → the states that may follow it. The first state is that of a new record."""


def states(kind: str) -> Mapping[str, tuple[str, ...]]:
    """The states of a kind of record; a kind that names none is entered, and may be cancelled."""
    return STATES.get(kind, _ENTERED)


@attrs.frozen(kw_only=True)
class Relation:
    """关系: two parties and what ties them, as seen from `a` (M44). `id` names the tie from both ends;
    `since` and `until` days in text, "" open."""

    id: str = ""
    a: str
    b: str
    kind: str
    since: str = ""
    until: str = ""
    note: str = attrs.field(default="", repr=False)


INVERSE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "decides_for": "buys_for",
        "buys_for": "decides_for",
        "employs": "works_for",
        "works_for": "employs",
        "owns": "owned_by",
        "owned_by": "owns",
        "introduced": "introduced_by",
        "introduced_by": "introduced",
        "parent_of": "child_of",
        "child_of": "parent_of",
        "member_of": "has_member",
        "has_member": "member_of",
    }
)
"""Kinds that read otherwise from the other end; all others are the same from both (colleague, family, partner)."""
