"""Figures of the archive against the limit of plain sqlite3; see README.md."""
