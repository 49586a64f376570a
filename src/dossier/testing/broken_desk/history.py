"""Desks that break K7: history.

Floor: testing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import msgspec

from dossier.codec import linked, state
from dossier.codec.acts import Replay, StoredAct
from dossier.codec.state import State
from dossier.desk import history, origins, views
from dossier.desk.archive import Archive
from dossier.desk.history import History
from dossier.desk.parts import Keys
from dossier.model import resolution
from dossier.model.clock import instant
from dossier.testing.broken_desk.variant import Replace, variant


@variant("K7_history")
def forgotten_withdrawals() -> Sequence[Replace]:
    """The replay does not end what an act withdrew."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, withdraws=[], retracts=[]))

    return [(Replay, "apply", forget)]


@variant("K7_history")
def forgotten_marks() -> Sequence[Replace]:
    """The replay does not set marks."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, marks=[]))

    return [(Replay, "apply", forget)]


@variant("K7_history")
def forgotten_answers() -> Sequence[Replace]:
    """The replay leaves the claims of a part where they were made, though somebody said whose they are."""
    apply = Replay.apply

    def forget(self: Replay, stored: StoredAct) -> None:
        apply(self, msgspec.structs.replace(stored, answers=[]))

    return [(Replay, "apply", forget)]


@variant("K7_history", perhaps=("K5_threads", "K5_requests", "K8_digest"))
def clock_goes_back() -> Sequence[Replace]:
    """Recorded time is what the clock says, also where somebody set it back."""
    return [
        (Archive, "moment", lambda self: instant(self.environment.now())),
        (Archive, "not_before", lambda self, *moments: moments[0]),
    ]


@variant("K7_history")
def session_forgets_time() -> Sequence[Replace]:
    """A new session does not look when the last act was recorded."""
    return [(Archive, "resume_clock", lambda self: None)]


@variant("K7_history")
def always_valid() -> Sequence[Replace]:
    """Spans of validity are not looked at."""
    return [(state, "valid_on", lambda *given: True), (history, "valid_on", lambda *given: True)]


@variant("K7_history")
def valid_before_it_was_seen() -> Sequence[Replace]:
    """On a past day a claim holds though nobody had seen anything yet."""
    valid_on = resolution.valid_on
    return [(history, "valid_on", lambda source, day, seen=None: valid_on(source, day))]


@variant("K7_history")
def spans_pass_unseen() -> Sequence[Replace]:
    """What a span of validity changed since the last act is not looked at again."""
    return [(state, "next_change", lambda claims, today: "")]


@variant("K7_history")
def knows_later_acts() -> Sequence[Replace]:
    """What was known then is resolved over all acts, also later ones."""
    acts_of = History._acts_of

    def all_of(self: History, member: str, suffix: str) -> list[StoredAct]:
        known, upto = self._known, self._upto
        self._known = self._upto = None
        self.__dict__.pop("_bound", None)
        try:
            return acts_of(self, member, suffix)
        finally:
            self._known, self._upto = known, upto
            self.__dict__.pop("_bound", None)

    return [(History, "_acts_of", all_of)]


@variant("K7_history", "K2_survival", "K11_refusals")
def questions_are_answers() -> Sequence[Replace]:
    """Whoever bears the name of a known person is that person."""
    key = Keys._key

    def same_part(self: Keys, field: Any, path: str, same: str, questions: Any) -> str:
        asked: dict[str, str] = {}
        found = key(self, field, path, same, asked)
        return next(iter(asked.values()), found)

    return [(Keys, "_key", same_part)]


@variant("K7_history")
def rivals_lost_by_merging() -> Sequence[Replace]:
    """The view of merged files shows what their claims come to, but not the claims beside it."""
    combine = linked.combine

    def alone(*given: Any, **named: Any) -> State:
        made = combine(*given, **named)
        made.rivals = {}
        return made

    from dossier.desk import reading

    return [(reading, "combine", alone)]


@variant("K7_history")
def acts_without_marks() -> Sequence[Replace]:
    """The list of acts does not say what was marked."""
    act = History._act

    def silent(self: History, *given: Any) -> Any:
        return attrs.evolve(act(self, *given), marked=())

    return [(History, "_act", silent)]


@variant("K7_history")
def origin_of_the_day() -> Sequence[Replace]:
    """An origin says that a claim was observed when it was recorded, and names no evidence."""
    origin_of = origins.origin_of

    def plain(source: Any, marks: int) -> Any:
        return attrs.evolve(origin_of(source, marks), observed=source.at, evidence=())

    return [(views, "origin_of", plain)]
