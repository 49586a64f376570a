"""The command `dossier`: its verbs, and what becomes of errors. Floor: cli.

Modules of verbs import click and the names of `dossier`, which load when they are used, so that `--help` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from dossier.cli.doctor import doctor
from dossier.cli.faults import CUT_OFF, say, told
from dossier.cli.giving import export
from dossier.cli.keeping import backup, copy, digest, reindex, restore, verify
from dossier.cli.making import create, import_
from dossier.cli.output import document
from dossier.cli.plugins import plugins
from dossier.cli.policy import policy
from dossier.cli.reading import find, history, show
from dossier.cli.touring import tour


class Verbs(click.Group):
    """A group whose errors become a message, an exit code and, with `--json`, an error document on stdout."""

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run a verb and exit."""
        given = list(sys.argv[1:] if args is None else args) or ["--help"]
        sys.exit(self._run(given, prog_name, extra))

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order in which one meets them."""
        return list(self.commands)

    def _run(self, given: list[str], prog_name: str | None, extra: dict[str, Any]) -> int:
        code = 0
        try:
            code = super().main(given, prog_name, **{**extra, "standalone_mode": False}) or 0
            sys.stdout.flush()
            return code
        except SystemExit:
            return CUT_OFF  # click's answer to a reader who went away
        except BrokenPipeError:
            _give_up_stdout()
            return CUT_OFF
        except BaseException as error:
            code, said = told(error)
        try:
            if "--json" in given:
                document(said)
            sys.stdout.flush()
        except BrokenPipeError:
            _give_up_stdout()
            return CUT_OFF
        except OSError:
            _give_up_stdout()  # a full disk takes no error document either; stderr says it
        say(said)
        return code


def _give_up_stdout() -> None:
    """What is left in the buffer has nowhere to go, and must not be tried again at the end of the process."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dossier-archive", prog_name="dossier")
def group() -> None:
    """Customer archives (客户档案). Every verb takes --help; docs/reference/cli has them all."""


_VERBS = (
    tour, create, import_, find, show, history, export, digest, verify, backup, restore, copy, reindex, doctor, policy,
    plugins,
)  # fmt: skip
for _verb in _VERBS:
    group.add_command(_verb)
