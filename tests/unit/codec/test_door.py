"""The door: what people expect to be understood is understood, everything else is named."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal
from typing import Annotated, Any

import attrs
import msgspec
import pytest

from dossier.codec import Door, SectionRegistry, default_registry, lens, strict_loads
from dossier.errors import InputError
from dossier.model.absence import Absence
from dossier.model.edits import UNSET, edit
from dossier.model.fields import many, one, section
from dossier.model.labels import label
from dossier.model.sections import (
    Address,
    Competitor,
    KeyPerson,
    Member,
    OnlinePart,
    OrganizationBasic,
    PhonePart,
    TransactionStatus,
)
from dossier.model.values import Money, PartialDate, Per, PersonName, Phone, Rating, Ref, Region, Span, Term

REGISTRY = default_registry()
DOOR = Door(REGISTRY)
ORGANIZATION = REGISTRY.spec("basic", "organization")


def _codes(section: str, values: dict[str, Any], kind: str = "organization") -> list[tuple[str, str]]:
    parsed = DOOR.parse(REGISTRY.spec(section, kind), values)
    return sorted((each.path.partition("/")[2], each.code) for each in parsed.problems)


def test_expected_coercions() -> None:
    parsed = DOOR.parse(
        ORGANIZATION,
        {
            "name": "郑州宏达",
            "phones": [
                "0371-65678999转8001",
                PhonePart(number=Phone("1"), use="fax"),
                {"number": "2", "span": "2019~2021"},
            ],
            "addresses": ["郑州市金水区花园路1号 450000"],
            "online": ["a@example.com"],
            "key_persons": [
                "单雄信",
                {"name": "王芳", "roles": ["manager"], "phones": ["18612345678"], "born": "3月5日"},
            ],
            "founded": dt.date(2009, 3, 1),
            "form": "limited",
            "registered_capital": "500万",
            "assets": {2025: "1.2亿", "2024年": 100, "2024-Q1": Decimal("1.5")},
            "parent": "7f3a",
        },
    )
    assert parsed.problems == ()
    values = parsed.values
    assert values["phones"][0] == PhonePart(number=Phone("0371-65678999转8001", "+8637165678999", "8001"))
    assert values["phones"][2] == PhonePart(number=Phone("2"), span=Span(PartialDate(2019), PartialDate(2021)))
    assert values["addresses"] == (Address(text="郑州市金水区花园路1号", postcode="450000"),)
    assert values["online"] == (OnlinePart(kind="email", account="a@example.com"),)
    assert values["key_persons"][0] == KeyPerson(name=PersonName.parse("单雄信"))
    assert values["key_persons"][1].roles == (Term("role", "manager"),)
    assert values["founded"] == PartialDate(2009, 3, 1) and values["form"] == Term("form", "limited")
    assert values["registered_capital"] == Money(5_000_000)
    assert values["assets"] == (
        Per("2024", Money(100)),
        Per("2024-Q1", Money("1.5")),
        Per("2025", Money(120_000_000)),
    )
    assert values["parent"] == Ref("dossier", "7f3a")
    assert "宏达" not in repr(parsed)


def test_other_sections_coerce_too() -> None:
    spec = REGISTRY.spec("business_status")
    parsed = DOOR.parse(spec, {"competitors": ["乙公司"], "manager_quality": "4/5", "sources": ["b", "a", "a"]})
    assert parsed.values["competitors"] == (Competitor(vendor="乙公司"),)
    assert parsed.values["manager_quality"] == Rating(4, 5)
    assert parsed.values["sources"] == ("a", "b")
    group = DOOR.parse(REGISTRY.spec("basic", "group"), {"members": ["王小明", {"name": "李", "lives_in": True}]})
    assert group.values["members"] == (
        Member(name=PersonName.parse("王小明")),
        Member(name=PersonName.parse("李"), lives_in=True),
    )
    area = DOOR.parse(REGISTRY.spec("characteristics"), {"service_area": {"洛阳", "郑州"}})
    assert area.values["service_area"] == (Region("洛阳"), Region("郑州"))


def test_changes_say_more_than_values() -> None:
    parsed = DOOR.parse(
        ORGANIZATION,
        {
            "scope": UNSET,
            "parent": Absence.NONE,
            "short_names": edit(add="宏达", remove=["旧名"]),
            "phones": edit(add=["1"], remove=["2", {"key": "k1"}, PhonePart(key="k2", number=Phone("9"))]),
            "key_persons": edit(
                change={"k3": {"title": "经理", "family": UNSET, "born": Absence.DECLINED, "phones": edit(add=["3"])}}
            ),
        },
    )
    assert parsed.problems == ()
    assert parsed.unset == ("scope",) and parsed.absent == {"parent": Absence.NONE} and parsed.values == {}
    assert parsed.edits["short_names"].add == ("宏达",) and parsed.edits["short_names"].remove == ("旧名",)
    phones = parsed.edits["phones"]
    assert phones.add == (PhonePart(number=Phone("1")),)
    assert phones.remove == (PhonePart(number=Phone("2")), PhonePart(key="k1"), PhonePart(key="k2"))
    inner = parsed.edits["key_persons"].change["k3"]
    assert inner.values == {"title": "经理"} and inner.unset == ("family",)
    assert inner.absent == {"born": Absence.DECLINED} and inner.edits["phones"].add == (PhonePart(number=Phone("3")),)


def test_a_part_of_a_view_names_what_to_remove() -> None:
    section = OrganizationBasic(phones=[PhonePart(key="k1", number=Phone("1"))])
    view = lens(ORGANIZATION, ORGANIZATION.mask("name", "phones[*]/use")).show(section)
    parsed = DOOR.parse(ORGANIZATION, {"phones": edit(remove=view.phones)})
    assert parsed.edits["phones"].remove == (PhonePart(key="k1"),)
    assert DOOR.parse(ORGANIZATION, {"phones": list(view.phones)}).problems[0].code == "value.type"


@pytest.mark.parametrize(
    ("section", "values", "expected"),
    [
        ("basic", {"name": None}, [("name", "value.none")]),
        ("basic", {"name": True}, [("name", "value.type")]),
        ("basic", {"name": 5}, [("name", "value.type")]),
        ("basic", {"name": b"x"}, [("name", "value.type")]),
        ("basic", {"nam": "x"}, [("nam", "field.unknown")]),
        ("basic", {"name": "a\0b"}, [("name", "value.nul")]),
        ("basic", {"name": "a\ud800"}, [("name", "value.surrogate")]),
        ("basic", {"short_names": "花生"}, [("short_names", "value.container")]),
        ("basic", {"short_names": {"a": 1}}, [("short_names", "value.container")]),
        ("basic", {"registered_capital": 0.1}, [("registered_capital", "value.float_money")]),
        ("basic", {"registered_capital": "9" * 70}, [("registered_capital", "value.number_long")]),
        ("basic", {"registered_capital": 10**70}, [("registered_capital", "value.number_long")]),
        (
            "basic",
            {"registered_capital": {"amount": "much", "currency": "yuan"}},
            [("registered_capital/amount", "value.number"), ("registered_capital/currency", "value.currency")],
        ),
        (
            "basic",
            {"phones": [{"number": {"given": "", "number": "5", "extension": "x"}}]},
            [
                ("phones[0]/number/extension", "value.phone_number"),
                ("phones[0]/number/given", "value.empty"),
                ("phones[0]/number/number", "value.phone_number"),
            ],
        ),
        ("basic", {"form": {"code": None}}, [("form/code", "value.none")]),
        ("basic", {"founded": "2023-02-29"}, [("founded", "value.date_leap")]),
        ("basic", {"founded": dt.datetime(2020, 1, 1)}, [("founded", "value.type")]),
        ("basic", {"phones": ["1 8 6", 5]}, [("phones[1]", "value.type")]),
        ("basic", {"phones": [{"numbr": "1"}]}, [("phones[0]/numbr", "field.unknown")]),
        ("basic", {"phones": [{"key": "k1"}]}, [("phones[0]", "part.empty")]),
        ("basic", {"phones": [{"key": "a[b", "number": "1"}]}, [("phones[0]/key", "value.code")]),
        (
            "basic",
            {"phones": [{"key": "k", "number": "1"}, {"key": "k", "number": "2"}]},
            [("phones", "value.duplicate")],
        ),
        ("basic", {"assets": {"2025": 1, "2025年": 2}}, [("assets", "value.duplicate")]),
        ("basic", {"form": Term("sex", "male")}, [("form", "value.vocabulary")]),
        ("basic", {"form": {"code": "a", "vocabulary": "sex"}}, [("form", "value.vocabulary")]),
        ("basic", {"name": edit(add=["x"])}, [("name", "field.edit")]),
        ("basic", {"short_names": edit(change={"k": {}})}, [("short_names", "field.edit")]),
        ("basic", {"phones": edit(change={"k1": "x"})}, [("phones[k1]", "value.type")]),
        ("transaction_status", {"times": 5}, [("times", "field.computed")]),
        ("transaction_status", {"times": UNSET}, [("times", "field.computed")]),
        ("characteristics", {"staff": {"2025": True}}, [("staff[0]/value", "value.type")]),
        ("characteristics", {"staff": {"2025": 2**60}}, [("staff[0]/value", "value.int_range")]),
        ("characteristics", {"staff": {"2025": 5.0}}, [("staff[0]/value", "value.type")]),
    ],
    ids=str,
)
def test_bad_input_is_named(section: str, values: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert _codes(section, values) == expected


def test_nearest_names() -> None:
    problems = DOOR.parse(ORGANIZATION, {"adresses": ["x"], "key_persons": [{"titel": "x"}]}).problems
    assert "addresses" in problems[0].en and "title" in problems[1].zh
    with pytest.raises(InputError, match="preferences"):
        REGISTRY.spec("preference")
    with pytest.raises(InputError, match=r"field\.unknown"):
        label(ORGANIZATION, "name/first")
    with pytest.raises(InputError, match=r"phones\[\*\]/number"):
        ORGANIZATION.leaf("phone[k1]/numbr")


def test_a_text_of_ten_million_characters_is_refused_quickly() -> None:
    text = "花" * 10_000_000
    began = time.process_time()
    parsed = DOOR.parse(ORGANIZATION, {"name": text, "phones": [text], "founded": text, "registered_capital": text})
    assert time.process_time() - began < 0.2
    assert len(parsed.problems) == 4 and all(len(str(each)) < 500 for each in parsed.problems)


def test_whole_sections() -> None:
    section, problems = DOOR.parse_section(ORGANIZATION, {"name": "甲", "phones": ["1"]})
    assert problems == () and section == OrganizationBasic(name="甲", phones=[PhonePart(number=Phone("1"))])
    assert DOOR.parse_section(ORGANIZATION, section) == (section, ())
    assert DOOR.parse_section(ORGANIZATION, {"name": UNSET})[1][0].code == "field.edit"
    assert DOOR.parse_section(ORGANIZATION, 5)[1][0].code == "value.type"


def test_typed_sections_are_checked_with_every_problem() -> None:
    good = OrganizationBasic(name="甲", phones=[PhonePart(number=Phone("1"))])
    assert DOOR.check(good).raw == REGISTRY.codec(ORGANIZATION).dump(good)
    bad = OrganizationBasic(
        name="a\0",
        founded="2020-13",  # type: ignore[arg-type]
        phones=[PhonePart(number=5), PhonePart()],  # type: ignore[arg-type]
        short_names=["x" * 201, dt.date(2020, 1, 1)],  # type: ignore[list-item]
        form=Term("sex", "male"),
        assets=[Per("2025", 5)],  # type: ignore[arg-type]
    )
    with pytest.raises(InputError) as raised:
        DOOR.check(bad)
    assert sorted((each.path, each.code) for each in raised.value.problems) == [
        ("basic/form", "value.vocabulary"),
        ("basic/founded", "value.date_month"),
        ("basic/name", "value.nul"),
        ("basic/phones[0]/number", "value.type"),
        ("basic/phones[1]", "part.empty"),
        ("basic/short_names[0]", "value.type"),
        ("basic/short_names[1]", "value.too_long"),
    ]
    with pytest.raises(InputError, match=r"field\.computed"):
        DOOR.check(TransactionStatus(times=5))
    with pytest.raises(InputError, match=r"value\.too_many"):
        DOOR.check(OrganizationBasic(short_names=[str(number) for number in range(1001)]))
    with pytest.raises(InputError, match="registered section"):
        DOOR.check(Address(text="x"))


@attrs.frozen
class Grape:
    """A value of a pack: knows nothing of BadValue."""

    name: Annotated[str, msgspec.Meta(max_length=10)]
    red: bool
    share: Decimal | None = None

    @classmethod
    def parse(cls, text: str, /) -> Grape:
        name, colour = text.split()
        return cls(name, colour == "red")


@section("pack:wine", zh="酒", en="wine")
@attrs.frozen(kw_only=True)
class Wine:
    grape: Grape | None = one("葡萄", "grape", row="M46")
    blend: tuple[Grape, ...] = many("混酿", "blend", row="M46")


def test_values_of_packs_are_read_in_the_same_way() -> None:
    registry = SectionRegistry([Wine])
    door, spec = Door(registry), registry.spec("pack:wine")
    said = {"grape": "Merlot red", "blend": [{"name": "Riesling", "red": False, "share": "0.5"}]}
    wine, problems = door.parse_section(spec, said)
    assert problems == () and wine == Wine(
        grape=Grape("Merlot", True), blend=[Grape("Riesling", False, Decimal("0.5"))]
    )
    assert registry.codec(spec).load(door.check(wine).raw) == wine
    parsed = door.parse(spec, {"grape": "Merlot", "blend": [{"name": "R" * 11, "red": 1, "share": 0.5}, {"red": True}]})
    assert [(each.path, each.code) for each in parsed.problems] == [
        ("pack:wine/grape", "value.unreadable"),
        ("pack:wine/blend[0]/name", "value.too_long"),
        ("pack:wine/blend[0]/red", "value.type"),
        ("pack:wine/blend[0]/share", "value.float_money"),
        ("pack:wine/blend[1]/name", "field.missing"),
    ]


def test_wrong_insides_of_a_packs_value_are_found() -> None:
    door = Door(SectionRegistry([Wine]))
    with pytest.raises(InputError) as raised:
        door.check(Wine(grape=Grape(5, True), blend=[Grape("x", "no"), Grape("y" * 11, True)]))  # type: ignore[arg-type]
    assert sorted((each.path, each.code) for each in raised.value.problems) == [
        ("pack:wine/blend[0]/red", "value.type"),
        ("pack:wine/blend[1]/name", "value.too_long"),
        ("pack:wine/grape/name", "value.type"),
    ]


def test_a_backslash_is_not_mistaken_for_nul() -> None:
    section = OrganizationBasic(name="C:\\u0000")
    assert REGISTRY.codec(ORGANIZATION).load(DOOR.check(section).raw) == section


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1, "a": 2}', "json.duplicate_key"),
        ('{"a": NaN}', "json.number"),
        ('{"a": -Infinity}', "json.number"),
        ('{"a": ' + "1" * 70 + "}", "json.number"),
        ('{"a": "\\ud800"}', "value.surrogate"),
        ('{"\\ud800": 1}', "value.surrogate"),
        ("[" * 65 + "]" * 65, "json.depth"),
        ("[" * 100_000, "json.depth"),
        ('{"a": }', "json.invalid"),
        (b'{"a": "\xff"}', "json.invalid"),
        ("", "json.invalid"),
    ],
    ids=lambda each: str(each)[:24],
)
def test_strict_json(text: str | bytes, code: str) -> None:
    with pytest.raises(InputError) as raised:
        strict_loads(text)
    assert {each.code for each in raised.value.problems} == {code}


def test_strict_json_reads_exactly() -> None:
    read = strict_loads('\ufeff{"a": 0.1, "b": [1, -2, true, null, "花\\ud83d\\ude00"]}'.encode())
    assert read == {"a": Decimal("0.1"), "b": [1, -2, True, None, "花😀"]} and type(read["a"]) is Decimal
