"""K3 at the desk: no value of a dossier in an error, a log record or a repr.

Floor: testing.
"""

# ruff: noqa: N802
from __future__ import annotations

import logging
import traceback
from collections.abc import Callable

from dossier.desk.changes import change, record
from dossier.desk.finding import field
from dossier.errors import DossierError
from dossier.model.edits import UNSET, edit
from dossier.testing.desk_place import DeskPlaces
from dossier.testing.place import fail, holds

MARKER = "Zx7Qm2Vw9Kp4"
"""Planted in every personal field."""
_PIECE = 8
"""So many characters of the marker together are a leak, in either case."""


def leaks(text: str) -> bool:
    """Whether a piece of the marker is in a text, however it is written."""
    folded, marker = text.casefold(), MARKER.casefold()
    return any(marker[n : n + _PIECE] in folded for n in range(len(marker) - _PIECE + 1))


class _Kept(logging.Handler):
    def __init__(self) -> None:
        super().__init__(level=0)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record) + repr(record.__dict__))


def everything(error: BaseException) -> str:
    """All that can be had from an error and what it reaches."""
    found = ["".join(traceback.format_exception(error))]
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in seen:
            continue
        seen.append(one)
        found += [str(one), repr(one), repr(one.args), repr(getattr(one, "__notes__", "")), repr(vars(one))]
        found += [repr(problem) + str(problem) for problem in getattr(one, "problems", ())]
        waiting += [one.__cause__, one.__context__]
    return "\n".join(found)


def check_K3_desk(places: DeskPlaces) -> None:
    """A planted marker stays out of every error, every log record and every repr of what the desk gives."""
    kept = _Kept()
    # Of every library that is used, not only of this one.
    loggers = [logging.getLogger(), logging.getLogger("dossier")]
    levels = [logger.level for logger in loggers]
    loggers[0].addHandler(kept)
    for logger in loggers:
        logger.setLevel(1)
    try:
        _check(places)
    finally:
        loggers[0].removeHandler(kept)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
    holds("no log record holds the marker", not any(map(leaks, kept.lines)))


def _check(places: DeskPlaces) -> None:
    m = MARKER
    place = places()
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        sales = archive.acting_as("张强", role="sales")
        person = desk.register(
            None,
            change("basic", name=m, phones=[m], addresses=[m], id_number=m, background=m),
            change("preferences", taboos=[m], interests=[m], religion=m, body=m),
            kind="person", told_by=m, evidence=[m], because=m,
        )  # fmt: skip
        firm = desk.register("甲", change("basic", key_persons=[{"name": m, "family": m}]), kind="organization")
        desk.update(firm.id, change("basic", key_persons=[{"name": m}]), channel="form")
        desk.update(person.id, change("preferences", taboos=edit(remove=[m])), because=m)
        desk.update(person.id, change("preferences", taboos=[m], religion=m + "2"), channel="form", told_by=m)
        view = desk.consult(person.id)
        entered = desk.enter(person.id, record("visit", at="2026-01-01", text=m, by=m))
        (row,) = view.records()
        desk.follow_up(row, note=m)
        desk.relations.add(person.id, firm.id, kind="friend", note=m)
        statements = desk.claims.of(person.id, "preferences/taboos")
        statements += desk.claims.of(person.id, "basic/name")
        desk.claims.verify(statements[0], because=m)
        shown: list[object] = [
            archive, desk, view, firm, entered, row, *desk.history(person.id), desk.history(person.id),
            desk.find(name=m), *view.rivals(), *statements, *view.questions(), *desk.consult(firm).questions(),
            view.basic, view.preferences, desk.consult(firm).basic, view.origin("basic/name"), desk.brief(person.id),
            desk.relations.of(person.id), view.records(), desk.entries(row), archive.staff.all(), desk.ledger.tail(),
            change("basic", name=m), record("visit", text=m), field("basic/name") == m, edit(add=[m]),
            sales.collect(person.id, change("preferences", taboos=[m])), desk.ledger.verify(), archive.manifest.id,
        ]  # fmt: skip
        for one in shown:
            text = repr(one)
            holds(f"the marker is in the repr of {type(one).__name__}", not leaks(text))
        deep = "\0" + m
        calls: list[Callable[[], object]] = [
            lambda: desk.register(m + "\0", kind="person"),
            lambda: desk.register("甲", change("basic", born=m), kind="person"),
            lambda: desk.register("甲", change("basic", **{m: 1}), kind="person"),
            lambda: desk.register("甲", change(m, name=m), kind="person"),
            lambda: desk.register("甲", kind=m),
            lambda: desk.register("甲", kind="person", channel=deep),
            lambda: desk.register("甲", kind="person", **{m: m}),
            lambda: desk.register("甲", kind="person", valid_from=m),
            lambda: desk.register("甲", kind="person", request_id=deep),
            lambda: desk.update(person, change("preferences", taboos=[m]), change("preferences", taboos=[m])),
            lambda: desk.update(person, change("preferences", taboos=[m])),
            lambda: desk.update(person.id, change("preferences", taboos=[m]), change("preferences", taboos=UNSET)),
            lambda: desk.update(firm.id, change("basic", key_persons=edit(change={m: {"title": m}}))),
            lambda: desk.update(firm.id, change("basic", name=[m])),
            lambda: desk.update(m, change("basic", name=m)),
            lambda: desk.enter(person.id, record(m, text=m)),
            lambda: desk.enter(person.id, record("order", amount=m, at=m)),
            lambda: desk.follow_up(row, state=m),
            lambda: desk.follow_up(row, due=m),
            lambda: desk.follow_up(m),  # type: ignore[arg-type]
            lambda: desk.consult(m),
            lambda: desk.history(person.id, known=m),
            lambda: desk.history(person.id, on=m),
            lambda: desk.find(where=field(m) == m),
            lambda: desk.find(where=field("basic/name") < 5),
            lambda: desk.find(order=m),
            lambda: desk.find(name=m, after=m),
            lambda: view.origin(m),
            lambda: view.origin(f"preferences/{m}{{{m}}}"),
            lambda: view.section(m),
            lambda: view.readable(f"basic/phones[{m}]/{m}"),
            lambda: desk.claims.of(person.id, f"basic/{m}"),
            lambda: desk.claims.of(person.id, m),
            lambda: desk.claims.settle(person.id, f"basic/key_persons[{m}]", same=True),
            lambda: desk.claims.settle(firm.id, f"basic/phones[{m}]", same=True),
            lambda: desk.claims.settle(firm.id, m, same=True),
            lambda: desk.merges.merge(person, firm),
            lambda: desk.relations.add(person, firm, kind=deep),
            lambda: desk.relations.add(person, firm, kind="x", since=m),
            lambda: sales.consult(m),
            lambda: sales.find(name=m),
            lambda: archive.acting_as(m, role=m),
            lambda: archive.acting_as("甲", role="sales", purpose=m),
            lambda: archive.staff.dismiss(m, role=m),
            lambda: sales.update(view, change("preferences", taboos=[m], religion=m)),
        ]  # fmt: skip
        for number, call in enumerate(calls):
            raised: BaseException | None = None
            try:
                call()
            except DossierError as error:
                raised = error
            except Exception as error:
                fail(f"call {number} failed with {type(error).__name__}: no typed error")
            if raised is None:
                fail(f"call {number} was not refused")
            holds(f"the marker is in the {type(raised).__name__} of call {number}", not leaks(everything(raised)))

