"""A lane: the chain of one process. Its events are numbered without a gap (A3).

Floor: ledger, pure.
"""

from __future__ import annotations

from dossier.ledger.event import START, Event, seal


class Chain:
    """Numbers and seals the events of one lane. The caller keeps it to one thread at a time."""

    def __init__(self, name: str, *, seq: int = 0, head: str = START) -> None:
        self.name = name
        self.seq = seq
        self.head = head

    def next(self, event: Event) -> bytes:
        """Give the event its lane, number and place in the chain; the stored line comes back.

        Call `rewind` with the state from `mark` where the line was not kept.
        """
        event.lane = self.name
        event.seq = self.seq + 1
        line, digest = seal(event, self.head)
        self.seq += 1
        self.head = digest
        return line

    def mark(self) -> tuple[int, str]:
        """Where the chain stands."""
        return self.seq, self.head

    def rewind(self, mark: tuple[int, str]) -> None:
        """Go back: what was sealed since was not kept."""
        self.seq, self.head = mark
