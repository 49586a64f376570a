"""Customer archives (客户档案): one dossier a customer, every value with its origin, every reader on record."""

from dossier import errors
from dossier.codec import SectionRegistry
from dossier.desk.answers import Entered, Hits, Receipt, RecordRef
from dossier.desk.archive import Archive, create, open, registry
from dossier.desk.changes import change, record
from dossier.desk.desk import Desk
from dossier.desk.finding import field
from dossier.desk.history import Act, History
from dossier.desk.records import RecordView
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

__all__ = [
    "CHANNELS",
    "UNSET",
    "WITHHELD",
    "Absence",
    "Act",
    "Archive",
    "Desk",
    "DossierError",
    "DossierView",
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
    "reveal",
]
