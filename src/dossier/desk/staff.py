"""Who works with the archive: actors, their roles and since when (M109, M118, M130).

Floor: desk. The host authenticates; the library records. Reached as `archive.staff`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import attrs
import msgspec

from dossier.desk.changes import fits
from dossier.errors import ConflictError, InputError, LockedError, NotEnrolledError
from dossier.model.problems import problem
from dossier.policy import KINDS
from dossier.repository import Batch, IndexValue, Key, Op, Put, Row, decode, encode

if TYPE_CHECKING:
    from dossier.desk.archive import Archive

_TRIES = 20


@attrs.frozen
class Actor:
    """Somebody who acts. `pseudonym` stands for him in the ledger; `roles` and `teams` are the host's words."""

    id: str
    name: str = attrs.field(repr=False)
    pseudonym: str = ""
    roles: tuple[str, ...] = ()
    teams: frozenset[str] = frozenset()


class Staff:
    """The archive's staff. An archive created with `staff="enrolled"` lets nobody else act.

    Roles end with the commit that records it, in every process: each call of a desk looks at the actor's row, and
    because a dismissal also writes the manifest, which every batch checks, no batch that was being made gets past.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._repository = archive.repository
        self._kinds = dict(archive.manifest.roles)
        self._open = archive.manifest.staff == "open"
        self._key = archive.manifest.staff_key

    def kind(self, role: str) -> str:
        """The kind that a role was declared with. InputError for an unknown role."""
        found = self._kinds.get(role) if type(role) is str else None
        if found is None:
            raise InputError([problem("staff.role", "role")])
        return found

    def enrol(self, name: str, *, roles: Iterable[str], teams: Iterable[str] | None = None) -> Actor:
        """Enrol somebody, or give him further roles; the event is in the same batch. `teams`: those he is in from now
        on, in place of any before (None: as they were)."""
        if isinstance(roles, str) or not isinstance(roles, Iterable):
            raise InputError([problem("staff.role", "roles")])
        wanted = list(roles)
        for role in wanted:
            self.kind(role)
        _check(name)
        grouped = _teams(teams)
        for _ in range(_TRIES):
            actor = self._enrol(name, dict.fromkeys(wanted), grouped)
            if actor is not None:
                return actor
            self._archive.renew()
        raise LockedError(path="staff")

    def dismiss(self, name: str, *, role: str) -> Actor:
        """End a role from now on; the period stays on record, and the event is in the same batch."""
        self.kind(role)
        _check(name)
        done: list[Actor] = []

        def commit(manifest: Put) -> None:
            row = self._find(name)
            if row is None:
                raise InputError([problem("staff.unknown", "name")])
            body, now = decode(row.body), self._archive.moment()
            for held in body["roles"]:
                if held["role"] == role and not held["until"]:
                    held["until"] = now
            actor = _actor(row, body)
            put = Put("staff", row.id, encode(body), row.index, "", row.version)
            self._commit("dismiss", actor, (role,), now, manifest, put)
            done.append(actor)

        self._archive.rewrite(lambda m: msgspec.structs.replace(m, dismissals=m.dismissals + 1), commit)
        return done[0]

    def all(self) -> list[Actor]:
        """Everybody, by the order of enrolment ids."""
        return [_actor(row, decode(row.body)) for row in self._repository.scan("staff")]

    def acting(self, name: str, role: str) -> Actor:
        """The actor behind a name and a role. Enrols an unknown one unless the archive is for enrolled staff only; in
        an archive that is open for reading only, he gets a pseudonym that follows from his name."""
        self.kind(role)
        _check(name)
        row = self._find(name)
        if not self.allows(row, role):
            raise self.denied(role)
        if row is not None and role in _roles(decode(row.body)):
            return _actor(row, decode(row.body))
        if self._archive.writable:
            return self.enrol(name, roles=[role])
        held = row.index.get("pseudonym") if row is not None else None
        return Actor(self._row_id(name), name, str(held or self._hash(b"pseudonym", name)[:16]), (role,))

    def allows(self, row: Row | None, role: str) -> bool:
        """Whether somebody may act under a role, by his row as it was just read: whoever holds the role, and in an
        archive of open staff whoever never lost it. Nobody takes up again by asking what he was dismissed from."""
        body = decode(row.body) if row is not None else {"roles": []}
        return role in _roles(body) or (self._open and all(held["role"] != role for held in body["roles"]))

    def denied(self, role: str) -> NotEnrolledError:
        """The error for somebody who may not act under a role."""
        return NotEnrolledError(path="staff", role=role, kind=self.kind(role))

    def named(self, name: str) -> Actor | None:
        """The enrolled actor of a name."""
        _check(name)
        row = self._find(name)
        return _actor(row, decode(row.body)) if row is not None else None

    def by_id(self, actor: str) -> str:
        """The name behind an actor's id ("" if nobody has it)."""
        (row,) = self._repository.get_many([Key("staff", actor)])
        return str(decode(row.body)["name"]) if row is not None else ""

    def policy_named(self, row: Row | None) -> str:
        """The digest of the policy that was last put in force, by somebody's row ("" where none has been since)."""
        return str(decode(row.body).get("policy", "")) if row is not None else ""

    def renamed_policy(self, digest: str) -> list[Put]:
        """What makes everybody's next call, in every process, notice that another policy is in force."""
        return [
            Put("staff", row.id, encode({**decode(row.body), "policy": digest}), row.index, "", row.version)
            for row in self._repository.scan("staff")
        ]

    def teams(self, row: Row | None) -> frozenset[str]:
        """The teams that somebody is in, by his row as it was just read."""
        return frozenset(decode(row.body).get("teams", ())) if row is not None else frozenset()

    def _enrol(self, name: str, wanted: Iterable[str], teams: list[str] | None) -> Actor | None:
        row = self._find(name)
        body: dict[str, Any]
        index: dict[str, IndexValue]
        if row is None:
            body = {"name": name, "roles": []}
            pseudonym = self._archive.environment.random(8).hex()
            row_id, index, expect = self._row_id(name), {"name": name, "pseudonym": pseudonym}, 0
        else:
            body, row_id, index, expect = decode(row.body), row.id, dict(row.index), row.version
        added = [role for role in wanted if role not in _roles(body)]
        now = self._archive.moment()
        body["roles"] += [{"role": role, "since": now, "until": ""} for role in added]
        regrouped = teams is not None and teams != body.get("teams", [])
        if regrouped:
            body["teams"] = teams
        actor = _actor(Row("staff", row_id, expect + 1, b"", index, ""), body)
        if row is not None and not added and not regrouped:
            return actor
        try:
            put = Put("staff", row_id, encode(body), index, "", expect)
            self._commit("enrol", actor, tuple(added), now, self._archive.guard(), put)
            return actor
        except ConflictError:
            return None

    def _commit(self, verb: str, actor: Actor, roles: tuple[str, ...], at: str, *ops: Op) -> None:
        """Write a change of staff with its event: the host did it, `roles` are those given or ended."""
        event = self._archive.recorder.plain(verb)
        event.at, event.roles, event.subjects = at, roles, ((actor.pseudonym, 0, "staff"),)
        with self._archive.recorder.writing([event]) as rows:
            self._repository.commit(Batch((*ops, *rows)))

    def _find(self, name: str) -> Row | None:
        (row,) = self._repository.get_many([Key("staff", self._row_id(name))])
        return row

    def _row_id(self, name: str) -> str:
        """The id follows from the name, so that two processes cannot enrol one person twice."""
        return self._hash(b"", name)[:32]

    def _hash(self, purpose: bytes, name: str) -> str:
        return hmac.new(self._key + purpose, name.encode(), hashlib.sha256).hexdigest()


def _roles(body: dict[str, Any]) -> tuple[str, ...]:
    return tuple(held["role"] for held in body["roles"] if not held["until"])


def _actor(row: Row, body: dict[str, Any]) -> Actor:
    teams = frozenset(body.get("teams", ()))
    return Actor(row.id, str(body["name"]), str(row.index.get("pseudonym", "")), _roles(body), teams)


def _teams(teams: Iterable[str] | None) -> list[str] | None:
    """Teams as they are stored: sorted, each once."""
    if teams is None:
        return None
    given = [] if isinstance(teams, str) else list(teams)
    if isinstance(teams, str) or not all(fits(team, 200) and team.strip() for team in given):
        raise InputError([problem("staff.team", "teams")])
    return sorted(set(given))


def _check(name: object) -> None:
    if not fits(name, 200) or not str(name).strip():
        raise InputError([problem("staff.name", "name")])


def default_roles() -> dict[str, str]:
    """Roles named as their kinds."""
    return {kind: kind for kind in KINDS}
