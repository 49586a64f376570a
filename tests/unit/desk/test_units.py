"""Units of work, requests within them, opening again, and what stays when something fails in between."""

from __future__ import annotations

from pathlib import Path

import pytest

import dossier as ds
from dossier.repository import Batch, Key, Put
from dossier.testing.desk_place import DeskPlace

E = ds.errors


def desk_of(archive: ds.Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def test_a_unit_is_one_batch_or_nothing(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        before = archive.digest()

        def cut_short() -> None:
            with desk.unit(because="试") as unit:
                file = unit.register("甲", kind="organization")
                unit.update(file, ds.change("basic", industry="tea"))
                raise KeyError

        with pytest.raises(KeyError):
            cut_short()
        assert archive.digest() == before
        with desk.unit(because="录入") as unit:
            one, two = unit.register("甲", kind="organization"), unit.register("乙", kind="organization")
            with pytest.raises(E.InputError):
                unit.update(one, ds.change("basic", industry=5))
            with pytest.raises(E.InputError):
                unit.merges.merge(one, one)
            entered = unit.enter(one, ds.record("order", at="2026-01-01", amount=5), request_id="k")
            assert unit.enter(one, ds.record("order", at="2026-01-01", amount=5), request_id="k") == entered
            unit.update(two, ds.change("preferences", taboos=["花生"]), because="客人说")
            unit.merges.merge(one, two)
            unit.relations.add(one, unit.register("丙", kind="person"), kind="knows")
            unit.collect(one, ds.change("basic", scope="批发"))
        view = desk.consult(two.number)
        assert view.number == one.number and view.preferences.taboos == ("花生",)
        assert view.transaction_status.times == 1 and view.basic.scope == "批发"  # type: ignore[union-attr]
        assert [act.because for act in desk.history(one) if act.verb == "update"] == ["客人说"]
        assert {act.because for act in desk.history(one) if act.verb == "register"} == {"录入"}
        assert desk.count() == 2
        desk.ledger.verify()


def test_a_unit_that_lost_a_race_is_made_anew(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization")
        with desk.unit() as unit:
            unit.update(file, ds.change("basic", scope="批发"))
            unit.enter(file, ds.record("visit", at="2026-01-01"))
            desk_of(other).update(file.id, ds.change("basic", industry="tea"))
        view = desk.consult(file)
        assert (view.basic.scope, view.revision) == ("批发", 3)  # type: ignore[union-attr]
        assert len(view.records()) == 1


def test_facts_marked_stale_are_computed_by_whoever_reads(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization")
        desk.enter(file, ds.record("order", at="2026-01-01", amount=5))
        archive.kept = lambda stale: None  # type: ignore[method-assign]
        desk.enter(file, ds.record("order", at="2026-01-02", amount=7))
    with place.open(mode="r", reads=None) as archive:
        (row,) = archive.repository.get_many([Key("facts", file.id)])
        assert row is not None and row.body == b"{}"
        assert desk_of(archive).consult(file.number).transaction_status.total == ds.Money(12)
    with place.open() as archive:
        archive.reindex()
        assert desk_of(archive).count(ds.field("transaction_status/total") == ds.Money(12)) == 1


def test_linked_files_answer_writes_as_they_read(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        one = desk.register("甲", ds.change("basic", industry="tea"), kind="organization")
        two = desk.register("乙", ds.change("basic", scope="批发"), kind="organization", channel="document")
        merged = desk.merges.merge(one, two, request_id="m")
        assert desk.merges.merge(one, two, request_id="m").token == merged.token
        seen = desk.consult(one)
        assert seen.token == merged.token and seen.number == one.number
        answered = desk.update(two.number, ds.change("basic", industry="toys"), channel="agency", request_id="u")
        assert answered.token == desk.consult(one.number).token
        assert desk.update(
                two.number, ds.change("basic", industry="toys"), channel="agency", request_id="u"
            ).token == answered.token
        with pytest.raises(E.ConflictError):
            desk.update(seen, ds.change("basic", industry="x"))
        desk.update(seen, ds.change("basic", scope="零售"))
        desk.enter(two.number, ds.record("order", at="2026-01-01", amount=5))
        assert desk.consult(one.number).transaction_status.total == ds.Money(5)
        names = [(act.verb, act.number) for act in desk.history(one.number, known=1)]
        assert names == [("register", one.number)]
        assert desk.history(two.number, known=1).view.basic.name == "乙"
        with pytest.raises(E.InputError):
            desk.merges.merge(two, one)


def test_a_batch_that_is_not_answered_begins_a_lane(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = desk_of(archive)
        file = desk.register("甲", kind="organization").id
        commit = archive.repository.commit

        def unanswered(batch: Batch, *, durable: bool = True) -> object:
            commit(batch, durable=durable)
            if any(isinstance(op, Put) and op.collection == "acts" for op in batch.ops):
                archive.repository.commit = commit  # type: ignore[method-assign]
                raise E.OutcomeUnknown()
            return None

        archive.repository.commit = unanswered  # type: ignore[method-assign,assignment]
        with pytest.raises(E.OutcomeUnknown):
            desk.update(file, ds.change("basic", scope="批发"), request_id="r")
        assert desk.update(file, ds.change("basic", scope="批发"), request_id="r").revision == 2
        assert desk.update(file, ds.change("basic", industry="tea")).revision == 3
        desk.ledger.verify()


def test_one_person_is_enrolled_once(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        assert archive.acting_as("小李", role="sales").actor.id == other.acting_as("小李", role="sales").actor.id
        assert [actor.name for actor in archive.staff.all()] == ["小李"]


def test_the_same_acts_on_another_backend(tmp_path: Path) -> None:
    digests = []
    for backend in ("memory", "sqlite"):
        place = DeskPlace.fresh(backend, tmp_path).seeded(3)  # type: ignore[arg-type]
        with place.create() as archive:
            desk = desk_of(archive)
            one = desk.register("甲", ds.change("basic", phones=["1", "2"]), kind="organization")
            two = desk.register("乙", ds.change("preferences", taboos=["花生"]), kind="organization", channel="form")
            place.clock.forward(days=1)
            desk.update(one, ds.change("characteristics", sales={"2025": 5}), channel="agency")
            desk.merges.merge(one.id, two.id)
            desk.update(two.number, ds.change("basic", phones=ds.edit(add=["3"])))
            digests.append((archive.digest(), desk.consult(one.id).token, desk.card(one.id)))
    assert digests[0] == digests[1]


def test_lanes_of_closed_sessions_are_folded(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        file = desk_of(archive).register("甲", kind="organization").number
    for _ in range(3):
        with place.open() as archive:
            desk_of(archive).consult(file)
    with place.open() as archive:
        lanes = {row.id.partition("/")[0] for row in archive.repository.scan("events", bodies=False)}
        assert sum(lane.startswith("r") for lane in lanes) == 3
        desk_of(archive).ledger.verify()
