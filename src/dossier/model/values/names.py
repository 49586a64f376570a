"""Names of people. Floor: model; the repr hides all but the first character."""

from __future__ import annotations

import re
from typing import Any

import attrs

from dossier.errors import Lang
from dossier.model.problems import BadValue
from dossier.model.values.text import last, optional_text, plain_form

COMPOUND = frozenset({
    "欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "令狐", "慕容", "司徒", "夏侯",
    "轩辕", "长孙", "宇文", "端木", "百里", "呼延", "南宫", "西门", "独孤", "申屠", "澹台", "闻人",
    "公冶", "宗政", "濮阳", "淳于", "单于", "太叔", "仲孙", "钟离", "鲜于", "闾丘", "司空", "赫连",
    "拓跋", "万俟", "东郭", "南门", "左丘", "第五", "梁丘", "東方", "歐陽", "諸葛", "司馬", "尉遲",
    "公孫", "長孫", "鍾離", "獨孤",
})  # fmt: skip
"""Surnames of two characters."""

READINGS = {
    "单": "shan", "單": "shan", "曾": "zeng", "解": "xie", "仇": "qiu", "区": "ou", "區": "ou", "查": "zha",
    "朴": "piao", "盖": "ge", "蓋": "ge", "翟": "zhai", "缪": "miao", "繆": "miao", "任": "ren", "华": "hua",
    "燕": "yan", "纪": "ji", "乐": "yue", "折": "she", "覃": "qin", "冼": "xian", "谌": "chen", "员": "yun",
    "宓": "mi", "阚": "kan", "逄": "pang", "种": "chong", "秘": "bi", "黑": "he", "尉迟": "yuchi",
    "万俟": "moqi", "长孙": "zhangsun", "令狐": "linghu", "澹台": "tantai", "单于": "chanyu", "鲜于": "xianyu",
}  # fmt: skip
"""Surnames that are read otherwise than the character usually is, without tone marks."""

_HAN = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+\Z")


def _check_given(given: object, name: Any) -> str | None:
    if given is None and name.full is None and name.family is None:
        raise BadValue("value.empty")
    return optional_text(given)


@attrs.frozen(repr=False, kw_only=True)
class PersonName:
    """A name in full or in part: "单" alone is a family name. At least one of `full`, `family`, `given` is there.

    `reading` overrides how the family name is read (单 is *shan*); `address_as` is the form of address (单先生).
    """

    full: str | None = attrs.field(default=None, converter=optional_text)
    family: str | None = attrs.field(default=None, converter=optional_text)
    reading: str | None = attrs.field(default=None, converter=optional_text)
    address_as: str | None = attrs.field(default=None, converter=optional_text)
    given: str | None = last(None, _check_given)

    @classmethod
    def parse(cls, text: str, /) -> PersonName:
        """The full name; a Chinese one of up to four characters is divided, others are kept whole.

        A single character or a compound surname alone is the family name. Nothing is guessed for other scripts.
        """
        full = re.sub(r"\s+", " ", plain_form(text))
        if not _HAN.match(full):
            return cls(full=full)
        if len(full) == 1 or full in COMPOUND:
            return cls(full=full, family=full)
        cut = 2 if full[:2] in COMPOUND else 1
        if not 1 <= len(full) - cut <= 2:
            return cls(full=full)
        return cls(full=full, family=full[:cut], given=full[cut:])

    @property
    def family_reading(self) -> str | None:
        """How the family name is read where that is not the usual reading: as overridden, else from the table."""
        return self.reading or (READINGS.get(self.family) if self.family is not None else None)

    def __repr__(self) -> str:
        return f"PersonName({self.masked()!r})"

    def masked(self) -> str:
        """The first character, then stars."""
        return f"{self.text()[0]}**"

    def text(self, lang: Lang = "en") -> str:
        """The name in full, put together from its parts where only those are known."""
        if self.full is not None:
            return self.full
        parts = [part for part in (self.family, self.given) if part is not None]
        return "".join(parts) if _HAN.match("".join(parts)) else " ".join(reversed(parts))
