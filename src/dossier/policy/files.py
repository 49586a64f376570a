"""A policy as TOML: read with all its problems at once, written so that it reads back to the same digest (P11).

Floor: policy. Unknown names are refused with the nearest one that is known; nothing is guessed.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

import attrs
from cattrs import (
    AttributeValidationNote,
    ClassValidationError,
    Converter,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from dossier.errors import InputError, Problem
from dossier.model.fields import Tier, nearest_name
from dossier.policy.reasons import reason
from dossier.policy.rules import BreakGlass, Policy, ReleaseProfile, Rule, When, plain
from dossier.policy.words import wrong_words

_MAX: Final = 1024 * 1024


def load(source: str | Path) -> Policy:
    """A policy from a TOML file. InputError with every typo, each at its path in the file with the nearest name."""
    path = Path(source)
    text: str | None = None
    try:
        if path.stat().st_size <= _MAX:
            text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        pass
    if text is None:
        raise InputError([reason("policy.file", path.name)])
    return loads(text, name=path.name)


def loads(text: str, *, name: str = "policy") -> Policy:
    """A policy from TOML. `name` is what problems call the file. InputError."""
    line, document = 0, {}
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _line(str(error))
    except RecursionError:
        line = 1
    if line:
        raise InputError([reason("policy.toml", name, line=line)])
    found: BaseException | None = None
    try:
        said = _converter.structure(document, _File)
    except Exception as error:
        found = error
    problems: list[Problem] = []
    if found is not None:
        _explain(found, name, problems)
    else:
        problems = [problem for n, rule in enumerate(said.rules) for problem in wrong_words(rule, f"{name}/rules/{n}")]
        for n, profile in enumerate(said.profiles):
            problems += wrong_words(profile, f"{name}/profiles/{n}")
        if said.break_glass is not None:
            problems += wrong_words(said.break_glass, f"{name}/break_glass")
    if problems:
        raise InputError(problems)
    return Policy(said.rules, profiles=said.profiles, break_glass=said.break_glass, waiting_hours=said.waiting_hours)


def dumps(policy: Policy) -> str:
    """A policy as TOML, rules by id."""
    said = plain(policy)
    out = [f"waiting_hours = {policy.waiting_hours}\n"] if policy.waiting_hours else []
    for table, rows in (("rules", policy.sorted), ("profiles", sorted(policy.profiles, key=_text))):
        for row in rows:
            out.append(f"[[{table}]]\n{_table(plain(row))}")
    if policy.break_glass is not None:
        out.append(f"[break_glass]\n{_table(said['break_glass'])}")
    return "\n".join(out)


# -- writing --------------------------------------------------------------------------------------


def _table(said: dict[str, Any]) -> str:
    return "".join(f"{key} = {_value(value, key)}\n" for key, value in said.items() if value is not None)


def _text(profile: ReleaseProfile) -> str:
    return _table(plain(profile))


def _value(value: Any, key: str = "") -> str:
    """One TOML value of the few shapes a policy has. JSON's text is TOML's but for the DEL character."""
    if key == "when":
        return _list([_value(e["atom"]) if not e.get("args") else _value({e["atom"]: e["args"]}) for e in value])
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = {_value(inner)}" for name, inner in value.items()) + "}"
    return _list([_value(each) for each in value]) if isinstance(value, list) else str(value)


def _list(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


# -- reading --------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class _File:
    """The document: rules, profiles, break_glass, waiting_hours."""

    rules: tuple[Rule, ...] = ()
    profiles: tuple[ReleaseProfile, ...] = ()
    break_glass: BreakGlass | None = None
    waiting_hours: int = 0


class _Mistyped(Exception):
    def __init__(self, expected: str) -> None:
        self.expected = expected
        super().__init__(expected)


class _Word(Exception):
    def __init__(self, what: str, given: str, words: tuple[str, ...]) -> None:
        self.facts = {"what": what, "nearest": nearest_name(given, words), "words": ", ".join(words)}
        super().__init__(what)


def _made() -> Converter:
    made = Converter(forbid_extra_keys=True, detailed_validation=True)

    def exactly(kind: type, expected: str) -> Any:
        def hook(value: Any, _: Any) -> Any:
            if type(value) is not kind:
                raise _Mistyped(expected)
            return value

        return hook

    made.register_structure_hook(str, exactly(str, "text"))
    made.register_structure_hook(int, exactly(int, "a whole number"))
    made.register_structure_hook(Tier, _tier)
    made.register_structure_hook(When, _when)

    def text(value: Any, kind: Any) -> Any:
        if type(value) is not str:
            raise _Mistyped("text")
        words = kind.__args__
        if value not in words:
            raise _Word("effect", value, words)
        return value

    def optional(value: Any, kind: Any) -> Any:
        (inner,) = (each for each in kind.__args__ if each is not type(None))
        return made.structure(value, inner)

    def container(value: Any, kind: Any) -> Any:
        if type(value) is not list:
            raise _Mistyped("a list")
        inner, errors, found = kind.__args__[0], [], []
        for n, each in enumerate(value):
            try:
                found.append(made.structure(each, inner))
            except Exception as error:
                error.add_note(IterableValidationNote(f"item {n}", n, inner))
                errors.append(error)
        if errors:
            raise IterableValidationError("members", errors, kind)
        return kind.__origin__(found)

    def table(cls: Any) -> Any:
        read = made.gen_structure_attrs_fromdict(cls)

        def hook(value: Any, kind: Any) -> Any:
            if type(value) is not dict:
                raise _Mistyped("a table")
            return read(value, kind)

        return hook

    made.register_structure_hook_func(lambda kind: str(kind).startswith("typing.Literal"), text)
    made.register_structure_hook_func(
        lambda kind: type(None) in getattr(kind, "__args__", ()) and not hasattr(kind, "__attrs_attrs__"), optional
    )
    made.register_structure_hook_func(lambda kind: getattr(kind, "__origin__", None) in (tuple, frozenset), container)
    made.register_structure_hook_factory(lambda kind: attrs.has(kind) and kind is not When, table)
    return made


def _tier(value: Any, _: Any) -> Tier:
    names = tuple(tier.name for tier in Tier)
    if type(value) is not str:
        raise _Mistyped("text")
    if value not in names:
        raise _Word("tier", value, names)
    return Tier[value]


def _when(value: Any, _: Any) -> When:
    """`"is_custodian"` or `{within_hours = ["08:00", "18:00"]}`."""
    if type(value) is str:
        return When(value)
    if type(value) is dict and len(value) == 1:
        ((atom, args),) = value.items()
        if type(args) is list and all(type(each) in (str, int) for each in args):
            return When(atom, tuple(args))
    raise _Mistyped('a name or a table such as {within_hours = ["08:00", "18:00"]}')


_converter = _made()


def _explain(found: BaseException, path: str, problems: list[Problem]) -> None:
    """Turn what cattrs raised into problems at their places."""
    if isinstance(found, ForbiddenExtraKeysError):
        names = [each.name for each in attrs.fields(found.cl) if each.init]
        for extra in sorted(found.extra_fields):
            problems.append(reason("policy.key", path, name=extra[:60], nearest=nearest_name(extra, names)))
    elif isinstance(found, ClassValidationError | IterableValidationError):
        for inner in found.exceptions:
            _explain(inner, f"{path}{_step(inner)}", problems)
    elif isinstance(found, KeyError):
        problems.append(reason("policy.required", path.rpartition("/")[0], name=path.rpartition("/")[2]))
    elif isinstance(found, _Word):
        problems.append(reason("policy.word", path, **found.facts))
    else:
        expected = found.expected if isinstance(found, _Mistyped) else "another value"
        problems.append(reason("policy.type", path, expected=expected))


def _step(found: BaseException) -> str:
    for note in getattr(found, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return f"/{note.name}"
        if isinstance(note, IterableValidationNote):
            return f"/{note.index}"
    return ""


def _line(message: str) -> int:
    digits = message.rpartition("line ")[2].partition(",")[0]
    return int(digits) if digits.isdigit() else 1
