"""K5 and K10 at the desk: many threads, many processes, some of them killed.

Floor: testing.
"""

# ruff: noqa: N802
from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from dossier.desk.archive import Archive
from dossier.desk.changes import change, record
from dossier.desk.desk import Desk
from dossier.desk.views import DossierView
from dossier.errors import ConflictError, InputError, NumbersUnsettledError
from dossier.model.absence import Absence
from dossier.model.edits import UNSET, edit
from dossier.testing.crash import Say, child, kill
from dossier.testing.desk_place import DeskPlace, DeskPlaces
from dossier.testing.place import fail, holds, raises, same

_FIELDS = (
    ("basic", "industry", "茶"),
    ("basic", "scope", "批发"),
    ("characteristics", "idea", "稳"),
    ("characteristics", "direction", "社区"),
    ("business_status", "dealings", "多年"),
    ("transaction_status", "terms", "月结"),
)


def _desk(archive: Archive, name: str = "陈静") -> Desk:
    return archive.acting_as(name, role="manager", purpose="manage")


def together(acts: list[Callable[[], str]]) -> list[str]:
    """Run these at once, a thread each; what they gave, in order."""
    answers = [""] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(turn: int, act: Callable[[], str]) -> None:
        gate.wait()
        try:
            answers[turn] = act()
        except Exception as error:
            answers[turn] = f"failed {type(error).__name__}"

    threads = [threading.Thread(target=run, args=(turn, act)) for turn, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def check_K5_threads(places: DeskPlaces, *, rounds: int = 4) -> None:
    """Disjoint fields: all succeed, also from one view. One field and one view: exactly one wins, the others are told
    which field. One request id: one effect, one answer."""
    with places().create() as archive:
        desk = _desk(archive)
        for turn in range(rounds):
            view = desk.register("甲", kind="organization")

            def disjoint(section: str, field: str, value: str, basis: DossierView = view) -> str:
                return _desk(archive).update(basis, change(section, **{field: value})).id

            acts: list[Callable[[], str]] = [partial(disjoint, *drawn) for drawn in _FIELDS]
            same("changes of disjoint fields", together(acts), [view.id] * len(_FIELDS))
            now = desk.consult(view)
            for section, field, value in _FIELDS:
                holds(f"{field} was kept", _text(getattr(now.section(section), field)) == value)

            basis = desk.consult(view)

            def one_field(number: int, basis: DossierView = basis) -> str:
                try:
                    _desk(archive).update(basis, change("basic", scope=f"s{number}"))
                    return "won"
                except ConflictError as error:
                    return ",".join(error.fields)

            answers = together([partial(one_field, n) for n in range(5)])
            same("one winner", sorted(answers), ["basic/scope"] * 4 + ["won"])
            same("acts kept", len(list(desk.history(view))), 1 + len(_FIELDS) + 1)

            def request(turn: int = turn, target: str = view.id) -> str:
                entered = _desk(archive).enter(target, record("visit", at="2026-02-01"), request_id=f"r{turn}")
                return entered.records[0]

            holds("one answer", len(set(together([request] * 5))) == 1)
            same("one effect", len(desk.consult(view).records()), 1)

            def registered(turn: int = turn) -> str:
                return _desk(archive).register("乙", kind="organization", request_id=f"n{turn}").number

            answers = together([registered] * 5)
            holds(f"one answer to a registration: {answers}", len(set(answers)) == 1)
        same("files", desk.count(), 2 * rounds)


def check_K5_fields(places: DeskPlaces) -> None:
    """For a field of each shape: who changes it, withdraws it or says it is absent by a view from before another's
    change is refused, told of that field alone, whichever place it has in his change, and nothing of his is kept; by
    the same view a field beside it may be changed."""
    with places().create() as archive:
        desk = _desk(archive)
        for section, name, first, theirs, mine in _SHAPES:
            parts = name in ("phones", "key_persons")  # of parts it is their leaves that may be absent
            for turn, held in enumerate((mine, UNSET) if parts else (mine, UNSET, Absence.NONE)):
                basis = desk.register(str(turn), change(section, **{name: first}), kind="organization", channel="form")
                now = desk.update(basis.id, change(section, **{name: theirs}), channel="visit")
                path = f"{section}/{name}"
                beside = [change("basic", industry="茶"), change("transaction_status", terms="月结")]
                named = change(section, **{name: held})
                for place in range(3):
                    said = [*beside[:place], named, *beside[place:]]
                    try:
                        desk.update(basis, *said)
                        fail(f"a conflict in {path} was due, at place {place}")
                    except ConflictError as error:
                        same(f"fields that collide, {path} at place {place}", error.fields, (path,))
                    after = desk.consult(basis.id)
                    same("after a conflict", (after.revision, after.token), (now.revision, now.token))
                    same("other fields after a conflict", after.basic.industry, None)  # type: ignore[union-attr]
                desk.update(basis, *beside)
                desk.update(desk.consult(basis.id), named)


def check_K5_requests(places: DeskPlaces) -> None:
    """A request id belongs to its actor and verb: another verb, and another actor, has its effect with the same id;
    the same asked again has none, and something else asked under it is refused."""
    with places().create() as archive:
        desk, other = _desk(archive), _desk(archive, "李敏")
        file = desk.register("甲", kind="organization", request_id="一").id
        scope, visit = change("basic", scope="批发"), record("visit", at="2026-02-01")
        for turn in range(2):
            same("registered", desk.register("甲", kind="organization", request_id="一").id, file)
            same("updated", desk.update(file, scope, request_id="一").revision, 2)
            desk.enter(file, visit, request_id="一")
            desk.collect(file, record("observation", text="谈"), request_id="一")
            other.enter(file, visit, request_id="一")
            same("effects, each once", (desk.count(), len(desk.consult(file).records()), turn), (1, 3, turn))
        raises(InputError, lambda: desk.update(file, change("basic", scope="零售"), request_id="一"), "another change")
        raises(InputError, lambda: desk.enter(file, visit, visit, request_id="一"), "another entry")
        same("acts", [act.verb for act in desk.history(file)], ["register", "update"])


_SHAPES: tuple[tuple[str, str, object, object, object], ...] = (
    ("basic", "scope", "a", "b", "c"),
    ("basic", "short_names", ["甲"], ["乙"], edit(add=["丙"])),
    ("basic", "phones", ["0371-1000001"], ["0371-1000002"], edit(add=["0371-1000003"])),
    ("basic", "key_persons", [{"name": "李敏"}], [{"name": "王芳"}], edit(add=[{"name": "张强"}])),
    ("characteristics", "sales", {"2024": 1}, {"2025": 2}, {"2026": 3}),
    ("preferences", "taboos", ["花生"], ["鱼"], edit(add=["香菜"])),
)
"""(section, field, what it says first, what another says, what is said by the view from before)."""


def check_K5_hidden_fields(places: DeskPlaces) -> None:
    """The loser is told only of fields that he may read; who passes an id asks for no check."""
    with places().create() as archive:
        manager = _desk(archive)
        view = manager.register("甲", kind="person")
        sales = archive.acting_as("张强", role="sales")
        sight = sales.register("乙", kind="person")
        manager.update(sight.id, change("basic", title="经理"))
        try:
            sales.update(sight, change("basic", title="董事"))
            fail("a conflict was due")
        except ConflictError as error:
            same("fields that a salesman is told", error.fields, ("-",))
        sales.update(sight.id, change("basic", title="董事"))
        taboo = manager.update(view.id, change("preferences", taboos=["花生"]))
        (hit,) = archive.acting_as("王芳", role="service").find(name="甲").rows
        manager.update(view.id, change("basic", title="经理"))
        service = archive.acting_as("王芳", role="service", purpose="serve")
        service.update(hit, change("preferences", taboos=edit(add=["香菜"])))
        raises(ConflictError, lambda: manager.update(taboo, change("preferences", taboos=["鱼"])), "a taboo was added")


def check_K5_processes(place: DeskPlace, *, writers: int = 3, rounds: int = 5) -> None:
    """As threads, but processes: every update kept, one winner a view, one effect a request, also after reopening."""
    with place.create() as archive:
        number = _desk(archive).register("甲", kind="organization").number

    def act(mine: int) -> Callable[[Say], None]:
        def run(say: Say) -> None:
            with place.open() as archive:
                desk = _desk(archive, f"员工{mine}")
                shared = archive.acting_as("共同", role="manager", purpose="manage")
                basis = desk.consult(number)
                say("ready")
                try:
                    desk.update(basis, change("basic", scope=f"s{mine}"))
                    say("won")
                except ConflictError as error:
                    say(f"lost {','.join(error.fields)}")
                for turn in range(rounds):
                    desk.update(number, change("basic", short_names=[f"{mine}-{turn}"]))
                    entered = shared.enter(number, record("visit", at="2026-02-01"), request_id="一次")
                    say(f"request {entered.records[0]}")

        return run

    with ExitStack() as stack:
        children = [stack.enter_context(child(act(mine))) for mine in range(writers)]
        said = [list(lines) for _, lines in children]
    for lines in said:
        holds(f"a writer ended: {lines[-1]}", lines[-1] == "end")
    requests = {line for lines in said for line in lines if line.startswith("request ")}
    same("answers to one request", len(requests), 1)
    with place.open() as archive:
        desk = _desk(archive)
        names = desk.consult(number).basic.short_names  # type: ignore[union-attr]
        wanted = {f"{mine}-{turn}" for mine in range(writers) for turn in range(rounds)}
        holds("every disjoint change was kept", isinstance(names, tuple) and set(names) == wanted)
        same("one visit", len(desk.consult(number).records()), 1)
        shared = archive.acting_as("共同", role="manager", purpose="manage")
        again = shared.enter(number, record("visit", at="2026-02-01"), request_id="一次").records[0]
        same("the answer after reopening", {f"request {again}"}, requests)
        won = sum("won" in lines for lines in said)
        scopes = [said_ for act_ in desk.history(number) for said_ in act_.said if said_.path == "basic/scope"]
        same("winners and what was kept", len(scopes), won)
        holds("somebody won", won >= 1)
        desk.ledger.verify()


def check_K10_processes(place: DeskPlace, *, writers: int = 3, each: int = 25) -> None:
    """Processes that register at once, one of them killed, one that leaves an exception behind: no number twice."""
    with place.create() as archive:
        _desk(archive)

    def act(mine: int) -> Callable[[Say], None]:
        def run(say: Say) -> None:
            with place.open() as archive:
                desk = _desk(archive)
                for turn in range(each):
                    say(desk.register(f"{mine}-{turn}", kind="organization").number)
                    try:
                        desk.register(f"{mine}", change("basic", industrie="x"), kind="organization")
                    except InputError:
                        pass

        return run

    given: list[str] = []
    for mine in range(writers):
        with ExitStack() as stack:
            killed, lines = stack.enter_context(child(act(mine)))
            _, others = stack.enter_context(child(act(mine + writers)))
            for count, line in enumerate(lines, 1):
                given.append(line)
                if count == each // 2:
                    kill(killed)
            given += others
    given = [line for line in given if line != "end"]
    with place.open() as archive:
        desk = _desk(archive)
        given += [desk.register(f"after{n}", kind="organization").number for n in range(5)]
        holds("no number twice", len(set(given)) == len(given))
        rows = list(archive.repository.scan("dossiers"))
        numbers = [str(row.index["number"]) for row in rows]
        holds("no number twice in the archive", len(set(numbers)) == len(numbers))
        holds("every number given out is there", set(given) <= set(numbers))


def check_K10_handles(places: DeskPlaces) -> None:
    """Two handles, a refused unit, a merge: no number twice; a number is never taken back."""
    place = places()
    with place.create() as first, place.open() as second:
        desks = [_desk(first), _desk(second)]
        given = []
        for turn in range(70):
            given.append(desks[turn % 2].register(f"{turn}", kind="organization").number)
        lost = []
        try:
            with desks[0].unit() as unit:
                lost.append(unit.register("没有", kind="organization").number)
                raise KeyError
        except KeyError:
            pass
        desks[0].merges.merge(given[0], given[1])
        given.append(desks[0].register("以后", kind="organization").number)
        holds("no number twice", len(set(given + lost)) == len(given) + len(lost))
        same("both numbers work", desks[1].consult(given[1]).number, given[0])
        same("none of a unit that failed", desks[0].count(), len(given) - 1)


def check_K10_threads(places: DeskPlaces, *, threads: int = 8, each: int = 10) -> None:
    """Threads on one handle that register different people at once, over more than one lease: no number twice."""
    with places().create() as archive:
        desk = _desk(archive)

        def register(mine: int) -> str:
            return ",".join(desk.register(f"{mine}-{n}", kind="person").number for n in range(each))

        lines = together([partial(register, mine) for mine in range(threads)])
        given = [number for line in lines for number in line.split(",")]
        same(f"numbers given: {lines}", len(set(given)), threads * each)
        rows = list(archive.repository.scan("dossiers"))
        same("numbers in the archive", sorted(str(row.index["number"]) for row in rows), sorted(given))


def check_K10_restore(place: DeskPlace, backup: str) -> None:
    """A restored backup waits for `numbers_from`, and then gives none of the numbers that were given after it."""
    with place.create() as archive:
        desk = _desk(archive)
        given = [desk.register(f"{n}", kind="organization").number for n in range(3)]
        archive.backup(backup)
        given += [desk.register(f"后{n}", kind="organization").number for n in range(80)]
    restored = DeskPlace(backup, place.clock)
    with restored.open() as archive:
        desk = _desk(archive)
        raises(NumbersUnsettledError, lambda: desk.register("新", kind="organization"), "where serials go on is open")
    with restored.open(numbers_from=84) as archive:
        given += [_desk(archive).register("新", kind="organization").number for _ in range(3)]
    with restored.open() as archive:
        given.append(_desk(archive).register("新", kind="organization").number)
    with restored.open(numbers_from=2) as archive:
        given += [_desk(archive).register("低", kind="organization").number for _ in range(3)]
    holds("no number twice", len(set(given)) == len(given))
    with place.open(numbers_from=2) as archive:
        own = [_desk(archive).register("低", kind="organization").number for _ in range(3)]
        rows = list(archive.repository.scan("dossiers"))
        holds("no number twice where serials were said to begin too low", not set(own) & set(given[:83]))
        same("numbers of the archive", len({str(row.index["number"]) for row in rows}), 86)


def _text(value: object) -> str:
    return value if isinstance(value, str) else str(getattr(value, "code", value))
