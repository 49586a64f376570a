"""M118-M127, M75, M109-M112, M134: each row of the requirements through the public desk, under the standard policy."""

from __future__ import annotations

from pathlib import Path

import pytest

import dossier as ds
from dossier.policy import Facts, Outcome, single_user
from dossier.policy.never import SALES
from dossier.testing.desk_place import DeskPlace

APPROVED = Facts(requester="r", approver="m", approver_kinds=frozenset({"manager"}))


@pytest.fixture(params=["memory", "sqlite", "mongodb"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> DeskPlace:
    if request.param == "mongodb":
        return DeskPlace(request.getfixturevalue("mongodb").url(f"rows{abs(hash(request.node.nodeid)) % 10**9}"))
    return DeskPlace.fresh(request.param, tmp_path)


def paths(
    archive: ds.Archive, verb: str, kind: str, *, purpose: str = "", facts: Facts, medium: str = "copy"
) -> set[str]:
    decision = archive.judge.decide(frozenset({kind}), verb, purpose=purpose, medium=medium, facts=facts)
    return set(archive.judge.layout.reached(archive.judge.layout.flat(decision.masks)))


@pytest.mark.row("M118")
def test_M118_who_may_query(place: DeskPlace) -> None:
    with place.create() as archive:
        file = archive.acting_as("陈静", role="manager").register("甲公司", kind="organization")
        for role in ("manager", "account_manager", "service", "custodian", "officer"):
            desk = archive.acting_as("王芳", role=role)
            assert desk.consult(file.number).basic.name == "甲公司" and len(desk.find(name="甲").rows) == 1
        for role in ("sales", "outsider"):
            desk = archive.acting_as("张强", role=role)
            for call in (lambda d=desk: d.consult(file.number), lambda d=desk: d.find(name="甲"), desk.count):
                with pytest.raises(ds.errors.DeniedError):
                    call()
        assert [e.outcome for e in archive.recorder.events() if e.outcome != "allowed"].count("forbidden") == 3


@pytest.mark.row("M75")
def test_M75_everybody_collects(place: DeskPlace) -> None:
    with place.create() as archive:
        file = archive.acting_as("陈静", role="manager").register("甲公司", kind="organization")
        archive.acting_as("张强", role="sales").collect(file.number, ds.change("basic", phones=["18612345678"]))
        assert archive.acting_as("陈静", role="manager").consult(file.number).basic.phones
        with pytest.raises(ds.errors.DeniedError):
            archive.acting_as("外人", role="outsider").collect(file.number, ds.change("basic", phones=["1"]))


@pytest.mark.row("M119")
def test_M119_who_consults_may_borrow_a_copy(place: DeskPlace) -> None:
    with place.create() as archive:
        for kind in ("manager", "account_manager", "service", "custodian", "officer"):
            assert paths(archive, "borrow", kind, facts=Facts()) == paths(archive, "consult", kind, facts=Facts())
        for kind in ("sales", "outsider"):
            assert not paths(archive, "borrow", kind, purpose="serve", facts=Facts())


@pytest.mark.row("M122")
def test_M122_a_release_needs_a_manager_who_did_not_ask(place: DeskPlace) -> None:
    with place.create() as archive:
        for kind, granted in (("manager", True), ("account_manager", True), ("officer", False), ("service", False)):
            facts = Facts(requester="r", approver="m", approver_kinds=frozenset({kind}))
            assert bool(paths(archive, "release", "sales", facts=facts)) is granted
        for facts in (Facts(), Facts(requester="m", approver="m", approver_kinds=frozenset({"manager"}))):
            assert not paths(archive, "release", "sales", facts=facts)
    with DeskPlace.fresh("memory", Path()).create(policy=single_user()) as alone:
        assert not paths(alone, "release", "sales", facts=APPROVED)
        assert paths(alone, "release", "sales", facts=Facts(waited=True))


@pytest.mark.parametrize("kind", ["account_manager", "custodian", "manager", "officer", "outsider"])
@pytest.mark.row("M123")
def test_M123_a_release_is_for_receivers_named_by_a_rule(place: DeskPlace, kind: str) -> None:
    with place.create() as archive:
        facts = Facts(requester="r", approver="m", approver_kinds=frozenset({"manager"}), recall=True, consent=True)
        assert not paths(archive, "release", kind, purpose="serve", facts=facts)
        assert {profile.recipient for profile in archive.policy.profiles} == {"sales", "service"}


@pytest.mark.row("M124")
def test_M124_sales_are_given_three_fields(place: DeskPlace) -> None:
    three = {"basic/name", "basic/title", "basic/key_persons[*]/name", "basic/key_persons[*]/title"}
    with place.create() as archive:
        assert paths(archive, "release", "sales", facts=APPROVED) == three
        assert paths(archive, "release", "sales", purpose="serve", facts=Facts(recall=True)) == set()
        tagged = {
            f"{s.key}/{leaf.pattern}" for s in archive.registry.specs() for leaf in s.leaves if SALES in leaf.flags
        }
        assert tagged == three
        household = archive.registry.spec("basic", "group")
        decision = archive.judge.decide(frozenset({"sales"}), "release", facts=APPROVED)
        assert not decision.mask(household), "three fields of organizations and persons"


@pytest.mark.row("M125")
def test_M125_service_gets_everything_to_be_called_back(place: DeskPlace) -> None:
    with place.create() as archive:
        recalled = Facts(requester="r", approver="m", approver_kinds=frozenset({"manager"}), recall=True)
        every = {f"{spec.key}/{leaf.pattern}" for spec in archive.registry.specs() for leaf in spec.leaves}
        assert paths(archive, "release", "service", purpose="serve", facts=recalled) == every
        without = paths(archive, "release", "service", facts=recalled)
        assert "preferences/taboos" not in without and "basic/phones[*]/number" in without
        assert "basic/phones[*]/number" not in paths(archive, "release", "service", facts=APPROVED)
        (profile,) = [each for each in archive.policy.profiles if each.recipient == "service"]
        assert profile.recall_within > 0


@pytest.mark.parametrize("verb", ["borrow", "release", "export"])
@pytest.mark.row("M126")
def test_M126_originals_are_consulted_only(place: DeskPlace, verb: str) -> None:
    with place.create(exceptions=["M124"]) as archive:
        facts = Facts(requester="r", approver="m", approver_kinds=frozenset({"manager"}), recall=True, consent=True)
        for kind in ("manager", "custodian", "service", "sales"):
            decision = archive.judge.decide(frozenset({kind}), verb, medium="original", purpose="manage", facts=facts)
            assert decision.outcome is not Outcome.ALLOWED and not any(decision.masks.values())
        assert paths(archive, "consult", "manager", medium="original", facts=facts)


@pytest.mark.row("M127")
def test_M127_nothing_to_third_parties_without_consent(place: DeskPlace, tmp_path: Path) -> None:
    toml = tmp_path / "partners.toml"
    toml.write_text(
        '[[rules]]\nid = "partners"\neffect = "permit"\nkinds = ["outsider"]\nverbs = ["release"]\n'
        'fields = {tier = "CARD"}\n[[profiles]]\nid = "partners"\nrecipient = "outsider"\nrecall_within = 10\n',
        "utf-8",
    )
    with place.create(policy=toml) as archive:
        agreed = {"requester": "r", "approver": "m", "approver_kinds": frozenset({"manager"}), "recall": True}
        assert not paths(archive, "release", "outsider", facts=Facts(**agreed))  # type: ignore[arg-type]
        assert paths(archive, "release", "outsider", facts=Facts(consent=True, **agreed))  # type: ignore[arg-type]


@pytest.mark.row("M124")
def test_M124_exception_is_declared_and_recorded(place: DeskPlace) -> None:
    with place.create(exceptions=["M124"]) as archive:
        assert archive.manifest.exceptions == ("M124",)
        # Without the forbid it is still an allow-list: the standard policy has no rule for it.
        assert archive.judge.decide(frozenset({"sales"}), "consult").outcome is Outcome.NOT_PERMITTED
    with pytest.raises(ds.errors.InputError) as caught:
        place.create(exceptions=["M126"])
    assert [each.code for each in caught.value.problems] == ["archive.exceptions"]


@pytest.mark.row("M109")
@pytest.mark.row("M112")
def test_M109_M112_custody_is_handed_over_without_a_gap(place: DeskPlace) -> None:
    with place.create() as archive:
        archive.staff.enrol("王芳", roles=["account_manager"])
        keeper = archive.acting_as("陈静", role="custodian", purpose="manage")
        file = keeper.register("甲公司", ds.change("preferences", taboos=["花生"]), kind="organization")
        assert keeper.custody.of(file).custodian == ""
        keeper.custody.hand_over(file, to="陈静", team="一组", because="立档")
        assert (keeper.custody.of(file).custodian, keeper.custody.of(file).team) == ("陈静", "一组")
        keeper.custody.hand_over(file, to="王芳", because="交接", request_id="x")
        keeper.custody.hand_over(file, to="王芳", because="交接", request_id="x")
        assert (keeper.custody.of(file).custodian, keeper.custody.of(file).team) == ("王芳", "一组")
        moved = [act.moved for act in keeper.history(file) if act.verb == "hand_over"]
        assert len(moved) == 2 and all(any(each.startswith("custodian=") for each in said) for said in moved)
        with pytest.raises(ds.errors.DeniedError):
            archive.acting_as("李强", role="service").custody.hand_over(file, to="李强")
        with pytest.raises(ds.errors.InputError):
            keeper.custody.hand_over(file, to="没有此人")
        assert archive.verify().sound
