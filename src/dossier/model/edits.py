"""How a change says more than "this is the value": withdraw, add, remove, change inside a part. Floor: model."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs


class Unset(enum.Enum):
    """The type of `UNSET`."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET
"""Given as a field's value: withdraw what is claimed there."""


@attrs.frozen(repr=False)
class Edit:
    """Members to add to and remove from a set or a list of parts, and changes inside parts by part key."""

    add: tuple[Any, ...] = ()
    remove: tuple[Any, ...] = ()
    change: Mapping[str, Any] = attrs.field(factory=dict)

    def __repr__(self) -> str:
        return f"Edit(add={len(self.add)}, remove={len(self.remove)}, change={len(self.change)})"


def edit(
    *,
    add: Iterable[Any] = (),
    remove: Iterable[Any] = (),
    change: Mapping[str, Mapping[str, Any]] | None = None,
) -> Edit:
    """An `Edit` for `change(section, field=edit(...))`.

    `add` and `remove` take members as the field takes them (a part to remove may be a part of a view);
    `change` maps a part's key to new values of its fields: `edit(change={"k1": {"title": "经理"}})`.
    A bare text is one member, not a sequence of characters.
    """
    return Edit(_members(add), _members(remove), dict(change or {}))


def _members(given: Iterable[Any]) -> tuple[Any, ...]:
    return (given,) if isinstance(given, (str, bytes, Mapping)) else tuple(given)
