"""A state being changed: what is only looked at keeps its bytes; what changed is written anew."""

from __future__ import annotations

from dossier.codec.state import Head, State
from dossier.model.claims import Claim, Source
from dossier.model.resolution import prevails

VISIT = Source("a1", 1, "2026-01-01T00:00:00.000000Z", "visit")
FORM = Source("a1", 1, "2026-01-01T00:00:00.000000Z", "form")


def test_what_is_looked_at_keeps_its_bytes() -> None:
    state = State(Head(kind="organization"))
    state.default = VISIT
    state.begin("basic", {"name": "甲"}, b'{"name":"\xe7\x94\xb2"}')
    state.begin("pack:stay", {"room": 5}, b'{"room":5,"unknown":[1]}')
    assert state.look("pack:stay") == {"room": 5}
    assert state.look("nothing") == {} and not state.has("nothing")
    state.claim("basic/name", Claim(FORM, 0, "乙"), "hard", "2026-01-02")
    again = State.decode(state.encode())
    assert bytes(again.raw["pack:stay"]) == b'{"room":5,"unknown":[1]}', "the very bytes"
    assert again.value("basic/name") == "甲"
    assert [claim.value for claim in again.rivals["basic/name"]] == ["乙"]


def test_what_changed_is_written_anew_and_what_is_empty_goes() -> None:
    state = State(Head(kind="organization"))
    state.begin("basic", {"name": "甲"}, b'{"name":"old"}')
    state.document("basic")["name"] = "丙"
    state.begin("preferences", {}, None)
    again = State.decode(state.encode())
    assert again.look("basic") == {"name": "丙"} and not again.has("preferences")
    again.document("basic").clear()
    again.replace("basic", b'{"name":"new"}')
    assert State.decode(again.encode()).look("basic") == {"name": "new"}


def test_rank_decides_before_time_and_no_rank_never_shows() -> None:
    visit, form = Claim(VISIT, 0, 1), Claim(FORM, 0, 2)
    assert prevails(visit, form, "hard") is True and prevails(form, visit, "hard") is False
    assert prevails(form, visit, "own_word") is True
    assert prevails(form, visit, "ours") is False and prevails(visit, form, "ours") is True
    assert prevails(form, Claim(FORM, 0, 3), "ours") is None
    later = Claim(Source("a2", 2, "2026-02-01T00:00:00.000000Z", "phone"), 0, 4)
    assert prevails(later, visit, "hard") is True, "equal rank: the newest"
