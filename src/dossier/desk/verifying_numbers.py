"""Registration numbers checked: none is given twice, and none of those to come was given already (K10).

Floor: desk.
"""

from __future__ import annotations

import hashlib

from dossier.desk.numbers import SERIES, leases, numbered
from dossier.desk.verifying_rows import Add
from dossier.errors import DossierError
from dossier.model.numbering import NumberScheme
from dossier.repository import Reader


def numbers(state: Reader, add: Add) -> None:
    """Walk the numbers in their order, beside the leases. Of memory they take one number."""
    try:
        free = leases(state)
    except (DossierError, LookupError, TypeError, ValueError):
        return  # a row that cannot be read was named already
    highest = dict.fromkeys(free, 0)
    last, unleased = "", False
    for number, row in numbered(state):
        if number == last:
            add("number", f"dossiers/{row.index.get('pseudonym') or _hashed(row.id)}")
        last = number
        for series in free:
            if serial := NumberScheme.serial(number, series=series):
                highest[series] = max(highest[series], serial)
                break
        else:
            unleased = True
    for series, serial in highest.items():
        if serial >= free[series]:
            add("number", f"leases/{_hashed(SERIES + series)}")
    if unleased:
        add("number", "leases")


def _hashed(row_id: str) -> str:
    return hashlib.sha256(row_id.encode()).hexdigest()[:16]
