"""What verbs answer with: receipts, pages of hits, what was entered.

Floor: desk.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from dossier.desk.views import DossierView


@attrs.frozen
class Receipt:
    """The neutral answer to somebody who hands something in: it was taken. The same whatever is in the archive."""

    act: str


@attrs.frozen
class Hits:
    """A page of dossiers found, in order, and the cursor of the next page (None: the last)."""

    rows: tuple[DossierView, ...]
    cursor: str | None

    def __iter__(self) -> Iterator[DossierView]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)


@attrs.frozen
class Entered:
    """What `enter` wrote: the ids of the records, in the order given."""

    dossier: str
    records: tuple[str, ...]
    act: str


@attrs.frozen
class RecordRef:
    """Names a record: dossier id and record id."""

    dossier: str
    record: str
