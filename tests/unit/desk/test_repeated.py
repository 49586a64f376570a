"""A request carried out before: the same answer, looked at and put on record each time it is given out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dossier as ds
from dossier.desk.views import behind
from dossier.ledger import Event
from dossier.testing.desk_place import DeskPlace


def requests(desk: ds.Desk, other: ds.Desk) -> dict[str, Callable[[], object]]:
    """Every verb that takes a request id, under one."""
    one, two = (desk.register(name, kind="organization") for name in "甲乙")
    desk.enter(one, ds.record("order", at="2026-01-01", amount=5))
    (order,) = desk.consult(one).records("order")
    tie = desk.relations.add(one, two, kind="knows")
    other.update(one, ds.change("basic", scope="零售"), channel="form")
    statement = desk.claims.of(one, "basic/name")[0]
    said = ds.change("basic", industry="茶叶")
    return {
        "register": lambda: desk.register("丙", kind="person", request_id="r"),
        "update": lambda: desk.update(one.number, said, request_id="u"),
        "collect": lambda: desk.collect(one.number, said, request_id="c"),
        "enter": lambda: desk.enter(one.number, ds.record("visit", at="2026-01-02"), request_id="e"),
        "follow_up": lambda: desk.follow_up(order, note="到货", request_id="f"),
        "verify": lambda: desk.claims.verify(statement, request_id="v"),
        "relate": lambda: desk.relations.add(one, two, kind="friend", request_id="t"),
        "end": lambda: desk.relations.end(tie, until="2030-01-01", request_id="n"),
        "hand_over": lambda: desk.custody.hand_over(one.number, to="陈静", request_id="h"),
        "merge": lambda: desk.merges.merge(one, two, request_id="m"),
    }


def events(archive: ds.Archive) -> list[Event]:
    return sorted(archive.recorder.events(), key=lambda event: (event.lane, event.seq))


def test_what_is_answered_again_is_on_record(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="custodian", purpose="manage")
        calls = requests(desk, archive.acting_as("王芳", role="manager", purpose="manage"))
        for name, call in calls.items():
            first, before, digest = call(), events(archive), archive.digest()
            again = call()
            assert (repr(again), archive.digest()) == (repr(first), digest), name
            (event,) = [event for event in events(archive) if event not in before]
            verb = "relate" if name == "end" else name
            assert (event.verb, event.outcome, event.actor, event.act) == (verb, "allowed", desk.actor.pseudonym, "")
            if isinstance(again, ds.DossierView):
                seen = behind(again)
                assert tuple(event.subjects) == (desk._reading.subject(seen.decision, seen.head),)
            else:
                assert bool(event.subjects) is (name != "collect"), name
        assert archive.verify().problems == ()


def test_within_a_unit_as_well(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        with desk.unit() as unit:
            view = unit.register("甲", kind="person", request_id="r")
            for _ in range(2):
                assert unit.register("甲", kind="person", request_id="r").number == view.number
            entered = unit.enter(view, ds.record("visit", at="2026-01-02"), request_id="e")
            assert unit.enter(view, ds.record("visit", at="2026-01-02"), request_id="e") == entered
        read = [event for event in events(archive) if event.lane.startswith("r")]
        assert [event.verb for event in read] == ["open", "register", "register", "enter"]
        assert {subject[0] for event in read for subject in event.subjects} == {behind(view).head.pseudonym}


def test_the_dismissed_are_refused_their_old_answers(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        desk = archive.acting_as("陈静", role="custodian", purpose="manage")
        calls = requests(desk, archive.acting_as("王芳", role="manager", purpose="manage"))
        for call in calls.values():
            call()
        other.staff.dismiss("陈静", role="custodian")
        for name, call in calls.items():
            before = events(archive)
            with pytest.raises(ds.errors.DeniedError):
                call()
            told = [(e.verb, e.outcome, tuple(e.subjects)) for e in events(archive) if e not in before]
            assert told == [("relate" if name == "end" else name, "refused", ())], name
