"""Breaking the glass: in an emergency one may consult one file for some minutes, with a reason (P9).

Floor: desk. `desk.glass`. Off unless the policy has `break_glass`. It lifts no forbid, and nobody breaks it again
before somebody else has reviewed the last time.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Final

import attrs

from dossier.desk.changes import fits
from dossier.desk.guarding import last_glass
from dossier.desk.policies import maker, second_person
from dossier.desk.reading import Reading, Target
from dossier.desk.writing import Writing
from dossier.errors import DeniedError, InputError, NotFoundError
from dossier.model.clock import instant
from dossier.model.problems import problem
from dossier.policy import Decision, Outcome
from dossier.policy.reasons import reason
from dossier.policy.rules import GLASS
from dossier.repository import Put, Row, decode, encode

if TYPE_CHECKING:
    from dossier.desk.work import Work

_NOTE: Final = 10_000


@attrs.frozen
class Broken:
    """One breaking of the glass: by whom (name), of which dossier (id), from when until when, why, whether it was
    reviewed."""

    id: str
    by: str = attrs.field(repr=False)
    dossier: str
    at: str
    until: str
    because: str = attrs.field(repr=False)
    reviewed: bool


class GlassCounter:
    """Break the glass (`open`), see what waits for a review (`waiting`), close a review (`review`)."""

    def __init__(self, reading: Reading, writing: Writing) -> None:
        self._archive = reading.archive
        self._reading = reading
        self._writing = writing

    def open(self, dossier: Target, *, because: str) -> Broken:
        """May consult this file from now on, for the minutes of the policy, whatever no rule forbids.

        DeniedError where the policy does not open this to the role; InputError without a reason, or while the last
        time is not reviewed; NotFoundError. The refusals are on record too.
        """
        archive, reading = self._archive, self._reading
        glass = archive.policy.break_glass
        open_to = glass is not None and glass.names(
            frozenset({archive.staff.kind(reading.role)}), frozenset({reading.role})
        )
        digest = archive.policy.digest
        outcome = Outcome.ALLOWED if open_to else Outcome.NOT_PERMITTED
        decision = Decision(outcome, {}, (GLASS,) if open_to else (), (), digest)
        if glass is None or not open_to:
            reading.refuse(decision, "break_glass")
            raise DeniedError(path="break_glass", role=reading.role, verb="break_glass", verb_zh="紧急查阅")
        _because(because)
        target = reading.members(reading.known(dossier, decision, "break_glass"))[0]
        now = archive.moment()
        until = instant(dt.datetime.fromisoformat(now) + dt.timedelta(minutes=glass.minutes))

        def intent(work: Work) -> Broken:
            head = self._writing.head(work, target)
            last = last_glass(archive.repository, reading.actor.id)
            if last is not None and not decode(last.body)["reviewed"]:
                reading.refuse(decision, "break_glass")
                raise InputError([reason("policy.glass_open", "break_glass")])
            number = int(last.id.rpartition("-")[2]) + 1 if last is not None else 1
            body = {"at": now, "because": because, "by": reading.actor.id, "dossier": target, "reviewed": "",
                    "until": until}  # fmt: skip
            row = f"glass-{reading.actor.id}-{number:06d}"
            work.ops.append(Put("policies", row, encode(body), {}, "", 0))
            work.events.append(self._writing.event("break_glass", decision, "", now, (head.pseudonym, head.rev, "")))
            return self._broken(row, body)

        return self._writing.run(intent)

    def waiting(self) -> tuple[Broken, ...]:
        """What was not reviewed yet. For managers and officers."""
        decision = maker(self._reading, "glass.waiting")
        rows = self._archive.repository.scan("policies", start="glass-", stop="glass.")
        found = tuple(self._broken(row.id, decode(row.body)) for row in rows if not decode(row.body)["reviewed"])
        self._archive.recorder.read(self._reading.event("glass.waiting", decision))
        return found

    def review(self, broken: Broken | str, *, because: str) -> Broken:
        """Close the review, with what was found; the access ends with it. By another manager or officer than who broke
        the glass; in an archive of one person by himself when the waiting time is over. InputError, DeniedError,
        NotFoundError."""
        archive, reading = self._archive, self._reading
        decision = maker(reading, "glass.review")
        _because(because)
        id = broken.id if isinstance(broken, Broken) else broken
        now = archive.moment()

        def intent(work: Work) -> Broken:
            row: Row | None = work.row("policies", id) if id.startswith("glass-") else None
            if row is None:
                raise NotFoundError()
            said: dict[str, Any] = decode(row.body)
            if said["reviewed"]:
                raise InputError([reason("policy.settled", "glass")])
            second_person(reading, archive.policy.waiting_hours, said["by"], said["at"], decision, "glass.review")
            said |= {"found": because, "reviewed": now, "reviewed_by": reading.actor.id}
            work.ops.append(Put("policies", row.id, encode(said), {}, "", row.version))
            pseudonym = self._writing.head(work, said["dossier"]).pseudonym
            work.events.append(self._writing.event("glass.review", decision, "", now, (pseudonym, 0, "")))
            return self._broken(row.id, said)

        return self._writing.run(intent)

    def _broken(self, row: str, said: dict[str, Any]) -> Broken:
        by = self._archive.staff.by_id(said["by"])
        return Broken(row, by, said["dossier"], said["at"], said["until"], said["because"], bool(said["reviewed"]))


def _because(because: str) -> None:
    if not fits(because, _NOTE) or not because.strip():
        raise InputError([problem("told.because", "because")])
