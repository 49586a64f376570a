"""Children that are killed: at a chosen physical step by `os._exit`, or from outside by SIGKILL.

Floor: testing. A child is a fork, so that a scenario may be any function; it says what it has done through a pipe,
one line each, and what it said before it died is what it had acknowledged. Needs `os.fork` (no Windows).
"""

from __future__ import annotations

import os
import signal
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn, TypeAlias

import attrs

KILLED = 77
FAILED = 78

Say: TypeAlias = Callable[[str], None]
Scenario: TypeAlias = Callable[[Say, Callable[[str], None]], None]
"""Gets `say` (acknowledge a line) and `on_step` (to hand to the driver)."""


@attrs.frozen
class Death:
    """How a child ended: what it said, in order (steps as "step NAME"), and whether it was killed at a step."""

    said: tuple[str, ...]
    killed: bool

    @property
    def lines(self) -> list[str]:
        """What it acknowledged."""
        return [line for line in self.said if not line.startswith("step ")]

    @property
    def steps(self) -> list[str]:
        """The names of the steps that it reached."""
        return [line[5:] for line in self.said if line.startswith("step ")]

    def points(self) -> list[int]:
        """Numbers of the steps to die at: between two acknowledged lines the first two steps of a name, the middle one
        and the last."""
        chosen: set[int] = set()
        number = 0
        since: dict[str, list[int]] = {}
        for line in (*self.said, ""):
            if line.startswith("step "):
                number += 1
                since.setdefault(line, []).append(number)
            else:
                for numbers in since.values():
                    chosen.update((*numbers[:2], numbers[len(numbers) // 2], numbers[-1]))
                since = {}
        return sorted(chosen)


def can_fork() -> bool:
    """Whether this system can run what is in this module."""
    return hasattr(os, "fork")


def run_until(scenario: Scenario, step: int) -> Death:
    """Run the scenario in a child that dies at its step number `step` (from 1; 0: never). AssertionError if it fails
    by itself."""
    with child(lambda say: scenario(say, _stepper(say, step))) as (_, lines):
        said = list(lines)
    wrong = [line for line in said if line.startswith("failed ")]
    if wrong:
        raise AssertionError(f"the scenario failed by itself: {wrong[0]}")
    death = Death(tuple(line for line in said if line != "end"), killed="end" not in said)
    if death.killed and len(death.steps) != step:
        raise AssertionError(f"the child died by itself after step {len(death.steps)}")
    return death


@contextmanager
def child(act: Callable[[Say], None]) -> Iterator[tuple[int, Iterator[str]]]:
    """Fork; the child acts and ends, the parent gets its process id and what it says, line by line.

    The child says "end" at its end or "failed …" where it raised. On leaving it is killed and reaped.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _act(act, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as stream:
            yield pid, (line.rstrip("\n") for line in stream)
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def kill(pid: int) -> None:
    """SIGKILL: the process does nothing more."""
    os.kill(pid, signal.SIGKILL)


@contextmanager
def small_disk(folder: Path, *, megabytes: int = 8) -> Iterator[Path | None]:
    """Mount a small tmpfs at `folder / "disk"` for real ENOSPC; None where the system does not allow it."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        mounted = False
    try:
        yield disk if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", str(disk)], capture_output=True, check=False)


def _act(act: Callable[[Say], None], writing: int) -> NoReturn:
    def say(line: str) -> None:
        os.write(writing, f"{line}\n".encode())

    try:
        act(say)
        say("end")
    except BaseException as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        say(f"failed {type(error).__name__} {error} at {place.filename}:{place.lineno}".replace("\n", " "))
        os._exit(FAILED)
    os._exit(0)


def _stepper(say: Say, step: int) -> Callable[[str], None]:
    reached = 0

    def on_step(name: str) -> None:
        nonlocal reached
        reached += 1
        say(f"step {name}")
        if reached == step:
            os._exit(KILLED)

    return on_step
