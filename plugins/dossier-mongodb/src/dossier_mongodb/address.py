"""From an address and options to a client: what weakens the guarantees is refused, secrets are never repeated.

Secrets come in the address, in `client`, or from the callable `credentials`; nothing of them is kept here, and no error
quotes the address.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs
from bson.codec_options import CodecOptions
from pymongo import MongoClient, ReadPreference
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.synchronous.database import Database
from pymongo.write_concern import WriteConcern

from dossier.errors import InputError, Problem
from dossier.repository.checking import check_options, mistyped_option
from dossier_mongodb.processes import this_process

Client: TypeAlias = MongoClient[dict[str, Any]]
Base: TypeAlias = Database[dict[str, Any]]
Step = Callable[[str], None]

KEPT = WriteConcern("majority", j=True)
"""Every write: a majority of the members has it in its journal."""
SNAPSHOT = ReadConcern("snapshot")
"""Every read: one state that a majority has, however many documents it touches."""

# At DEBUG the driver logs whole commands, documents and all. Who wants that sets the level of this logger himself.
_commands = logging.getLogger("pymongo.command")
if _commands.level == logging.NOTSET:
    _commands.setLevel(logging.INFO)


@attrs.frozen(kw_only=True)
class Options:
    """What may be said beside the address; see `open_mongodb`."""

    timeout: float = 75.0
    selection: float = 15.0
    index_timeout: float = 600.0
    client: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    credentials: Callable[[], Mapping[str, str]] | None = attrs.field(default=None, repr=False)
    on_step: Step | None = None


_NAMES = tuple(sorted(field.name for field in attrs.fields(Options)))


def read_options(options: Mapping[str, object]) -> Options:
    """The options that were given. InputError for one that is unknown or of another type."""
    check_options(options, _NAMES)
    for name in ("timeout", "selection", "index_timeout"):
        value = options.get(name, 1.0)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e6:
            raise mistyped_option(name, zh="正的秒数", en="a positive number of seconds")
    if not isinstance(options.get("client", {}), Mapping):
        raise mistyped_option("client", zh="MongoClient 的选项字典", en="a mapping of options of MongoClient")
    for name in ("credentials", "on_step"):
        if options.get(name) is not None and not callable(options[name]):
            raise mistyped_option(name, zh="可调用对象", en="callable")
    return Options(**options)  # type: ignore[arg-type]


def connect(url: str, options: Options) -> tuple[Client, Base]:
    """A client and the database that the address names. InputError for an address that is none, names no database or
    asks for weaker reads or writes than an archive keeps."""
    given: dict[str, Any] = {
        "connectTimeoutMS": 5_000,
        "heartbeatFrequencyMS": 2_000,
        **options.client,
        "appname": f"{str(options.client.get('appname', 'dossier'))[:60]} {this_process()}".rstrip(),
        "serverSelectionTimeoutMS": int(options.selection * 1000),
        "tz_aware": True,
    }
    if options.credentials is not None:
        given.update(options.credentials())
    client: Client | None = None
    try:
        client = MongoClient(url, **given)
        name = client.get_default_database().name
    except (PyMongoError, ValueError, TypeError, OSError):
        name = ""
    if client is None:
        raise _refused("url", "地址或选项不是 MongoDB 所能理解的", "the address or an option is none of MongoDB's")
    if not name:
        client.close()
        raise _refused("url", "地址未指明数据库", "the address names no database", fix="mongodb://HOST/DATABASE")
    weak = weaknesses(client)
    if weak:
        client.close()
        raise InputError(weak)
    return client, client.get_database(
        name,
        codec_options=CodecOptions(),
        read_preference=ReadPreference.PRIMARY,
        write_concern=KEPT,
        read_concern=SNAPSHOT,
    )


def weaknesses(client: Client) -> list[Problem]:
    """What a client was told that is weaker than a majority with journal, whichever way it was told."""
    write = client.write_concern.document
    weak = {
        "w": write.get("w", "majority") != "majority",
        "journal": write.get("j", True) is not True,
        "readConcernLevel": client.read_concern.level not in (None, "majority", "snapshot", "linearizable"),
        "readPreference": client.read_preference.mongos_mode != "primary",
        "retryWrites": not client.options.retry_writes,
    }
    return [
        _problem(
            "store.weaker",
            f"url.{name}",
            "比档案库的保证弱: 须由多数成员写入日志",
            "weaker than what an archive keeps: a majority with its journal",
            f"去掉 {name}",
            f"leave {name} out",
        )
        for name, is_weak in weak.items()
        if is_weak
    ]


def _refused(path: str, zh: str, en: str, *, fix: str = "mongodb://HOST:PORT/DATABASE?replicaSet=NAME") -> InputError:
    return InputError([_problem("store.address", path, zh, en, f"写作 {fix}", f"write {fix}")])


def _problem(code: str, path: str, zh: str, en: str, fix_zh: str, fix_en: str) -> Problem:
    return Problem(code=code, path=path, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)
