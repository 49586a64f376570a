"""Options that several verbs share, and how an archive is opened for them. Floor: cli."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast

import attrs
import click

import dossier as ds
from dossier.cli.reasons import reason
from dossier.cli.secrets import options_of
from dossier.errors import InputError, Lang

F = TypeVar("F", bound=Callable[..., Any])

ARCHIVE = click.argument("archive", metavar="ARCHIVE")
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
LANG = click.option(
    "--lang", type=click.Choice(["zh", "en"]), default="zh", show_default=True, help="Language of what is shown."
)
WAIT = click.option(
    "--wait", type=click.FloatRange(min=0), default=None, metavar="SECONDS",
    help="Wait so long for another writer (SQLite: 30 if not said), or for an answer (MongoDB: 75).",
)  # fmt: skip
NUMBERS_FROM = click.option(
    "--numbers-from", type=int, default=None, metavar="N",
    help="After a restore: the serial with which registration numbers go on.",
)  # fmt: skip
READS = click.option(
    "--reads", metavar="FOLDER", default=None, help="Keep the events of reading in this folder, not beside the archive."
)


@attrs.frozen(kw_only=True)
class Acting:
    """Who acts: name, role, purpose ("" none), as given on the command line."""

    name: str
    role: str
    purpose: str

    def at(self, archive: ds.Archive) -> ds.Desk:
        """His desk. InputError with the roles there are."""
        from dossier.model.fields import nearest_name

        roles = archive.manifest.roles
        if self.role not in roles:
            known, nearest = ", ".join(sorted(roles)), nearest_name(self.role, roles)
            raise InputError([reason("cli.role", "--role", roles=known, nearest=nearest)])
        return archive.acting_as(self.name, role=self.role, purpose=self.purpose)


@attrs.frozen(kw_only=True)
class Opening:
    """How an archive is opened: `mode` r for a backup or a medium that cannot be written, `reads` a folder for read
    events then; `wait` seconds for another writer (None: as the repository has it)."""

    mode: Literal["rw", "r"] = "rw"
    reads: str | None = None
    wait: float | None = None

    def archive(self, url: str, *, lang: Lang = "zh", numbers_from: int | None = None) -> ds.Archive:
        """The open archive; to be closed by its caller."""
        options = options_of(url, wait=self.wait)
        return ds.open(url, mode=self.mode, reads=self.reads, lang=lang, options=options, numbers_from=numbers_from)


def acting(verb: F) -> F:
    """`--as`, `--role`, `--purpose`, given to the verb as `who`."""

    def gathered(*args: Any, as_name: str, role: str, purpose: str, **options: Any) -> Any:
        return verb(*args, who=Acting(name=as_name, role=role, purpose=purpose), **options)

    return _decorated(
        verb,
        gathered,
        click.option("--as", "as_name", required=True, metavar="NAME", help="Who acts; on record."),
        click.option("--role", required=True, help="In which role: a kind, or a word of the archive."),
        click.option("--purpose", default="", help="For what: serve, manage, audit, emergency, subject_request."),
    )


def reading(verb: F) -> F:
    """`--read-only`, `--reads`, `--wait`, given to the verb as `opening`."""

    def gathered(*args: Any, read_only: bool, reads: str | None, wait: float | None, **options: Any) -> Any:
        opening = Opening(mode="r" if read_only else "rw", reads=reads, wait=wait)
        return verb(*args, opening=opening, **options)

    return _decorated(
        verb,
        gathered,
        click.option("--read-only", is_flag=True, help="Write nothing: for backups, and media that cannot be written."),
        READS,
        WAIT,
    )


def writing(verb: F) -> F:
    """`--wait`, given to the verb as `opening`."""

    def gathered(*args: Any, wait: float | None, **options: Any) -> Any:
        return verb(*args, opening=Opening(wait=wait), **options)

    return _decorated(verb, gathered, WAIT)


def kind_of(archive: ds.Archive, given: str | None, *, every: bool) -> str | None:
    """The kind of records that `--records` names, with or without `record:`; None for `all`, where `every` may be asked
    for, and where nothing was given. InputError with the kinds there are."""
    from dossier.model.fields import nearest_name
    from dossier.model.records import PREFIX

    kind = given.removeprefix(PREFIX) if given is not None else None
    kinds = [spec.key.removeprefix(PREFIX) for spec in archive.registry.specs() if spec.key.startswith(PREFIX)]
    if kind is None or kind in kinds:
        return kind
    if kind == "all" and every:
        return None
    if kind == "all":
        raise InputError([reason("cli.records_all", "--records", kinds=", ".join(kinds))])
    nearest = nearest_name(kind, kinds)
    raise InputError([reason("cli.records", "--records", kinds=", ".join(kinds), nearest=nearest)])


def _decorated(verb: F, gathered: Callable[..., Any], *options: Callable[[Any], Any]) -> F:
    gathered.__doc__ = verb.__doc__
    gathered.__name__ = verb.__name__
    # Options that were declared nearer to the function stand first.
    gathered.__click_params__ = list(getattr(verb, "__click_params__", ()))  # type: ignore[attr-defined]
    made: Any = gathered
    for option in reversed(options):
        made = option(made)
    return cast("F", made)


__all__ = [
    "ARCHIVE",
    "JSON",
    "LANG",
    "NUMBERS_FROM",
    "READS",
    "WAIT",
    "Acting",
    "Opening",
    "acting",
    "kind_of",
    "reading",
    "writing",
]
