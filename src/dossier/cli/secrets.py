"""Passwords: never on the command line, where every user of the machine sees them. Floor: cli.

An address names the user at most (`mongodb://clerk@host/db`); the password is asked for on a terminal, or taken from
the environment variable `DOSSIER_PASSWORD`, the only one that the command looks at.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Final
from urllib.parse import unquote

import click

from dossier.cli.reasons import reason
from dossier.errors import InputError

VARIABLE: Final = "DOSSIER_PASSWORD"
_USER: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://(?P<user>[^/@:?#]+)(?P<secret>:[^/@]*)?@")


def options_of(url: str, *, wait: float | None = None) -> dict[str, object]:
    """Options for the repository at an address: whose password it takes, and how long to `wait` for another writer.

    InputError for an address that holds a password.
    """
    options: dict[str, object] = {} if wait is None else {"timeout": wait}
    found = _USER.match(url)
    if found is not None and found["secret"] is not None:
        raise InputError([reason("cli.secret", "ARCHIVE", variable=VARIABLE)])
    if found is not None:
        user = unquote(found["user"])
        options["credentials"] = lambda: {"username": user, "password": _password()}
    return options


def _password() -> str:
    given = os.environ.get(VARIABLE)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise InputError([reason("cli.password", "ARCHIVE", variable=VARIABLE)])
    return str(click.prompt("Password", hide_input=True, err=True))


__all__ = ["VARIABLE", "options_of"]
