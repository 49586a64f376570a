"""The contract, run against the repository that `--dossier-repository` names.

Floor: testing. `pytest --pyargs dossier.testing.conformance --dossier-repository WHAT`, where WHAT is

- `mine:` - a scheme alone: each test makes stores in a folder of its own, `mine:FOLDER/store`;
- `mine://host/tests` - an address: each test makes stores beside it, `mine://host/tests_…`, and leaves them there;
- `my_package:open_mine` - a driver, which need not be installed as a plugin yet.

Steps to crash at are what stands as `STEPS` beside the driver, in its module or package. A repository that declares
neither `durable` nor `processes` is taken for one that ends with its process.
"""

from __future__ import annotations

import importlib
import itertools
import sys
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, cast

import pytest

from dossier.errors import InputError, Problem
from dossier.repository import Driver, driver, schemes, split
from dossier.testing.contract import RepositoryContract
from dossier.testing.oracle import Oracle, OracleDriver

_numbers = itertools.count(1)


class TestRepository(RepositoryContract):
    """The laws, on what was named."""

    address: ClassVar[str] = ""

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def tried(cls, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Find what is to be tried, and look at what it declares."""
        what = request.config.getoption("--dossier-repository")
        if not what:
            pytest.skip("say what is to be tried: --dossier-repository WHAT")
        found, cls.address = named(what)
        cls.driver = staticmethod(found)
        cls.steps = _steps(found)
        cls.examples = request.config.getoption("--dossier-examples")
        url = fresh(cls.address, tmp_path_factory.mktemp("looked_at"))
        with closing(found(url, mode="create", options={})) as repository:
            offered = repository.capabilities
        cls.outlives = offered.durable or offered.processes

    def url(self, folder: Path) -> str:
        """A fresh address, in the folder or beside the one that was named."""
        return fresh(self.address, folder)


def named(what: str) -> tuple[Driver, str]:
    """The driver that is named, and the address below which it makes stores. InputError where there is none."""
    module, mark, name = what.partition(":")
    if not (mark and name.isidentifier()) or module in schemes():
        return driver(split(what)[0]), what
    try:
        home = importlib.import_module(module)
    except ImportError as error:
        missing = f"{error.name}"
    else:
        found = getattr(home, name, None)
        if isinstance(found, type) and issubclass(found, Oracle):
            return OracleDriver(found), "kit:"
        if callable(found):
            return cast(Driver, found), "kit:"
        missing = f"{module}:{name}"
    raise _unknown(what, missing)


def fresh(address: str, folder: Path) -> str:
    """An address that nobody had: in the folder where only a scheme was named, else beside the one that was."""
    scheme, rest = split(address)
    if not rest:
        return f"{scheme}:{folder / 'store'}"
    place, mark, options = rest.partition("?")
    head, slash, name = place.rpartition("/")
    stem, dot, ending = name.partition(".")
    unlike = f"{stem}_{uuid.uuid4().hex[:8]}_{next(_numbers)}"
    return f"{scheme}:{head}{slash}{unlike}{dot}{ending}{mark}{options}"


def _steps(found: Any) -> tuple[str, ...]:
    home = sys.modules.get(getattr(found, "__module__", ""))
    package = sys.modules.get(getattr(home, "__package__", None) or "")
    steps: tuple[str, ...] = getattr(home, "STEPS", ()) or getattr(package, "STEPS", ())
    return steps


def _unknown(what: str, missing: str) -> InputError:
    known = ", ".join(schemes())
    return InputError(
        [
            Problem(
                code="testing.repository",
                path=what[:100],
                zh=f"没有 {missing}",
                en=f"there is no {missing}",
                fix_zh=f"写成 SCHEME: (可用: {known}) 或 MODULE:DRIVER",
                fix_en=f"write SCHEME: (there are {known}) or MODULE:DRIVER",
            )
        ]
    )
