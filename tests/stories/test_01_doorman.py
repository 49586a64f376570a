"""Story 1, the doorman: a name of one character, two notes days apart, and a brief that says no more than it must."""

from __future__ import annotations

import pytest

import dossier as ds
from dossier.testing.desk_place import DeskPlace

ROLES = {"门童": "sales", "服务员": "service"}


@pytest.mark.row("M2")
@pytest.mark.row("M40")
@pytest.mark.row("M118")
def test_the_doorman(place: DeskPlace) -> None:
    with place.create(roles=ROLES) as archive:
        reception = archive.acting_as("王芳", role="服务员", purpose="serve")
        guest = reception.register(ds.PersonName(family="单", address_as="姓单"), kind="person", channel="check_in")

        doorman = archive.acting_as("小李", role="门童")
        receipt = doorman.collect(
            guest.number, ds.change("preferences", taboos=["花生"]), told_by="客人", because="说不吃花生"
        )
        assert isinstance(receipt, ds.Receipt)
        for look in (doorman.consult, doorman.card, doorman.brief, doorman.history):
            with pytest.raises(ds.errors.DeniedError):
                look(guest.number)
        with pytest.raises(ds.errors.DeniedError):
            doorman.find(name="单")

        place.clock.forward(days=3)
        waiter = archive.acting_as("小赵", role="服务员", purpose="serve")
        waiter.collect(guest.number, ds.change("preferences", taboos=["香菜"]), channel="service")

    with place.open() as archive:
        brief = archive.acting_as("小钱", role="服务员", purpose="serve").brief(guest.number)
        assert brief.address_as == "姓单"
        assert brief.reading == "shan"
        assert set(brief.taboos if ds.known(brief.taboos) else ()) == {"花生", "香菜"}
        assert {field for field in dir(brief) if not field.startswith("_")} == {
            "number", "address_as", "reading", "taboos", "text",
        }  # fmt: skip
        text = brief.text()
        assert "姓单" in text and "shan" in text and "花生" in text and "香菜" in text
        assert "花生" not in repr(brief) and "姓单" not in repr(brief)

        without_purpose = archive.acting_as("小钱", role="服务员").brief(guest.number)
        assert without_purpose.taboos is ds.WITHHELD
        assert "花生" not in without_purpose.text()


def test_a_wrong_number_is_answered_alike_and_the_note_is_kept(place: DeskPlace) -> None:
    with place.create(roles=ROLES) as archive:
        guest = archive.acting_as("王芳", role="服务员", purpose="serve").register("单", kind="person")
        doorman = archive.acting_as("小李", role="门童")
        note = ds.change("preferences", taboos=["花生"])
        for target in (guest.number, guest.id, "KH-2026-99999", "0" * 32):
            assert type(doorman.collect(target, note)) is ds.Receipt
        assert archive.acting_as("王芳", role="服务员", purpose="serve").consult(guest).preferences.taboos == ("花生",)
