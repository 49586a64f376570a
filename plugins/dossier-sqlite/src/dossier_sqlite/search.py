"""Substring search: bigrams in a contentless FTS5 index, and a queue of texts that are not in it yet.

A text of n characters gives its n-1 bigrams and its last character alone, so each character starts some token: a
needle of two characters is one token, a longer one several, a single character a prefix. Characters are coded so that
the tokenizer `ascii` keeps every one of them (it takes whatever is not ASCII as part of a token) and no two texts get
the same tokens: ASCII other than a-z0-9 moves to a private code point, and what stands there moves behind an escape.

Small commits put (row, text the index holds, text now) into the queue, for an index write costs 50 µs when it comes
alone; the queue is searched exactly and drained by a later commit. A row that is in the queue does not count in the
index, so nobody sees the difference.
"""

from __future__ import annotations

import re
import sqlite3
from itertools import pairwise
from operator import add

INLINE = 32
"""Texts in one commit from which on they go into the index at once."""
QUEUE = 128
"""Texts in the queue that make a commit drain it."""

OPTIONS = "content='', tokenize='ascii', detail=none, columnsize=0"

_ESCAPE = 0xE080
_CODES: dict[int, str] = {
    **{c: chr(0xE000 + c) for c in range(0x80) if not (chr(c).isdigit() or "a" <= chr(c) <= "z")},
    **{c: chr(_ESCAPE) + chr(c) for c in range(0xE000, _ESCAPE + 1)},
}
_SPECIAL = re.compile("[" + re.escape("".join(map(chr, _CODES))) + "]")


def tokens(text: str) -> str:
    """The tokens of a stored text, separated by spaces."""
    special = set(_SPECIAL.findall(text))
    if max(special, default="") < chr(0xE000):
        for character in special:
            text = text.replace(character, _CODES[ord(character)])
        return " ".join(map(add, text, text[1:] + " "))
    coded = [_CODES.get(ord(c), c) for c in text]
    return " ".join(map(add, coded, [*coded[1:], ""]))


def match(needle: str) -> str:
    """The FTS5 query whose answer holds every text with the needle; exact for one or two characters."""
    coded = [_CODES.get(ord(c), c) for c in needle]
    if len(coded) == 1:
        return f'"{coded[0]}"*'
    return " AND ".join(dict.fromkeys(f'"{a}{b}"' for a, b in pairwise(coded)))


class TextIndex:
    """The FTS5 table and the queue of one search field; `table`, `column`, `fts`, `queue` are quoted names."""

    def __init__(self, table: str, column: str, fts: str, queue: str) -> None:
        self.table, self.column, self.fts, self.queue = table, column, fts, queue
        self._insert = f"insert into {fts}(rowid, text) values (?, ?)"
        self._remove = f"insert into {fts}({fts}, rowid, text) values ('delete', ?, ?)"
        self._enqueue = (
            f"insert into {queue}(rid, old, new) values (?, ?, ?) on conflict(rid) do update set new = excluded.new"
        )
        self._size = f"select count(*) from {queue}"
        self._last = f"select max(rid) from {queue}"
        self._peek = f"select rid, old, new from {queue} order by rid limit ?"
        self._hits = f"select rowid from {fts} where {fts} match ? limit ?"
        self._queued = f"select rid from {queue} limit ?"
        self._drop = f"delete from {queue} where rid <= ?"

    def add(self, conn: sqlite3.Connection, texts: list[tuple[int, str]]) -> bool:
        """Take in the texts of new rows. True if the queue should be looked at."""
        if len(texts) >= INLINE:
            conn.executemany(self._insert, [(rid, tokens(text)) for rid, text in texts])
            return False
        conn.executemany(self._enqueue, [(rid, None, text) for rid, text in texts])
        return True

    def change(self, conn: sqlite3.Connection, rid: int, old: str | None, new: str | None) -> bool:
        """Take in that the text of a row changed. True if the queue should be looked at."""
        if old == new:
            return False
        conn.execute(self._enqueue, (rid, old, new))
        return True

    def waiting(self, conn: sqlite3.Connection) -> int:
        """How many texts are in the queue."""
        found: int = conn.execute(self._size).fetchone()[0]
        return found

    def last(self, conn: sqlite3.Connection) -> int:
        """The highest rid in the queue, 0 if it is empty."""
        found: int | None = conn.execute(self._last).fetchone()[0]
        return found or 0

    def hits(self, conn: sqlite3.Connection, query: str, limit: int) -> list[int]:
        """Rids of rows that may hold a needle, ascending, as far as the index knows; `query` comes from `match`."""
        return [rid for (rid,) in conn.execute(self._hits, (query, limit)).fetchall()]

    def queued(self, conn: sqlite3.Connection, limit: int) -> list[int]:
        """Rids of rows in the queue."""
        return [rid for (rid,) in conn.execute(self._queued, (limit,)).fetchall()]

    def drain(self, conn: sqlite3.Connection, limit: int) -> int:
        """Move up to `limit` texts from the queue into the index, inside the caller's transaction; how many."""
        rows = conn.execute(self._peek, (limit,)).fetchall()
        if rows:
            conn.executemany(self._remove, [(rid, tokens(old)) for rid, old, _ in rows if old is not None])
            conn.executemany(self._insert, [(rid, tokens(new)) for rid, _, new in rows if new is not None])
            conn.execute(self._drop, (rows[-1][0],))
        return len(rows)

    def condition(self, match_at: int, needle_at: int, *, length: int, negated: bool) -> str:
        """SQL that is true where the text of row `t` holds the needle. Parameters: the match, the needle.

        `length` is 1, 2 or 3 for more: bigrams of a longer needle need not stand together, so the stored text is asked.
        """
        checked = "" if length < 3 else f" and instr(t.{self.column}, ?{needle_at}) > 0"
        inside = (
            f"t.rid in (select rowid from {self.fts} where {self.fts} match ?{match_at}"
            f" and rowid not in (select rid from {self.queue})"
            f" union all select rid from {self.queue} where instr(new, ?{needle_at}) > 0){checked}"
        )
        return f"not ({inside})" if negated else f"({inside})"
