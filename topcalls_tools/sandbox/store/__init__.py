"""The one SQLite file that everything is kept in."""

from __future__ import annotations

from .book import Book, Row
from .file import Busy, Store

__all__ = ["Book", "Busy", "Row", "Store"]
