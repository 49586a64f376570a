"""`policy`: look at a policy before it is in force: what is wrong, who reaches what, what it widens, why. Floor: cli.

It opens no archive and needs nobody: a policy holds nothing of a customer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from dossier.cli.options import JSON, LANG
from dossier.cli.output import columns, document, line
from dossier.errors import InputError, Lang

if TYPE_CHECKING:
    from dossier.policy import Policy
    from dossier.policy.looking import Cell

_ACTIONS: Final = ["check", "table", "diff", "explain"]
_SHOWN: Final = 6
"""Paths of a cell that are shown without --json."""


@click.command()
@click.argument("action", metavar="check|table|diff|explain", type=click.Choice(_ACTIONS))
@click.argument("policies", nargs=-1, required=True, metavar="POLICY [NEW]")
@click.option(
    "--roles", type=(str, str), multiple=True, metavar="WORD KIND", help="A word for a kind of role, as in create."
)
@click.option("--role", default=None, metavar="ROLE", help="explain: who calls, a kind or a word of --roles.")
@click.option("--verb", default="consult", show_default=True, help="explain: what is asked for.")
@click.option("--purpose", default="", help="explain: for what.")
@click.option("--original", is_flag=True, help="explain: the original, not a copy.")
@click.option("--field", "fields", multiple=True, metavar="PATH", help="explain: fields (all that are not reached).")
@LANG
@JSON
def policy(
    action: str, policies: tuple[str, ...], roles: tuple[tuple[str, str], ...], role: str | None, verb: str,
    purpose: str, original: bool, fields: tuple[str, ...], lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    """Look at a policy before it is in force.

    POLICY is a TOML file, or one that is shipped: standard, single_user, hotel, property, bank. check tells what is
    wrong with it, table who reaches what, diff every cell that NEW widens, explain why somebody reaches a field or not.
    """
    from dossier.policy.reasons import reason

    if len(policies) != (2 if action == "diff" else 1) or (action == "explain") != (role is not None):
        raise InputError([reason("policy.what", "POLICY", action=action)])
    words = dict(roles)
    made = [_policy(each) for each in policies]
    for each in made:
        _sound(each, words)
    if action == "check":
        said = {"digest": made[0].digest, "rules": len(made[0].rules), "profiles": len(made[0].profiles)}
        if as_json:
            document(said)
        else:
            line(f"{'无误' if lang == 'zh' else 'sound'}: {said['rules']} {'条规则' if lang == 'zh' else 'rules'}, "
                 f"{made[0].digest[:16]}")  # fmt: skip
    elif action == "explain":
        _explain(made[0], words, str(role), verb, purpose, "original" if original else "copy", fields, lang, as_json)
    else:
        _cells(_looked(action, made, words), action, lang, as_json)


def _policy(given: str) -> Policy:
    from dossier.policy import load, single_user, standard, template
    from dossier.policy.shipped import TEMPLATES

    shipped = {"standard": standard, "single_user": single_user}
    if given in shipped:
        return shipped[given]()
    return template(given) if given in TEMPLATES else load(Path(given))


def _sound(policy: Policy, roles: dict[str, str]) -> None:
    from dossier.desk.archive import registry
    from dossier.policy.checks import check

    problems = check(policy, registry().specs(), roles=roles)
    if problems:
        raise InputError(problems)


def _looked(action: str, made: Sequence[Policy], roles: dict[str, str]) -> list[Cell]:
    from dossier.desk.archive import registry
    from dossier.policy.looking import diff, table

    specs = registry().specs()
    return diff(made[0], made[1], specs, roles=roles) if action == "diff" else table(made[0], specs, roles=roles)


def _cells(cells: Iterable[Cell], action: str, lang: Lang, as_json: bool) -> None:
    from dossier.policy import PURPOSES, VERBS

    cells = list(cells)
    if as_json:
        document({"cells": [_plain(cell) for cell in cells]})
        return
    zh = lang == "zh"
    if not cells:
        line("没有放宽" if zh else "nothing is widened" if action == "diff" else "nobody reaches anything")
        return
    every = ("", *PURPOSES)
    rows = []
    for cell in cells:
        under = (
            ("任何" if zh else "any") if cell.purposes == every else ", ".join(each or "-" for each in cell.purposes)
        )
        some = ", ".join(cell.paths[:_SHOWN]) + (f" … {len(cell.paths)}" if len(cell.paths) > _SHOWN else "")
        verb = VERBS[cell.verb] if zh else cell.verb
        rows.append((cell.who, verb, cell.medium, under, ", ".join(cell.holds) or "-", some))
    heads = ("角色", "事项", "介质", "目的", "条件", "资料") if zh else (
        "role", "verb", "medium", "purposes", "conditions", "fields")  # fmt: skip
    columns([heads, *rows])


def _plain(cell: Cell) -> dict[str, Any]:
    return {"who": cell.who, "verb": cell.verb, "medium": cell.medium, "purposes": list(cell.purposes),
            "holds": list(cell.holds), "paths": list(cell.paths)}  # fmt: skip


def _explain(
    policy: Policy, roles: dict[str, str], role: str, verb: str, purpose: str, medium: str, fields: tuple[str, ...],
    lang: Lang, as_json: bool,
) -> None:  # fmt: skip
    from dossier.desk.archive import registry
    from dossier.model.fields import nearest_name
    from dossier.policy import KINDS, PURPOSES, VERBS, Judge, Outcome
    from dossier.policy.looking import Case, explain
    from dossier.policy.reasons import reason

    known = {**{kind: kind for kind in KINDS}, **roles}
    specs = registry().specs()
    leaves = list(dict.fromkeys(f"{spec.key}/{leaf.pattern}" for spec in specs for leaf in spec.leaves))
    problems = [
        reason("policy.unknown", name, nearest=nearest_name(given, words))
        for name, given, words in (
            ("--role", role, known), ("--verb", verb, VERBS), ("--purpose", purpose, ("", *PURPOSES)),
            *(("--field", field, leaves) for field in fields),
        )
        if given not in words
    ]  # fmt: skip
    if problems:
        raise InputError(problems)
    case = Case(kinds=frozenset({known[role]}), roles=frozenset({role}), verb=verb, purpose=purpose, medium=medium)
    found = explain(Judge(policy, specs), case, *fields)
    if not fields:
        found = [each for each in found if each.outcome is not Outcome.ALLOWED]
    if as_json:
        document({"fields": [
            {"path": each.path, "outcome": each.outcome.value, "permits": list(each.permits),
             "forbids": list(each.forbids), "missing": list(each.missing)} for each in found
        ]})  # fmt: skip
        return
    for each in found:
        line(each.text(lang))
    if not found:
        line("全部准许" if lang == "zh" else "all of it is allowed")
