"""Decisions that Cedar and casbin publish, expressed as policies of ours and decided alike.

`cannot` lists the examples that cannot be expressed, and why; the examples are read where they are at hand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from dossier.model.fields import one, section, section_spec
from dossier.policy import ATOMS, Atom, Facts, Fields, Judge, Policy, Rule, When
from dossier.repository import Eq

_PLACE = Path(__file__).parents[4] / "shared" / "data" / "policy"
DATA = _PLACE if _PLACE.exists() else None
needs_data = pytest.mark.skipif(DATA is None, reason="the examples of Cedar and casbin are not at hand")
ANYBODY = frozenset({"manager"})
"""The kind of everybody in these examples: the forbids that no policy lifts leave managers alone."""
VERBS = {"view": "consult", "read": "consult", "edit": "edit", "write": "edit", "comment": "collect",
         "delete": "destroy", "listPhotos": "explain", "listAlbums": "analyse"}  # fmt: skip

CANNOT = {
    "cedar 5b": "asks for type and size of what is handed in: facts of a call are a closed list, without values",
    "casbin abac_rule": "a rule is an expression to evaluate (r.sub.Age > 18): rules are data here",
    "casbin basic_with_root": "the superuser stands in the model, not in the policy: nobody passes by the rules here",
    "casbin priority": "the first rule that matches decides: rules have no order here (P4)",
    "casbin priority_enforce_context": "the first rule that matches decides: rules have no order here (P4)",
    "casbin priority_explicit": "rules carry a number by which one beats another: a forbid always wins here (P2)",
    "casbin priority_explicit_customized": "rules carry a number by which one beats another: a forbid always wins here",
    "casbin priority_indeterminate": "an effect that is neither permit nor forbid: there are two effects here",
    "casbin subject_priority": "the rule of the role lower in a hierarchy decides: a forbid always wins here (P2)",
    "casbin subject_priority_with_domain": "the lower role decides, by domain; one archive is one tenant here",
}
"""Examples that cannot be expressed, and why."""


def judge(rules: Iterable[Rule], things: Iterable[str], atoms: Mapping[str, Atom] = ATOMS) -> Judge:
    """An engine over one section that has a field for each thing."""
    fields = {thing: one(thing, thing, row="M130") for thing in things}
    cls = attrs.make_class("Things", {n: attrs.field(default=None, metadata=f.metadata) for n, f in fields.items()})
    cls.__annotations__ = dict.fromkeys(fields, str)
    for name in fields:
        cls.__annotations__[name] = "str | None"
    return Judge(Policy(rules), [section_spec(section("things", zh="物", en="things")(cls))], atoms=atoms)


def allowed(made: Judge, roles: Iterable[str], verb: str, thing: str, facts: Facts | None = None) -> bool:
    """Whether a thing is reached."""
    (spec,) = made.layout.specs
    decision = made.decide(ANYBODY, verb, purpose="serve", roles=frozenset(roles), facts=facts or Facts(retained=False))
    return bool(thing in spec.bits and decision.mask(spec) >> spec.bits[thing] & 1)


def name(given: str) -> str:
    return "t_" + "".join(each if each.isalnum() else "_" for each in given.lower())


def permit(id: str, roles: Iterable[str], verbs: Iterable[str], things: Iterable[str], **more: Any) -> Rule:
    paths = frozenset(f"things/{name(each)}" for each in things)
    return Rule(id=id, effect=more.pop("effect", "permit"), roles=frozenset(roles), verbs=frozenset(verbs),
                fields=Fields(paths=paths), kinds=more.pop("kinds", frozenset()), **more)  # fmt: skip


# -- Cedar ---------------------------------------------------------------------------------------------

_LEVEL = Atom(
    name="level_at_least", zh="职级不低于", en="has at least this level", args=(int,), samples=lambda _: [{}],
    holds=lambda facts, args: any(team.startswith("level") and int(team[5:]) >= args[0] for team in facts.teams),
    where=None,
)  # fmt: skip
"""A host's own condition, over what it put among somebody's teams."""
_ADMIN = Atom(
    name="is_admin", zh="是管理员", en="is an admin of it", samples=lambda _: [{}], columns=("team",),
    holds=lambda facts, _: facts.actor in facts.team.split() if facts.team else None,
    where=lambda facts, _: Eq("team", facts.actor),
)  # fmt: skip
EVERY = frozenset(VERBS.values())


def _cedar(entities: list[Any], scenario: str) -> list[Rule]:
    """The policy of a scenario. A group of things is the fields it holds; who somebody is, is one of his roles."""

    def inside(kind: str, id: str) -> list[str]:
        below = [e["uid"]["id"] for e in entities if {"type": kind, "id": id} in e["parents"]]
        deeper = [i for e in entities if {"type": kind, "id": id} in e["parents"] for i in inside(**_flat(e["uid"]))]
        return [id, *below, *deeper]

    vacation = inside("Album", "jane_vacation")
    one_photo = ["VacationPhoto94.jpg"]
    alice, view = ["alice"], frozenset({"consult"})
    return {
        "1a": lambda: [permit("p", alice, ["consult"], one_photo)],
        "2a": lambda: [permit("p", ["jane_friends"], ["consult"], one_photo)],
        "2b": lambda: [permit("p", alice, ["consult"], vacation)],
        "2c": lambda: [permit("p", alice, ["consult", "edit", "collect"], vacation)],
        "3a": lambda: [permit("p", (), ["consult"], vacation, kinds=ANYBODY)],
        "3b": lambda: [permit("p", alice, ["consult", "explain", "analyse"], inside("Account", "jane"))],
        "3c": lambda: [permit("p", alice, EVERY, vacation)],
        "4a": lambda: [permit("p", ["HardwareEngineering"], ["consult", "explain"],
                              inside("Album", "device_prototypes"), when=[When("level_at_least", (5,))])],
        "4d": lambda: [Rule(id="p", effect="permit", kinds=ANYBODY, verbs=EVERY, when=(When("is_custodian"),))],
        "4e": lambda: [Rule(id="p", effect="permit", kinds=ANYBODY, verbs=view, when=(When("in_team"),))],
        "4f": lambda: [
            Rule(id="p", effect="permit", kinds=ANYBODY, verbs=EVERY, when=(When("is_custodian"),)),
            Rule(id="q", effect="permit", kinds=ANYBODY, verbs=EVERY, when=(When("is_admin"),)),
        ],
    }[scenario]()  # fmt: skip


def _flat(uid: Mapping[str, str]) -> dict[str, str]:
    return {"kind": uid["type"], "id": uid["id"]}


@needs_data
def test_cedar() -> None:
    assert DATA is not None
    atoms = {**ATOMS, "level_at_least": _LEVEL, "is_admin": _ADMIN}
    cases = 0
    for path in sorted((DATA / "cedar" / "tests" / "example_use_cases").glob("*.json")):
        if f"cedar {path.stem}" in CANNOT:
            continue
        said = json.loads(path.read_text("utf-8"))
        entities = json.loads((DATA / "cedar" / said["entities"]).read_text("utf-8"))
        by_id = {(each["uid"]["type"], each["uid"]["id"]): each for each in entities}
        made = judge(_cedar(entities, path.stem), {name(id) for _, id in by_id}, atoms)
        for request in said["requests"]:
            user = by_id.get((request["principal"]["type"], request["principal"]["id"]), {"attrs": {}, "parents": []})
            thing = by_id[request["resource"]["type"], request["resource"]["id"]]
            department = user["attrs"].get("department", "")
            roles = {request["principal"]["id"], department, *(group["id"] for group in user["parents"])}
            teams = {f"level{user['attrs'].get('jobLevel', 0)}"}
            account = thing["attrs"].get("account")
            owner = by_id[account["type"], account["id"]]["attrs"]["owner"] if account and path.stem[0] == "4" else None
            team = ""
            if path.stem == "4e" and owner:
                team = by_id[owner["type"], owner["id"]]["attrs"]["department"]
                teams.add(department)
            if path.stem == "4f":
                team = " ".join(admin["id"] for admin in thing["attrs"].get("admins", ()))
            facts = Facts(actor=request["principal"]["id"], teams=frozenset(teams), retained=False, team=team,
                          custodian=owner["id"] if owner else "")  # fmt: skip
            verb = VERBS[request["action"]["id"]]
            got = allowed(made, roles, verb, name(request["resource"]["id"]), facts)
            assert got == (request["decision"] == "allow"), (path.stem, request["description"])
            cases += 1
    assert cases == 38


# -- casbin --------------------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize(
    "example", ["basic", "basic_inverse", "basic_without_resources", "basic_without_users", "rbac_with_deny",
                "abac_rule_effect"]
)  # fmt: skip
def test_casbin(example: str) -> None:
    """Somebody may where some rule allows it and none denies it: for every subject, thing and verb of an example."""
    assert DATA is not None
    lines = (DATA / "casbin" / "examples" / f"{example}_policy.csv").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split(",")] for line in lines if line.strip()]
    groups = {(row[1], row[2]) for row in rows if row[0] == "g"}
    things = {"data1", "data2"} if "data" in str(rows) else {"anything"}
    policies = []
    for row in rows:
        if row[0] != "p":
            continue
        cells = [cell.lstrip("/") for cell in row[1:]]
        effect = "forbid" if cells[-1] == "deny" else "permit"
        cells = [cell for cell in cells if cell not in ("allow", "deny")]
        verb = cells.pop()
        thing = next((cell for cell in cells if cell in things), "")
        who = next((cell for cell in cells if cell not in things), "")
        policies.append((effect, who, thing, verb))
    rules = [
        permit(f"p{n}", [who] if who else (), [VERBS[verb]], [thing] if thing else sorted(things), effect=effect,
               kinds=frozenset() if who else ANYBODY)
        for n, (effect, who, thing, verb) in enumerate(policies)
    ]  # fmt: skip
    made = judge(rules, {name(thing) for thing in things})
    decided = set()
    for who in ("alice", "bob", "data2_admin"):
        roles = {who, *(group for member, group in groups if member == who)}
        for thing in sorted(things):
            for verb in ("read", "write"):
                said = {e for e, w, t, v in policies if w in {"", *roles} and t in ("", thing) and v == verb}
                wanted = "permit" in said and "forbid" not in said
                assert allowed(made, roles, VERBS[verb], name(thing)) == wanted, (who, thing, verb)
                decided.add(wanted)
    assert decided == {True, False}


@needs_data
def test_every_example_is_decided_or_named() -> None:
    assert DATA is not None
    cedar = {f"cedar {path.stem}" for path in (DATA / "cedar" / "tests" / "example_use_cases").glob("*.json")}
    casbin = {path.name.replace("_policy_", "_").removesuffix(".csv").removesuffix("_policy")
              for path in (DATA / "casbin" / "examples").glob("*.csv")}  # fmt: skip
    models = {path.name.replace("_model_", "_").removesuffix(".conf").removesuffix("_model")
              for path in (DATA / "casbin" / "examples").glob("*.conf")}  # fmt: skip
    decided = {"basic", "basic_inverse", "basic_without_resources", "basic_without_users", "rbac_with_deny",
               "abac_rule_effect", "basic_without_spaces"}  # fmt: skip
    named = {each.removeprefix("casbin ") for each in CANNOT if each.startswith("casbin")}
    assert casbin | models <= decided | named, sorted((casbin | models) - decided - named)
    assert {each for each in CANNOT if each.startswith("cedar")} <= cedar
