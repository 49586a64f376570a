"""Customer archives (客户档案): one dossier a customer, every value with its origin, every reader on record.

Names are imported when they are first looked at, so that `import dossier` costs little (law K12).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dossier import errors

if TYPE_CHECKING:
    from dossier.codec import SectionRegistry
    from dossier.desk.answers import Entered, Hits, Receipt, RecordRef
    from dossier.desk.archive import Archive, create, open, registry
    from dossier.desk.changes import Change, Draft, change, record
    from dossier.desk.desk import Desk
    from dossier.desk.finding import field
    from dossier.desk.history import Act, History
    from dossier.desk.records import RecordView
    from dossier.desk.restoring import restore
    from dossier.desk.views import DossierView
    from dossier.errors import DossierError
    from dossier.model.absence import Absence
    from dossier.model.clock import Environment, ManualClock
    from dossier.model.edits import UNSET, edit
    from dossier.model.ranking import CHANNELS
    from dossier.model.values import (
        Money,
        PartialDate,
        Per,
        PersonName,
        Phone,
        Quantity,
        Rating,
        Ref,
        Region,
        Span,
        Term,
    )
    from dossier.model.withheld import WITHHELD, Masked, Withheld, known, reveal

_HOME = {
    "dossier.codec": "SectionRegistry",
    "dossier.desk.answers": "Entered Hits Receipt RecordRef",
    "dossier.desk.archive": "Archive create open registry",
    "dossier.desk.changes": "Change Draft change record",
    "dossier.desk.desk": "Desk",
    "dossier.desk.finding": "field",
    "dossier.desk.history": "Act History",
    "dossier.desk.records": "RecordView",
    "dossier.desk.restoring": "restore",
    "dossier.desk.views": "DossierView",
    "dossier.errors": "DossierError",
    "dossier.model.absence": "Absence",
    "dossier.model.clock": "Environment ManualClock",
    "dossier.model.edits": "UNSET edit",
    "dossier.model.ranking": "CHANNELS",
    "dossier.model.values": "Money PartialDate Per PersonName Phone Quantity Rating Ref Region Span Term",
    "dossier.model.withheld": "Masked WITHHELD Withheld known reveal",
}
_MODULE = {name: module for module, names in _HOME.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULE.get(name)
    if module is None:
        raise AttributeError(f"module 'dossier' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(module), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


__all__ = [
    "CHANNELS",
    "UNSET",
    "WITHHELD",
    "Absence",
    "Act",
    "Archive",
    "Change",
    "Desk",
    "DossierError",
    "DossierView",
    "Draft",
    "Entered",
    "Environment",
    "History",
    "Hits",
    "ManualClock",
    "Masked",
    "Money",
    "PartialDate",
    "Per",
    "PersonName",
    "Phone",
    "Quantity",
    "Rating",
    "Receipt",
    "RecordRef",
    "RecordView",
    "Ref",
    "Region",
    "SectionRegistry",
    "Span",
    "Term",
    "Withheld",
    "change",
    "create",
    "edit",
    "errors",
    "field",
    "known",
    "open",
    "record",
    "registry",
    "restore",
    "reveal",
]
