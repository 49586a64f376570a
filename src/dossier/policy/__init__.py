"""Who may do what: rules, decisions, masks over leaf paths.

Floor: policy, pure. The rule engine with guards, releases and TOML extends `rules`; callers only know `Judge`.
"""

from dossier.policy.decision import Decision, Judge, Outcome, spec_id
from dossier.policy.rules import KINDS, PURPOSES, VERBS, Fields, Policy, Rule, standard

__all__ = [
    "KINDS", "PURPOSES", "VERBS", "Decision", "Fields", "Judge", "Outcome", "Policy", "Rule", "spec_id", "standard",
]  # fmt: skip
