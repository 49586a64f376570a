"""JSON from outside, read strictly. Floor: codec.

The usual readers keep the last of two equal keys, accept NaN and lone surrogates and turn 0.1 into a float; here each
of these is a problem, and a number with a point stays exact (Decimal).
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from dossier.errors import InputError, Problem
from dossier.model.problems import problem
from dossier.repository.rows import MAX_DEPTH

MAX_JSON = 64 * 2**20
"""Bytes (characters of a text) that are read at most."""
_MAX_NUMBER = 64


def strict_loads(text: str | bytes) -> Any:
    """The value of a JSON text: dicts, lists, str, int, Decimal, bool, None. InputError with every problem.

    Refuses duplicate keys, NaN and infinities, numbers of more than 64 characters, lone surrogates, nesting deeper
    than 64, more than 64 MiB.
    """
    if len(text) > MAX_JSON:
        raise InputError([problem("json.too_long", "json", limit=MAX_JSON)])
    found: list[Problem] = []
    value = _read(text, found)
    if not found:
        _walk(value, 1, found)
    if found:
        raise InputError(found)
    return value


def _read(text: str | bytes, found: list[Problem]) -> Any:
    def number(given: str) -> Any:
        if len(given) > _MAX_NUMBER:
            found.append(problem("json.number", "json"))
            return 0
        return int(given) if given.lstrip("-").isdigit() else Decimal(given)

    def constant(given: str) -> Any:
        found.append(problem("json.number", "json"))

    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(given)
        found.extend([problem("json.duplicate_key", "json")] * (len(given) - len(made)))
        return made

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8-sig")
        return json.loads(text, object_pairs_hook=pairs, parse_float=number, parse_int=number, parse_constant=constant)
    except RecursionError:
        code = "json.depth"
    except ValueError:
        code = "json.invalid"
    found.append(problem(code, "json"))
    return None


def _walk(value: Any, depth: int, found: list[Problem]) -> None:
    if depth > MAX_DEPTH:
        found.append(problem("json.depth", "json"))
    elif type(value) is dict:
        for key, each in value.items():
            _text(key, found)
            _walk(each, depth + 1, found)
    elif type(value) is list:
        for each in value:
            _walk(each, depth + 1, found)
    elif type(value) is str:
        _text(value, found)


def _text(value: str, found: list[Problem]) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            found.append(problem("value.surrogate", "json"))
