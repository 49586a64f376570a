"""Whole dossiers, alone and linked, with what makes them hard; whole histories of desk calls, and how they are played.

Floor: testing. What is drawn is plain data with a readable repr, so that an example that fails can be read and pasted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import attrs
from hypothesis import strategies as st

from dossier.codec.registry import SectionRegistry
from dossier.desk.archive import Archive
from dossier.desk.archive import registry as whole_registry
from dossier.desk.changes import Draft, change
from dossier.desk.desk import Desk
from dossier.errors import DossierError
from dossier.model.absence import Absence
from dossier.model.edits import UNSET
from dossier.model.fields import SectionSpec, Shape, many, one, section
from dossier.model.values import Short
from dossier.testing.people import RARE, organization_names, person_names
from dossier.testing.strategies.told import (
    CHANNELS,
    Act,
    Actor,
    actors,
    acts,
    changes,
    conditions,
    records,
    specs_of,
    value_of,
)

Kind = Literal["person", "organization", "group"]
PACK = "elsewhere:stay"


@section(PACK, zh="他处", en="elsewhere")
@attrs.frozen(kw_only=True)
class Elsewhere:
    """A section that an archive opened without `pack()` does not know: it is kept as it is, and shown to nobody."""

    room: Short | None = one("房", "room", row="M20")
    wishes: tuple[Short, ...] = many("愿望", "wishes", row="M20")


@attrs.frozen
class Story:
    """One dossier: its kind, the acts that make it, the first of which registers it, and its records."""

    kind: Kind
    acts: tuple[Act, ...]
    records: tuple[Draft, ...] = ()


@attrs.frozen
class Linked:
    """Several dossiers of one kind, and which are merged into which, by their places."""

    stories: tuple[Story, ...]
    links: tuple[tuple[int, int], ...] = ()


@attrs.frozen
class Call:
    """One call at a desk: who calls which verb, on the how-manieth file that is there (counted round), with what."""

    actor: Actor
    verb: str
    file: int = 0
    given: Any = None


def pack(registry: SectionRegistry | None = None) -> SectionRegistry:
    """A registry that knows `Elsewhere` too: create with it, open without it, and there is an opaque section."""
    made = registry or whole_registry()
    made.register(Elsewhere)
    return made


@st.composite
def dossiers(draw: st.DrawFn, registry: SectionRegistry | None = None, *, kind: Kind | None = None) -> Story:
    """A dossier of one to five acts and up to two records. Every other one has a field that two channels tell
    differently."""
    known = registry or whole_registry()
    kinds: tuple[Kind, ...] = ("organization", "organization", "person", "group")
    of: Kind = draw(st.sampled_from(kinds)) if kind is None else kind
    names = person_names() if of == "person" else organization_names()
    told = [Act((change("basic", name=draw(names)),), {"channel": draw(st.sampled_from(CHANNELS))})]
    told += draw(st.lists(acts(of, known), max_size=2))
    if draw(st.booleans()):
        told += draw(_contradiction(of, known))
    return Story(of, tuple(told), tuple(draw(st.lists(records(known), max_size=2))))


@st.composite
def _contradiction(draw: st.DrawFn, kind: Kind, registry: SectionRegistry) -> list[Act]:
    """One field, told by two channels, differently where there is more than one thing to say."""
    pairs = [
        (spec, each)
        for spec in specs_of(registry, kind)
        for each in spec.fields.values()
        if each.declared.shape is Shape.ONE
    ]
    spec, each = draw(st.sampled_from(pairs))
    channels = draw(st.permutations(CHANNELS))[:2]
    values = draw(st.lists(value_of(each, kind), min_size=2, max_size=2))
    return [
        Act((change(spec.key, **{each.name: value}),), {"channel": channel})
        for channel, value in zip(channels, values, strict=True)
    ]


@st.composite
def linked_dossiers(draw: st.DrawFn, registry: SectionRegistry | None = None) -> Linked:
    """One to three dossiers of one kind; where there are several, most are merged, into each other too."""
    kind: Kind = draw(st.sampled_from(["organization", "person"]))
    stories = draw(st.lists(dossiers(registry, kind=kind), min_size=1, max_size=3))
    links = []
    for absorbed in range(1, len(stories)):
        if draw(st.integers(0, 3)):
            links.append((draw(st.integers(0, absorbed - 1)), absorbed))
    # The last first: what was merged into another is no survivor any more.
    return Linked(tuple(stories), tuple(reversed(links)))


def features(linked: Linked) -> set[str]:
    """What an example has in it, of: rare character, two claims on a field, absent against null, opaque section,
    link."""
    found = {"link"} if linked.links else set()
    fields: dict[str, set[Any]] = {}
    for number, story in enumerate(linked.stories):
        for act in story.acts:
            for one_change in act.changes:
                found |= {"opaque section"} if one_change.section == PACK else set()
                for name, value in one_change.values.items():
                    path = f"{number}/{one_change.section}/{name}"
                    fields.setdefault(path, set()).add((act.told.get("channel"), repr(value)))
                    found |= {"absent"} if isinstance(value, Absence) else {"told"}
                    found |= {"rare character"} if any(each in repr(value) for each in RARE) else set()
    if any(len({channel for channel, _ in said}) > 1 for said in fields.values()):
        found.add("two claims on a field")
    # A field that is said to have nothing, beside all those of which nothing was said.
    return (found - {"absent", "told"}) | ({"absent against null"} if "absent" in found else set())


def tell(desk: Desk, linked: Linked) -> list[str]:
    """Tell a desk of dossiers and links; the numbers, in the order of the stories."""
    numbers = []
    for story in linked.stories:
        first, *others = story.acts
        view = desk.register(None, *first.changes, kind=story.kind, **first.told)
        for act in others:
            desk.update(view.id, *act.changes, **act.told)
        if story.records:
            desk.enter(view.id, *story.records)
        numbers.append(view.number)
    for survivor, absorbed in linked.links:
        desk.merges.merge(numbers[survivor], numbers[absorbed])
    return numbers


_MANAGER = Actor("陈静", "manager", "manage")
_GIVEN: dict[str, Callable[[SectionRegistry], st.SearchStrategy[Any]]] = {
    "register": lambda registry: acts("organization", registry),
    "update": lambda registry: acts("organization", registry),
    "withdraw": lambda registry: st.sampled_from(_ones(registry)),
    "collect": lambda registry: changes("organization", registry),
    "enter": lambda registry: records(registry),
    "consult": lambda registry: st.none(),
    "history": lambda registry: st.none(),
    "card": lambda registry: st.none(),
    "find": lambda registry: conditions(),
    "count": lambda registry: conditions(),
    "merge": lambda registry: st.integers(0, 3),
    "unmerge": lambda registry: st.integers(0, 3),
}


@st.composite
def histories(
    draw: st.DrawFn, registry: SectionRegistry | None = None, *, most: int = 12, refused: bool = True
) -> tuple[Call, ...]:
    """Up to `most` calls at desks, the first of which registers a file. With `refused` every fourth is made by
    anybody, who may not be allowed to."""
    known = registry or whole_registry()
    calls = [Call(_MANAGER, "register", given=draw(acts("organization", known)))]
    for _ in range(draw(st.integers(0, most - 1))):
        verb = draw(st.sampled_from(sorted(_GIVEN)))
        anybody = refused and not draw(st.integers(0, 3))
        who = draw(actors()) if anybody else _MANAGER
        calls.append(Call(who, verb, draw(st.integers(0, 3)), draw(_GIVEN[verb](known))))
    return tuple(calls)


def play(archive: Archive, calls: Sequence[Call]) -> list[str]:
    """Make the calls; what became of each: `done`, or the code of the error that the library gave. Any other error
    comes through."""
    outcomes, numbers = [], list[str]()
    for call in calls:
        try:
            desk = archive.acting_as(call.actor.name, role=call.actor.role, purpose=call.actor.purpose)
            _made(desk, call, numbers)
            outcomes.append("done")
        except DossierError as error:
            outcomes.append(error.code)
    return outcomes


def _made(desk: Desk, call: Call, numbers: list[str]) -> None:
    if call.verb == "register":
        numbers.append(desk.register(None, *call.given.changes, kind="organization", **call.given.told).number)
        return
    place, there = call.file, len(numbers) or 1
    file = numbers[place % there] if numbers else "KH-1999-00001"
    match call.verb:
        case "update":
            desk.update(file, *call.given.changes, **call.given.told)
        case "withdraw":
            name, path = call.given
            desk.update(file, change(name, **{path: UNSET}))
        case "find":
            desk.find(where=call.given)
        case "count":
            desk.count(call.given)
        case "merge" | "unmerge":
            # Another file than the first, where there is one.
            other = (place + 1 + call.given % max(there - 1, 1)) % there
            getattr(desk.merges, call.verb)(file, numbers[other] if numbers else file)
        case "collect" | "enter":
            getattr(desk, call.verb)(file, call.given)
        case verb:
            getattr(desk, verb)(file)


def _ones(registry: SectionRegistry) -> list[tuple[str, str]]:
    found: list[SectionSpec] = specs_of(registry, "organization")
    return [(spec.key, each.name) for spec in found for each in spec.fields.values() if _settable(each.declared.shape)]


def _settable(shape: Shape) -> bool:
    return shape is not Shape.COMPUTED
