"""What the strategies draw: right check digits, enough of everything that is hard, small examples of what fails."""

from __future__ import annotations

from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

import dossier as ds
from dossier.model.fields import many, one, section
from dossier.model.values import Short
from dossier.testing.people import credit_check, id_check, office_check
from dossier.testing.strategies import (
    Actor,
    Linked,
    Story,
    actors,
    changes,
    credit_codes,
    dossiers,
    features,
    histories,
    id_numbers,
    linked_dossiers,
    pack,
    phones,
    play,
    tell,
)

DRAWING = settings(phases=[Phase.generate], deadline=None, database=None, suppress_health_check=list(HealthCheck))
SHRINKING = settings(
    phases=[Phase.generate, Phase.shrink],
    max_examples=2_000,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
HARD = ("rare character", "two claims on a field", "absent against null", "opaque section", "link")


def test_check_digits_are_those_of_the_standards() -> None:
    assert id_check("11010519491231002") == "X"
    assert credit_check("91152201078377449") == "P"
    assert office_check("07837744") == "9"


@settings(DRAWING, max_examples=100)
@given(right=id_numbers(), wrong=id_numbers(valid=False), code=credit_codes(), bad=credit_codes(valid=False))
def test_valid_means_valid(right: str, wrong: str, code: str, bad: str) -> None:
    def valid(number: str) -> bool:
        if len(number) != 18 or not number[:17].isdigit() or number[10:12] > "12" or number[12:14] > "31":
            return False
        return id_check(number[:17]) == number[17]

    assert valid(right)
    assert not valid(wrong)
    assert len(code) == 18
    assert credit_check(code[:17]) == code[17]
    assert len(bad) == 17 or "I" in bad or credit_check(bad[:17]) != bad[17]


def test_everything_hard_is_in_one_of_twenty_examples() -> None:
    seen: Counter[str] = Counter()

    @settings(DRAWING, max_examples=300)
    @given(linked_dossiers(pack(ds.registry())))
    def draw(linked: Linked) -> None:
        seen["examples"] += 1
        seen.update(features(linked))

    draw()
    assert all(seen[each] * 20 >= seen["examples"] for each in HARD), seen


@settings(DRAWING, max_examples=25)
@given(linked_dossiers(pack(ds.registry())))
def test_dossiers_can_be_told_and_what_nobody_knows_is_kept(linked: Linked) -> None:
    place = f"memory:strategies{id(linked)}"
    with ds.create(place, zone="Asia/Shanghai", sections=pack(ds.registry())) as archive:
        numbers = tell(archive.acting_as("陈静", role="manager", purpose="manage"), linked)
        held = archive.digest()
    with ds.open(place) as archive:
        desk = archive.acting_as("陈静", role="manager", purpose="manage")
        assert [desk.consult(number).kind for number in numbers] == [story.kind for story in linked.stories]
        assert desk.count() == len(numbers) - len(linked.links)
        assert archive.digest() == held


@settings(DRAWING, max_examples=25)
@given(calls=histories())
def test_histories_are_played_and_only_refused_for_a_reason(calls: Any) -> None:
    with ds.create("memory:", zone="Asia/Shanghai") as archive:
        outcomes = play(archive, calls)
        assert outcomes[0] == "done"
        assert set(outcomes) <= {"done", "policy.denied", "policy.field", "input.invalid", "dossier.missing"}, outcomes
        archive.acting_as("陈静", role="manager", purpose="manage").ledger.verify()


def test_a_section_of_an_application_is_drawn_by_itself() -> None:
    @section("salon:hair", kind="person", zh="发质", en="hair")
    @attrs.frozen(kw_only=True)
    class Hair:
        colour: Short | None = one("发色", "colour", row="M20")
        styles: tuple[Short, ...] = many("发型", "styles", row="M20")

    known = ds.registry()
    known.register(Hair)
    found = find(changes("person", known), lambda one: one.section == "salon:hair", settings=SHRINKING)
    assert set(found.values) <= {"colour", "styles"}


@pytest.mark.parametrize("hard", ["two claims on a field", "opaque section", "absent against null"])
def test_what_fails_shrinks_to_little(hard: str) -> None:
    def fails(story: Story) -> bool:
        return hard in features(Linked((story,)))

    story = find(dossiers(pack(ds.registry())), fails, settings=SHRINKING)
    assert len(story.acts) <= 3
    assert sum(len(each.values) for act in story.acts for each in act.changes) <= 4
    assert not story.records


def test_what_is_merged_shrinks_to_two_files() -> None:
    linked = find(linked_dossiers(), lambda one: bool(one.links), settings=SHRINKING)
    assert linked.links == ((0, 1),)
    assert [len(story.acts) for story in linked.stories] == [1, 1]


@settings(DRAWING, max_examples=50)
@given(written=phones(two=False), actor=actors())
def test_phones_are_taken_as_they_are_written(written: str, actor: Actor) -> None:
    assert ds.Phone.parse(written).given == written
    assert actor.name
