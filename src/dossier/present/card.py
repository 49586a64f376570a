"""客户档案卡, the customer card as text (M2, M165): from a view, so it never shows more than its caller may see.

Floor: present.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, Literal

import attrs

from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.model.labels import KINDS, STAGES, STATES, code_text
from dossier.model.values import Per
from dossier.model.withheld import WITHHELD, Masked, Withheld, reveal

_WIDTH = 18
"""Columns of the label; a Chinese character takes two."""


def card_text(
    view: Any, records: Sequence[Any], spec_of: Callable[[str], SectionSpec], *, lang: Literal["zh", "en"] = "zh"
) -> str:
    """The card of a view: head, sections with what is there, rivals, questions, last records.

    A section of which nothing may be read is one line. A value with rivals is marked, and the rivals stand below it.
    """
    zh = lang == "zh"
    title = "客户档案卡" if zh else "Customer card"
    kind, stage = code_text(KINDS, view.kind, lang), code_text(STAGES, view.stage, lang)
    lines = [f"{title}  {view.number}  [{kind} · {stage}]"]
    rivals: dict[str, list[Any]] = {}
    for rival in view.rivals():
        rivals.setdefault(_field(rival.path), []).append(rival)
    for key in view.sections():
        lines.extend(_section(view.section(key), spec_of(key), rivals, lang))
    for question in view.questions():
        lines.append(f"? {question.new} = {question.known}")
    if records:
        lines.append("— 业务记录" if zh else "— records")
        shown = (record for record in records if not isinstance(record.content, Withheld))
        lines.extend(_record(record, spec_of(f"record:{record.kind}"), lang) for record in shown)
    return "\n".join(lines) + "\n"


def _section(section: Any, spec: SectionSpec, rivals: dict[str, list[Any]], lang: Literal["zh", "en"]) -> list[str]:
    values = [getattr(section, name) for name in spec.fields]
    label = spec.zh if lang == "zh" else spec.en
    if all(isinstance(value, Withheld) for value in values):
        return [f"— {label}: {values[0].text(lang)}"]
    lines: list[str] = []
    for name, field in spec.fields.items():
        value = getattr(section, name)
        contested = rivals.get(f"{spec.key}/{name}", [])
        if isinstance(value, Withheld):
            continue
        shown = _shown(value, field, lang)
        if not shown and not contested:
            continue
        named = field.declared.zh if lang == "zh" else field.declared.en
        lines.append(f"  {_pad(named)} {shown or '—'}" + ("  *" if contested else ""))
        for rival in contested:
            where = f"{rival.origin.channel}" + (f", {rival.origin.told_by}" if rival.origin.told_by else "")
            lines.append(f"  {_pad('')}   * {_plain(rival.value, lang)} ({where})")
    if any(isinstance(value, Withheld) for value in values):
        lines.append(f"  {_pad('…')} {WITHHELD.text(lang)}")
    return [f"— {label}", *lines] if lines else []


def _shown(value: Any, field: FieldSpec, lang: Literal["zh", "en"]) -> str:
    shape = field.declared.shape
    if value is None or value == ():
        return ""
    if shape is Shape.ITEMS:
        return "; ".join(filter(None, (_part(part, lang) for part in value)))
    return _plain(value, lang)


def _part(part: Any, lang: Literal["zh", "en"]) -> str:
    held = (getattr(part, each.name) for each in attrs.fields(type(part)) if each.name != "key")
    return " ".join(
        _plain(value, lang) for value in held if value is not None and value != () and not isinstance(value, Withheld)
    )


def _plain(value: Any, lang: Literal["zh", "en"]) -> str:
    if isinstance(value, Per):
        return f"{value.period}: {_plain(value.value, lang)}"
    if isinstance(value, tuple):
        return ("、" if lang == "zh" else ", ").join(_plain(item, lang) for item in value)
    if isinstance(value, Masked):
        return value.shown
    if attrs.has(type(value)) and not hasattr(value, "text"):
        return _part(value, lang)
    show = getattr(value, "text", None)
    return str(show(lang)) if callable(show) else reveal(value)


def _record(record: Any, spec: SectionSpec, lang: Literal["zh", "en"]) -> str:
    content = record.content
    named = spec.zh if lang == "zh" else spec.en
    pieces = [
        _plain(value, lang)
        for name in ("at", "ref", "amount", "text")
        if name in spec.fields
        and (value := getattr(content, name)) is not None
        and not isinstance(value, Withheld)
        and value != ()
    ]
    return f"  {_pad(named)} {'  '.join(pieces)}  [{code_text(STATES, record.state, lang)}]"


def _field(path: str) -> str:
    section, _, name = path.partition("/")
    return f"{section}/{name.partition('[')[0].partition('{')[0].partition('/')[0]}"


def _pad(text: str) -> str:
    width = sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
    return text + " " * max(_WIDTH - width, 0)
