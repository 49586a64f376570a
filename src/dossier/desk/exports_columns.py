"""Columns of an export: which leaves it has, what they are called, and what a view holds at them.

Floor: desk. Columns follow from the declared sections and the caller's mask alone, never from what a file holds (N1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import attrs

from dossier.desk.views import DossierView
from dossier.errors import InputError, Lang, ReadableFieldError
from dossier.model.fields import Leaf, SectionSpec, Shape, nearest_name, shown_path
from dossier.model.labels import label, term_text
from dossier.model.problems import problem
from dossier.model.values import Money, PartialDate, Per, Span, Term
from dossier.model.values.plain import canonical
from dossier.model.withheld import WITHHELD, Masked, reveal
from dossier.policy import Decision
from dossier.repository import decode

HEAD: Final[Mapping[str, tuple[str, str]]] = {
    "number": ("档案编号", "number"),
    "kind": ("类别", "kind"),
    "standing": ("客户身份", "standing"),
    "stage": ("客户状态", "stage"),
}
"""Columns that every file has, with their labels."""
RECORD_HEAD: Final[Mapping[str, tuple[str, str]]] = {
    "number": HEAD["number"],
    "state": ("状态", "state"),
    "opened": ("登记时间", "entered"),
}
"""Columns that every record has."""
_CURRENCY: Final = ("币种", "currency")

Cell = str | int | Decimal | None
"""A cell of a table: text, or a number that stays one."""


@attrs.frozen
class Column:
    """A column: `path` names it to programs, `label` to people. `way` are the fields that lead to its value, none for
    a column of the head; `currency` the second column of an amount."""

    path: str
    label: str
    section: str = ""
    way: tuple[str, ...] = ()
    amount: bool = False
    currency: bool = False


@attrs.frozen
class Layout:
    """The columns of one export and the leaves that they give out, as masks by (section, kind of party)."""

    columns: tuple[Column, ...]
    withheld: tuple[str, ...]
    masks: Mapping[tuple[str, str], int]

    def given(self, specs: Iterable[SectionSpec], decision: Decision) -> str:
        """The mask of an event: "section:hex" runs of what is given out of these sections of a customer."""
        runs = ((spec.key, self.masks.get((spec.key, spec.kind or ""), 0) & decision.mask(spec)) for spec in specs)
        return ";".join(f"{key}:{mask:x}" for key, mask in runs if mask)


def layout(
    specs: Sequence[SectionSpec],
    head: Mapping[str, tuple[str, str]],
    decision: Decision,
    fields: Sequence[str] | None,
    lang: Lang,
    *,
    prefix: str = "",
) -> Layout:
    """The columns of sections for a caller: all that he may read, or the `fields` named (paths of leaves, fields or
    sections below `prefix`) in their order, behind the number.

    InputError for names that do not exist; ReadableFieldError for one of which he may read nothing.
    """
    leaves: dict[str, list[tuple[SectionSpec, Leaf]]] = {}
    for spec in specs:
        for leaf in spec.leaves:
            leaves.setdefault(f"{spec.key}/{leaf.pattern}", []).append((spec, leaf))
    readable = {path for path, held in leaves.items() if any(_reads(decision, *each) for each in held)}
    chosen, named = _chosen(leaves, readable, head, fields, prefix)
    masks: dict[tuple[str, str], int] = {}
    columns = [Column(name, _word(head[name], lang)) for name in head if name in named]
    hidden: dict[str, None] = dict.fromkeys(path for path in leaves if path not in readable and path in chosen)
    taken = {column.label for column in columns}
    for path in chosen:
        if path not in readable:
            continue
        for spec, leaf in leaves[path]:
            if _reads(decision, spec, leaf):
                key = spec.key, spec.kind or ""
                masks[key] = masks.get(key, 0) | 1 << spec.bits[leaf.pattern]
            else:
                hidden[path] = None
        for column in _columns(path, leaves[path], lang):
            unique = column if column.label not in taken else attrs.evolve(column, label=f"{column.label} ({path})")
            taken.add(unique.label)
            columns.append(unique)
    return Layout(tuple(columns), tuple(hidden), masks)


def _reads(decision: Decision, spec: SectionSpec, leaf: Leaf) -> bool:
    return bool(decision.mask(spec) >> spec.bits[leaf.pattern] & 1)


def _chosen(
    leaves: Mapping[str, Any],
    readable: set[str],
    head: Mapping[str, tuple[str, str]],
    fields: Sequence[str] | None,
    prefix: str,
) -> tuple[list[str], set[str]]:
    """Paths of the leaves asked for, in order, and the columns of the head. The number is always among these."""
    if fields is None:
        return list(leaves), set(head)
    problems = []
    chosen: dict[str, None] = {}
    named = {"number"}
    if isinstance(fields, str) or not all(type(name) is str for name in fields):
        raise InputError([problem("export.fields", "fields")])
    for name in fields:
        if name in head:
            named.add(name)
            continue
        asked = prefix + name.replace("[*]", "")
        below = [path for path in leaves if _under(path.replace("[*]", ""), asked)]
        if not below:
            known = [path.removeprefix(prefix).replace("[*]", "") for path in leaves]
            problems.append(problem("field.unknown", shown_path(*name.split("/")), nearest=nearest_name(name, known)))
        elif not readable.intersection(below):
            raise ReadableFieldError(path=name, field=name, role="", verb="export", verb_zh="导出")
        chosen.update(dict.fromkeys(below))
    if problems:
        raise InputError(problems)
    return list(chosen), named


def _under(path: str, asked: str) -> bool:
    return path == asked or path.startswith(asked + "/")


def _columns(path: str, held: Sequence[tuple[SectionSpec, Leaf]], lang: Lang) -> list[Column]:
    section, _, name = path.partition("/")
    words = dict.fromkeys(label(spec, leaf.pattern, lang) for spec, leaf in held)
    said = " / ".join(words)
    if not section.startswith("record:"):
        said = f"{label(held[0][0], '', lang)}{'·' if lang == 'zh' else ': '}{said}"
    way = tuple(name.replace("[*]", "").split("/"))
    leaf = held[0][1]
    if leaf.type is Money and leaf.shape in (Shape.ONE, Shape.COMPUTED) and "[*]" not in name:
        currency = f"{said}·{_CURRENCY[0]}" if lang == "zh" else f"{said}: {_CURRENCY[1]}"
        return [
            Column(path, said, section, way, amount=True),
            Column(f"{path}/currency", currency, section, way, currency=True),
        ]
    return [Column(path, said, section, way)]


def _word(words: tuple[str, str], lang: Lang) -> str:
    return words[0] if lang == "zh" else words[1]


# -- what a view holds ----------------------------------------------------------------------------

Sections = Callable[[str], Any]
"""Gives the shown section of a key, None where this kind of party has none."""


def sections_of(view: DossierView) -> Sections:
    """The sections of a view."""
    known = frozenset(view.sections())
    return lambda key: view.section(key) if key in known else None


def cells(columns: Sequence[Column], head: Mapping[str, str], sections: Sections, lang: Lang) -> list[Cell]:
    """One line of a table. What stands several times in one field stands on a line each within its cell, and those of
    parts in the order of the parts, so that the third line of each column is of the third part."""
    return [_cell(column, head, sections, lang) for column in columns]


def _cell(column: Column, head: Mapping[str, str], sections: Sections, lang: Lang) -> Cell:
    if not column.way:
        return head[column.path]
    section = sections(column.section)
    value = getattr(section, column.way[0], None) if section is not None else None
    if len(column.way) > 1 and type(value) is tuple:
        lines = [_one_line(_below(part, column.way[1:]), lang) for part in value]
        return "\n".join(lines) if any(lines) else None
    if value is None or value == ():
        return None
    if type(value) is Money and (column.amount or column.currency):
        return value.amount if column.amount else value.currency
    if type(value) is int or type(value) is Decimal:
        return value
    if type(value) is tuple:
        return "\n".join(_one_line(each, lang) for each in value)
    return _text(value, lang)


def _below(part: Any, way: Sequence[str]) -> Any:
    for number, name in enumerate(way):
        if type(part) is tuple:
            return tuple(_below(each, way[number:]) for each in part)
        part = getattr(part, name, None)
    return part


def _one_line(value: Any, lang: Lang) -> str:
    return " ".join(_text(value, lang).splitlines())


def _text(value: Any, lang: Lang) -> str:
    if value is None:
        return ""
    if type(value) is tuple:
        return ("、" if lang == "zh" else ", ").join(_text(each, lang) for each in value)
    if type(value) is bool:
        return ("是" if value else "否") if lang == "zh" else ("yes" if value else "no")
    if isinstance(value, Per):
        return f"{value.period}: {_text(value.value, lang)}"
    if type(value) is Term:
        return term_text(value, lang)
    if type(value) is PartialDate and value.year is not None:
        return value.text("en")  # a table sorts by it
    show = getattr(value, "text", None)
    return str(show(lang)) if callable(show) else reveal(value)


def document(columns: Sequence[Column], head: Mapping[str, str], sections: Sections) -> dict[str, Any]:
    """One line of JSON: the head's columns, then sections with their fields. What is absent is left out; what may not
    be read is `{"withheld": true}`, whatever is there. Amounts and dates are text and exact."""
    made: dict[str, Any] = {column.path: head[column.path] for column in columns if not column.way}
    ways: dict[str, dict[str, list[tuple[str, ...]]]] = {}
    for column in columns:
        if column.way and not column.currency:
            ways.setdefault(column.section, {}).setdefault(column.way[0], []).append(column.way[1:])
    for key, fields in ways.items():
        section = sections(key)
        if section is None:
            continue
        found = {name: _json(getattr(section, name, None), below) for name, below in fields.items()}
        held = {name: value for name, value in found.items() if value is not None}
        if key.startswith("record:"):
            made |= held
        elif held:
            made[key] = held
    return made


def _json(value: Any, ways: Sequence[tuple[str, ...]]) -> Any:
    """A value as plain JSON; of parts the chosen leaves and their keys."""
    if value is None or value == ():
        return None
    if type(value) is tuple:
        return [_json(each, ways) for each in value]
    if value is not WITHHELD and ways and ways[0]:
        inner: dict[str, list[tuple[str, ...]]] = {}
        for way in ways:
            inner.setdefault(way[0], []).append(way[1:])
        shown = {name: _json(getattr(value, name, None), below) for name, below in inner.items()}
        return {"key": value.key} | {name: each for name, each in shown.items() if each is not None}
    return plain(value)


def plain(value: Any) -> Any:
    """A value as JSON: amounts and dates as text, the parts of other values by their names."""
    if value is WITHHELD:
        return {"withheld": True}
    if type(value) is Masked:
        return {"masked": value.shown}
    if type(value) is PartialDate:
        return value.text("en")
    if type(value) is Span:
        return {name: each.text("en") for name in ("start", "end") if (each := getattr(value, name)) is not None}
    if isinstance(value, Per):
        return {"period": value.period, "value": plain(value.value)}
    return decode(canonical(value))
