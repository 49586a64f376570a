"""Who works with the archive: actors, their roles and since when (M109, M118, M130).

Floor: desk. The host authenticates; the library records. Reached as `archive.staff`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from dossier.desk.changes import fits
from dossier.errors import ConflictError, DeniedError, InputError, LockedError
from dossier.model.problems import problem
from dossier.policy import KINDS
from dossier.repository import Batch, IndexValue, Key, Op, Put, Repository, Row, decode, encode

_TRIES = 20


@attrs.frozen
class Actor:
    """Somebody who acts. `pseudonym` stands for him in the ledger; `roles` are the host's words."""

    id: str
    name: str = attrs.field(repr=False)
    pseudonym: str = ""
    roles: tuple[str, ...] = ()


class Staff:
    """The archive's staff. An archive created with `staff="enrolled"` lets nobody else act."""

    def __init__(
        self,
        repository: Repository,
        *,
        kinds: Mapping[str, str],
        enrolled_only: bool,
        random: Callable[[int], bytes],
        now: Callable[[], str],
        guard: Callable[[], Op],
        renew: Callable[[], None],
        key: bytes,
    ) -> None:
        self._repository = repository
        self._kinds = dict(kinds)
        self._enrolled_only = enrolled_only
        self._random = random
        self._now = now
        self._guard = guard
        self._renew = renew
        self._key = key
        self._known: dict[tuple[str, str], Actor] = {}

    def kind(self, role: str) -> str:
        """The kind that a role was declared with. InputError for an unknown role."""
        found = self._kinds.get(role)
        if found is None:
            raise InputError([problem("staff.role", "role")])
        return found

    def enrol(self, name: str, *, roles: Iterable[str]) -> Actor:
        """Enrol somebody, or give him further roles."""
        wanted = tuple(dict.fromkeys(roles))
        for role in wanted:
            self.kind(role)
        _check(name)
        for _ in range(_TRIES):
            actor = self._enrol(name, wanted)
            if actor is not None:
                self._known.clear()
                return actor
        raise LockedError(path="staff")

    def dismiss(self, name: str, *, role: str) -> Actor:
        """End a role from now on; the period stays on record."""
        _check(name)
        for _ in range(_TRIES):
            row = self._find(name)
            if row is None:
                raise InputError([problem("staff.unknown", "name")])
            body = decode(row.body)
            for held in body["roles"]:
                if held["role"] == role and not held["until"]:
                    held["until"] = self._now()
            if self._put(Put("staff", row.id, encode(body), row.index, "", row.version)):
                self._known.clear()
                return _actor(row, body)
        raise LockedError(path="staff")

    def all(self) -> list[Actor]:
        """Everybody, by the order of enrolment ids."""
        return [_actor(row, decode(row.body)) for row in self._repository.scan("staff")]

    def acting(self, name: str, role: str) -> Actor:
        """The actor behind a name and a role. Enrols an unknown one unless the archive is for enrolled staff only."""
        found = self._known.get((name, role))
        if found is not None:
            return found
        kind = self.kind(role)
        _check(name)
        row = self._find(name)
        actor = _actor(row, decode(row.body)) if row is not None else None
        if actor is None or role not in actor.roles:
            # Whoever was dismissed from a role does not take it up again by asking.
            dismissed = row is not None and any(held["role"] == role for held in decode(row.body)["roles"])
            if self._enrolled_only or dismissed:
                raise DeniedError(path="staff", role=role, verb="act", verb_zh="行事", kind=kind)
            actor = self.enrol(name, roles=[role])
        self._known[name, role] = actor
        return actor

    def by_id(self, actor: str) -> str:
        """The name behind an actor's id ("" if nobody has it)."""
        (row,) = self._repository.get_many([Key("staff", actor)])
        return str(decode(row.body)["name"]) if row is not None else ""

    def _enrol(self, name: str, wanted: tuple[str, ...]) -> Actor | None:
        row = self._find(name)
        body: dict[str, Any]
        index: dict[str, IndexValue]
        if row is None:
            body = {"name": name, "roles": []}
            row_id, index, expect = self._row_id(name), {"name": name, "pseudonym": self._random(8).hex()}, 0
        else:
            body, row_id, index, expect = decode(row.body), row.id, dict(row.index), row.version
        held = {entry["role"] for entry in body["roles"] if not entry["until"]}
        body["roles"] += [{"role": r, "since": self._now(), "until": ""} for r in wanted if r not in held]
        put = Put("staff", row_id, encode(body), index, "", expect)
        if not self._put(put):
            return None
        return _actor(Row("staff", row_id, expect + 1, b"", index, ""), body)

    def _find(self, name: str) -> Row | None:
        (row,) = self._repository.get_many([Key("staff", self._row_id(name))])
        return row

    def _row_id(self, name: str) -> str:
        """The id follows from the name, so that two processes cannot enrol one person twice."""
        return hmac.new(self._key, name.encode(), hashlib.sha256).hexdigest()[:32]

    def _put(self, put: Put) -> bool:
        try:
            self._repository.commit(Batch((self._guard(), put)))
            return True
        except ConflictError:
            pass
        self._renew()
        return False


def _actor(row: Row, body: dict[str, Any]) -> Actor:
    roles = tuple(entry["role"] for entry in body["roles"] if not entry["until"])
    return Actor(row.id, str(body["name"]), str(row.index.get("pseudonym", "")), roles)


def _check(name: object) -> None:
    if not fits(name, 200) or not str(name).strip():
        raise InputError([problem("staff.name", "name")])


def default_roles() -> dict[str, str]:
    """Roles named as their kinds."""
    return {kind: kind for kind in KINDS}
