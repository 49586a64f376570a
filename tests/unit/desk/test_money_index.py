"""Amounts in indexes and computed facts: every decimal that Money keeps survives, and operands are amounts."""

from __future__ import annotations

from decimal import Decimal

import pytest

import dossier as ds
from dossier.errors import InputError


@pytest.mark.row("M33")
@pytest.mark.parametrize("scheme", ["memory:", "sqlite:"])
def test_M33_totals_keep_every_decimal(scheme: str, tmp_path: object) -> None:
    url = scheme if scheme == "memory:" else f"{tmp_path}/money.db"
    with ds.create(url) as archive:
        desk = archive.acting_as("林", role="manager", purpose="manage")
        file = desk.register("Ernst Handel", kind="organization")
        amounts = ["749.0625", "0.000001", "9.95"]
        desk.enter(file, *(ds.record("order", at="1998-05-06", amount=f"EUR {amount}") for amount in amounts))
        total = desk.consult(file).transaction_status.total
        assert ds.known(total)
        assert total == ds.Money(sum(map(Decimal, amounts), Decimal()), "EUR")

        place = ds.field("transaction_status/total")
        for operand in (total, f"EUR {total.amount}"):
            assert [hit.number for hit in desk.find(where=place >= operand)] == [file.number]
            assert len(desk.find(where=place > operand)) == 0
        assert len(desk.find(where=place >= "EUR 759")) == 1
        assert len(desk.find(where=place >= "EUR 760")) == 0
        assert len(desk.find(where=place >= 1)) == 0, "an amount without a currency is CNY, as everywhere"
        with pytest.raises(InputError, match=r"value\.type"):
            desk.find(where=ds.field("transaction_status/times") >= Decimal(3))
