"""个性资料, personal preferences (M40). Floor: model."""

from __future__ import annotations

import attrs

from dossier.model.fields import Tier, many, one, section
from dossier.model.values import Long, Short, Term


@section("preferences", zh="个性资料", en="preferences")
@attrs.frozen(kw_only=True)
class Preferences:
    """Interests, body features, skills, habits, religion, taboos, form of address (M40, M46).

    Taboos are a matter of safety (`safety`): service reads them under the purpose *serve*.
    """

    interests: tuple[Short, ...] = many(
        "兴趣爱好", "interests", row="M40", ranking="own_word", tier=Tier.PERSONAL, flags="personal"
    )
    body: Long | None = one("身体特征", "body features", row="M40", tier=Tier.SPECIAL, flags="personal special")
    skills: tuple[Short, ...] = many(
        "文艺体育特长", "art or sport skill", row="M40", ranking="own_word", tier=Tier.PERSONAL, flags="personal"
    )
    habits: tuple[Short, ...] = many(
        "生活习惯", "habits", row="M40", ranking="habit", tier=Tier.PERSONAL, flags="personal"
    )
    religion: Term | None = one(
        "宗教信仰",
        "religion",
        row="M40",
        ranking="own_word",
        tier=Tier.SPECIAL,
        flags="personal special",
        vocabulary="religion",
    )
    taboos: tuple[Short, ...] = many(
        "生活禁忌",
        "taboos",
        row="M40",
        ranking="own_word",
        tier=Tier.SPECIAL,
        flags="personal safety special",
        index="set",
    )
    address_as: Short | None = one("姓氏尊称", "form of address", row="M46", ranking="own_word")
