"""The language of `--where`: a small closed one, read by recursive descent into conditions of `dossier.field`.

Floor: cli. The grammar, keywords in lower case:

    condition  = all { "or" all }
    all        = one { "and" one }
    one        = "not" one | "(" condition ")" | path test
    test       = ("=" | "!=" | "<" | "<=" | ">" | ">=" | "prefix" | "contains") value
               | "in" "(" [ value { "," value } ] ")" | "absent"
    value      = word | '"' text '"' | "'" text "'" | "“" text "”"

A word has no blank and none of `( ) , = < > !` and quotation marks; in a quoted text a backslash takes the next
character as it is. `show` writes a condition so that `parse` gives it back.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import attrs

from dossier.cli.reasons import reason
from dossier.desk.finding import Condition
from dossier.errors import InputError

LIMIT: Final = 100
"""The most comparisons, and the deepest nesting, of one condition."""
_SIGNS: Final = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
_NAMED: Final = {"prefix": "prefix", "contains": "contains"}
_KEYWORDS: Final = frozenset({"and", "or", "not", "in", "absent", *_NAMED})
_SAID: Final = {op: sign for sign, op in (_SIGNS | _NAMED).items()}
_WORDS: Final = re.compile(r"""[^\s()=<>!,"'“”]+""")
_SIGNS_SAID: Final = "= != < <= > >= in prefix contains absent"
_EXPECTED: Final = {
    "end": ("and、or 或结尾", "and, or, or the end"),
    "close": ("and、or 或 )", "and, or, or )"),
    "field": ("资料路径、not 或 (", "a field, not or ("),
    "test": (_SIGNS_SAID, _SIGNS_SAID),
    "open": ("(", "("),
    "comma": (", 或 )", ", or )"),
    "value": ("一个值", "a value"),
    "odd": ("比较符、括号或引号中的文字", 'a comparison, a bracket, or a text in "…"'),
}
"""What may stand at a place: zh, en."""
_CLOSING: Final = {'"': '"', "'": "'", "“": "”"}


@attrs.frozen
class _Token:
    """`kind` sign, word, quoted or end; `place` counts characters from 1."""

    kind: str
    text: str
    place: int


def parse(text: str) -> Condition:
    """The condition that a text says. InputError with the place (`where:17`) of what is not understood."""
    reader = _Reader(_tokens(text))
    found = reader.condition(0)
    reader.must("end", "end")
    return found


def show(condition: Condition) -> str:
    """A condition made of text operands as `parse` reads it."""
    return _show(condition, 0)


def typed(condition: Condition) -> Condition:
    """The condition with whole numbers where fields hold whole numbers; every other value is read by its field from
    text. InputError `where.whole`."""
    if condition.terms:
        return attrs.evolve(condition, terms=tuple(map(typed, condition.terms)))
    if condition.path not in _whole() or condition.op not in ("eq", "ne", "in", "lt", "le", "gt", "ge"):
        return condition
    if not all(re.fullmatch(r"-?[0-9]{1,15}", str(value)) for value in condition.operands):
        raise InputError([reason("where.whole", condition.path, field=condition.path)])
    return attrs.evolve(condition, operands=tuple(int(value) for value in condition.operands))


@cache
def _whole() -> frozenset[str]:
    """Paths of the indexed fields that hold whole numbers."""
    from dossier.desk.archive import registry

    return frozenset(
        f"{spec.key}/{leaf.pattern.replace('[*]', '')}"
        for spec in registry().specs()
        for leaf in spec.leaves
        if leaf.type is int and leaf.index
    )


# -- reading --------------------------------------------------------------------------------------


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while True:
        token, at = _token(text, at)
        found.append(token)
        if token.kind == "end":
            return found


def _token(text: str, at: int) -> tuple[_Token, int]:
    """The token that begins at or behind `at`, and where the next may begin."""
    while at < len(text) and text[at].isspace():
        at += 1
    place = at + 1
    if at == len(text):
        return _Token("end", "", place), at
    closing = _CLOSING.get(text[at])
    if closing is not None:
        return _quoted(text, at + 1, closing)
    for sign in (text[at : at + 2], text[at]):
        if sign in _SIGNS or sign in ("(", ")", ","):
            return _Token("sign", sign, place), at + len(sign)
    word = _WORDS.match(text, at)
    if word is None:
        raise _expected(place, "odd")
    return _Token("word", word[0], place), word.end()


def _quoted(text: str, at: int, closing: str) -> tuple[_Token, int]:
    start = at
    said: list[str] = []
    while at < len(text):
        if text[at] == closing:
            return _Token("quoted", "".join(said), start), at + 1
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        said.append(text[at])
        at += 1
    raise InputError([reason("where.quote", f"where:{start}", place=start)])


class _Reader:
    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._compared = 0

    def condition(self, depth: int) -> Condition:
        found = self._all(depth)
        while self._took("or"):
            found = found | self._all(depth)
        return found

    def must(self, kind: str, expected: str, text: str = "") -> _Token:
        token = self._tokens[self._at]
        if token.kind != kind or (text and token.text != text):
            raise _expected(token.place, expected)
        self._at += 1
        return token

    def _all(self, depth: int) -> Condition:
        found = self._one(depth)
        while self._took("and"):
            found = found & self._one(depth)
        return found

    def _one(self, depth: int) -> Condition:
        if depth >= LIMIT:
            raise _deep()
        if self._took("not"):
            return ~self._one(depth + 1)
        if self._took("(", "sign"):
            found = self.condition(depth + 1)
            self.must("sign", "close", ")")
            return found
        token = self._tokens[self._at]
        if token.kind != "word" or token.text in _KEYWORDS:
            raise _expected(token.place, "field")
        self._at += 1
        return self._test(token.text)

    def _test(self, path: str) -> Condition:
        self._compared += 1
        if self._compared > LIMIT:
            raise _deep()
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        if token.kind == "sign" and token.text in _SIGNS:
            return Condition(_SIGNS[token.text], path, (self._value(),))
        if token.kind == "word" and token.text in _NAMED:
            return Condition(_NAMED[token.text], path, (self._value(),))
        if token.kind == "word" and token.text == "absent":
            return Condition("absent", path)
        if token.kind == "word" and token.text == "in":
            return Condition("in", path, self._values())
        raise _expected(token.place, "test")

    def _values(self) -> tuple[str, ...]:
        self.must("sign", "open", "(")
        found: list[str] = []
        while not self._took(")", "sign"):
            if found:
                self.must("sign", "comma", ",")
            found.append(self._value())
        return tuple(found)

    def _value(self) -> str:
        token = self._tokens[self._at]
        if token.kind not in ("word", "quoted"):
            raise _expected(token.place, "value")
        self._at += 1
        return token.text

    def _took(self, text: str, kind: str = "word") -> bool:
        token = self._tokens[self._at]
        if token.kind == kind and token.text == text:
            self._at += 1
            return True
        return False


def _expected(place: int, expected: str) -> InputError:
    zh, en = _EXPECTED[expected]
    return InputError([reason("where.expected", f"where:{place}", place=place, wanted_zh=zh, wanted_en=en)])


def _deep() -> InputError:
    return InputError([reason("where.deep", "where", limit=LIMIT)])


# -- writing --------------------------------------------------------------------------------------

_BINDS: Final = {"or": 1, "and": 2, "not": 3}


def _show(condition: Condition, outside: int) -> str:
    """`outside`: what the condition stands in must bind less than this, else it needs brackets."""
    op = condition.op
    binds = _BINDS.get(op)
    if binds is None:
        return _show_test(condition)
    if op == "not":
        said = f"not {_show(condition.terms[0], binds)}"
    else:
        # One that binds as much on the right-hand side would be read from the left.
        first, *others = condition.terms
        said = f" {op} ".join([_show(first, binds), *(_show(term, binds + 1) for term in others)])
    return f"({said})" if binds < outside else said


def _show_test(condition: Condition) -> str:
    if condition.op == "absent":
        return f"{condition.path} absent"
    values = [_show_value(str(value)) for value in condition.operands]
    if condition.op == "in":
        return f"{condition.path} in ({', '.join(values)})"
    return f"{condition.path} {_SAID[condition.op]} {values[0]}"


def _show_value(value: str) -> str:
    if _WORDS.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


__all__ = ["LIMIT", "parse", "show", "typed"]
