"""Story 4, the boast: the customer says 50 million, an agency 32; the card believes the agency, and shows both."""

from __future__ import annotations

import pytest

import dossier as ds
from dossier.testing.desk_place import DeskPlace

SALES = "characteristics/sales[2025]"


@pytest.mark.row("M66")
@pytest.mark.row("M27")
@pytest.mark.row("M72")
def test_the_boast(place: DeskPlace) -> None:
    with place.create() as archive:
        desk = archive.acting_as("陈静", role="account_manager", purpose="manage")
        dealer = desk.register("鑫隆商贸", kind="organization").number
        place.clock.forward(days=1)
        desk.update(
            dealer, ds.change("characteristics", sales={"2025": "5000万"}), channel="form", told_by="李敏",
            observed="2026-03-02",
        )  # fmt: skip
        place.clock.forward(days=1)
        desk.update(dealer, ds.change("characteristics", sales={"2025": "3200万", "2024": "2800万"}), channel="agency")

        view = desk.consult(dealer)
        assert shown(view) == {"2024": ds.Money(28_000_000), "2025": ds.Money(32_000_000)}
        (boast,) = view.rivals()
        assert boast.path == SALES and boast.value == ds.Money(50_000_000)
        assert (boast.origin.channel, boast.origin.told_by) == ("form", "李敏")
        assert view.origin(SALES).channel == "agency"
        card = desk.card(dealer)
        assert "32,000,000" in card and "28,000,000" in card and "* ¥50,000,000.00 (form, 李敏)" in card

        (statement,) = [said for said in desk.claims.of(dealer, SALES) if not said.shown]
        checked = desk.claims.verify(statement, because="与表格核对")
        assert shown(checked)["2025"] == ds.Money(32_000_000), "copied right is not proven"
        assert checked.rivals()[0].origin.checked and not checked.rivals()[0].origin.proven

        with pytest.raises(ds.errors.InputError):
            desk.claims.verify(statement, mark="proven")
        proven = desk.claims.verify(statement, mark="proven", evidence=["审计报告 2025"])
        assert shown(proven)["2025"] == ds.Money(50_000_000)
        assert proven.origin(SALES).proven and proven.rivals()[0].value == ds.Money(32_000_000)

    with place.open() as archive:
        again = archive.acting_as("陈静", role="account_manager", purpose="manage")
        assert shown(again.consult(dealer))["2025"] == ds.Money(50_000_000)
        assert shown(again.history(dealer, known=3).view)["2025"] == ds.Money(32_000_000)
        assert shown(again.history(dealer, known=2).view) == {"2025": ds.Money(50_000_000)}


def shown(view: ds.DossierView) -> dict[str, ds.Money]:
    sales = view.characteristics.sales
    assert isinstance(sales, tuple)
    return {each.period: each.value for each in sales}
