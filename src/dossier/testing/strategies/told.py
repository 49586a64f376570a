"""What is told at a desk: changes, acts, records, and who acts and asks.

Floor: testing. Everything is drawn from declarations, so that sections and records of a pack come by themselves.
"""

from __future__ import annotations

from typing import Any

import attrs
from hypothesis import strategies as st

from dossier.codec.registry import SectionRegistry
from dossier.desk.archive import registry as whole_registry
from dossier.desk.changes import Change, Draft, change, record
from dossier.desk.finding import Condition, field
from dossier.model.absence import Absence
from dossier.model.fields import FieldSpec, SectionSpec, Shape
from dossier.model.party import PartyKind
from dossier.model.records import PREFIX
from dossier.policy import KINDS, PURPOSES
from dossier.testing import people
from dossier.testing.sections import field_values

CHANNELS = ("desk", "visit", "form", "document", "agency", "phone", "observation", "小红书")
NAMED: dict[str, st.SearchStrategy[Any]] = {
    "credit_code": people.credit_codes() | people.credit_codes(valid=False),
    "id_number": people.id_numbers() | people.id_numbers(valid=False),
    "text": people.addresses() | st.sampled_from(["回访, 客户满意", "第一行\n第二行"]),
}
"""Fields whose texts have a form of their own, by name; a pack adds its own."""


@attrs.frozen
class Actor:
    """Who acts: as `archive.acting_as(name, role=role, purpose=purpose)` takes it."""

    name: str
    role: str
    purpose: str = ""


@attrs.frozen
class Act:
    """What is told at once: changes, and how it came (`channel`, `because`, `told_by`)."""

    changes: tuple[Change, ...]
    told: dict[str, Any] = attrs.field(factory=dict)


def actors() -> st.SearchStrategy[Actor]:
    """Everybody who may come to a desk, those who may nothing among them."""
    names, purposes = st.sampled_from(["陈静", "李敏", "王芳", "高强", "𠮷野"]), st.sampled_from(["", *PURPOSES])
    return st.builds(Actor, names, st.sampled_from(KINDS), purposes)


def specs_of(registry: SectionRegistry, kind: str) -> list[SectionSpec]:
    """The sections that a file of a kind may have, without the kinds of records."""
    return [spec for spec in registry.specs(kind) if not spec.key.startswith(PREFIX)]


@st.composite
def changes(draw: st.DrawFn, kind: str = "organization", registry: SectionRegistry | None = None) -> Change:
    """New values for one to three fields of a section; now and then that there is none, and why."""
    spec = draw(st.sampled_from(specs_of(registry or whole_registry(), kind)))
    settable = [each for each in spec.fields.values() if each.declared.shape is not Shape.COMPUTED]
    if not settable:
        return change("basic", name=draw(_name(kind)))
    chosen = draw(st.lists(st.sampled_from(settable), min_size=1, max_size=3, unique_by=lambda each: each.name))
    return change(spec.key, **{each.name: draw(value_of(each, kind)) for each in chosen})


@st.composite
def acts(draw: st.DrawFn, kind: str = "organization", registry: SectionRegistry | None = None) -> Act:
    """One or two changes of different sections, and how they were told."""
    made = draw(st.lists(changes(kind, registry), min_size=1, max_size=2, unique_by=lambda one: str(one.section)))
    return Act(tuple(made), draw(sources()))


def sources() -> st.SearchStrategy[dict[str, Any]]:
    """How something was told."""
    return st.fixed_dictionaries(
        {"channel": st.sampled_from(CHANNELS)},
        optional={"because": st.sampled_from(["客户来电", "年度核对"]), "told_by": people.person_names()},
    )


@st.composite
def records(draw: st.DrawFn, registry: SectionRegistry | None = None) -> Draft:
    """A record of any kind, with some of its fields."""
    kinds = [spec for spec in (registry or whole_registry()).specs() if spec.key.startswith(PREFIX)]
    spec = draw(st.sampled_from(kinds))
    settable = [each for each in spec.fields.values() if each.declared.shape is not Shape.COMPUTED]
    chosen = draw(st.lists(st.sampled_from(settable), max_size=3, unique_by=lambda each: each.name))
    values = {each.name: draw(value_of(each, absent=False)) for each in chosen}
    return record(spec.key.removeprefix(PREFIX), **values)


@st.composite
def conditions(draw: st.DrawFn, depth: int = 2) -> Condition:
    """Conditions on indexed fields of the kernel."""
    kind = draw(st.integers(0, 6 if depth else 4))
    if kind == 0:
        return field("basic/name").contains(draw(st.sampled_from(["公司", "单", "雄信", "𠮷"])))
    if kind == 1:
        return field("kind") == draw(st.sampled_from([each.value for each in PartyKind]))
    if kind == 2:
        return field("basic/industry").one_of(*draw(st.lists(st.sampled_from(["tea", "toys"]), max_size=2)))
    if kind == 3:
        return field("transaction_status/times") >= draw(st.integers(0, 3))
    if kind == 4:
        return field("basic/industry").absent()
    first = draw(conditions(depth - 1))
    if kind == 5:
        return ~first
    second = draw(conditions(depth - 1))
    return first & second if draw(st.booleans()) else first | second


def value_of(each: FieldSpec, kind: str = "organization", *, absent: bool = True) -> st.SearchStrategy[Any]:
    """What may be said of a field: a value as the door takes it, and now and then why there is none."""
    said: st.SearchStrategy[Any]
    if each.name == "name" and each.pattern == "name":
        said = _name(kind)
    elif each.declared.shape is Shape.ONE and each.type is str and each.name in NAMED:
        said = NAMED[each.name].map(lambda text: text[: each.limit or None])
    else:
        said = field_values(each).map(lambda held: _given(each, held))
    if absent and each.declared.shape is not Shape.ITEMS:
        return st.integers(0, 6).flatmap(lambda dice: said if dice < 6 else st.sampled_from(list(Absence)))
    return said


def _name(kind: str) -> st.SearchStrategy[str]:
    return people.person_names() if kind == "person" else people.organization_names()


def _given(each: FieldSpec, held: Any) -> Any:
    """A drawn value as somebody gives it: parts without their keys, for the desk gives those; each part once."""
    if each.declared.shape is not Shape.ITEMS:
        return held
    parts: dict[Any, dict[str, Any]] = {}
    for part in held:
        present = ((inner, _present(part, inner)) for inner in each.fields.values())
        said = {inner.name: _given(inner, value) for inner, value in present if value is not None}
        parts.setdefault(said.get(each.declared.identity), said)
    return list(parts.values())


def _present(part: Any, inner: FieldSpec) -> Any:
    value = getattr(part, inner.name)
    return None if value == () else value
