"""Desks that are wrong on purpose: proof that the laws of the desk find what they are there to find.

Floor: testing. Each variant replaces one piece of the library while its `broken()` is open, says what is wrong, names
the check that must fail (`law`) and those that must fail with it (`also`). They stand by law: `history` K7,
`resolution` K9, `writers` K5 and K10, `events` K11, `kept` K2, K3 and K8.
"""

from dossier.testing.broken_desk import events, history, kept, resolution, writers
from dossier.testing.broken_desk.variant import VARIANTS, BrokenDesk

__all__ = ["VARIANTS", "BrokenDesk", "events", "history", "kept", "resolution", "writers"]
