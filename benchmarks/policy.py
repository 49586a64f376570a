"""One policy in several engines: six roles, forty fields, four verbs, one condition (only the own files are edited),
one forbid (an id number is never given out). All agree on 1,920 cases before a time counts.

`python -m benchmarks.policy`, with any of pycasbin, cedarpy, vakt, py-abac, rules installed. Each engine runs in a
process of its own, in turn; the least CPU of the rounds counts. Ratios only. "look-up" is a dict look-up and a call.
"""

from __future__ import annotations

import gc
import json
import logging
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

SECTIONS: Final = ("basic", "traits", "business", "transactions", "preferences")
FIELDS: Final = {f"{section}_{n}": section for section in SECTIONS for n in range(8)}
ID_NUMBER: Final = "basic_3"
CARD: Final = ("basic_0", "basic_1", "basic_2")
ROLES: Final = ("manager", "business_manager", "service", "sales", "customer_manager", "other")
VERBS: Final = ("consult", "borrow", "release", "edit")
ALLOW: Final[list[tuple[str, str, tuple[str, ...], bool]]] = [
    *(("manager", verb, SECTIONS, False) for verb in VERBS),
    ("business_manager", "consult", SECTIONS, False), ("business_manager", "borrow", SECTIONS[:4], False),
    ("service", "consult", SECTIONS, False), ("service", "release", SECTIONS, False),
    ("service", "borrow", ("basic", "preferences"), False), ("sales", "release", CARD, False),
    ("customer_manager", "consult", SECTIONS, False), ("customer_manager", "borrow", SECTIONS, False),
    ("customer_manager", "release", SECTIONS, False), ("customer_manager", "edit", SECTIONS, True),
]  # fmt: skip
VALUES: Final = {name: f"{name} 的值" for name in FIELDS}
HIDDEN: Final = object()
ROUNDS: Final = 3
Decide = Callable[[str, str, str, bool], bool]
View = Callable[[str, str, bool], Any]


def fields(named: tuple[str, ...]) -> list[str]:
    """Field names of sections and fields."""
    return [name for name, section in FIELDS.items() if name in named or section in named]


def truth(role: str, verb: str, field: str, own: bool) -> bool:
    """What the policy says, read as it stands."""
    if verb == "release" and field == ID_NUMBER:
        return False
    return any((r, v) == (role, verb) and field in fields(n) and (own or not o) for r, v, n, o in ALLOW)


def cases() -> Iterator[tuple[str, str, str, bool]]:
    """Every case."""
    return ((role, verb, name, own) for role in ROLES for verb in VERBS for name in FIELDS for own in (True, False))


# -- engines -----------------------------------------------------------------------------------------


def lookup() -> tuple[Decide, View]:
    """The limit: a dict look-up and a call."""
    table = {case: (lambda found: lambda: found)(truth(*case)) for case in cases()}
    whole = {
        (role, verb, own): (lambda made: lambda: made)(
            tuple(VALUES[name] if truth(role, verb, name, own) else HIDDEN for name in FIELDS)
        )
        for role in ROLES for verb in VERBS for own in (True, False)
    }  # fmt: skip
    return lambda *case: table[case](), lambda *call: whole[call]()


def ours(times: int = 1) -> tuple[Decide, View]:
    """`dossier.policy`, and the projector of each mask; `times` the forty fields, as many sections."""
    from dossier.codec.projection import lens
    from dossier.model.fields import one, section, section_spec
    from dossier.model.withheld import WITHHELD
    from dossier.policy import Facts, Fields, Judge, Policy, Rule, When

    specs, held = [], []
    for n in range(times):
        members = {name: one(name, name, row="M20") for name in FIELDS}
        cls = attrs.make_class(f"Forty{n}", members)
        cls.__annotations__ = dict.fromkeys(FIELDS, "str | None")
        specs.append(section_spec(section(f"forty{n}", zh="四十", en="forty")(cls)))
        held.append(cls(**VALUES))

    def paths(named: tuple[str, ...]) -> Any:
        return Fields(paths=frozenset(f"{spec.key}/{name}" for spec in specs for name in fields(named)))

    rules = [
        Rule(id=f"r{n}", effect="permit", roles=frozenset({role}), verbs=frozenset({verb}), fields=paths(named),
             when=(When("is_custodian"),) if own else ())
        for n, (role, verb, named, own) in enumerate(ALLOW)
    ]  # fmt: skip
    everybody = frozenset(ROLES)
    rules.append(
        Rule(id="id", effect="forbid", roles=everybody, verbs=frozenset({"release"}), fields=paths((ID_NUMBER,)))
    )
    judge = Judge(Policy(rules), specs)
    kinds, roles = frozenset({"manager"}), {role: frozenset({role}) for role in ROLES}
    agreed = Facts(actor="a", requester="r", approver="m", approver_kinds=kinds, recall=True)
    facts = {own: attrs.evolve(agreed, custodian="a" if own else "b") for own in (True, False)}
    bits, first = specs[0].bits, specs[0]

    def decide(role: str, verb: str, field: str, own: bool) -> bool:
        decision = judge.decide(kinds, verb, purpose="serve", roles=roles[role], facts=facts[own])
        return bool(decision.mask(first) >> bits[field] & 1)

    def view(role: str, verb: str, own: bool) -> Any:
        decision = judge.decide(kinds, verb, purpose="serve", roles=roles[role], facts=facts[own])
        return [lens(spec, decision.mask(spec)).show(each) for spec, each in zip(specs, held, strict=True)]

    def view_of_one(role: str, verb: str, own: bool) -> Any:
        decision = judge.decide(kinds, verb, purpose="serve", roles=roles[role], facts=facts[own])
        return lens(first, decision.mask(first)).show(held[0])

    for role in ROLES:
        for verb in VERBS:
            for own in (True, False):
                for shown in (*view(role, verb, own), view_of_one(role, verb, own)):
                    for name in FIELDS:
                        wanted = VALUES[name] if truth(role, verb, name, own) else WITHHELD
                        assert getattr(shown, name) == wanted or getattr(shown, name) is wanted
    return decide, view_of_one if times == 1 else view


def _views(decide: Decide) -> View:
    def view(role: str, verb: str, own: bool) -> Any:
        return tuple([VALUES[name] if decide(role, verb, name, own) else HIDDEN for name in FIELDS])

    return view


def casbin_fast() -> tuple[Decide, View]:
    """pycasbin's FastEnforcer, keyed by field and verb."""
    import casbin
    from casbin.model import FastModel

    model = FastModel([0, 1])
    model.load_model_from_text(
        "[request_definition]\nr = field, act, role, id, custodian\n"
        "[policy_definition]\np = field, act, role, cond, eft\n"
        "[policy_effect]\ne = some(where (p.eft == allow)) && !some(where (p.eft == deny))\n"
        '[matchers]\nm = (p.role == "*" || r.role == p.role) && r.field == p.field && r.act == p.act && '
        '(p.cond == "any" || r.id == r.custodian)\n'
    )
    enforcer = casbin.FastEnforcer(model, cache_key_order=[0, 1])
    for role, verb, named, own in ALLOW:
        for name in fields(named):
            enforcer.add_policy(name, verb, role, "own" if own else "any", "allow")
    enforcer.add_policy(ID_NUMBER, "release", "*", "any", "deny")

    def decide(role: str, verb: str, field: str, own: bool) -> bool:
        return bool(enforcer.enforce(field, verb, role, "a", "a" if own else "b"))

    return decide, _views(decide)


def cedar() -> tuple[Decide, View]:
    """cedarpy, a view as one batch."""
    import cedarpy

    said = []
    for role, verb, named, own in ALLOW:
        where = " || ".join(
            f'resource in Section::"{each}"' if each in SECTIONS else f'resource == Field::"{each}"' for each in named
        )
        mine = " && context.custodian == context.actor" if own else ""
        call = f'principal == Role::"{role}", action == Action::"{verb}", resource'
        said.append(f"permit({call}) when {{ ({where}){mine} }};")
    said.append(f'forbid(principal, action == Action::"release", resource == Field::"{ID_NUMBER}");')

    def entity(kind: str, id: str, *parents: dict[str, str]) -> dict[str, Any]:
        return {"uid": {"type": kind, "id": id}, "attrs": {}, "parents": list(parents)}

    entities = [entity("Section", section) for section in SECTIONS] + [entity("Role", role) for role in ROLES]
    entities += [entity("Field", name, {"type": "Section", "id": section}) for name, section in FIELDS.items()]
    policies, known = cedarpy.PolicySet.from_str("\n".join(said)), cedarpy.Entities.from_json_str(json.dumps(entities))
    contexts = {own: json.dumps({"actor": "a", "custodian": "a" if own else "b"}) for own in (True, False)}

    def asked(role: str, verb: str, field: str, own: bool) -> dict[str, str]:
        return {"principal": f'Role::"{role}"', "action": f'Action::"{verb}"', "resource": f'Field::"{field}"',
                "context": contexts[own]}  # fmt: skip

    def decide(*case: Any) -> bool:
        return bool(cedarpy.is_authorized(asked(*case), policies, known).allowed)

    def view(role: str, verb: str, own: bool) -> Any:
        found = cedarpy.is_authorized_batch([asked(role, verb, name, own) for name in FIELDS], policies, known)
        return tuple([VALUES[n] if each.allowed else HIDDEN for n, each in zip(FIELDS, found, strict=True)])

    return decide, view


def vakt_guard() -> tuple[Decide, View]:
    """vakt with rules in memory."""
    import vakt
    from vakt.rules import Any as Anything
    from vakt.rules import Eq, In

    logging.getLogger("vakt").setLevel(logging.CRITICAL)
    storage = vakt.MemoryStorage()
    for n, (role, verb, named, own) in enumerate(ALLOW):
        storage.add(vakt.Policy(n, actions=[Eq(verb)], subjects=[{"role": Eq(role)}],
                                resources=[{"field": In(*fields(named))}], effect=vakt.ALLOW_ACCESS,
                                context={"own": Eq(True)} if own else {}))  # fmt: skip
    storage.add(vakt.Policy(99, actions=[Eq("release")], subjects=[{"role": Anything()}],
                            resources=[{"field": In(ID_NUMBER)}], effect=vakt.DENY_ACCESS))  # fmt: skip
    guard = vakt.Guard(storage, vakt.RulesChecker())

    def decide(role: str, verb: str, field: str, own: bool) -> bool:
        asked = vakt.Inquiry(action=verb, subject={"role": role}, resource={"field": field}, context={"own": own})
        return bool(guard.is_allowed(asked))

    return decide, _views(decide)


def rules_sets() -> tuple[Decide, View]:
    """The package `rules`: predicates put together, one a verb."""
    import rules

    made = rules.RuleSet()
    own_file = rules.predicate(lambda actor, asked: asked[1])

    def role_is(role: str) -> Any:
        return rules.predicate(lambda actor: actor == role, name=f"role:{role}")

    def field_in(named: tuple[str, ...]) -> Any:
        names = frozenset(fields(named))
        return rules.predicate(lambda actor, asked: asked[0] in names, name="field_in")

    for verb in VERBS:
        found = None
        for role, v, named, own in ALLOW:
            if v == verb:
                one = role_is(role) & field_in(named) & own_file if own else role_is(role) & field_in(named)
                found = one if found is None else found | one
        made.add_rule(verb, ~field_in((ID_NUMBER,)) & found if verb == "release" else found)

    def decide(role: str, verb: str, field: str, own: bool) -> bool:
        return bool(made.test_rule(verb, role, (field, own)))

    return decide, _views(decide)


def abac() -> tuple[Decide, View]:
    """py-abac with its storage in memory."""
    from py_abac import PDP, AccessRequest, Policy
    from py_abac.storage.memory import MemoryStorage

    storage = MemoryStorage()

    def add(n: int, verb: str, role: str, names: list[str], own: bool, effect: str) -> None:
        said: dict[str, Any] = {"resource": {"$.field": {"condition": "IsIn", "values": names}},
                                "action": [{"$.method": {"condition": "Equals", "value": verb}}]}  # fmt: skip
        if role:
            said["subject"] = {"$.role": {"condition": "Equals", "value": role}}
        if own:
            said["context"] = {"$.own": {"condition": "Equals", "value": "yes"}}
        storage.add(Policy.from_json({"uid": str(n), "description": "", "effect": effect, "rules": said, "targets": {},
                                      "priority": 0}))  # fmt: skip

    for n, (role, verb, named, own) in enumerate(ALLOW):
        add(n, verb, role, fields(named), own, "allow")
    add(99, "release", "", [ID_NUMBER], False, "deny")
    point = PDP(storage)

    def decide(role: str, verb: str, field: str, own: bool) -> bool:
        return bool(point.is_allowed(AccessRequest.from_json({
            "subject": {"id": "a", "attributes": {"role": role}},
            "action": {"id": verb, "attributes": {"method": verb}},
            "resource": {"id": "d", "attributes": {"field": field}}, "context": {"own": "yes" if own else "no"},
        })))  # fmt: skip

    return decide, _views(decide)


ENGINES: Final[dict[str, Callable[[], tuple[Decide, View]]]] = {
    "look-up": lookup, "dossier": ours, "dossier, 240 fields": lambda: ours(6), "rules": rules_sets, "vakt": vakt_guard,
    "cedarpy": cedar, "pycasbin, FastEnforcer": casbin_fast, "py-abac": abac,
}  # fmt: skip


def _least(calls: list[Callable[[], object]]) -> float:
    """CPU seconds of one call, the least of three."""
    begun = time.process_time()
    for call in calls[:10]:
        call()
    each = max((time.process_time() - begun) / 10, 1e-7)
    many = calls[: max(10, int(0.3 / each))]
    found = []
    for _ in range(3):
        begun = time.process_time()
        for call in many:
            call()
        found.append((time.process_time() - begun) / len(many))
    return min(found)


def measure(name: str) -> None:
    """Measure one engine in this process; one JSON line."""
    decide, view = ENGINES[name]()
    wrong = sum(decide(*case) != truth(*case) for case in cases())
    chance = random.Random(7)
    every = list(cases())
    asked = [chance.choice(every) for _ in range(20_000)]
    gc.disable()
    decision = _least([lambda case=case: decide(*case) for case in asked])  # type: ignore[misc]
    calls = [(role, verb, own) for role in ROLES for verb in VERBS for own in (True, False)]
    whole = _least([lambda call=call: view(*call) for call in calls * 200])  # type: ignore[misc]
    print(json.dumps({"wrong": wrong, "decision": decision, "view": whole}))


def main() -> None:
    """All engines that are installed, in turn, against ours."""
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(ROUNDS):
        for name in ENGINES:
            command = [sys.executable, "-m", "benchmarks.policy", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode == 0:
                found.setdefault(name, []).append(json.loads(done.stdout.splitlines()[-1]))
            elif "ModuleNotFoundError" not in done.stderr:
                print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
    disagree = [name for name, runs in found.items() if any(run["wrong"] for run in runs)]
    assert not disagree, f"they do not agree: {disagree}"
    best = {name: [min(run[what] for run in runs) for what in ("decision", "view")] for name, runs in found.items()}
    mine, limit = best["dossier"], best["look-up"]
    print("| engine | a decision, times ours | a view of 40 fields, times ours |\n|---|---|---|")
    for name, (decision, view) in best.items():
        print(f"| {name} | {decision / mine[0]:.1f} | {view / mine[1]:.1f} |")
    print(f"| ours, times a look-up and a call (≤ 6, ≤ 12) | {mine[0] / limit[0]:.1f} | {mine[1] / limit[1]:.1f} |")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(sys.argv[1])
    else:
        main()
