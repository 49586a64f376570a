"""Parts that several sections and kinds of party share: phones, addresses, online contacts, people. Floor: model."""

from __future__ import annotations

import re

import attrs

from dossier.model.fields import Tier, items, many, one
from dossier.model.values import (
    PartialDate,
    PersonName,
    Phone,
    Rating,
    Ref,
    Region,
    Short,
    Span,
    Term,
)
from dossier.model.values.text import LONG, Long, plain_form


@attrs.frozen(kw_only=True)
class PhonePart:
    """A phone. A fax is a phone whose use is `fax` (M23); what follows a person to another post has its own span."""

    key: str = ""
    number: Phone | None = one("号码", "number", row="M20", ranking="identity", flags="personal", index="text")
    use: Short | None = one("用途", "use", row="M20 M23", doc="mobile, office, home or fax")
    span: Span | None = one("有效期", "valid", row="M107")

    @classmethod
    def parse(cls, text: str, /) -> PhonePart:
        """A phone from the text of its number."""
        return cls(number=Phone.parse(text))


@attrs.frozen(kw_only=True)
class Address:
    """An address as it is written, with region and postcode where they are known."""

    key: str = ""
    text: Long | None = one("地址", "address", row="M20", flags="personal")
    region: Region | None = one("地区", "region", row="M140", index="text")
    postcode: Short | None = one("邮编", "postcode", row="M23")
    use: Short | None = one("用途", "use", row="M20", doc="office, home, delivery or registered")

    @classmethod
    def parse(cls, text: str, /) -> Address:
        """An address from one line; a six-digit number at its end or start is the postcode (邮编 before it or not)."""
        plain = plain_form(text, LONG)
        found = _POSTCODE.match(plain)
        if found is None:
            return cls(text=plain)
        before, rest, after = found.groups()
        return cls(text=rest, postcode=before or after)


_POSTCODE = re.compile(r"(?:邮编:?\s*)?(?:(\d{6})\s+)?(.*?)(?:\s+(?:邮编:?\s*)?(\d{6}))?\Z", re.S | re.ASCII)


@attrs.frozen(kw_only=True)
class OnlinePart:
    """An account somewhere: e-mail, WeChat, Weibo, a site."""

    key: str = ""
    kind: Short | None = one("类别", "kind", row="M20", doc="email, wechat, weibo or site")
    account: Short | None = one("账号", "account", row="M20", flags="personal", index="text")

    @classmethod
    def parse(cls, text: str, /) -> OnlinePart:
        """An account from its text: one with an @ inside is an e-mail address, one that starts with http a site."""
        plain = plain_form(text)
        kind = "email" if re.fullmatch(r"[^@\s]+@[^@\s]+", plain) else None
        if re.match(r"https?://", plain, re.I):
            kind = "site"
        return cls(kind=kind, account=plain)


def phones(row: str = "M20") -> tuple[PhonePart, ...]:
    """The field 电话 as every kind of party has it."""
    declared: tuple[PhonePart, ...] = items("电话", "phones", row=row, identity="number", same="equal")
    return declared


def addresses(row: str = "M20", zh: str = "地址") -> tuple[Address, ...]:
    """The field 地址 as every kind of party has it."""
    declared: tuple[Address, ...] = items(zh, "addresses", row=row, identity="text", same="equal")
    return declared


def online(row: str = "M20") -> tuple[OnlinePart, ...]:
    """The field 网络联系 as every kind of party has it."""
    declared: tuple[OnlinePart, ...] = items("网络联系", "online contacts", row=row, identity="account", same="equal")
    return declared


_SOMEBODY = "personal third_party"


@attrs.frozen(kw_only=True)
class KeyPerson:
    """Somebody who counts in an organisation: owner, manager, legal representative, contact, purchaser (M21, M42).

    A successor is a new part; `span` of the old one ends (M26). Who deserves more has a dossier of his own, `dossier`.
    """

    key: str = ""
    name: PersonName | None = one(
        "姓名", "name", row="M21", ranking="identity", tier=Tier.CARD, flags=f"{_SOMEBODY} sales", index="text"
    )
    title: Short | None = one("职务", "title", row="M124", tier=Tier.CARD, flags="third_party sales")
    roles: tuple[Term, ...] = many("角色", "roles", row="M21 M42", vocabulary="role", index="set")
    department: Short | None = one("部门", "department", row="M42")
    phones: tuple[PhonePart, ...] = items("电话", "phones", row="M23", identity="number", same="equal", flags=_SOMEBODY)
    born: PartialDate | None = one("出生/年龄", "born (age derived)", row="M21", tier=Tier.PERSONAL, flags=_SOMEBODY)
    personality: Long | None = one(
        "性格", "personality", row="M21", ranking="habit", tier=Tier.PERSONAL, flags=f"{_SOMEBODY} opinion"
    )
    hobbies: tuple[Short, ...] = many(
        "嗜好", "hobbies", row="M21", ranking="own_word", tier=Tier.PERSONAL, flags=_SOMEBODY
    )
    family: Long | None = one("家庭", "family", row="M21", ranking="own_word", tier=Tier.PERSONAL, flags=_SOMEBODY)
    education: Term | None = one(
        "学历",
        "education",
        row="M21",
        ranking="own_word",
        tier=Tier.PERSONAL,
        flags=_SOMEBODY,
        vocabulary="education",
    )
    ability: Rating | None = one(
        "能力", "ability", row="M21", ranking="ours", tier=Tier.CONFIDENTIAL, flags=f"{_SOMEBODY} opinion"
    )
    span: Span | None = one("任职期间", "in post", row="M26")
    dossier: Ref | None = one("本人档案", "own dossier", row="M44")
    supports: Term | None = one(
        "对我方态度",
        "attitude to us",
        row="M39",
        ranking="ours",
        tier=Tier.CONFIDENTIAL,
        flags="opinion third_party",
        vocabulary="support",
    )

    @classmethod
    def parse(cls, text: str, /) -> KeyPerson:
        """A person from the text of the name."""
        return cls(name=PersonName.parse(text))
