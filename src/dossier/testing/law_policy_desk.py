"""P9, P12, N2-N5 at the desk: policies that hang on the dossier, on any repository.

Floor: testing. Each check makes archives at places it is given, and raises AssertionError.
"""

# ruff: noqa: N802

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import attrs

from dossier.desk.archive import Archive
from dossier.desk.changes import change
from dossier.desk.desk import Desk
from dossier.desk.finding import Condition, field
from dossier.errors import DamagedError, DeniedError, DossierError, InputError, NotFoundError, ReadableFieldError
from dossier.model.fields import Tier
from dossier.model.withheld import WITHHELD
from dossier.policy import BreakGlass, Fields, Policy, Rule, When, single_user, standard
from dossier.testing.desk_place import DeskPlace, DeskPlaces

_SERVICE: Final = frozenset({"service"})
_ACCOUNT: Final = frozenset({"account_manager"})
_PLAIN: Final = Fields(tier=Tier.CONFIDENTIAL)


def _permit(id: str, kinds: frozenset[str], *verbs: str, **more: Any) -> Rule:
    return Rule(id=id, effect="permit", kinds=kinds, verbs=frozenset(verbs), **more)


def guarded() -> Policy:
    """Account managers see, export and edit the files they keep, and of all others nothing; service sees the CARD of
    its team's files and everything of those it keeps, but none of one team's."""
    keep = [rule for rule in standard().rules if rule.id.startswith(("M75", "M112", "M122"))]
    managers = frozenset({"manager", "officer"})
    mine, ours = (When("is_custodian"),), (When("in_team"),)
    return Policy(
        [
            *keep,
            _permit("all", managers, "consult", "explain", "edit", "export"),
            _permit("own", _ACCOUNT, "consult", "edit", "export", when=mine),
            _permit("team-card", _SERVICE, "consult", fields=Fields(tier=Tier.CARD), when=ours),
            _permit("own-service", _SERVICE, "consult", when=mine),
            attrs.evolve(_permit("not-team", _ACCOUNT, "consult", fields=_PLAIN, when=ours), effect="forbid"),
        ]
    )  # fmt: skip


@attrs.frozen
class House:
    """An archive with five files: kept by 王芳, by 李强, by nobody, of her team, of his."""

    archive: Archive
    manager: Desk
    keeper: Desk
    """王芳, account_manager, in no team."""
    server: Desk
    """李强, service, in team A."""
    numbers: dict[str, str]


def house(place: DeskPlace, policy: Policy | None = None) -> House:
    """The house, in a new archive at a place."""
    archive = place.create(policy=policy or guarded(), staff="enrolled")
    archive.staff.enrol("陈静", roles=["manager"])
    archive.staff.enrol("王芳", roles=["account_manager", "officer"])
    archive.staff.enrol("李强", roles=["service"], teams=["A"])
    manager = archive.acting_as("陈静", role="manager", purpose="manage")
    numbers = {}
    for n, (name, to, team) in enumerate(
        [("hers", "王芳", ""), ("his", "李强", ""), ("nobody", "", ""), ("team", "陈静", "A"), ("other", "王芳", "B")]
    ):
        said = [change("basic", industry="零售业"), change("preferences", taboos=["花生"])]
        file = manager.register(f"客户{n}", *said, kind="organization")
        numbers[name] = file.number
        if to:
            manager.custody.hand_over(file, to=to, team=team)
    keeper = archive.acting_as("王芳", role="account_manager", purpose="serve")
    server = archive.acting_as("李强", role="service", purpose="serve")
    return House(archive, manager, keeper, server, numbers)


def _found(desk: Desk, where: Condition | None = None, **more: Any) -> set[str]:
    found: set[str] = set()
    after = None
    while True:
        hits = desk.find(where=where, limit=2, after=after, **more)
        found |= {hit.number for hit in hits}
        after = hits.cursor
        if after is None:
            return found


def check_N2_rows(places: DeskPlaces) -> None:
    """A query returns only rows of which all that it reads may be read, whichever way it turns; the rest is not there:
    consult, find, count, history, records, custody and exports agree."""
    made = house(places())
    with made.archive:
        numbers = made.numbers
        wanted = {made.keeper: {"hers", "other"}, made.server: {"his", "team"}, made.manager: set(numbers)}
        named = field("basic/name")
        for desk, names in wanted.items():
            mine = {numbers[name] for name in names}
            assert _found(desk) == mine
            assert desk.count() == len(mine)
            for where in (named == "客户0", named.one_of(), named.absent(), field("stage") == "prospect"):
                yes, no = _found(desk, where), _found(desk, ~where)
                assert yes | no <= mine and not yes & no
                assert desk.count(where) + desk.count(~where) <= len(mine)
                assert _found(desk, where & (named == "客户1")) <= yes, "N4: and narrows"
            assert _found(desk, order="basic/name") <= mine and _found(desk, name="客户") <= mine
            for name, number in numbers.items():
                assert _seen(desk, number) == (name in names), (desk.actor.id, name)
        for desk, names in ((made.keeper, wanted[made.keeper]), (made.manager, set(numbers))):
            assert _exported(desk) == {numbers[name] for name in names}
        _raises(DeniedError, lambda: made.keeper.unplaced.list())
        _raises(NotFoundError, lambda: made.keeper.update(numbers["his"], change("basic", name="x"), stage="active"))
        assert made.keeper.update(numbers["hers"], change("basic", industry="茶叶"), stage="active").stage == "active"
        assert made.archive.verify().sound


def _exported(desk: Desk) -> set[str]:
    """The numbers in an export; nothing that was withheld stands in it."""
    with tempfile.TemporaryDirectory() as folder:
        done = desk.exports.write(Path(folder) / "x.jsonl", fields=["preferences/taboos"])
        lines = [json.loads(line) for line in done.path.read_text("utf-8").splitlines()]
    assert all(line["preferences"]["taboos"] == ["花生"] for line in lines)
    return {line["number"] for line in lines}


def _seen(desk: Desk, number: str) -> bool:
    """Whether somebody sees a file; by every verb he does, or by none, and none tells more than that."""
    calls: list[Callable[[], Any]] = [
        lambda: desk.consult(number), lambda: desk.history(number), lambda: desk.card(number),
        lambda: desk.custody.of(number), lambda: desk.relations.of(number), lambda: desk.brief(number),
        lambda: desk.claims.of(number, "preferences/taboos"), lambda: desk.history(number, known=1),
    ]  # fmt: skip
    said = []
    missing = _text(lambda: desk.consult("KH-2026-09999"))
    for call in calls:
        told = _text(call)
        said.append(told == "")
        assert told in ("", missing), told
    assert len(set(said)) == 1, said
    return said[0]


def _text(call: Callable[[], Any]) -> str:
    try:
        call()
    except NotFoundError as error:
        return str(error)
    except ReadableFieldError:
        return ""  # the file is seen, the field is not
    return ""


def check_N2_fields(places: DeskPlaces) -> None:
    """A field that is readable on some rows only brings those rows alone, as condition and as order; of the others
    nothing follows from it, also under Not."""
    made = house(places())
    with made.archive:
        numbers, taboos = made.numbers, field("preferences/taboos")
        assert _found(made.server, taboos == "花生") == {numbers["his"]}
        assert _found(made.keeper, taboos == "花生") == {numbers["hers"], numbers["other"]}
        assert made.server.consult(numbers["team"]).preferences.taboos is WITHHELD
        assert made.server.consult(numbers["his"]).preferences.taboos
        shown = {hit.number: hit.preferences.taboos for hit in made.server.find()}
        assert shown == {numbers["his"]: ("花生",), numbers["team"]: WITHHELD}, "a hit shows what a look shows"
        industry = field("basic/industry")
        assert _found(made.server, ~industry.absent()) == {numbers["his"]} == _found(made.server, ~(industry == "x"))
        assert _found(made.server, industry.absent()) == set() and made.server.count(~industry.absent()) == 1


def check_N3(places: DeskPlaces) -> None:
    """Whether a query is refused depends on the query and the policy, never on rows or on who keeps them."""
    some = [rule for rule in guarded().rules if rule.id not in ("own", "own-service")]
    queries = [field("preferences/taboos") == "x", field("basic/industry") == "x", field("basic/name") == "x"]
    for policy in (guarded(), Policy([*some, _permit("own", _ACCOUNT, "consult", fields=Fields(tier=Tier.CARD))])):
        said = []
        for full, teams in ((True, []), (False, []), (True, ["A"])):
            place = places()
            with house(place, policy).archive if full else place.create(policy=policy) as archive:
                archive.staff.enrol("赵", roles=["account_manager", "service"], teams=teams)
                desks = [archive.acting_as("赵", role=role, purpose="serve") for role in ("account_manager", "service")]
                said.append([_refused(desk, where) for desk in desks for where in queries])
        assert said[0] == said[1] == said[2]
        assert len(set(said[0])) > 1 or policy == guarded(), "refusals are never or too rarely reached"


def _refused(desk: Desk, where: Condition) -> str:
    try:
        desk.find(where=where)
    except (ReadableFieldError, DeniedError) as error:
        return type(error).__name__
    return ""


def check_N5(places: DeskPlaces) -> None:
    """Who is in no team, and a file without custodian or team, give no rows, also under Not, for permits and for
    forbids."""
    made = house(places())
    with made.archive as archive:
        archive.staff.enrol("新人", roles=["service"])
        nobody = archive.acting_as("新人", role="service", purpose="serve")
        anything = field("basic/name") == "x"
        for where in (None, anything, ~anything, ~~anything, field("basic/name").one_of()):
            assert not _found(nobody, where) and nobody.count(where) == 0
        # A forbid that cannot tell whether it holds, holds: of her files nothing up to CONFIDENTIAL is shown.
        view = made.keeper.consult(made.numbers["hers"])
        assert view.basic.name is WITHHELD and view.preferences.taboos
        try:
            _found(made.keeper, ~anything)
        except ReadableFieldError:
            raise AssertionError("refused by rows") from None


def check_P9_desk(places: DeskPlaces) -> None:
    """Whoever breaks the glass sees one file more, for some minutes, never what is forbidden; not again before somebody
    else closed the review; each step, and each refusal, is on record."""
    place = places()
    forbid = Rule(id="no-titles", effect="forbid", kinds=_SERVICE, verbs=frozenset({"consult"}),
                  fields=Fields(paths=frozenset({"basic/name"})))  # fmt: skip
    policy = Policy([*guarded().rules, forbid], break_glass=BreakGlass(kinds=_SERVICE, minutes=15))
    made = house(place, policy)
    with made.archive as archive:
        hers, nobody = made.numbers["hers"], made.numbers["nobody"]
        assert not _seen(made.server, hers)
        _raises(InputError, lambda: made.server.glass.open(hers, because=" "))
        _raises(DeniedError, lambda: made.keeper.glass.open(hers, because="急救"))
        broken = made.server.glass.open(hers, because="急救")
        view = made.server.consult(hers)
        assert view.preferences.taboos and view.basic.name is WITHHELD, "a forbid stays"
        assert not _seen(made.server, nobody), "one file"
        assert hers not in _found(made.server), "no list is longer for it"
        _raises(DossierError, lambda: made.server.update(hers, change("basic", name="x"), stage="active"))
        _raises(InputError, lambda: made.server.glass.open(nobody, because="急救"))
        place.clock.forward(minutes=14)
        assert _seen_alone(made.server, hers)
        place.clock.forward(minutes=1, seconds=1)
        assert not _seen_alone(made.server, hers), "its minutes are over"
        _raises(InputError, lambda: made.server.glass.open(hers, because="急救"))
        _raises(DeniedError, lambda: made.server.glass.review(broken, because="已核"))
        assert [each.id for each in made.manager.glass.waiting()] == [broken.id]
        made.manager.glass.review(broken, because="已核")
        _raises(InputError, lambda: made.manager.glass.review(broken, because="再核"))
        again = made.server.glass.open(nobody, because="又急")
        assert _seen_alone(made.server, nobody) and not _seen_alone(made.server, hers)
        made.manager.glass.review(again, because="已核")
        assert not _seen_alone(made.server, nobody), "the review ends it"
        verbs = [event.verb for event in archive.recorder.events() if event.outcome == "allowed"]
        assert verbs.count("break_glass") == 2 and verbs.count("glass.review") == 2
        refused = [event.verb for event in archive.recorder.events() if event.outcome != "allowed"]
        assert refused.count("break_glass") >= 3 and "glass.review" in refused


def _seen_alone(desk: Desk, number: str) -> bool:
    return not _text(lambda: desk.consult(number))


def check_P12(places: DeskPlaces) -> None:
    """Creating an archive is the one act that sets a policy without a second person; whoever is at work is judged by a
    new one from its commit on; both persons and every refusal are on record."""
    made = house(places())
    with made.archive as archive:
        before, officer = archive.policy, archive.acting_as("王芳", role="officer")
        _raises(DeniedError, lambda: made.server.policies.propose(standard(), because="放宽"))
        _raises(InputError, lambda: made.manager.policies.propose(standard(), because=""))
        proposal = made.manager.policies.propose(standard(), because="放宽")
        assert archive.policy == before and made.manager.policies.waiting() == (proposal,)
        assert made.manager.policies.widened(proposal), "an approver sees what it widens"
        _raises(InputError, lambda: made.manager.policies.approve(proposal, because="自批"))
        _raises(DeniedError, lambda: made.server.policies.approve(proposal, because="越权"))
        assert archive.policy == before and not _seen_alone(made.keeper, made.numbers["nobody"])
        late = officer.policies.propose(single_user(), because="另案")
        assert officer.policies.approve(proposal, because="同意") == standard()
        assert archive.policy == standard() and archive.manifest.policy == standard().digest
        assert _seen_alone(made.keeper, made.numbers["nobody"])
        _raises(InputError, lambda: officer.policies.approve(proposal, because="再批"))
        _raises(InputError, lambda: made.manager.policies.approve(late, because="过时"))
        _raises(NotFoundError, lambda: officer.policies.approve("0" * 32, because="没有"))
        events = [(event.verb, event.outcome) for event in archive.recorder.events() if event.verb.startswith("policy")]
        assert events.count(("policy.approve", "allowed")) == 1 and ("policy.approve", "refused") in events
        assert ("policy.propose", "not_permitted") in events
        assert archive.verify().sound
    _alone(places())


def _alone(place: DeskPlace) -> None:
    """In an archive of one person the waiting time stands in for the second one."""
    with place.create(policy=single_user()) as archive:
        owner = archive.acting_as("店主", role="manager")
        proposal = owner.policies.propose(standard(), because="有了同事")
        _raises(InputError, lambda: owner.policies.approve(proposal, because="太早"))
        place.clock.forward(hours=single_user().waiting_hours, seconds=1)
        owner.policies.approve(proposal, because="到时")
    try:
        with place.open() as again:
            assert again.policy == standard(), "it stays in force"
    except DamagedError:
        raise AssertionError("the policy was not kept") from None


def _raises(kind: type[DossierError], call: Callable[[], Any]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"{kind.__name__} was not raised")
