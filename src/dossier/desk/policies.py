"""The policy in force, and putting another in its place: proposed by one, approved by another, both on record (P12).

Floor: desk. `desk.policies`. Every policy that was ever in force stays in the archive as TOML, by its digest.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import attrs
import msgspec

from dossier.codec import SectionRegistry
from dossier.desk.changes import fits
from dossier.errors import DamagedError, DeniedError, DossierError, InputError, NotFoundError
from dossier.model.clock import instant
from dossier.model.problems import problem
from dossier.policy import Decision, Outcome, Policy, dumps, load, loads
from dossier.policy.checks import check
from dossier.policy.looking import Cell, diff
from dossier.policy.reasons import reason
from dossier.repository import MAX_BATCH, Batch, Key, Put, Reader, decode, encode

if TYPE_CHECKING:
    from dossier.desk.reading import Reading

MAKERS: Final = ("manager", "officer")
"""Kinds of role that propose and approve policies and review a broken glass. No rule gives or takes this, so that no
policy can lock everybody out."""
_NOTE: Final = 10_000
_ROOM: Final = MAX_BATCH - 40


def policy_put(policy: Policy) -> Put:
    """The row that keeps a policy."""
    return Put("policies", f"policy-{policy.digest}", encode({"toml": dumps(policy)}), {}, "", None)


def read_policy(reader: Reader, digest: str) -> Policy:
    """The policy of a digest. DamagedError where it is not kept, or is another."""
    (row,) = reader.get_many([Key("policies", f"policy-{digest}")])
    if row is not None:
        try:
            found = loads(str(decode(row.body)["toml"]))
            if found.digest == digest:
                return found
        except (DossierError, LookupError, TypeError):
            pass
    raise DamagedError(what="policy")


def to_enforce(
    policy: Policy | str | os.PathLike[str],
    sections: SectionRegistry,
    roles: Mapping[str, str],
    exceptions: Iterable[str],
) -> Policy:
    """A policy that may come into force: read where it is a path, checked for sections and roles. InputError with all
    that is wrong with it."""
    made = policy if isinstance(policy, Policy) else load(Path(policy))
    problems = check(made, sections.specs(), roles=roles, exceptions=exceptions)
    if problems:
        raise InputError(problems)
    return made


@attrs.frozen
class Proposal:
    """A policy that somebody proposed: by whom (name), when, why; `state` proposed, approved or stale (another policy
    came into force meanwhile)."""

    id: str
    digest: str
    by: str = attrs.field(repr=False)
    at: str
    because: str = attrs.field(repr=False)
    state: str
    policy: Policy = attrs.field(repr=False)


class PoliciesCounter:
    """Propose a policy, look at what waits, approve it."""

    def __init__(self, reading: Reading) -> None:
        self._archive = reading.archive
        self._reading = reading

    def propose(self, policy: Policy | str | os.PathLike[str], *, because: str) -> Proposal:
        """Propose a policy, as an object or the path of a TOML file, with the reason. It changes nothing yet.

        InputError with all that is wrong with it; DeniedError for anybody but a manager or an officer.
        """
        archive = self._archive
        decision = maker(self._reading, "policy.propose")
        _because(because)
        manifest = archive.manifest
        made = to_enforce(policy, archive.registry, manifest.roles, manifest.exceptions)
        id, now = archive.new_id(), archive.moment()
        body = {"at": now, "because": because, "by": self._reading.actor.id, "digest": made.digest,
                "on": manifest.policy, "state": "proposed", "toml": dumps(made)}  # fmt: skip
        event = self._reading.event("policy.propose", decision, act=id, at=now, shape=made.digest[:16])
        with archive.recorder.writing([event]) as rows:
            put = Put("policies", f"proposal-{id}", encode(body), {}, "", 0)
            archive.repository.commit(Batch((archive.guard(), put, *rows)))
        return self._proposal(f"proposal-{id}", body)

    def waiting(self) -> tuple[Proposal, ...]:
        """The proposals that can be approved, by id."""
        decision = maker(self._reading, "policy.waiting")
        rows = self._archive.repository.scan("policies", start="proposal-", stop="proposal.")
        found = [self._proposal(row.id, decode(row.body)) for row in rows]
        self._archive.recorder.read(self._reading.event("policy.waiting", decision))
        return tuple(each for each in found if each.state == "proposed")

    def widened(self, proposal: Proposal) -> list[Cell]:
        """Every cell that a proposal widens, against the policy in force: what its approver should read."""
        manifest = self._archive.manifest
        specs = self._archive.registry.specs()
        return diff(self._archive.policy, proposal.policy, specs, roles=manifest.roles, exceptions=manifest.exceptions)

    def approve(self, proposal: Proposal | str, *, because: str) -> Policy:
        """Put a proposed policy in force, for every process from this commit on.

        Whoever proposed it may not approve it; in an archive of one person he may when the waiting time is over.
        InputError where it is too early, settled or proposed against another policy; DeniedError; NotFoundError.
        """
        archive, reading = self._archive, self._reading
        decision = maker(reading, "policy.approve")
        _because(because)
        id = proposal.id if isinstance(proposal, Proposal) else proposal
        now = archive.moment()
        put: list[Put] = []

        def change(manifest: Any) -> Any:
            (row,) = archive.repository.get_many([Key("policies", f"proposal-{id}")])
            if row is None:
                raise NotFoundError()
            said = decode(row.body)
            if said["state"] != "proposed" or said["on"] != manifest.policy:
                raise InputError([reason("policy.settled", "policies")])
            second_person(reading, archive.policy.waiting_hours, said["by"], said["at"], decision, "policy.approve")
            made = loads(said["toml"])
            said |= {"approved": now, "approved_because": because, "approved_by": reading.actor.id, "state": "approved"}
            put[:] = [Put("policies", row.id, encode(said), {}, "", row.version), policy_put(made)]
            return msgspec.structs.replace(manifest, policy=made.digest)

        def commit(manifest: Put) -> None:
            digest = put[1].id.partition("-")[2]
            told = archive.staff.renamed_policy(digest)
            event = reading.event("policy.approve", decision, act=id, at=now, shape=digest[:16])
            with archive.recorder.writing([event]) as rows:
                archive.repository.commit(Batch((manifest, *put, *told[:_ROOM], *rows)))
            for start in range(_ROOM, len(told), _ROOM):
                archive.repository.commit(Batch(tuple(told[start : start + _ROOM])))

        archive.rewrite(change, commit)
        return archive.policy

    def _proposal(self, row: str, said: Mapping[str, Any]) -> Proposal:
        stale = said["state"] == "proposed" and said["on"] != self._archive.manifest.policy
        by = self._archive.staff.by_id(said["by"])
        return Proposal(row.partition("-")[2], said["digest"], by, said["at"], said["because"],
                        "stale" if stale else said["state"], loads(said["toml"]))  # fmt: skip


def maker(reading: Reading, called: str) -> Decision:
    """The decision that lets somebody make policies; otherwise one event and a DeniedError."""
    kind = reading.archive.staff.kind(reading.role)
    outcome = Outcome.ALLOWED if kind in MAKERS else Outcome.NOT_PERMITTED
    decision = Decision(outcome, {}, (), (), reading.archive.policy.digest)
    if not decision.allowed:
        reading.refuse(decision, called)
        raise DeniedError(path=called, role=reading.role, verb="approve", verb_zh="批准")
    return decision


def second_person(reading: Reading, waiting_hours: int, by: str, at: str, decision: Decision, called: str) -> None:
    """InputError, on record, where whoever acts is the one who asked (at an instant), and no waiting time replaces the
    second person or it is not over."""
    if reading.actor.id != by:
        return
    over = instant(dt.datetime.fromisoformat(at) + dt.timedelta(hours=waiting_hours))
    if waiting_hours and reading.archive.now() >= over:
        return
    reading.refuse(decision, called)
    if waiting_hours:
        raise InputError([reason("policy.early", called, hours=waiting_hours)])
    raise InputError([reason("policy.alone", called)])


def _because(because: str) -> None:
    if not fits(because, _NOTE) or not because.strip():
        raise InputError([problem("told.because", "because")])
