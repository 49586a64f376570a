"""Kinds of party, stages, absences, edits."""

from __future__ import annotations

import copy
import pickle

import pytest

from dossier.model.absence import Absence
from dossier.model.catalogue import TEXTS
from dossier.model.edits import UNSET, Edit, edit
from dossier.model.party import PartyKind, Stage, Standing
from dossier.model.problems import problem


@pytest.mark.row("M6")
def test_dormant_is_not_closed() -> None:
    assert Stage.DORMANT.may_become(Stage.ACTIVE) and Stage.CLOSED.may_become(Stage.ACTIVE)
    assert Stage.ACTIVE.may_become(Stage.DORMANT) and not Stage.DESTROYED.may_become(Stage.ACTIVE)


@pytest.mark.row("M4")
def test_every_word_is_said_in_both_languages() -> None:
    for kind in (PartyKind, Standing, Stage, Absence):
        for word in kind:
            assert word.text("zh") != word.text("en")
    assert [word.value for word in Standing] == ["customer", "contact", "indirect"]


def test_every_problem_has_a_text_and_a_remedy_in_both_languages() -> None:
    for code, texts in TEXTS.items():
        assert len(texts) == 4 and all(texts), code
        with pytest.raises(KeyError) if "{" in "".join(texts).replace("{{", "") else _Nothing():
            problem(code, "x")


def test_edits() -> None:
    assert edit(add="花生") == Edit(("花生",), (), {}) and edit(add=["a"], remove=["b"]).remove == ("b",)
    assert edit(add={"number": "1"}).add == ({"number": "1"},)
    assert "花生" not in repr(edit(add="花生"))
    assert repr(UNSET) == "UNSET" and pickle.loads(pickle.dumps(UNSET)) is UNSET is copy.deepcopy(UNSET)


class _Nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
