"""`dossier tour`: an archive of real customers, from the first registration to the ledger. Floor: cli.

It uses the public names alone, so that it can be read as an example.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

import dossier as ds
from dossier.cli.northwind import CURRENCY, Customer, Sample
from dossier.cli.words import WORDS
from dossier.desk.changes import Change, Draft

ZONE: Final = "Asia/Shanghai"
WEEKS: Final = 6
"""How long before the last day of the data the tour begins."""
ABREAST: Final = 100
"""Columns from which two cards stand side by side."""
VISITED, STATED, FOUND = "1200000", "2500000", "900000"


class Tour:
    """One run of the tour: what it says goes to `console`."""

    def __init__(self, console: Console, sample: Sample, lang: Literal["zh", "en"]) -> None:
        self._console = console
        self._sample = sample
        self._lang = lang
        self._chapter = 0
        self._today = sample.last + dt.timedelta(days=1)
        self._start = self._today - dt.timedelta(weeks=WEEKS)
        self._clock = ds.ManualClock(dt.datetime.combine(self._start, dt.time(9), ZoneInfo(ZONE)))
        self._star = max(sample.customers, key=lambda customer: (len(customer.orders), customer.id))
        self._period = str(self._today.year - 1)
        self._sales = f"characteristics/sales[{self._period}]"

    def run(self, url: str, *, kept: bool) -> None:
        """Play the tour in a new archive at `url`. Errors of the archive are raised."""
        self._console.print(Text(self._say("title"), style="bold"))
        self._line(
            "files", customers=len(self._sample.customers), orders=self._sample.orders, adrift=self._sample.adrift
        )
        self._line("clock", start=self._start, today=self._today)
        environment = ds.Environment(now=self._clock)
        with ds.create(url, zone=ZONE, environment=environment, lang=self._lang) as archive:
            keeper = archive.acting_as("林静", role="custodian", purpose="manage")
            manager = archive.acting_as("周敏", role="manager", purpose="manage")
            numbers = self._register(keeper)
            star = numbers[self._star.id]
            self._three_sources(keeper, star)
            self._orders(keeper, manager, numbers)
            self._three_roles(archive, manager, star)
            self._find(manager)
            self._history(manager, star)
            self._ledger(archive, manager)
        self._head("next")
        if kept:
            self._line("kept", place=url)
        for key in ("try_keep", "try_data", "try_lang", "try_docs"):
            self._line(key)

    # -- chapters ---------------------------------------------------------------------------------

    def _register(self, desk: ds.Desk) -> dict[str, str]:
        self._head("register")
        numbers: dict[str, str] = {}
        refused = 0
        with desk.unit(because="opening balance") as unit:
            for customer in self._sample.customers:
                try:
                    made = unit.register(
                        customer.name, basic(customer), kind="organization", stage="active", channel="import"
                    )
                except ds.errors.InputError:
                    refused += 1
                else:
                    numbers[customer.id] = made.number
        first, *_, last = (*numbers.values(), *numbers.values())
        self._line("registered", count=len(numbers), first=first, last=last, refused=refused)
        return numbers

    def _three_sources(self, desk: ds.Desk, star: str) -> None:
        self._head("claims")
        self._line("claims_note", name=self._star.name, year=self._period)
        contact = self._star.contact
        desk.enter(
            star,
            ds.record("visit", at=self._day(), by="林静", met=[contact], text=self._say("talk")),
            self._claim(VISITED),
            ds.change("preferences", taboos=[self._say("taboo")], body=self._say("hearing")),
            channel="visit",
            told_by=contact,
        )
        self._shown("visit", desk, star, VISITED)
        self._clock.forward(weeks=1)
        desk.update(star, self._claim(STATED), channel="form", told_by=contact)
        self._shown("form", desk, star, STATED)
        self._clock.forward(weeks=3)
        desk.update(star, self._claim(FOUND), channel="agency", evidence=["report 1/1"])
        self._shown("agency", desk, star, FOUND)
        self._line("nothing_lost")
        table = self._table("channel", "told_by", "value", "recorded", "on_card")
        for said in desk.claims.of(star, self._sales):
            origin = said.origin
            table.add_row(
                origin.channel, origin.told_by, said.value.text(self._lang), origin.at[:10], "*" if said.shown else ""
            )
        self._console.print(table)

    def _orders(self, keeper: ds.Desk, manager: ds.Desk, numbers: dict[str, str]) -> None:
        self._head("orders")
        self._clock.forward(weeks=WEEKS - 4)
        delivered: list[ds.RecordRef] = []
        count = 0
        with keeper.unit(because="order book") as unit:
            for customer in self._sample.customers:
                if customer.id in numbers and customer.orders:
                    entered = unit.enter(numbers[customer.id], *orders(customer), channel="document")
                    count += len(entered.records)
                    for record, order in zip(entered.records, customer.orders, strict=True):
                        if order.delivered:
                            delivered.append(ds.RecordRef(entered.dossier, record))
        with keeper.unit(because="order book") as unit:
            for ref in delivered:
                unit.follow_up(ref, state="delivered")
        files = _all(manager)
        amounts = [file.transaction_status.total for file in files]
        times = [file.transaction_status.times for file in files]
        total = sum((amount.amount for amount in amounts if ds.known(amount)), Decimal())
        self._line(
            "entered",
            orders=count,
            late=sum(self._late(file) for file in files),
            customers=manager.count(),
            times=sum(number for number in times if ds.known(number)),
            total=ds.Money(total, CURRENCY).text(self._lang),
        )

    def _three_roles(self, archive: ds.Archive, manager: ds.Desk, star: str) -> None:
        self._head("views")
        service = archive.acting_as("陈晓", role="service", purpose="serve")
        panels = [
            Panel(Text(desk.card(star, lang=self._lang).rstrip()), title=Text(self._say(title)), title_align="left")
            for desk, title in ((service, "service"), (manager, "manager"))
        ]
        if self._console.width < ABREAST:
            self._console.print(*panels, sep="\n")
        else:
            beside = Table.grid(expand=True)
            for _ in panels:
                beside.add_column(ratio=1)
            beside.add_row(*panels)
            self._console.print(beside)
        try:
            archive.acting_as("高强", role="sales").consult(star)
        except ds.errors.DeniedError as refusal:
            self._line("sales", refusal=refusal.text(self._lang))

    def _find(self, desk: ds.Desk) -> None:
        self._head("find")
        part = piece(self._star.name)
        hits = _all(desk, name=part)
        self._line("find_part", part=part, count=len(hits))
        self._names(hits[:5])
        self._line("find_top")
        self._names(desk.find(order="-transaction_status/total", limit=3).rows)

    def _history(self, desk: ds.Desk, star: str) -> None:
        self._head("history")
        table = self._table("revision", "recorded", "by", "verb", "through", "said")
        for act in desk.history(star):
            channels = ", ".join(dict.fromkeys(said.channel for said in act.said))
            about = ", ".join(dict.fromkeys(said.path.partition("[")[0].partition("{")[0] for said in act.said))
            table.add_row(str(act.revision), act.at[:10], act.by, act.verb, channels, about)
        self._console.print(table)
        then = self._today - dt.timedelta(days=30)
        views = (desk.history(star, known=then).view, desk.consult(star))
        old, new = (self._amount(view) for view in views)
        self._line("then", then=then, today=self._today, old=old, new=new)

    def _ledger(self, archive: ds.Archive, desk: ds.Desk) -> None:
        self._head("ledger")
        report = desk.ledger.verify()
        self._line("verified", events=report.events, lanes=len(report.lanes))
        table = self._table("verb", "outcome", "files_seen")
        for event in desk.ledger.tail(limit=7):
            table.add_row(event.verb, event.outcome, str(event.subjects))
        self._console.print(table)
        self._line("digest", digest=archive.digest())

    # -- small things -----------------------------------------------------------------------------

    def _claim(self, amount: str) -> Change:
        return ds.change("characteristics", sales=[{"period": self._period, "value": f"{CURRENCY} {amount}"}])

    def _amount(self, view: ds.DossierView) -> str:
        series = view.characteristics.sales
        found = [per.value for per in series if per.period == self._period] if ds.known(series) else []
        return found[0].text(self._lang) if found else "-"

    def _shown(self, key: str, desk: ds.Desk, star: str, said: str) -> None:
        money = ds.Money(Decimal(said), CURRENCY).text(self._lang)
        self._line(key, day=self._day(), said=money, shown=self._amount(desk.consult(star)))

    def _late(self, file: ds.DossierView) -> int:
        late = 0
        cursor: str | None = None
        while True:
            page = file.records("order", limit=1000, after=cursor)
            for record in page:
                due, delivered = record.content.due, record.content.delivered
                if ds.known(due):
                    day = delivered.text("en") if ds.known(delivered) else self._today.isoformat()
                    late += day > due.text("en")
            cursor = page.cursor
            if cursor is None:
                return late

    def _day(self) -> dt.date:
        return self._clock().date()

    def _names(self, files: Iterable[ds.DossierView]) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2))
        for file in files:
            name, total = file.basic.name, file.transaction_status.total
            shown = total.text(self._lang) if ds.known(total) else ""
            table.add_row(file.number, Text(ds.reveal(name)), Text(shown, justify="right"))
        self._console.print(table)

    def _table(self, *keys: str) -> Table:
        return Table(*(self._say(key) for key in keys), box=SIMPLE, pad_edge=False)

    def _head(self, key: str) -> None:
        self._chapter += 1
        self._clock.forward(minutes=1)
        self._console.print()
        self._console.print(Text(f"{self._chapter}  {self._say(key)}", style="bold cyan"))

    def _line(self, key: str, **facts: object) -> None:
        self._console.print(Text(f"   {self._say(key, **facts)}"))

    def _say(self, key: str, **facts: object) -> str:
        return WORDS[key][0 if self._lang == "zh" else 1].format(**facts)


def basic(customer: Customer) -> Change:
    """A customer of the files as a change to its basic data; the id it had there is one of its other names."""
    values: dict[str, Any] = {"short_names": [customer.id]}
    lines = [(customer.phone, "office"), (customer.fax, "fax")]
    values["phones"] = [{"number": number, "use": use} for number, use in lines if number]
    if customer.address:
        place = {"name": customer.region, "country": customer.country}
        values["addresses"] = [
            _present({"text": customer.address, "postcode": customer.postcode, "region": _present(place)})
        ]
    if customer.contact:
        values["key_persons"] = [_present({"name": customer.contact, "title": customer.title, "roles": ["contact"]})]
    if customer.orders:
        values["trading_since"] = customer.orders[0].at
    return ds.change("basic", **{name: value for name, value in values.items() if value})


def orders(customer: Customer) -> list[Draft]:
    """The orders of a customer as records, with exact amounts."""
    drafts = []
    for order in customer.orders:
        lines = [
            {
                "product": f"No. {line.product}",
                "quantity": ds.Quantity(line.quantity, "pc"),
                "price": ds.Money(line.price, CURRENCY),
                "amount": ds.Money(line.amount, CURRENCY),
            }
            for line in order.lines
        ]
        days = _present({"due": order.due, "delivered": order.delivered})
        drafts.append(
            ds.record(
                "order",
                at=order.at,
                ref=order.id,
                amount=ds.Money(order.amount, CURRENCY),
                freight=ds.Money(order.freight, CURRENCY),
                lines=lines,
                **days,
            )
        )
    return drafts


def piece(name: str) -> str:
    """A part from within the longest word of a name."""
    word = max(name.split(), key=len)
    return word[1:4] if len(word) > 3 else word


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _all(desk: ds.Desk, *, name: str | None = None) -> list[ds.DossierView]:
    found: list[ds.DossierView] = []
    cursor: str | None = None
    while True:
        page = desk.find(name=name, limit=200, after=cursor)
        found += page
        cursor = page.cursor
        if cursor is None:
            return found
