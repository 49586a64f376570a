"""What was given out stays what it was: no view and no history shows later what was recorded after the call."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dossier as ds
from dossier.testing.desk_place import DeskPlace


def people(archive: ds.Archive) -> tuple[ds.Desk, ds.Desk]:
    return (
        archive.acting_as("陈静", role="manager", purpose="manage"),
        archive.acting_as("王芳", role="manager", purpose="manage"),
    )


def shown(history: ds.History) -> list[object]:
    return [said.value for act in history for said in act.said]


HISTORIES: dict[str, Callable[[ds.Desk, str], ds.History]] = {
    "now": lambda desk, file: desk.history(file),
    "on a day": lambda desk, file: desk.history(file, on="2026-03-02"),
    "known in years to come": lambda desk, file: desk.history(file, known="2030-01-01"),
    "known and on a day": lambda desk, file: desk.history(file, known="2030-01-01", on="2026-03-02"),
    "known at a revision": lambda desk, file: desk.history(file, known=1),
}


@pytest.mark.parametrize("merged", ["alone", "before", "after"])
@pytest.mark.parametrize("asked", HISTORIES)
def test_a_history_ends_with_the_call(place: DeskPlace, asked: str, merged: str) -> None:
    with place.create() as archive:
        desk, other = people(archive)
        file, absorbed = (desk.register(name, kind="person") for name in ("单雄信", "雄信"))
        if merged == "before":
            desk.merges.merge(file, absorbed)
        held, looked = (HISTORIES[asked](desk, file.number) for _ in range(2))
        said, religion, acts = shown(looked), looked.view.preferences.religion, [act.id for act in looked]
        place.clock.forward(hours=1)
        other.update(file.number, ds.change("preferences", religion="佛"))
        other.update(absorbed.number, ds.change("preferences", religion="道"), channel="form")
        if merged == "after":
            desk.merges.merge(file, absorbed)
        before = len(list(archive.recorder.events()))
        assert held.view.preferences.religion == religion and religion is None
        assert shown(held) == said and [act.id for act in held] == acts
        assert len(list(archive.recorder.events())) == before


def test_computed_facts_are_those_of_the_call(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    with place.create() as archive:
        desk, other = people(archive)
        file, one, two = (desk.register(name, kind="organization") for name in "甲乙丙")
        merged = desk.merges.merge(one, two)
        desk.enter(file, ds.record("order", at="2026-01-01", amount=1))
        desk.enter(two, ds.record("order", at="2026-01-01", amount=1))
        stale = desk.register("丁", kind="organization")
        with monkeypatch.context() as patched:
            patched.setattr(type(archive), "kept", lambda archive, stale: None)
            desk.enter(stale, ds.record("order", at="2026-01-01", amount=1))
        held = {
            "written": desk.update(file.number, ds.change("basic", industry="茶叶"), request_id="u"),
            "answered again": desk.update(file.number, ds.change("basic", industry="茶叶"), request_id="u"),
            "consulted": desk.consult(file),
            "found": desk.find(name="甲").rows[0],
            "of a history": desk.history(file).view,
            "linked": desk.consult(one),
            "written to a linked file": desk.update(two.number, ds.change("basic", industry="茶叶")),
            "stale": desk.consult(stale),
            "written to a stale file": desk.update(stale.number, ds.change("basic", industry="茶叶")),
        }
        for each in (file, two, stale):
            other.enter(each, ds.record("order", at="2026-02-01", amount=777))
        for name, view in held.items():
            assert view.transaction_status.total == ds.Money(1), name
        assert merged.transaction_status.total is None
        assert desk.consult(one).transaction_status.total == ds.Money(778)
