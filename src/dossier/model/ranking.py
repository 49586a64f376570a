"""Channels, and which of them is believed for which kind of fact (M65-M67).

Floor: model. A ranking is an ordered list of ranks; channels in one rank are equals. A channel that no rank
names stands in the rank marked with `...`, or never counts where there is none.
"""

from __future__ import annotations

from types import EllipsisType
from typing import Final

STAFF: Final = ("visit", "phone", "desk", "service", "sales", "event", "check_in", "check_out")
"""Heard or seen by our own staff; `desk` is the default channel and ranks with visit and phone."""
SELF: Final = ("form", "web", "registration", "booking", "social")
"""Told by the customer about himself, without our staff."""
BUREAU: Final = ("agency", "public", "research")
"""Bodies that gather facts for others: hard data, at a price."""
HEARSAY: Final = ("partner", "supplier", "referral", "friend", "staff")
"""Others who know the customer: partners, suppliers, old customers, friends, the customer's own staff."""

CHANNELS: Final = (*STAFF, *SELF, *BUREAU, *HEARSAY, "document", "observation", "assessment", "import")
"""The kernel's channels. The vocabulary is open (M67): any other word is accepted and ranks where `...` stands."""

_Rank = tuple[str | EllipsisType, ...]

RANKINGS: Final[dict[str, tuple[_Rank, ...]]] = {
    # agency > document > visit > form
    "hard": (BUREAU, ("document",), (*STAFF, "assessment"), (*HEARSAY, "import", ...), SELF, ("observation",)),
    # who speaks of his own size exaggerates: self-reported last
    "size": (BUREAU, ("document",), (*STAFF, "assessment"), (*HEARSAY, "import", ...), ("observation",), SELF),
    "identity": (("document",), BUREAU, STAFF, SELF, ("assessment", *HEARSAY, "import", ...), ("observation",)),
    "own_word": (SELF, STAFF, (*HEARSAY, "assessment", "import", ...), ("document",), BUREAU, ("observation",)),
    # the team's assessment; a single observation never makes a habit (M76)
    "habit": (("assessment",), SELF, STAFF, (*HEARSAY, "document", "import", ...), BUREAU),
    # opinions and terms that are ours to hold: nobody else's claim ever shows
    "ours": (("assessment",), STAFF, ("import",)),
}

_tables: dict[str, tuple[dict[str, int], int | None]] = {}
for _name, _ranks in RANKINGS.items():
    _named: dict[str, int] = {}
    _rest: int | None = None
    for _position, _rank in enumerate(_ranks):
        for _channel in _rank:
            if isinstance(_channel, str):
                _named[_channel] = _position
            else:
                _rest = _position
    if _name == "habit":
        _named["observation"] = -1
    _tables[_name] = (_named, _rest)


def rank(ranking: str, channel: str) -> int | None:
    """The rank of a channel, 0 the best; None: a claim by this channel never shows under this ranking."""
    named, rest = _tables[ranking]
    found = named.get(channel, rest)
    return None if found is None or found < 0 else found
