"""K4 under crashes: killed at every physical step, opened again, every batch is there whole or not at all.

Floor: testing.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing

from dossier.errors import RepositoryError
from dossier.repository import (
    BacksUp,
    Batch,
    Check,
    Collection,
    Composite,
    Contains,
    Delete,
    Eq,
    Has,
    Index,
    IndexField,
    IndexValue,
    Lanes,
    Put,
    Query,
    Repository,
    Shred,
    encode,
)
from dossier.testing.crash import Death, Say, run_until
from dossier.testing.oracle import Oracle
from dossier.testing.pair import Pair, outcome
from dossier.testing.place import Place, Places, fail, holds, same

FIRST = (
    Collection(
        name="files",
        fields=(
            IndexField(name="name"),
            IndexField(name="tags", many=True),
            IndexField(name="words", type="search"),
            IndexField(name="due", type="int", derived=True),
        ),
        composites=(Composite(fields=("name", "due")),),
    ),
    Collection(name="events"),
)
WIDER = Collection(
    name="files",
    fields=(*FIRST[0].fields, IndexField(name="later"), IndexField(name="later_words", type="search")),
    composites=FIRST[0].composites,
)


def _file(n: int, turn: int, expect: int | None) -> Put:
    index: dict[str, IndexValue] = {"name": f"n{n % 3}", "tags": (f"t{turn}", "x"), "words": f"单雄信 {n} turn{turn}"}
    return Put("files", f"{n:03}", encode({"n": n, "turn": turn}), index, f"s{n % 2}", expect)


def _event(n: int) -> Put:
    return Put("events", f"e{n:05}", encode({"n": n}), {}, "ledger")


def batches() -> list[Batch]:
    """The batches of the crash scenario: every kind of operation, a long one, and so many small ones with search
    texts that a queue of up to 160 of them fills."""
    return [
        Batch((*(_file(n, 1, 0) for n in range(6)), _event(1)), "k1"),
        Batch((_file(0, 2, 1), _file(1, 2, 1), Check("files", "002", 1), _event(2)), "k2"),
        Batch((Index("files", "003", {"due": 7}, 1), Index("files", "004", {"due": 8}, 1), _event(3)), "k3"),
        Batch((Delete("files", "005", 1), _file(6, 1, 0), _event(4)), "k4"),
        Batch(tuple(_event(n) for n in range(1000, 1040)), "k5"),
        *(Batch((*(_file(n, 4, 0) for n in range(m, m + 20)), _event(m)), f"m{m}") for m in range(100, 260, 20)),
        Batch((Shred("s1"), _file(7, 3, 0), _event(5)), "k6"),
    ]


def check_K4_crash(places: Places, *, steps: Sequence[str]) -> None:
    """A child creates a store, declares, commits, widens, backs up, appends to a lane, and dies at a step.

    It dies once at each of `Death.points`. After each death what was acknowledged is there, the batch after it whole or
    absent, rows and index agreeing; repeating that batch with its key has one effect. `steps` are the names that the
    driver declares; all must be reached.
    """
    holds("the driver declares no steps to crash at", bool(steps))
    whole = _death(places(), 0)
    same("declared steps that were never reached", sorted(set(steps) - set(whole.steps)), [])
    same("steps that were reached but not declared", sorted(set(whole.steps) - set(steps)), [])
    for step in whole.points():
        holds(f"the child outlived step {step}", _death(places(), step).killed)


def _death(place: Place, step: int) -> Death:
    death = run_until(lambda say, on_step: _scenario(place, say, on_step), step)
    _after(place, death, step)
    return death


def _scenario(place: Place, say: Say, on_step: Callable[[str], None]) -> None:
    repository = place.create(on_step=on_step)
    repository.declare(FIRST)
    say("declared")
    for n, batch in enumerate(batches()):
        repository.commit(batch, durable=n % 2 == 0)
        say(f"batch {n}")
    repository.declare([WIDER])
    say("widened")
    settle = getattr(repository, "settle", None)
    if settle is not None:
        settle()
    if isinstance(repository, BacksUp):
        repository.backup(_target(place))
        say("backup")
    if isinstance(repository, Lanes):
        with closing(repository.lane("crash")) as lane:
            lane.append([b'{"n":1}'], durable=True)
            say("line")
            lane.append([b'{"n":2}'], durable=False)
    repository.close()


def _target(place: Place) -> str:
    return f"{place.url.partition(':')[2]}.backup"


def _after(place: Place, death: Death, step: int) -> None:
    where = f"killed at step {step} ({death.steps[-1] if death.killed else 'never'})"
    if "declared" not in death.lines:
        # The store was never acknowledged: it may be missing, half made and refused, or there.
        try:
            place.open().close()
        except RepositoryError:
            pass
        return
    acknowledged = sum(line.startswith("batch ") for line in death.lines)
    plan = batches()
    oracle = Oracle()
    oracle.declare(FIRST)
    for batch in plan[:acknowledged]:
        oracle.commit(batch)
    with closing(place.open()) as repository:
        repository.declare(FIRST)
        if acknowledged < len(plan):
            _settle(repository, oracle, plan[acknowledged], where)
            for batch in plan[acknowledged + 1 :]:
                same(f"{where}: a later batch", outcome(repository, batch), outcome(oracle, batch))
        _equal(repository, oracle, where)
        if isinstance(repository, Lanes):
            _lane(repository, death, where)
    if "backup" in death.lines:
        with closing(Place(place.driver, f"{place.url.partition(':')[0]}:{_target(place)}").open("r")) as copied:
            _equal(copied, oracle, f"{where}, in the backup")


def _settle(repository: Repository, oracle: Oracle, batch: Batch, where: str) -> None:
    """`batch` was not acknowledged: it is there whole or not at all, and its key knows which."""
    holds(f"{where}: a batch of the scenario has no key", batch.key is not None)
    added = sum(1 for op in batch.ops if isinstance(op, Put) and op.collection == "events")
    before = sum(1 for _ in oracle.scan("events"))
    kept = sum(1 for _ in repository.scan("events"))
    holds(f"{where}: {kept} events, {before} or {before + added} were due", kept in (before, before + added))
    if kept == before:
        _equal(repository, oracle, where)
    oracle.commit(batch)
    if kept != before:
        _equal(repository, oracle, where)
    knows = "repeated" if kept != before else "done"
    same(f"{where}: what the key of the batch knows", outcome(repository, batch), knows)
    _equal(repository, oracle, where)
    same(f"{where}: the batch repeated", outcome(repository, batch), "repeated")


def _equal(repository: Repository, oracle: Oracle, where: str) -> None:
    pair = Pair(repository, oracle, FIRST)
    try:
        for one in FIRST:
            same("scan", list(repository.scan(one.name)), list(oracle.scan(one.name)))
            pair.ask(Query(collection=one.name, limit=1000))
        for expr in (Contains("words", "雄信"), Contains("words", "turn1"), Contains("words", "turn3")):
            pair.ask(Query(collection="files", where=expr, limit=1000))
        for expr2 in (Has("tags", "t1"), Has("tags", "t2"), Eq("due", 7), Eq("due", None), Eq("name", "n1")):
            pair.ask(Query(collection="files", where=expr2, limit=1000))
    except AssertionError as error:
        raise AssertionError(f"{where}: {error}") from None


def _lane(repository: Lanes, death: Death, where: str) -> None:
    lines = [b'{"n":1}', b'{"n":2}']
    if "crash" in repository.idle_lanes():
        got = list(repository.read_lane("crash"))
        same(f"{where}: a lane", got, lines[: len(got)])
        holds(f"{where}: an acknowledged line is lost", len(got) >= ("line" in death.lines))
    else:
        holds(f"{where}: the lane is gone", "line" not in death.lines)


class Injected(BaseException):
    """What the kit raises in `on_step` of a repository that lives in this process only."""


def check_K4_interrupted(places: Places, *, steps: Sequence[str], most: int = 400) -> None:
    """For a repository that a crash takes along: an exception at every step of a commit leaves the batch whole or
    absent, and the repository goes on."""
    plan = [batch for batch in batches() if len(batch.ops) < 12]
    reached: set[str] = set()
    armed = 0

    def on_step(name: str) -> None:
        nonlocal armed
        reached.add(name)
        armed -= 1
        if armed == 0:
            raise Injected

    for step in range(1, most):
        with closing(places().create(on_step=on_step)) as repository:
            oracle = Oracle()
            armed = 0
            repository.declare(FIRST)
            oracle.declare(FIRST)
            interrupted = 0
            for batch in plan:
                armed = step
                try:
                    repository.commit(batch)
                    armed = 0
                    oracle.commit(batch)
                except Injected:
                    interrupted += 1
                    _settle(repository, oracle, batch, f"interrupted at step {step}")
                _equal(repository, oracle, f"after step {step}")
            if not interrupted:
                break
    else:
        fail(f"a commit has more than {most} steps")
    same("declared steps that were never reached", sorted(set(steps) - reached), [])
