"""Changes that were read at the door, waiting to be applied; and what can be told from a change without reading it.

Floor: desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import attrs
import msgspec

from dossier.codec import Parsed
from dossier.codec.shelf import Dumped
from dossier.desk.acting import Acting
from dossier.desk.changes import Change, Draft, Told
from dossier.errors import InputError
from dossier.model.claims import Source
from dossier.model.edits import Edit, Unset
from dossier.model.fields import SectionSpec
from dossier.model.problems import problem
from dossier.repository import decode


@attrs.frozen
class Prepared:
    """A change that was read at the door: `dumped` for a whole checked section, else `parsed`; and how it was told."""

    spec: SectionSpec
    told: Told
    parsed: Parsed | None
    dumped: Dumped | None

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it names, as section/field."""
        parsed = self.parsed
        if parsed is None:
            return tuple(f"{self.spec.key}/{name}" for name in (decode(self.dumped.raw) if self.dumped else ()))
        names = (*parsed.values, *parsed.unset, *parsed.edits, *parsed.absent)
        return tuple(f"{self.spec.key}/{name}" for name in names)


def plain(value: object) -> bytes:
    """What was said, as bytes that are equal where it is: changes, drafts, typed and plain values."""
    return msgspec.json.encode(value, order="sorted", enc_hook=_named_type)


def _named_type(value: object) -> object:
    return value.__qualname__ if isinstance(value, type) else repr(value)


def apply(acting: Acting, prepared: Sequence[Prepared]) -> None:
    """Apply changes to an act in the order they were given."""
    sources: dict[int, Source] = {}
    for item in prepared:
        source = sources.get(id(item.told))
        if source is None:
            source = sources[id(item.told)] = acting.source(item.told)
        if item.dumped is not None:
            acting.typed(item.spec, item.dumped, source)
        elif item.parsed is not None:
            acting.change(item.spec, item.parsed, source)


def withdraws(item: Change | Draft) -> bool:
    """Whether a change takes something away, which needs the right to edit."""
    return isinstance(item, Change) and any(_takes(value) for value in item.values.values())


def _takes(value: object) -> bool:
    if isinstance(value, Unset):
        return True
    if not isinstance(value, Edit):
        return False
    inner = (part for part in value.change.values() if isinstance(part, Mapping))
    return bool(value.remove) or any(_takes(each) for part in inner for each in part.values())


def spec_of(registry: Any, cls: type, kind: str) -> SectionSpec:
    """The registered section of a class, for a kind of party. InputError where it is none."""
    mark = getattr(cls, "__dossier_section__", None)
    spec = registry.find(mark.key, kind) if mark is not None else None
    if spec is None or spec.cls is not cls:
        raise InputError([problem("change.class", "change")])
    return cast(SectionSpec, spec)
