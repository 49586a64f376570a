"""Every row of the kernel's model has its fields; every field is labelled, tiered, ranked and traced to a row."""

from __future__ import annotations

import re

import pytest

from dossier.codec import default_registry
from dossier.codec.projection import view_class
from dossier.codec.viewgen import render
from dossier.model import views
from dossier.model.fields import SectionSpec, Shape, Tier
from dossier.model.labels import label, term_text
from dossier.model.ranking import RANKINGS
from dossier.model.sections import KERNEL, KeyPerson, OrganizationBasic, PhonePart
from dossier.model.values import PersonName, Phone, Term
from dossier.model.withheld import reveal

REGISTRY = default_registry()

ROWS: dict[str, dict[str, str]] = {
    "M20": {
        "organization": "name phones[*]/number addresses[*]/text online[*]/account",
        "person": "name phones[*]/number addresses[*]/text online[*]/account",
        "group": "name phones[*]/number addresses[*]/text online[*]/account",
    },
    "M21": {
        "organization": "key_persons[*]/name key_persons[*]/roles key_persons[*]/personality key_persons[*]/hobbies "
        "key_persons[*]/family key_persons[*]/education key_persons[*]/born key_persons[*]/ability"
    },
    "M22": {"organization": "founded trading_since form industry assets"},
    "M23": {
        "organization": "addresses[*]/postcode phones[*]/use scope registered_capital key_persons[*]/phones[*]/number"
    },
    "M24": {"person": "name sex born phones[*]/number background education addresses[*]/text title"},
    "M26": {"organization": "key_persons[*]/span form short_names"},
    "M27": {
        "characteristics": "service_area selling_power potential idea direction policy staff sales features",
    },
    "M29": {
        "business_status": "results manager_quality staff_quality competitors[*]/vendor dealings attitude",
    },
    "M30": {"business_status": "results profit statements"},
    "M31": {"transaction_status": "activity issues[*]/text strengths issues[*]/measure"},
    "M32": {
        "transaction_status": "image reputation credit_standing terms credit_problems habits loyalty",
    },
    "M33": {"transaction_status": "total times last_date satisfaction"},
    "M37": {"transaction_status": "arrears"},
    "M39": {
        "business_status": "competitors[*]/product competitors[*]/satisfaction competitors[*]/rep "
        "competitors[*]/rep_style competitors[*]/rep_relation competitors[*]/vendor_background "
        "competitors[*]/features competitors[*]/ours_better competitors[*]/ours_worse competitors[*]/attention "
        "competitors[*]/used market_flow",
    },
    "M40": {"preferences": "interests body skills habits religion taboos"},
    "M44": {"organization": "parent key_persons[*]/dossier", "person": "employer_ref"},
}


def _spec(name: str) -> SectionSpec:
    return REGISTRY.spec("basic", name) if name in ("organization", "person", "group") else REGISTRY.spec(name)


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.row(row)) for row in ROWS])
def test_row_has_its_fields(row: str) -> None:
    for name, patterns in ROWS[row].items():
        for pattern in patterns.split():
            assert _spec(name).leaf(pattern).pattern == pattern


@pytest.mark.parametrize("spec", REGISTRY.specs(), ids=str)
def test_every_leaf_is_described(spec: SectionSpec) -> None:
    assert len({leaf.pattern for leaf in spec.leaves}) == len(spec.leaves)
    for number, leaf in enumerate(spec.leaves):
        assert leaf.zh and leaf.en and re.match(r"[MS]\d", leaf.row)
        assert leaf.ranking in RANKINGS
        assert (leaf.compartment == "special") == (leaf.tier is Tier.SPECIAL)
        assert ("special" in leaf.flags) == (leaf.tier is Tier.SPECIAL)
        assert spec.mask(leaf.pattern) == 1 << number
        assert label(spec, leaf.pattern, "zh") and label(spec, leaf.pattern, "en")
        if leaf.type is str:
            assert leaf.limit in (200, 10_000)
        if leaf.type is Term and leaf.shape is not Shape.COMPUTED:
            assert leaf.vocabulary


def test_labels() -> None:
    spec = _spec("organization")
    assert label(spec) == "基础资料" and label(spec, lang="en") == "basic data"
    assert label(spec, "key_persons[k1]/phones[p1]/number") == "主要人员·电话·号码"
    assert label(spec, "assets[2026]", "en") == "assets"
    assert term_text(Term("role", "manager")) == "经营管理者" and term_text(Term("role", "顾问")) == "顾问"


def test_a_taboo_is_a_matter_of_safety() -> None:
    taboos = _spec("preferences").leaf("taboos")
    assert taboos.tier is Tier.SPECIAL and "safety" in taboos.flags and taboos.ranking == "own_word"


def test_views_are_up_to_date() -> None:
    assert views.__file__ is not None
    with open(views.__file__, encoding="utf-8") as file:  # noqa: PTH123
        assert file.read() == render(), "run: python -m dossier.codec.viewgen"
    for cls in KERNEL:
        assert view_class(cls).__module__ == "dossier.model.views"


def test_repr_of_a_section_hides_what_is_personal() -> None:
    person = KeyPerson(name=PersonName.parse("单雄信"), hobbies=["钓鱼"], family="有一子", title="经理")
    section = OrganizationBasic(
        name="郑州宏达", phones=[PhonePart(number=Phone("18612345678"), use="mobile")], key_persons=[person]
    )
    shown = repr(section)
    assert "郑州宏达" in shown and "mobile" in shown
    assert not any(hidden in shown for hidden in ("雄信", "钓鱼", "一子", "2345"))
    assert all(said in reveal(section) for said in ("单雄信", "钓鱼", "有一子", "18612345678"))
