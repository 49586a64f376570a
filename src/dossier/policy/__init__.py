"""Who may do what: rules, decisions, masks over leaf paths.

Floor: policy, pure. `Judge` decides; `check`, `table`, `diff`, `cover` and `explain` look at a policy as a whole.
"""

from dossier.policy.atoms import ATOMS, Atom, Facts
from dossier.policy.checks import check
from dossier.policy.decision import Decision, Judge, Outcome, spec_id
from dossier.policy.files import dumps, load, loads
from dossier.policy.looking import Case, Cell, cover, diff, explain, table
from dossier.policy.rules import (
    KINDS,
    PURPOSES,
    VERBS,
    BreakGlass,
    Fields,
    Policy,
    ReleaseProfile,
    Rule,
    When,
)
from dossier.policy.shipped import single_user, standard, template

__all__ = [
    "ATOMS", "KINDS", "PURPOSES", "VERBS", "Atom", "BreakGlass", "Case", "Cell", "Decision", "Facts", "Fields", "Judge",
    "Outcome", "Policy", "ReleaseProfile", "Rule", "When", "check", "cover", "diff", "dumps", "explain", "load",
    "loads", "single_user", "spec_id", "standard", "table", "template",
]  # fmt: skip
