"""Whether a rule, a profile or break-glass uses words that there are. Floor: policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dossier.errors import Problem
from dossier.model.fields import nearest_name
from dossier.policy.atoms import ATOMS, Atom, minutes
from dossier.policy.reasons import reason
from dossier.policy.rules import APPROVERS, EFFECTS, KINDS, MEDIA, PURPOSES, VERBS, Rule, When

_WORDS: Mapping[str, tuple[str, ...]] = {
    "kinds": KINDS, "verbs": tuple(VERBS), "media": MEDIA, "purposes": PURPOSES, "approver": APPROVERS,
}  # fmt: skip


def wrong_words(said: Any, path: str, atoms: Mapping[str, Atom] = ATOMS) -> list[Problem]:
    """The words of one object that there are not, each with the nearest."""
    found = []
    for name, words in _WORDS.items():
        given: Iterable[str] = getattr(said, name, None) or ()
        for word in sorted(given, key=str):
            # An approver of another kind is a fault of the release, told with its rule.
            if word not in (KINDS if name == "approver" else words):
                nearest = nearest_name(str(word), words)
                found.append(
                    reason("policy.word", f"{path}/{name}", what=name, nearest=nearest, words=", ".join(words))
                )
    if isinstance(said, Rule):
        if said.effect not in EFFECTS:
            nearest = nearest_name(str(said.effect), EFFECTS)
            found.append(
                reason("policy.word", f"{path}/effect", what="effect", nearest=nearest, words=", ".join(EFFECTS))
            )
        for when in said.when:
            found += _wrong_atom(when, f"{path}/when", atoms)
    return found


def _wrong_atom(when: When, path: str, atoms: Mapping[str, Atom]) -> list[Problem]:
    atom = atoms.get(when.atom)
    if atom is None:
        nearest = nearest_name(when.atom, atoms)
        return [reason("policy.atom", path, nearest=nearest, words=", ".join(sorted(atoms)))]
    fits = tuple(type(each) for each in when.args) == atom.args
    try:
        if fits and atom.axis == "minute":
            fits = minutes(str(when.args[0])) != minutes(str(when.args[1]))
    except ValueError:
        fits = False
    if fits:
        return []
    expected = ", ".join("HH:MM" if kind is str else "a whole number" for kind in atom.args) or "nothing"
    return [reason("policy.args", path, atom=atom.name, expected=expected)]
