"""MongoDB repository of dossier-archive: `ds.open("mongodb://host/hotel?replicaSet=rs0")`.

A plugin: it sees rows, never customers, and imports the repository contract and the errors of the core only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from dossier_mongodb.address import connect, read_options
from dossier_mongodb.opening import check_archive, check_server, create_archive
from dossier_mongodb.repository import STEPS, MongoRepository

__all__ = ["STEPS", "MongoRepository", "open_mongodb"]


def open_mongodb(url: str, *, mode: Literal["create", "rw", "r"], options: Mapping[str, object]) -> MongoRepository:
    """The driver of the schemes `mongodb` and `mongodb+srv`; see `Driver` for the errors. The address names the
    database; an archive fills one, and `create` wants it empty.

    Options: `timeout`, seconds for one call as a whole (75: longer than a transaction may live whose process was
    killed); `selection`, seconds for which a primary is looked for (15: longer than an election); `index_timeout`,
    seconds for the indexes of one collection (600); `client`, further options of MongoClient (TLS, authentication);
    `credentials`, called once for a mapping of such options, for secrets that the host keeps elsewhere; `on_step`,
    called with a name of `STEPS` between commands (crash tests).

    InputError for weaker reads or writes than an archive keeps (`w=1`, `journal=false` and the like, whichever way they
    are said). UnsuitableError for a server without a replica set, or older than 5.0. UnreachableError,
    CredentialsError. No error, repr or log record repeats the address or a secret.
    """
    given = read_options(options)
    client, base = connect(url, given)
    try:
        check_server(client)
        if mode == "create":
            create_archive(base, given.on_step)
        else:
            check_archive(base, writing=mode == "rw")
        return MongoRepository(client, base, given, read_only=mode == "r")
    except BaseException:
        client.close()
        raise
