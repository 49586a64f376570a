"""Labels of sections, fields and codes, in zh and en. Floor: model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from dossier.errors import Lang
from dossier.model.fields import FieldSpec, SectionSpec
from dossier.model.values.term import Term


def label(spec: SectionSpec, path: str = "", lang: Lang = "zh") -> str:
    """The label of a section (no path), or of a field or leaf below it: 电话·号码 for `phones[k1]/number`.

    InputError `field.unknown` for a path that the section does not have.
    """
    if not path:
        return spec.zh if lang == "zh" else spec.en
    words: list[str] = []
    fields: Mapping[str, FieldSpec] = spec.fields
    for step in path.split("/"):
        found = fields.get(step.partition("[")[0])
        if found is None:
            raise spec.unknown(path)
        words.append(found.declared.zh if lang == "zh" else found.declared.en)
        fields = found.fields
    return ("·" if lang == "zh" else ": ").join(words)


TERMS: Mapping[tuple[str, str], tuple[str, str]] = MappingProxyType(
    {
        ("sex", "male"): ("男", "male"),
        ("sex", "female"): ("女", "female"),
        ("form", "sole"): ("个体", "sole trader"),
        ("form", "partnership"): ("合伙", "partnership"),
        ("form", "limited"): ("有限责任公司", "limited company"),
        ("form", "joint_stock"): ("股份有限公司", "joint-stock company"),
        ("role", "owner"): ("所有者", "owner"),
        ("role", "manager"): ("经营管理者", "manager"),
        ("role", "legal_representative"): ("法定代表人", "legal representative"),
        ("role", "contact"): ("联系人", "contact"),
        ("role", "buyer"): ("采购人", "purchaser"),
        ("role", "decider"): ("决策人", "decision maker"),
        ("group_kind", "household"): ("住户", "household"),
        ("group_kind", "tour_group"): ("旅行团", "tour group"),
        ("group_kind", "association"): ("团体", "association"),
        ("attitude", "good"): ("良好", "good"),
        ("attitude", "fair"): ("一般", "fair"),
        ("attitude", "poor"): ("较差", "poor"),
        ("support", "supporter"): ("支持", "supports us"),
        ("support", "neutral"): ("中立", "neutral"),
        ("support", "opponent"): ("反对", "opposes us"),
        ("credit_standing", "good"): ("良好", "good"),
        ("credit_standing", "watch"): ("关注", "to watch"),
        ("credit_standing", "bad"): ("不良", "bad"),
    }
)
"""Words for the codes of the kernel's vocabularies; a vocabulary is open, other codes are shown as they are."""


KINDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"person": ("个人", "person"), "organization": ("单位", "organization"), "group": ("团体", "group")}
)
"""Words for the kinds of parties."""
STAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "prospect": ("潜在", "prospect"),
        "active": ("正在", "active"),
        "dormant": ("中断", "dormant"),
        "closed": ("结", "closed"),
        "destroyed": ("销毁", "destroyed"),
    }
)
"""Words for the stages of a customer (M4)."""
STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "entered": ("已登记", "entered"),
        "open": ("未结", "open"),
        "answered": ("已答复", "answered"),
        "delivered": ("已交货", "delivered"),
        "returned": ("已退货", "returned"),
        "written_off": ("已核销", "written off"),
        "closed": ("已结", "closed"),
        "cancelled": ("已取消", "cancelled"),
    }
)
"""Words for the states of records."""


def code_text(words: Mapping[str, tuple[str, str]], code: str, lang: Lang = "zh") -> str:
    """The word for a kernel code among `KINDS`, `STAGES` or `STATES`, or the code."""
    zh, en = words.get(code, (code, code))
    return zh if lang == "zh" else en


def term_text(term: Term, lang: Lang = "zh") -> str:
    """The word for a term's code, or the code."""
    words = TERMS.get((term.vocabulary, term.code))
    return term.code if words is None else words[0] if lang == "zh" else words[1]
