"""What only several processes, a kill from outside or a full disk can show (K4, K5).

Floor: testing.
"""

# The names of checks carry the number of their law.
# ruff: noqa: N802

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path

from dossier.errors import ConflictError, StorageFullError
from dossier.repository import Batch, Key, Put, encode
from dossier.testing.crash import Say, child, kill
from dossier.testing.law_crash import FIRST
from dossier.testing.place import Place, Places, fail, holds, raises, same


def check_K4_killed(places: Places, *, times: int = 6) -> None:
    """SIGKILL at no chosen moment while batches are committed: nothing acknowledged is lost, none is there in part."""
    for n in range(times):
        place = places()
        with closing(place.create()) as repository:
            repository.declare(FIRST)
        acknowledged = 0
        with child(lambda say: _endless(place, say)) as (pid, lines):  # noqa: B023
            for line in lines:
                acknowledged = int(line)
                if acknowledged == 5 + 7 * n:
                    kill(pid)
        with closing(place.open()) as repository:
            kept = sorted({row.body for row in repository.scan("events")})
            counted = sum(1 for _ in repository.scan("events"))
            holds(f"{len(kept)} of {acknowledged} acknowledged batches are there", len(kept) >= acknowledged)
            same("rows of whole batches", counted, 4 * len(kept))


def _endless(place: Place, say: Say) -> None:
    repository = place.open()
    for n in range(1, 100_000):
        ops = tuple(Put("events", f"{n}-{part}", encode({"n": n}), {}, "s") for part in range(4))
        repository.commit(Batch(ops), durable=False)
        say(str(n))


def check_K5_processes(places: Places, *, processes: int = 4, rounds: int = 25) -> None:
    """Processes that count one row up, each retrying its conflicts, and create rows of the same ids: every count is
    there, every id was created by one."""
    place = places()
    with closing(place.create()) as repository:
        repository.declare(FIRST)
        repository.commit(Batch((Put("events", "counter", encode({"n": 0}), {}, "s"),)))
    created = 0
    with ExitStack() as stack:
        children = [stack.enter_context(child(lambda say: _count(place, say, rounds))) for _ in range(processes)]
        for _, lines in children:
            said = list(lines)
            holds(f"a process failed: {said[-1:]}", said[-1:] == ["end"])
            created += said.count("created")
    with closing(place.open()) as repository:
        row = repository.get_many([Key("events", "counter")])[0]
        same("version after all", None if row is None else row.version, processes * rounds + 1)
        same("rows created, each by one process", created, rounds)


def _count(place: Place, say: Say, rounds: int) -> None:
    with closing(place.open()) as repository:
        for n in range(rounds):
            while True:
                row = repository.get_many([Key("events", "counter")])[0]
                version = 0 if row is None else row.version
                put = Put("events", "counter", encode({"n": version}), {}, "s", version)
                try:
                    repository.commit(Batch((put,)), durable=False)
                    break
                except ConflictError:
                    continue
            try:
                repository.commit(Batch((Put("events", f"id{n}", b"1", {}, "s"),)), durable=False)
                say("created")
            except ConflictError:
                pass


def check_K4_full_disk(place: Place, folder: Path) -> None:
    """On a disk of a few megabytes: the batch that no longer fits is a StorageFullError and leaves nothing; with room
    again, it is taken."""
    ballast = folder / "ballast"
    with closing(place.create()) as repository:
        repository.declare(FIRST)
        ballast.write_bytes(b"\0" * 1_000_000)
        kept = 0
        full: Batch | None = None
        for n in range(2_000):
            body = encode({"n": n, "text": "x" * 60_000})
            batch = Batch(tuple(Put("events", f"{n:05}-{part}", body, {}, "s") for part in range(3)), f"k{n}")
            try:
                repository.commit(batch)
                kept += 1
            except StorageFullError:
                full = batch
                break
        if full is None:
            fail("the disk never filled")
        raises(StorageFullError, lambda: repository.commit(full), "the same batch on the full disk")
        same("rows on a full disk", sum(1 for _ in repository.scan("events", bodies=False)), 3 * kept)
        ballast.unlink()
        holds("a refused batch was known by its key", not repository.commit(full).repeated)
    with closing(place.open()) as repository:
        same("rows after a re-open", sum(1 for _ in repository.scan("events", bodies=False)), 3 * (kept + 1))
