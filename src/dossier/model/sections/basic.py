"""基础资料, the basic data of each kind of party (M20-M24, M26). Floor: model."""

from __future__ import annotations

import attrs

from dossier.model.fields import Tier, computed, items, many, one, section, series
from dossier.model.sections.parts import Address, KeyPerson, OnlinePart, PhonePart, addresses, online, phones
from dossier.model.values import (
    Long,
    Money,
    PartialDate,
    Per,
    PersonName,
    Ref,
    Short,
    Span,
    Term,
)


@section("basic", kind="organization", zh="基础资料", en="basic data")
@attrs.frozen(kw_only=True)
class OrganizationBasic:
    """An organisation: name, how to reach it, who counts in it, what it is (M20-M23, M26)."""

    name: Short | None = one(
        "名称", "name", row="M20", ranking="identity", tier=Tier.CARD, flags="sales", index="text"
    )
    short_names: tuple[Short, ...] = many("简称/曾用名", "other names", row="M26", tier=Tier.CARD, index="set")
    phones: tuple[PhonePart, ...] = phones("M20 M23")
    addresses: tuple[Address, ...] = addresses()
    online: tuple[OnlinePart, ...] = online()
    key_persons: tuple[KeyPerson, ...] = items(
        "主要人员", "key persons", row="M21 M23 M42", identity="name", same="ask"
    )
    credit_code: Short | None = one("统一社会信用代码", "credit code", row="M25", ranking="identity", index="text")
    founded: PartialDate | None = one("创业时间", "founded", row="M22", ranking="identity")
    trading_since: PartialDate | None = one(
        "交易时间", "trading with us since", row="M22", ranking="ours", index="text"
    )
    form: Term | None = one(
        "组织形式",
        "organisation form",
        row="M22 M26",
        ranking="identity",
        index="text",
        vocabulary="form",
        doc="a change of the ownership system is a new claim; the earlier one stays in the history",
    )
    industry: Term | None = one("业种", "line of business", row="M22", index="text", vocabulary="industry")
    scope: Long | None = one("经营范围", "business scope", row="M23", ranking="identity")
    registered_capital: Money | None = one("注册资本", "registered capital", row="M23", ranking="identity")
    assets: tuple[Per[Money], ...] = series("资产", "assets", row="M22")
    parent: Ref | None = one("上级单位", "parent", row="M44 M8")


@section("basic", kind="person", zh="基础资料", en="basic data")
@attrs.frozen(kw_only=True)
class PersonBasic:
    """An individual customer or contact (M20, M24)."""

    name: PersonName | None = one(
        "姓名", "name", row="M24", ranking="identity", tier=Tier.CARD, flags="personal sales", index="text"
    )
    sex: Term | None = one(
        "性别", "sex", row="M24", ranking="identity", tier=Tier.PERSONAL, flags="personal", vocabulary="sex"
    )
    born: PartialDate | None = one(
        "出生日期/年龄",
        "born (age derived)",
        row="M24 M46",
        ranking="identity",
        tier=Tier.PERSONAL,
        flags="personal",
        index="text monthday",
    )
    phones: tuple[PhonePart, ...] = phones("M20 M24")
    addresses: tuple[Address, ...] = addresses("M20 M24 M48")
    online: tuple[OnlinePart, ...] = online("M20 M24")
    employer: Short | None = one("单位", "employer", row="M48", tier=Tier.CARD)
    employer_ref: Ref | None = one("单位档案", "employer's dossier", row="M44")
    title: Short | None = one("职务", "title", row="M24 M48 M124", tier=Tier.CARD, flags="sales")
    occupation: Short | None = one("职业", "occupation", row="M48")
    education: Term | None = one(
        "学历",
        "education",
        row="M24",
        ranking="own_word",
        tier=Tier.PERSONAL,
        flags="personal",
        vocabulary="education",
    )
    background: Long | None = one("经历背景", "experience", row="M24", tier=Tier.PERSONAL, flags="personal")
    id_number: Short | None = one(
        "证件号",
        "id number",
        row="M25 M168",
        ranking="identity",
        tier=Tier.SPECIAL,
        flags="personal special",
        index="exact",
    )


_MEMBER = "personal third_party"


@attrs.frozen(kw_only=True)
class Member:
    """A member of a household or tour group. Who deserves more has a dossier of his own, `dossier`."""

    key: str = ""
    name: PersonName | None = one("姓名", "name", row="M48", ranking="identity", tier=Tier.PERSONAL, flags=_MEMBER)
    role: Term | None = one(
        "与户主关系", "relation to head", row="M48", tier=Tier.PERSONAL, flags=_MEMBER, vocabulary="kinship"
    )
    born: PartialDate | None = one("出生日期", "born", row="M48", tier=Tier.PERSONAL, flags=f"{_MEMBER} minor")
    lives_in: bool | None = one("常住", "lives in", row="M48", tier=Tier.PERSONAL, flags=_MEMBER)
    phones: tuple[PhonePart, ...] = items(
        "电话", "phones", row="M48", identity="number", same="equal", tier=Tier.PERSONAL, flags=_MEMBER
    )
    emergency: bool | None = one("紧急联系人", "emergency contact", row="M48 M54")
    dossier: Ref | None = one("本人档案", "own dossier", row="M44")
    span: Span | None = one("期间", "span", row="M107", tier=Tier.PERSONAL)

    @classmethod
    def parse(cls, text: str, /) -> Member:
        """A member from the text of the name."""
        return cls(name=PersonName.parse(text))


@section("basic", kind="group", zh="基础资料", en="basic data")
@attrs.frozen(kw_only=True)
class GroupBasic:
    """A household, a tour group, an association (M20, M48)."""

    name: Short | None = one("户名", "name", row="M20", ranking="identity", tier=Tier.CARD, index="text")
    kind: Term | None = one("团体类别", "group kind", row="M48", vocabulary="group_kind")
    head: Short | None = one("户主(成员键)", "head (member key)", row="M48")
    members: tuple[Member, ...] = items(
        "家庭主要成员", "members", row="M48", identity="name", same="ask", tier=Tier.PERSONAL
    )
    phones: tuple[PhonePart, ...] = phones()
    addresses: tuple[Address, ...] = addresses("M20 M48", "通信地址")
    online: tuple[OnlinePart, ...] = online()
    residents_stated: tuple[Per[int], ...] = series(
        "常住人口数(自报)",
        "number living in, as stated",
        row="M48",
        ranking="own_word",
        tier=Tier.PERSONAL,
    )
    residents: int | None = computed("常住人口数", "number living in", row="M48", tier=Tier.PERSONAL)
