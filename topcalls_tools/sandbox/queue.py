"""Whom a campaign calls next: who is due to be tried again, then the others in their order."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Any

from .store import Book, Row

AT_ONCE = 500
"""Contacts that are read from the file at once."""


class Queue:
    """The contacts of one campaign. What is taken out or put back is written with `write`.

    A contact's state is `pending` (never called), `waiting` (to be tried again from `next_at` on), `calling`,
    `completed`, `failed`, or `skipped` for a lead that wants no calls. `leads` are those that other campaigns
    have in hand already: what one changes, all see.
    """

    def __init__(self, campaign: Row, book: Book, leads: dict[str, Row]) -> None:
        self._mine = ("campaign_id", "=", campaign["id"])
        self._on_list = ("list_id", "=", campaign["list_id"])
        self._book = book
        self._leads = leads
        self._untried: deque[Row] = deque()
        self._read_to = 0
        self._all_read = False
        self._again: list[tuple[int, int, Row]] = []
        self._more_from: int | None = None
        self._changed: dict[str, Row] = {}
        self._read_again()

    def ready_at(self, now: int) -> int | None:
        """The instant from which somebody can be called: now, later, or never."""
        if not self._again and self._more_from is not None:
            self.write()
            self._read_again()
        if (self._again and self._again[0][0] <= now) or self._next_untried():
            return now
        return self._again[0][0] if self._again else None

    def take(self, now: int) -> Row:
        """The contact to call now, with its lead's facts; only while `ready_at` says now."""
        if self._again and self._again[0][0] <= now:
            return heappop(self._again)[2]
        return self._untried.popleft()

    def put(self, contact: Row, **values: Any) -> None:
        """Change a contact; one that waits stands in the queue again."""
        contact |= values
        self._changed[contact["lead_id"]] = contact
        if contact["state"] != "waiting":
            return
        if self._more_from is None or contact["next_at"] < self._more_from:
            heappush(self._again, (contact["next_at"], contact["position"], contact))

    def write(self) -> None:
        """Write down what has changed."""
        names = ("campaign_id", "lead_id", "state", "attempts", "next_at", "call_id", "ends_at")
        rows = [{name: contact[name] for name in names} for contact in self._changed.values()]
        self._book.change_each("contacts", names[:2], rows)
        self._changed.clear()

    def flying(self) -> list[Row]:
        """The contacts that are being called; without a lead where it was deleted meanwhile."""
        return self._with_leads(self._book.rows("contacts", self._mine, ("state", "=", "calling")))

    def _next_untried(self) -> bool:
        if not self._untried and not self._all_read:
            untried = (("state", "=", "pending"), ("next_at", "=", 0), ("position", ">", self._read_to))
            rows = self._book.rows("contacts", self._mine, *untried, order="position", limit=AT_ONCE)
            self._all_read = len(rows) < AT_ONCE
            self._read_to = rows[-1]["position"] if rows else self._read_to
            self._untried.extend(self._with_leads(rows))
        return bool(self._untried)

    def _read_again(self) -> None:
        waiting = self._book.rows(
            "contacts", self._mine, ("state", "=", "waiting"), order="next_at position", limit=AT_ONCE
        )
        self._more_from = waiting[-1]["next_at"] if len(waiting) == AT_ONCE else None
        self._again = [(row["next_at"], row["position"], row) for row in self._with_leads(waiting)]

    def _with_leads(self, contacts: list[Row]) -> list[Row]:
        """With each its lead, and whether that is still on the list: one that is being called may be gone."""
        ids = [contact["lead_id"] for contact in contacts]
        if unknown := [id for id in ids if id not in self._leads]:
            self._leads |= {lead["id"]: lead for lead in self._book.rows("leads", ("id", "in", unknown))}
        there = self._book.rows("memberships", self._on_list, ("lead_id", "in", ids), only=("lead_id",))
        listed = {row["lead_id"] for row in there}
        return [
            {**contact, "lead": self._leads.get(contact["lead_id"]), "listed": contact["lead_id"] in listed}
            for contact in contacts
        ]
