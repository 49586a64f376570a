"""The stored form of what was handed in and no file took: as it was given, so that nothing of it is lost (M75).

Floor: desk.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from dossier.codec.hooks import present
from dossier.desk.changes import Change, Draft, Told
from dossier.model.absence import Absence
from dossier.model.edits import Edit


def pack(item: Change | Draft) -> dict[str, Any]:
    """A change or draft as JSON."""
    if isinstance(item, Draft):
        return {"record": item.kind, "values": _packed(item.values)}
    values = item.values if item.typed is None else present(item.typed)
    section = item.section if isinstance(item.section, str) else _key(item.section)
    packed: dict[str, Any] = {"section": section, "values": _packed(values)}
    if item.told is not None:
        packed["told"] = _plain(item.told)
    return packed


def unpack(said: dict[str, Any]) -> Change | Draft:
    """The change or draft again."""
    values = {name: _value(value) for name, value in said["values"]}
    if "record" in said:
        return Draft(said["record"], values)
    return Change(said["section"], values, told=cast(Told, said["told"]) if "told" in said else None)


def _key(section: type) -> str:
    mark = getattr(section, "__dossier_section__", None)
    return str(getattr(mark, "key", section.__name__))


def _packed(values: Any) -> list[Any]:
    # Pairs, because a field that somebody misspelt is no canonical key.
    return [[str(name), _shape(value)] for name, value in values.items()]


def _shape(value: Any) -> dict[str, Any]:
    if isinstance(value, Absence):
        return {"absent": value.value}
    if isinstance(value, Edit):
        change = [[key, _packed(part)] for key, part in value.change.items()]
        return {"add": _plain(value.add), "change": change}
    return {"value": _plain(value)}


def _value(shape: dict[str, Any]) -> Any:
    if "absent" in shape:
        return Absence(shape["absent"])
    if "add" in shape:
        change = {key: {name: _value(each) for name, each in part} for key, part in shape["change"]}
        return Edit(add=tuple(shape["add"]), change=change)
    return shape["value"]


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=str)
