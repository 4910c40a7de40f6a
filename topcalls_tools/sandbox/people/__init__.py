"""Who answers the phones, and every word that is spoken on them."""

from __future__ import annotations

from .person import PEOPLE, People, Person, Temper

__all__ = ["PEOPLE", "People", "Person", "Temper"]
