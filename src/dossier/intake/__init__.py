"""Import (M71, M77): files of customers, orders and complaints, read by a declared plan. Floor: intake, pure.

Nothing here knows an archive: sources give rows with their places, a plan says what the columns mean, `gather` brings
the rows of one customer together in bounded memory, `build` makes of them what the desk is to write.
"""

from dossier.intake.build import Builder, Party, RecordDraft, Said
from dossier.intake.plan import Plan, load_plan
from dossier.intake.report import Counts, Notice, Rejects, Report

__all__ = ["Builder", "Counts", "Notice", "Party", "Plan", "RecordDraft", "Rejects", "Report", "Said", "load_plan"]
