"""The rules that an archive has without being told: who may do what, by kind of role (M118, M124, M126, M130)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import dossier as ds
from dossier.policy import KINDS, VERBS, Judge, Outcome, standard
from dossier.testing.desk_place import DeskPlace

CONSULT = {"custodian", "account_manager", "service", "manager", "officer"}
EDIT = {"custodian", "account_manager", "service", "manager"}
COLLECT = set(KINDS) - {"outsider"}
EXPORT = CONSULT - {"service"}
KEEP = {"custodian", "manager"}
TABLE = {
    "consult": CONSULT, "explain": CONSULT, "edit": EDIT, "collect": COLLECT, "export": EXPORT, "borrow": CONSULT,
    "release": {"sales", "service"}, "approve": {"account_manager", "manager"}, "custody": KEEP, "destroy": KEEP,
    "archive_off": KEEP, "analyse": set(),
}  # fmt: skip


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(standard(), ds.registry().specs())


@pytest.mark.row("M118")
@pytest.mark.row("M130")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", KINDS)
def test_table(judge: Judge, kind: str, verb: str) -> None:
    allowed = judge.decide(frozenset({kind}), verb).allowed
    assert allowed is (kind in TABLE[verb])


@pytest.mark.row("M124")
def test_sales_are_forbidden_not_merely_not_permitted(judge: Judge) -> None:
    decision = judge.decide(frozenset({"sales"}), "consult")
    assert decision.outcome is Outcome.FORBIDDEN and not any(decision.masks.values())
    assert not judge.decide(frozenset({"sales", "manager"}), "consult", purpose="manage").allowed, "a forbid wins"


@pytest.mark.row("M126")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("verb", ["borrow", "release", "export"])
def test_originals_are_only_consulted(judge: Judge, kind: str, verb: str) -> None:
    decision = judge.decide(frozenset({kind}), verb, medium="original", purpose="manage")
    assert decision.outcome is Outcome.FORBIDDEN


@pytest.mark.row("M130")
def test_special_fields_need_a_purpose(judge: Judge) -> None:
    spec = ds.registry().spec("preferences")
    taboos, religion = spec.mask("taboos"), spec.mask("religion")
    assert not judge.decide(frozenset({"manager"}), "consult").mask(spec) & (taboos | religion)
    assert judge.decide(frozenset({"manager"}), "consult", purpose="manage").mask(spec) & religion
    serving = judge.decide(frozenset({"service"}), "consult", purpose="serve").mask(spec)
    assert serving & taboos and not serving & religion
    assert not judge.decide(frozenset({"service"}), "consult", purpose="manage").mask(spec) & taboos


@pytest.mark.row("M118")
@pytest.mark.row("M124")
@pytest.mark.row("M130")
def test_at_the_desk(place: DeskPlace) -> None:
    with place.create(roles={"总台": "service"}) as archive:
        manager = archive.acting_as("陈静", role="manager", purpose="manage")
        file = manager.register("单雄信", ds.change("preferences", taboos=["花生"], religion="islam"), kind="person")
        service = archive.acting_as("王芳", role="总台", purpose="serve")
        seen = service.consult(file.number)
        assert seen.preferences.taboos == ("花生",) and seen.preferences.religion is ds.WITHHELD
        assert seen.readable("basic/born") and not seen.readable("preferences/religion")
        plain = archive.acting_as("王芳", role="总台").consult(file.number)
        assert plain.preferences.taboos is ds.WITHHELD
        assert plain.origin("preferences/taboos") is None and plain.rivals() == ()
        assert not [act for act in archive.acting_as("王芳", role="总台").history(file) for said in act.said
                    if "taboos" in said.path]  # fmt: skip

        sales = archive.acting_as("张强", role="sales")
        registered = sales.register("新客", kind="person")
        assert registered.basic.name is ds.WITHHELD and registered.number and registered.revision == 0
        updated = sales.update(file.number, ds.change("basic", title="经理"))
        assert updated.basic.title is ds.WITHHELD
        refused: list[Callable[[], object]] = [
            lambda: sales.consult(file), lambda: sales.card(file), lambda: sales.brief(file),
            lambda: sales.history(file), lambda: sales.find(name="单"), sales.count,
            lambda: sales.update(file, ds.change("basic", title=ds.UNSET)),
            lambda: sales.update(file, stage="active"),
            lambda: sales.merges.merge(file, registered), lambda: sales.claims.of(file, "basic/name"),
            lambda: sales.claims.settle(file, "basic/phones[x]", same=True), lambda: sales.relations.of(file),
            lambda: sales.ledger.verify(), lambda: registered.records(),
        ]  # fmt: skip
        for call in refused:
            with pytest.raises(ds.errors.DeniedError) as caught:
                call()
            assert "sales" in caught.value.text("en") and caught.value.fix("zh")
        outsider = archive.acting_as("外人", role="outsider")
        with pytest.raises(ds.errors.DeniedError):
            outsider.collect(file.number, ds.change("basic", title="x"))


def test_staff(place: DeskPlace) -> None:
    with place.create(staff="enrolled", roles={"经理": "manager"}) as archive:
        with pytest.raises(ds.errors.DeniedError):
            archive.acting_as("陈静", role="经理")
        one = archive.staff.enrol("陈静", roles=["经理", "service"])
        assert archive.staff.enrol("陈静", roles=["经理"]).id == one.id
        assert archive.acting_as("陈静", role="经理").actor == archive.acting_as("陈静", role="service").actor
        archive.staff.dismiss("陈静", role="经理")
        with pytest.raises(ds.errors.DeniedError):
            archive.acting_as("陈静", role="经理")
        assert archive.acting_as("陈静", role="service").actor.roles == ("service",)
        for bad in ("", " ", "x" * 201, "a\0", "\ud800", 5):
            with pytest.raises(ds.errors.InputError):
                archive.staff.enrol(bad, roles=["service"])  # type: ignore[arg-type]
        with pytest.raises(ds.errors.InputError):
            archive.staff.enrol("王芳", roles=["皇帝"])
        with pytest.raises(ds.errors.InputError):
            archive.staff.dismiss("没有", role="service")


def test_whoever_was_dismissed_does_not_come_back_by_asking(place: DeskPlace) -> None:
    with place.create() as archive:
        archive.acting_as("陈静", role="service")
        archive.staff.dismiss("陈静", role="service")
        with pytest.raises(ds.errors.DeniedError):
            archive.acting_as("陈静", role="service")
        archive.staff.enrol("陈静", roles=["service"])
        assert archive.acting_as("陈静", role="service").actor.roles == ("service",)
