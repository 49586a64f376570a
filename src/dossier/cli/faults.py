"""From an error to what a user reads and the exit code: never a traceback, never a value of a customer.

Floor: cli. The whole mapping stands in docs/reference/cli/index.md.
"""

from __future__ import annotations

import errno
from typing import Any, Final

import click

from dossier.cli.reasons import REMEDIES, reason
from dossier.errors import (
    ConflictError,
    CredentialsError,
    DamagedError,
    DeniedError,
    DossierError,
    ExpiredError,
    InputError,
    LedgerError,
    LockedError,
    OutcomeUnknown,
    Problem,
    StorageFullError,
    UnknownSchemeError,
    UnreachableError,
)

REJECTED: Final = 1
USAGE: Final = 2
DENIED: Final = 3
CONFLICT: Final = 4
DAMAGED: Final = 5
FAULT: Final = 70
INTERRUPTED: Final = 130
CUT_OFF: Final = 141
"""Whoever read the output went away."""

CLASSES: Final[tuple[tuple[type[DossierError], int], ...]] = (
    (DeniedError, DENIED),
    (CredentialsError, DENIED),
    (ConflictError, CONFLICT),
    (LockedError, CONFLICT),
    (OutcomeUnknown, CONFLICT),
    (StorageFullError, CONFLICT),
    (UnreachableError, CONFLICT),
    (ExpiredError, CONFLICT),
    (DamagedError, DAMAGED),
    (LedgerError, DAMAGED),
)
"""Error classes, with those below them, and their exit codes; every other DossierError is about what was given: 2."""

_OTHER_SCHEME: Final = (
    "核对地址; dossier plugins list 列出可用的",
    "check the address; dossier plugins list has those there are",
)


def exit_code(error: DossierError) -> int:
    """The exit code of an error of the library."""
    return next((code for cls, code in CLASSES if isinstance(error, cls)), USAGE)


def told(error: BaseException) -> tuple[int, dict[str, Any]]:
    """(exit code, error document) of whatever ended a verb."""
    if isinstance(error, DossierError):
        problems = error.problems if isinstance(error, InputError) else ()
        fix_zh, fix_en = REMEDIES.get(error.code, (error.fix("zh"), error.fix("en")))
        if isinstance(error, UnknownSchemeError) and not str(error.facts["install"]).startswith("dossier-archive["):
            # Whoever mistypes an address must not install what happens to have that name.
            fix_zh, fix_en = _OTHER_SCHEME
        head = Problem(
            code=error.code, path=error.path, zh=error.text("zh"), en=error.text("en"), fix_zh=fix_zh, fix_en=fix_en
        )  # fmt: skip
        return _document(exit_code(error), head, problems)
    if isinstance(error, click.exceptions.Abort | KeyboardInterrupt):
        return _document(INTERRUPTED, reason("cli.interrupted", ""))
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "dossier"
        return _document(USAGE, reason("cli.usage", "", what=_usage(error), command=command))
    if isinstance(error, click.ClickException):
        return _document(USAGE, reason("cli.input", "", what=error.format_message()))
    if isinstance(error, OSError):
        # The number only: the text of an OSError repeats a path, and a path may carry a name.
        return _document(USAGE, reason("cli.file", "", what=errno.errorcode.get(error.errno or 0, "EIO")))
    return _document(FAULT, reason("cli.fault", "", what=type(error).__name__))


def say(document: dict[str, Any]) -> None:
    """Write an error document to stderr for people: both languages, place, code and remedy of every problem."""
    error = document["error"]
    _line("dossier: ", error)
    for problem in error["problems"]:
        _line("  - ", problem)


def _usage(error: click.UsageError) -> str:
    """What click found wrong, without what was typed as a value: that may be the name of a customer."""
    if isinstance(error, click.BadParameter) and not isinstance(error, click.MissingParameter):
        named = error.param.get_error_hint(error.ctx) if error.param is not None and error.ctx is not None else "option"
        kind = error.param.type if error.param is not None else None
        wanted = ", ".join(map(str, kind.choices)) if isinstance(kind, click.Choice) else getattr(kind, "name", "")
        return f"{named} takes {wanted or 'another value'}"
    if isinstance(error, click.NoSuchOption):
        nearest = f"; near to it: {', '.join(sorted(error.possibilities))}" if error.possibilities else ""
        return f"there is no such option{nearest}"
    if isinstance(error, click.MissingParameter | click.BadOptionUsage):
        return error.format_message().rstrip(".")
    if error.ctx is not None and error.ctx.parent is None:
        return "there is no such command"
    return 'more was given than it takes (a text with blanks stands in "…")'


def _line(mark: str, told: dict[str, Any]) -> None:
    place = f"{told['path']}: " if told["path"] else ""
    click.echo(f"{mark}{place}{told['zh']} / {told['en']} [{told['code']}]", err=True)
    click.echo(f"{' ' * len(mark)}→ {told['fix_zh']} / {told['fix_en']}", err=True)


def _document(code: int, head: Problem, problems: tuple[Problem, ...] = ()) -> tuple[int, dict[str, Any]]:
    return code, {"error": {**plain(head), "exit": code, "problems": [plain(each) for each in problems]}}


def plain(problem: Problem) -> dict[str, str]:
    """A problem as JSON."""
    return {
        "code": problem.code, "path": problem.path, "zh": problem.zh, "en": problem.en, "fix_zh": problem.fix_zh,
        "fix_en": problem.fix_en,
    }  # fmt: skip


__all__ = [
    "CLASSES",
    "CONFLICT",
    "CUT_OFF",
    "DAMAGED",
    "DENIED",
    "FAULT",
    "INTERRUPTED",
    "REJECTED",
    "USAGE",
    "exit_code",
    "plain",
    "say",
    "told",
]
