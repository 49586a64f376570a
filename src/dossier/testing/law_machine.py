"""All verbs in any order against the oracle: a Hypothesis state machine (K1, K4, K6, K8 together).

Floor: testing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import attrs
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from dossier.repository import Batch, Collection, Eq, Index, Key, Put, Query, Shred
from dossier.testing.crash import Say, run_until
from dossier.testing.law_threads import together
from dossier.testing.oracle import Oracle
from dossier.testing.oracle_reader import OracleReader
from dossier.testing.pair import Pair, outcome
from dossier.testing.place import FULL, Places, Reach, holds, same
from dossier.testing.strategies import (
    LATER,
    bodies,
    collections,
    guided_batches,
    ids,
    populations,
    queries,
    reindexings,
    scopes,
)

RULES = (
    "done",
    "conflict",
    "repeated",
    "find",
    "get_many",
    "scan",
    "snapshot",
    "reopen",
    "shred",
    "index",
    "widen",
    "race",
)


def check_machine(
    places: Places, *, examples: int = 25, steps: int = 25, profile: settings | None = None, crashes: bool = False
) -> None:
    """`examples` runs of `steps` rules, repeated up to four times until every rule was reached (Hypothesis leaves some
    rules out of each run). With `crashes` a process dies at a step of a commit now and then: the driver takes the
    option `on_step`."""
    reach = Reach()
    rules = (*RULES, "crash") if crashes else RULES
    for _ in range(4):
        _run(places, reach, examples, steps, profile, crashes)
        if examples < FULL or all(reach[name] >= 2 for name in rules):
            break
    reach.require(examples, *rules, least=2)


def _run(places: Places, reach: Reach, examples: int, steps: int, profile: settings | None, crashes: bool) -> None:
    run_state_machine_as_test(
        lambda: _Machine(places, reach, crashes),  # type: ignore[arg-type]
        settings=settings(
            profile,
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


class _Machine(RuleBasedStateMachine):
    """One place, opened again now and then; at most one snapshot at a time."""

    def __init__(self, places: Places, reach: Reach, crashes: bool) -> None:
        super().__init__()
        self.place = places()
        self.crashes = crashes
        self.deaths = 0
        self.pair = Pair(self.place.create(), Oracle(), reach=reach, bodies=True)
        self.reach = reach
        self.held: Any = None
        self.stack = contextlib.ExitStack()

    @initialize(first=collections(name="order"), second=collections(name="rows"), data=st.data())
    def declare(self, first: Collection, second: Collection, data: st.DataObject) -> None:
        self.pair.declare(first, second)
        for one in (first, second):
            for batch in data.draw(populations(one)):
                self.pair.commit(batch)

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        drawn = data.draw(guided_batches(self.pair.declared, self.pair.oracle.states[-1], keys=("k1", "k2")))
        self.pair.commit(drawn.batch)

    @precondition(lambda self: self.pair.oracle.keys)
    @rule(scope=scopes)
    def repeat(self, scope: str) -> None:
        for key in sorted(self.pair.oracle.keys):
            same("a known key", self.pair.commit(Batch((Shred(scope),), key)), "repeated")

    @rule(data=st.data())
    def find(self, data: st.DataObject) -> None:
        for one in self.pair.declared:
            for _ in range(3):
                self.pair.ask(data.draw(queries(one, self.pair.rows(one.name))))
        self.reach["find"] += 1

    @rule(chosen=st.lists(ids, max_size=6), index=st.booleans())
    def get_many(self, chosen: list[str], index: bool) -> None:
        keys = [Key(one.name, id) for id in chosen for one in self.pair.declared]
        got, wanted = (one.get_many(keys, index=index) for one in (self.pair.repository, self.pair.oracle))
        same("get_many", got, wanted)
        self.reach["get_many"] += 1

    @rule(start=ids, stop=st.none() | ids, descending=st.booleans(), limit=st.none() | st.integers(1, 5))
    def scan(self, start: str, stop: str | None, descending: bool, limit: int | None) -> None:
        both: tuple[OracleReader | Any, ...] = (self.pair.repository, self.pair.oracle)
        got, wanted = (
            list(one.scan("order", start=start, stop=stop, descending=descending, limit=limit)) for one in both
        )
        same("scan", got, wanted)
        self.reach["scan"] += 1

    @precondition(lambda self: self.held is None)
    @rule()
    def hold(self) -> None:
        both = (self.pair.repository, self.pair.oracle)
        self.held = tuple(self.stack.enter_context(one.snapshot()) for one in both)
        # Reads before the first write elsewhere: the state of a snapshot is that of its opening.
        self.pair.ask(Query(collection="order"), on=self.held)

    @precondition(lambda self: self.held is not None)
    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        reader, reference = self.held
        for one in self.pair.declared:
            rows = list(reference.scan(one.name))
            same("scan of a snapshot", list(reader.scan(one.name)), rows)
            self.pair.ask(data.draw(queries(one, rows)), on=self.held)
        self.reach["snapshot"] += 1

    @precondition(lambda self: self.held is not None)
    @rule()
    def release(self) -> None:
        self.held = None
        self.stack.close()

    @rule()
    def reopen(self) -> None:
        self.held = None
        self.stack.close()
        self.pair.repository.close()
        self.pair.repository = self.place.open()
        self.pair.repository.declare(self.pair.declared)
        self.pair.state()
        self.reach["reopen"] += 1

    @rule(id=ids, data=st.data())
    def race(self, id: str, data: st.DataObject) -> None:
        """Two threads write the same version of a row: one wins, and what it wrote is there."""
        name = self.pair.declared[0].name
        row = self.pair.oracle.get_many([Key(name, id)])[0]
        expect = 0 if row is None else row.version
        batches = [(Put(name, id, data.draw(bodies), {}, "s:core", expect),) for _ in range(2)]
        became = together(self.pair.repository, batches)
        same("of two writers of one version", sorted(became), ["conflict", "done"])
        self.pair.oracle.commit(Batch(batches[became.index("done")]))
        self.pair.ask(Query(collection=name))
        self.reach["race"] += 1

    @precondition(lambda self: self.crashes and self.held is None)
    @rule(step=st.integers(1, 9), data=st.data())
    def crash(self, step: int, data: st.DataObject) -> None:
        """A process dies at a step of its commit: the batch is there whole, and its key knows it, or not at all."""
        drawn = data.draw(guided_batches(self.pair.declared, self.pair.oracle.states[-1], flaw=""))
        self.deaths += 1
        batch = attrs.evolve(drawn.batch, key=f"crash{self.deaths}")
        self.pair.repository.close()

        def scenario(say: Say, on_step: Callable[[str], None]) -> None:
            with contextlib.closing(self.place.open(on_step=on_step)) as own:
                own.commit(batch)
                say("committed")

        death = run_until(scenario, step)
        self.pair.repository = self.place.open()
        self.pair.repository.declare(self.pair.declared)
        try:
            self.pair.state()
            changed = False
        except AssertionError:
            changed = True
        found = outcome(self.pair.repository, batch)
        holds(
            f"a batch is there in part after a crash: {found}", found == "repeated" or (not changed and found == "done")
        )
        holds("an acknowledged batch is lost", found == "repeated" or "committed" not in death.lines)
        self.pair.oracle.commit(batch)
        self.pair.state()
        self.reach["crash"] += death.killed

    @rule(scope=scopes)
    def shred(self, scope: str) -> None:
        self.pair.commit(Batch((Shred(scope),)))
        for one in self.pair.declared:
            self.pair.ask(Query(collection=one.name))
        self.reach["shred"] += 1

    @rule(data=st.data())
    def index(self, data: st.DataObject) -> None:
        for one in self.pair.declared:
            batch = data.draw(reindexings(one, [row.id for row in self.pair.rows(one.name)][:5]))
            self.pair.commit(batch)
            for op in batch.ops:
                if isinstance(op, Index) and (name := op.fields.get("name")) is not None:
                    self.pair.ask(Query(collection=one.name, where=Eq("name", str(name)), limit=2))
        self.reach["index"] += 1

    @precondition(lambda self: self.held is None)
    @rule(field=st.sampled_from(LATER))
    def widen(self, field: Any) -> None:
        first = next(one for one in self.pair.declared if one.name == "order")
        if field not in first.fields:
            self.pair.declare(attrs.evolve(first, fields=(*first.fields, field)))
            self.reach["widen"] += 1

    def teardown(self) -> None:
        try:
            self.stack.close()
            self.pair.state()
        finally:
            self.pair.repository.close()
