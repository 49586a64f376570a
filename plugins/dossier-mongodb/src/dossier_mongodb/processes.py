"""How one process recognises whether another one on the same machine still runs, and what a killed one left behind.

A process is named by its machine (since its last start, within one container), its number, and when it began; the name
stands with the lanes it holds and in the name under which it connects.
"""

from __future__ import annotations

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

_NAME = re.compile(r"\[([0-9a-f]{12}):([0-9]+):([0-9]+)\]\Z")


def this_process() -> str:
    """The name of this process, "" where the system does not tell enough."""
    pid = os.getpid()
    machine, began = _machine(), _began(pid)
    return f"[{machine}:{pid}:{began}]" if machine and began else ""


def is_gone(name: str) -> bool | None:
    """Whether the process of that name has ended; None for one of another machine."""
    found = _NAME.search(name)
    if found is None or found[1] != _machine():
        return None
    return _began(int(found[2])) != found[3]


def free(client: MongoClient[dict[str, Any]]) -> None:
    """End the transactions of processes of this machine that were killed. Without it the rows that they touched stay
    locked until MongoDB gives the transactions up, after a minute; so where it is not permitted, nothing is lost but
    time."""
    try:
        waiting = client.admin.aggregate(
            [
                {"$currentOp": {"idleSessions": True}},
                {"$match": {"type": "idleSession", "transaction": {"$exists": True}}},
                {"$project": {"appName": 1, "lsid": 1}},
            ]
        )
        left = [{"id": one["lsid"]["id"]} for one in waiting if is_gone(one.get("appName", ""))]
        if left:
            client.admin.command("killSessions", left)
    except PyMongoError:
        pass


@cache
def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii")
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return hashlib.blake2s(f"{boot}{space}".encode(), digest_size=6).hexdigest()


def _began(pid: int) -> str:
    """When a process began, in the system's own count; "" if none of that number runs."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in ("Z", "X") else fields[19]
