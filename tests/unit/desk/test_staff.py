"""Staff: a role ends with the commit that records it, for every handle, desk and call; strangers may read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import dossier as ds
from dossier.desk.archive import Archive
from dossier.desk.reading import Reading
from dossier.errors import DeniedError, InputError, ReadOnlyError
from dossier.testing.desk_place import DeskPlace


def manager(archive: Archive) -> ds.Desk:
    return archive.acting_as("陈静", role="manager", purpose="manage")


def calls(desk: ds.Desk, number: str, row: Any) -> dict[str, Callable[[], object]]:
    """Every kind of call."""
    return {
        "consult": lambda: desk.consult(number),
        "consult nobody": lambda: desk.consult("KH-1999-00001"),
        "find": lambda: desk.find(name="甲"),
        "find nothing": lambda: desk.find(name="无此人"),
        "count": desk.count,
        "history": lambda: desk.history(number),
        "card": lambda: desk.card(number),
        "brief": lambda: desk.brief(number),
        "entries": lambda: desk.entries(row),
        "claims": lambda: desk.claims.of(number, "basic/name"),
        "relations": lambda: desk.relations.of(number),
        "verify": desk.ledger.verify,
        "tail": desk.ledger.tail,
        "register": lambda: desk.register("乙", kind="organization"),
        "update": lambda: desk.update(number, ds.change("basic", scope="x")),
        "enter": lambda: desk.enter(number, ds.record("visit", at="2026-01-01")),
        "follow_up": lambda: desk.follow_up(row, note="x"),
        "collect": lambda: desk.collect(number, ds.change("basic", scope="x")),
    }


@pytest.mark.parametrize("elsewhere", [True, False])
@pytest.mark.parametrize("staff", ["open", "enrolled"])
def test_a_dismissed_actor_stops_at_once(place: DeskPlace, staff: str, elsewhere: bool) -> None:
    with place.create(staff=staff) as archive, place.open() as other:
        archive.staff.enrol("陈静", roles=["manager", "custodian"])
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        desk.enter(file, ds.record("order", at="2026-01-01", amount=5))
        (row,) = desk.consult(file).records("order")
        for name, call in calls(desk, file.number, row).items():
            if name != "consult nobody":
                call()
        (other if elsewhere else archive).staff.dismiss("陈静", role="manager")
        before = archive.digest()
        for name, call in calls(desk, file.number, row).items():
            events = len(list(archive.recorder.events()))
            with pytest.raises(DeniedError):
                call()
            assert len(list(archive.recorder.events())) == events + 1, name
        for each in (archive, other):
            with pytest.raises(DeniedError):
                manager(each)
        assert archive.digest() == before
        assert archive.acting_as("陈静", role="custodian").actor.id == desk.actor.id
        archive.staff.enrol("陈静", roles=["manager"])
        desk.consult(file)
        manager(other).ledger.verify()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_a_batch_that_was_being_made_does_not_get_past_a_dismissal(place: DeskPlace, elsewhere: bool) -> None:
    with place.create() as archive, place.open() as other:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        before: list[str] = []

        def change() -> None:
            with desk.unit() as unit:
                unit.update(file, ds.change("basic", scope="x"))
                (other if elsewhere else archive).staff.dismiss("陈静", role="manager")
                before.append(archive.digest())

        with pytest.raises(DeniedError):
            change()
        assert [archive.digest()] == before
        other.acting_as("张强", role="manager").ledger.verify()


def test_a_write_looks_at_its_actor_once_a_version_of_the_manifest(
    place: DeskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    look = Reading._look

    def counted(self: Reading, row: Any, decision: Any, called: str) -> None:
        looks.append(called)
        look(self, row, decision, called)

    monkeypatch.setattr(Reading, "_look", counted)
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        desk.update(file.number, ds.change("basic", scope="x"))
        assert looks == ["register"]
        archive.staff.enrol("张强", roles=["sales"])
        archive.staff.dismiss("张强", role="sales")
        desk.update(file.number, ds.change("basic", scope="y"))
        assert looks == ["register", "update"], "a dismissal, whoever it was of, makes every writer look again"


def test_further_roles_and_other_people_stop_nobody(place: DeskPlace) -> None:
    with place.create() as archive, place.open() as other:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        other.staff.enrol("陈静", roles=["service"])
        other.staff.enrol("张强", roles=["service"])
        other.staff.dismiss("张强", role="service")
        other.staff.dismiss("陈静", role="service")
        desk.update(desk.consult(file), ds.change("basic", scope="x"))
        assert archive.staff.dismiss("陈静", role="sales").roles == ("manager",), "nothing to end"
        assert archive.staff.enrol("陈静", roles=["manager"]).roles == ("manager",), "nothing to add"


def test_a_stranger_reads_a_read_only_archive_on_record(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    with place.create() as archive:
        file = manager(archive).register("甲", kind="organization")
        archive.staff.enrol("张强", roles=["service", "sales"])
        archive.staff.dismiss("张强", role="service")
    pseudonyms = []
    for _ in range(2):
        with place.open(mode="r", reads=str(tmp_path / "reads")) as archive:
            stranger = archive.acting_as("新人", role="service", purpose="serve")
            stranger.consult(file.number)
            last = [event for event in archive.recorder.events() if event.verb == "consult"][-1]
            assert last.actor == stranger.actor.pseudonym
            pseudonyms.append(last.actor)
            assert archive.acting_as("陈静", role="service", purpose="serve").actor.pseudonym == (
                manager(archive).actor.pseudonym
            )
            with pytest.raises(DeniedError):
                archive.acting_as("张强", role="service")
            with pytest.raises(ReadOnlyError):
                archive.staff.enrol("新人", roles=["service"])
            with pytest.raises(ReadOnlyError):
                archive.staff.dismiss("陈静", role="manager")
    assert pseudonyms[0] == pseudonyms[1] != ""
    with place.open() as archive:
        assert sorted(actor.name for actor in archive.staff.all()) == ["张强", "陈静"]
    closed = DeskPlace.fresh("sqlite", tmp_path)
    with closed.create(staff="enrolled"):
        pass
    with closed.open(mode="r") as archive, pytest.raises(DeniedError):
        manager(archive)


@pytest.mark.parametrize("roles", [None, "service", 5, ["nobody"], [["service"]], [None]])
def test_roles_that_are_none(place: DeskPlace, roles: Any) -> None:
    with place.create() as archive:
        with pytest.raises(InputError) as caught:
            archive.staff.enrol("x", roles=roles)
        assert [p.code for p in caught.value.problems] == ["staff.role"]
        for role in (roles, ["service"], {"service": 1}):
            if role != "service":
                for call in (archive.acting_as, archive.staff.dismiss):
                    with pytest.raises(InputError):
                        call("x", role=role)
        assert archive.staff.all() == []


def test_a_copy_has_the_same_people_under_secrets_of_its_own(place: DeskPlace, tmp_path: Path) -> None:
    with place.create() as archive:
        desk = manager(archive)
        file = desk.register("甲", kind="organization")
        archive.staff.enrol("张强", roles=["service"])
        archive.staff.dismiss("张强", role="service")
        archive.copy(f"{tmp_path}/copy.db")
        with ds.open(f"{tmp_path}/copy.db") as copied:
            assert copied.manifest.secret != archive.manifest.secret
            assert manager(copied).actor == desk.actor
            with pytest.raises(DeniedError):
                copied.acting_as("张强", role="service")
            for each in (archive, copied):
                for secret in (each.manifest.secret, each.manifest.staff_secret):
                    for shown in (each.manifest, each, each.staff, manager(each), manager(each).consult(file.number)):
                        assert secret not in repr(shown)
                        assert secret not in str(shown)
