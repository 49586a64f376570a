"""Views, records and acts as JSON: what may not be read stands as `{"withheld": true}`, whether or not there is a
value. Floor: cli.
"""

from __future__ import annotations

from typing import Any

import attrs

from dossier.desk.exports_columns import plain as exported
from dossier.desk.history import Act
from dossier.desk.origins import Origin
from dossier.desk.records import RecordView
from dossier.desk.views import DossierView
from dossier.model.absence import Absence
from dossier.model.withheld import Masked, Withheld


def head(view: DossierView) -> dict[str, Any]:
    """What a list shows of a dossier."""
    return {
        "id": view.id,
        "number": view.number,
        "kind": view.kind,
        "standing": view.standing,
        "stage": view.stage,
        "revision": view.revision,
        "name": plain(view.basic.name),
        "total": plain(view.transaction_status.total),
    }


def whole(view: DossierView) -> dict[str, Any]:
    """A dossier with every section, competing claims and open questions, as its caller may see it."""
    return {
        "id": view.id,
        "number": view.number,
        "kind": view.kind,
        "standing": view.standing,
        "stage": view.stage,
        "revision": view.revision,
        "token": view.token,
        "sections": {key: _fields(view.section(key)) for key in view.sections()},
        "rivals": [
            {"path": rival.path, "value": plain(rival.value), "origin": _origin(rival.origin)}
            for rival in view.rivals()
        ],
        "questions": [{"new": each.new, "known": each.known} for each in view.questions()],
    }


def record(found: RecordView) -> dict[str, Any]:
    """A record with all its fields."""
    return {
        "id": found.id,
        "kind": found.kind,
        "state": found.state,
        "opened": found.opened,
        "entries": found.entries,
        "content": plain(found.content),
    }


def act(found: Act) -> dict[str, Any]:
    """An act and what of it may be read."""
    return {
        "id": found.id,
        "at": found.at,
        "by": found.by,
        "verb": found.verb,
        "because": plain(found.because),
        "revision": found.revision,
        "number": found.number,
        "said": [
            {"path": each.path, "value": plain(each.value), "channel": each.channel, "told_by": each.told_by}
            for each in found.said
        ],
        "withdrew": list(found.withdrew),
        "marked": list(found.marked),
        "moved": list(found.moved),
    }


def plain(value: Any) -> Any:
    """A value of a view as JSON, as an export writes it; with marks for what is withheld, masked or absent."""
    if value is None or type(value) in (str, int, bool):
        return value
    if isinstance(value, Absence):
        return {"absent": value.value}
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, Withheld | Masked) or type(value).__module__.startswith("dossier.model.values."):
        return exported(value)
    return _fields(value)


def _fields(holder: Any) -> dict[str, Any]:
    return {each.name: plain(getattr(holder, each.name)) for each in attrs.fields(type(holder))}


def _origin(origin: Origin) -> dict[str, Any]:
    return {each.name: plain(getattr(origin, each.name)) for each in attrs.fields(type(origin))}


__all__ = ["act", "head", "plain", "record", "whole"]
