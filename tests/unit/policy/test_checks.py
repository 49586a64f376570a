"""What is wrong with a policy is told before it is in force; who gains what by a change, and why something is so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

import dossier as ds
from dossier.policy import (
    BreakGlass,
    Facts,
    Fields,
    Judge,
    Outcome,
    Policy,
    ReleaseProfile,
    Rule,
    When,
    dumps,
    load,
    loads,
    single_user,
    standard,
    template,
)
from dossier.policy.checks import check, idle
from dossier.policy.looking import Case, cover, diff, explain, table
from dossier.policy.shipped import TEMPLATES
from dossier.testing.desk_place import DeskPlace

SPECS = ds.registry().specs()
MANAGER = frozenset({"manager"})


def rule(**said: Any) -> Rule:
    return Rule(**{"id": "new", "effect": "permit", "kinds": MANAGER, "verbs": frozenset({"analyse"}), **said})


def wrong(*rules: Rule, **more: Any) -> list[tuple[str, str]]:
    policy = attrs.evolve(standard(), rules=standard().rules | set(rules), **more)
    return [(problem.path, problem.code) for problem in check(policy, SPECS, roles={"总台": "service"})]


@pytest.mark.parametrize("policy", [standard(), single_user(), *map(template, TEMPLATES)])
def test_what_is_shipped_is_sound_and_reads_back(policy: Policy) -> None:
    assert check(policy, SPECS) == []
    assert loads(dumps(policy)) == policy and loads(dumps(policy)).digest == policy.digest


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"verbs": frozenset({"analyze"})}, "policy.word"),
        ({"kinds": frozenset({"boss"})}, "policy.word"),
        ({"roles": frozenset({"总抬"})}, "policy.word"),
        ({"media": frozenset({"paper"})}, "policy.word"),
        ({"purposes": frozenset({"fun"})}, "policy.word"),
        ({"effect": "allow"}, "policy.word"),
        ({"kinds": frozenset()}, "policy.nobody"),
        ({"purposes": frozenset()}, "policy.nothing"),
        ({"media": frozenset()}, "policy.nothing"),
        ({"fields": Fields(paths=frozenset({"basic/nam"}))}, "policy.field"),
        ({"fields": Fields(flags=frozenset({"safty"}))}, "policy.flag"),
        ({"when": [When("is_custodiam")]}, "policy.atom"),
        ({"when": [When("grade_at_most", ("3",))]}, "policy.args"),
        ({"when": [When("within_hours", ("8:00", "18:00"))]}, "policy.args"),
        ({"when": [When("within_hours", ("08:00", "25:00"))]}, "policy.args"),
        ({"when": [When("within_hours", ("08:00", "10:00")), When("within_hours", ("10:00", "12:00"))]},
         "policy.contradiction"),
        ({"verbs": frozenset({"release"}), "kinds": frozenset({"officer"})}, "policy.profile"),
        ({"kinds": frozenset({"sales"})}, "policy.idle"),
        ({"effect": "forbid", "kinds": frozenset({"sales"}), "verbs": frozenset({"consult"})}, "policy.idle"),
        ({"verbs": frozenset({"consult"}), "fields": Fields(paths=frozenset({"basic/name"}))}, "policy.idle"),
        ({"verbs": frozenset({"approve"}), "when": [When("approved")]}, "policy.idle"),
        ({"id": "never-M126"}, "policy.twice"),
    ],
)  # fmt: skip
def test_each_fault_has_its_own_problem(said: dict[str, Any], code: str) -> None:
    found = wrong(rule(**said))
    assert code in [each for _, each in found], found
    assert all(said.get("id", "new") in path for path, _ in found)


def test_a_forbid_counts_where_somebody_has_two_roles() -> None:
    # Officers may not edit anyway; one who is a manager too loses it by this rule.
    two = rule(effect="forbid", kinds=frozenset({"officer"}), verbs=frozenset({"edit"}))
    assert wrong(two) == []
    widened = diff(attrs.evolve(standard(), rules=standard().rules | {two}), standard(), SPECS)
    assert {cell.who for cell in widened} == {"account_manager + officer", "custodian + officer", "manager + officer",
                                              "officer + service"}  # fmt: skip


@pytest.mark.parametrize(
    ("profile", "code"),
    [
        (ReleaseProfile(id="p", recipient="nobody", recall_within=9), "policy.word"),
        (ReleaseProfile(id="p", recipient="service"), "policy.recall"),
        (ReleaseProfile(id="p", recipient="总台", approver=frozenset({"officer"}), recall_within=9), "policy.approver"),
        (ReleaseProfile(id="p", recipient="总台", approver=frozenset(), recall_within=9), "policy.approver"),
        (ReleaseProfile(id="p", recipient="总台", approver=frozenset({"boss"}), recall_within=9), "policy.word"),
    ],
)
def test_profiles(profile: ReleaseProfile, code: str) -> None:
    assert code in [each for _, each in wrong(profiles=standard().profiles | {profile})]


def test_break_glass_and_waiting() -> None:
    assert wrong(break_glass=BreakGlass(minutes=10)) == [("break_glass", "policy.glass")]
    assert wrong(break_glass=BreakGlass(kinds=MANAGER, minutes=0)) == [("break_glass", "policy.glass")]
    assert wrong(waiting_hours=-1) == [("waiting_hours", "policy.waiting")]


def test_every_problem_of_a_file_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'waiting = 1\n[[rules]]\nid = "a"\neffect = "permitt"\nkinds = ["manager"]\nverbs = ["consult"]\n'
        'fields = {tier = "SECRET", path = ["x"]}\nwhen = ["is_custodian", 3]\n[[rules]]\nkinds = "sales"\n',
        "utf-8",
    )
    with pytest.raises(ds.errors.InputError) as caught:
        load(file)
    assert sorted((each.path, each.code) for each in caught.value.problems) == [
        ("mine.toml", "policy.key"), ("mine.toml/rules/0/effect", "policy.word"),
        ("mine.toml/rules/0/fields", "policy.key"), ("mine.toml/rules/0/fields/tier", "policy.word"),
        ("mine.toml/rules/0/when/1", "policy.type"), ("mine.toml/rules/1", "policy.required"),
        ("mine.toml/rules/1", "policy.required"), ("mine.toml/rules/1", "policy.required"),
        ("mine.toml/rules/1/kinds", "policy.type"),
    ]  # fmt: skip
    assert "the nearest is permit" in str(caught.value) and "the nearest is paths" in str(caught.value)
    file.write_text("[[rules]\n", "utf-8")
    with pytest.raises(ds.errors.InputError, match="line 1"):
        load(file)
    with pytest.raises(ds.errors.InputError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_an_archive_takes_no_policy_that_is_wrong(tmp_path: Path) -> None:
    place = DeskPlace.fresh("sqlite", tmp_path)
    bad = attrs.evolve(standard(), rules=standard().rules | {rule(kinds=frozenset({"boss"}))})
    with pytest.raises(ds.errors.InputError):
        place.create(policy=bad)
    with place.create(policy=template("bank")) as archive:
        manager = archive.acting_as("陈静", role="manager")
        with pytest.raises(ds.errors.InputError):
            manager.policies.propose(bad, because="错")
        assert archive.policy == template("bank")
    with place.open() as archive:
        assert archive.policy == template("bank")
    with pytest.raises(ds.errors.InputError, match="nearest is hotel"):
        template("hotl")


def test_diff_names_every_widened_cell() -> None:
    name = Fields(paths=frozenset({"basic/name"}))
    new = rule(kinds=frozenset({"service"}), verbs=frozenset({"export"}), fields=name, when=[When("is_custodian")],
               purposes=frozenset({"serve"}))  # fmt: skip
    wider = attrs.evolve(standard(), rules=standard().rules | {new})
    cells = diff(standard(), wider, SPECS)
    assert [(c.who, c.verb, c.purposes, c.holds, c.paths) for c in cells if c.medium == "copy"] == [
        ("service", "export", ("serve",), ("is_custodian",), ("basic/name",))
    ]
    assert not [cell for cell in cells if cell.medium == "original"], "never-M126"
    assert diff(wider, standard(), SPECS) == [] == diff(standard(), standard(), SPECS)
    glass = attrs.evolve(standard(), break_glass=BreakGlass(kinds=MANAGER, minutes=5))
    assert diff(standard(), glass, SPECS) == [], "managers see it all anyway"
    cells = diff(standard(), template("hotel"), SPECS)
    assert {(cell.who, cell.verb, cell.holds) for cell in cells} == {("service", "consult", ("break-glass",))}


def test_table_cover_and_idle() -> None:
    cells = table(standard(), SPECS)
    assert not [cell for cell in cells if cell.who == "outsider"]
    (sales,) = [cell for cell in cells if (cell.who, cell.verb, cell.medium) == ("sales", "release", "copy")]
    assert set(sales.paths) == {"basic/name", "basic/title", "basic/key_persons[*]/name", "basic/key_persons[*]/title"}
    assert idle(standard(), SPECS) == ()
    cases = [Case(kinds=MANAGER, verb="consult"), Case(kinds=MANAGER, verb="consult", purpose="audit")]
    left = cover(standard(), cases, SPECS)
    assert "M118-consult" not in left and "M118-special" not in left and "M139-export" in left


def test_explain_names_rules_and_what_is_missing() -> None:
    judge = Judge(template("property"), SPECS)
    case = Case(kinds=frozenset({"service"}), verb="consult", purpose="serve", facts=Facts(teams=frozenset({"A"})))
    name, born, taboos, religion = explain(
        judge, case, "basic/name", "basic/born", "preferences/taboos", "preferences/religion"
    )
    assert (name.outcome, name.permits) == (Outcome.ALLOWED, ("everybody-internal",))
    assert (born.outcome, born.missing) == (Outcome.NOT_PERMITTED, ("in_team",))
    assert taboos.permits == ("M125-safety",) and religion.missing == ()
    assert "in_team" in born.text("en") and "尚缺" in born.text("zh")
    (forbidden,) = explain(judge, attrs.evolve(case, purpose=""), "preferences/taboos")
    assert forbidden.outcome is Outcome.FORBIDDEN and forbidden.forbids == ("never-N18",)
    decision = judge.decide(frozenset({"account_manager"}), "edit", facts=Facts(actor="a"))
    assert decision.missing == ("is_custodian",) and decision.outcome is Outcome.NOT_PERMITTED
