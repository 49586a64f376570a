"""Invoice lines as of an online shop, in the columns of *Online Retail*: any number of customers, deterministic.

How many orders a customer has, which countries they come from, what is bought at which price and how many pieces
follow the shape of the real lines (shares of countries, quantiles of prices and quantities, skew of orders a customer,
one invoice in fourteen a return). Only the number of lines an order is smaller: two on average in place of nineteen, so
that a million customers can be measured in one go. No line is a real one.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")
COUNTRIES = (
    ("United Kingdom", 905), ("Germany", 28), ("EIRE", 16), ("France", 15), ("Spain", 11),
    ("Netherlands", 7), ("Belgium", 6), ("Switzerland", 5), ("Portugal", 4), ("Norway", 3),
)  # fmt: skip
PRICES = (
    "0.42", "0.65", "0.85", "1.25", "1.45", "1.65", "1.95", "2.10", "2.55", "2.95", "3.75", "4.95", "8.50", "12.75",
)  # fmt: skip
PIECES = (1, 1, 1, 2, 2, 3, 4, 6, 6, 8, 10, 12, 12, 24, 36, 48)
COLOURS = ("RED", "WHITE", "BLUE", "PINK", "GREEN", "IVORY", "VINTAGE", "RETRO")
THINGS = ("LUNCH BAG", "CAKE STAND", "PAPER KIT", "SEWING BOX", "LIGHT HOLDER", "WATER BOTTLE", "MUG", "CLOCK")
RETURNS = 14


def lines(customers: int, *, begin: int = 0, seed: int = 7) -> Iterator[tuple[str, ...]]:
    """Lines in the order of invoices, as a shop writes them: the customers of one stretch of time interleave. `begin`
    customers came before these."""
    names, weights = zip(*COUNTRIES, strict=True)
    invoice = 536_000 + 3 * begin
    for first in range(begin, begin + customers, 1000):
        rnd = random.Random(seed * 1_000_003 + first)
        stretch = range(first, min(first + 1000, begin + customers))
        home = {number: rnd.choices(names, weights)[0] for number in stretch}
        # Two orders a customer on average, a few customers with very many.
        buyers = [number for number in stretch for _ in range(min(1 + int(rnd.paretovariate(1.9) - 0.5), 40))]
        rnd.shuffle(buyers)
        day = 1 + first // 1000 % 28
        for place, number in enumerate(buyers):
            invoice += 1
            returned = invoice % RETURNS == 0
            at = f"2011-{1 + first // 28_000 % 12:02d}-{day:02d} {8 + place % 12:02d}:{place % 60:02d}:00"
            for _ in range(rnd.choice((1, 1, 2, 4))):
                stock = rnd.randrange(20_000, 24_000)
                yield (
                    f"C{invoice}" if returned else str(invoice), str(stock),
                    f"{COLOURS[stock % 8]} {THINGS[stock // 8 % 8]} {stock % 97}",
                    str(-rnd.choice(PIECES) if returned else rnd.choice(PIECES)), at, rnd.choice(PRICES),
                    f"{100_000 + number}.0", home[number],
                )  # fmt: skip


def write(path: Path, customers: int, *, begin: int = 0) -> tuple[int, int]:
    """Write a file of lines; how many lines and invoices it has."""
    count, last, invoices = 0, "", 0
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        for line in lines(customers, begin=begin):
            out.writerow(line)
            count += 1
            invoices += line[0] != last
            last = line[0]
    return count, invoices
