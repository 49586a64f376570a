"""A front desk in sixty lines: what an application around an archive looks like. Run it: python examples/front_desk.py

The host knows its users and calls the library; the library judges, records and keeps.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import dossier as ds


class FrontDesk:
    """The host application: one archive for the process, a desk for each caller."""

    def __init__(self, path: Path) -> None:
        self._archive = ds.open(str(path)) if path.exists() else ds.create(str(path), zone="Asia/Shanghai")

    def check_in(self, clerk: str, name: str, phone: str, *, booking: str) -> str:
        """Register a guest, once for each booking; the registration number."""
        desk = self._archive.acting_as(clerk, role="service", purpose="serve")
        guest = desk.register(
            name, ds.change("basic", phones=[phone]), kind="person", stage="active", channel="check_in",
            request_id=f"booking {booking}",
        )  # fmt: skip
        return guest.number

    def hear(self, anybody: str, number: str, taboo: str) -> None:
        """Everybody may hand in a fact, also those who may not look."""
        desk = self._archive.acting_as(anybody, role="sales")
        desk.collect(number, ds.change("preferences", taboos=[taboo]), channel="visit")

    def before_serving(self, clerk: str, number: str) -> str:
        """What the waiter must know, and nothing else."""
        return self._archive.acting_as(clerk, role="service", purpose="serve").brief(number).text()

    def check_out(self, clerk: str, number: str, amount: str) -> str:
        """Enter what was paid; how often the guest has been here, and for how much."""
        desk = self._archive.acting_as(clerk, role="service", purpose="serve")
        desk.enter(number, ds.record("order", at="2026-03-02", amount=amount))
        status = desk.consult(number).transaction_status
        total = status.total.text("zh") if ds.known(status.total) else "-"
        return f"{status.times} × {total}"

    def close(self) -> None:
        """Let go of the archive."""
        self._archive.close()


def main() -> None:
    """One guest, from check-in to check-out."""
    with tempfile.TemporaryDirectory() as folder:
        house = FrontDesk(Path(folder) / "hotel.db")
        number = house.check_in("王芳", "单雄信", "18612345678", booking="4711")
        again = house.check_in("王芳", "单雄信", "18612345678", booking="4711")
        print("one booking, one file:", number == again)
        house.hear("高强", number, "花生")
        print(house.before_serving("王芳", number))
        print(house.check_out("王芳", number, "￥1,280.50"))
        house.close()


if __name__ == "__main__":
    main()
