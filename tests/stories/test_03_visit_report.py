"""Story 3, the daily visit report: the visit, what was learned, the next appointment are one act, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

import dossier as ds
from dossier.testing.crash import Say, can_fork, run_until
from dossier.testing.desk_place import DeskPlace


def report() -> tuple[object, ...]:
    return (
        ds.record("visit_report", at="2026-03-02", by="张强", met=["李敏"], text="谈了夏季订货"),
        ds.change("basic", key_persons=[{"name": "李敏", "title": "经理", "roles": ["manager"]}], industry="食品"),
        ds.change("characteristics", direction="向社区店发展"),
        ds.change("transaction_status", issues=["到货太晚"]),
        ds.record("reminder", at="2026-03-02", due="2026-03-16", by="张强", text="再访"),
    )


def holdings(archive: ds.Archive, number: str) -> tuple[int, int, int]:
    desk = archive.acting_as("陈静", role="account_manager", purpose="manage")
    view = desk.consult(number)
    persons = view.basic.key_persons
    assert isinstance(persons, tuple)
    return len(view.records()), len(persons), len(list(desk.history(number)))


@pytest.mark.row("M62")
@pytest.mark.row("M115")
def test_the_report_is_one_act(place: DeskPlace) -> None:
    with place.create() as archive:
        manager = archive.acting_as("陈静", role="account_manager", purpose="manage")
        dealer = manager.register("鑫隆商贸", kind="organization")
        salesman = archive.acting_as("张强", role="sales")
        place.clock.forward(hours=2)
        entered = salesman.enter(dealer.number, *report(), channel="visit", because="日报")
        assert len(entered.records) == 2

        view = manager.consult(dealer)
        assert {row.kind for row in view.records()} == {"visit_report", "reminder"}
        (reminder,) = view.records("reminder")
        assert reminder.state == "open" and str(reminder.content.due) == str(ds.PartialDate(2026, 3, 16))
        (person,) = view.basic.key_persons
        assert person.name.text() == "李敏" and person.title == "经理"
        assert view.characteristics.direction == "向社区店发展"
        assert [issue.text for issue in view.transaction_status.issues] == ["到货太晚"]

        _, visited = manager.history(dealer)
        assert visited.id == entered.act and visited.verb == "enter" and visited.by == "张强"
        assert {said.channel for said in visited.said} == {"visit"}
        assert {entry.verb for row in view.records() for entry in manager.entries(row)} == {"enter"}

        place.clock.forward(days=20)
        form = manager.update(
            dealer.number, ds.change("basic", key_persons=[{"name": "李敏", "title": "总经理"}]), channel="form"
        )
        (question,) = form.questions()
        assert [one.title for one in form.basic.key_persons] == ["经理"], "no second person while nobody answered"
        assert question.known == f"basic/key_persons[{person.key}]"
        with pytest.raises(ds.errors.QuestionOpenError):
            manager.update(
                dealer.number,
                ds.change("basic", key_persons=ds.edit(change={_key(question.new): {"title": "董事"}})),
            )

        settled = manager.claims.settle(dealer.number, question.new, same=True, because="同一人")
        (one,) = settled.basic.key_persons
        assert one.key == person.key and one.title == "经理", "a visit stands before a form"
        assert [rival.value for rival in settled.rivals(f"basic/key_persons[{one.key}]/title")] == ["总经理"]
        assert settled.questions() == ()


def test_another_person_of_the_same_name(place: DeskPlace) -> None:
    with place.create() as archive:
        manager = archive.acting_as("陈静", role="account_manager", purpose="manage")
        dealer = manager.register("鑫隆商贸", ds.change("basic", key_persons=["李敏"]), kind="organization")
        asked = manager.update(dealer, ds.change("basic", key_persons=["李敏"]), channel="form")
        (question,) = asked.questions()
        both = manager.claims.settle(dealer.number, question.new, same=False)
        assert len(both.basic.key_persons) == 2 and both.questions() == ()


@pytest.mark.skipif(not can_fork(), reason="this system cannot fork")
@pytest.mark.law("K4")
def test_a_power_cut_leaves_all_or_none(tmp_path: Path) -> None:
    numbers = iter(range(1000))

    def begin() -> tuple[DeskPlace, str]:
        place = DeskPlace.fresh("sqlite", tmp_path / str(next(numbers)))
        Path(place.url).parent.mkdir()
        with place.create() as archive:
            desk = archive.acting_as("陈静", role="account_manager", purpose="manage")
            archive.acting_as("张强", role="sales")
            return place, desk.register("鑫隆商贸", kind="organization").number

    def visit(place: DeskPlace, number: str) -> object:
        def scenario(say: Say, on_step: object) -> None:
            with place.open(options={"on_step": on_step}) as archive:
                salesman = archive.acting_as("张强", role="sales")
                say("begin")
                salesman.enter(number, *report(), channel="visit", request_id="日报-1")
                say("entered")

        return scenario

    whole = run_until(visit(*begin()), 0)  # type: ignore[arg-type]
    assert whole.lines == ["begin", "entered"]
    outcomes = set()
    for step in whole.points():
        place, number = begin()
        death = run_until(visit(place, number), step)  # type: ignore[arg-type]
        with place.open() as archive:
            found = holdings(archive, number)
            assert found in ((0, 0, 1), (2, 1, 2)), f"killed at {death.steps[-1]}: {found}"
            assert found == (2, 1, 2) or "entered" not in death.lines
            outcomes.add(found)
            # The salesman hands it in once more: it takes effect once.
            archive.acting_as("张强", role="sales").enter(number, *report(), channel="visit", request_id="日报-1")
            assert holdings(archive, number) == (2, 1, 2)
            archive.acting_as("陈静", role="account_manager", purpose="manage").ledger.verify()
    assert outcomes == {(0, 0, 1), (2, 1, 2)}


def _key(path: str) -> str:
    return path.partition("[")[2].partition("]")[0]
