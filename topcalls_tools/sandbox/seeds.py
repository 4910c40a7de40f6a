"""The seeded campaigns, as data: what they ask, how each stands now, and whom they call."""

from __future__ import annotations

from typing import NamedTuple


class Seed(NamedTuple):
    """A campaign of ours: `fate` is how it stands now, `days` how long ago it was made."""

    name: str
    fate: str
    days: int
    size: int
    task: str


SEEDS = (
    Seed("Spring check-up invitations", "completed", 40, 24,
         "Tell {{name}} that it is time for the yearly check-up, and book a morning appointment."),
    Seed("Flu shot reminders", "completed", 36, 14,
         "Ask {{name}} whether they would like a flu shot this month."),
    Seed("Old price list follow-up", "cancelled", 33, 18,
         "Ask {{name}} whether they still use the old price list."),
    Seed("Summer fair preview", "cancelled", 29, 12,
         "Invite {{name}} to visit the summer fair on Saturday."),
    Seed("Insurance card updates", "paused", 20, 22,
         "Ask {{name}} whether their insurance card has changed."),
    Seed("Website feedback", "paused", 16, 14,
         "Ask {{name}} how easy the new website is to use."),
    Seed("December reminders", "running", 12, 60,
         "Confirm the appointment of {{name}} in December."),
    Seed("Delivery slots", "running", 8, 40,
         "Ask {{name}} when the delivery may come, and confirm the address."),
    Seed("New year follow-up", "scheduled", 6, 15,
         "Ask {{name}} whether everything went well."),
    Seed("Spring fair invitations", "scheduled", 5, 12,
         "Invite {{name}} to visit the spring fair."),
    Seed("Patient survey", "draft", 3, 25,
         "Ask {{name}} how long they waited and how friendly the staff was."),
    Seed("Empty list", "draft", 2, 0,
         "Ask {{name}} whether they are well."),
)  # fmt: skip

ZONES = {
    "Pacific/Auckland": "+6493xxxxxx",
    "Australia/Sydney": "+6129xxxxxxx",
    "Asia/Tokyo": "+813xxxxxxxx",
    "Asia/Singapore": "+6563xxxxxx",
    "Asia/Kolkata": "+91112xxxxxxx",
    "Asia/Dubai": "+97143xxxxxx",
    "Europe/Athens": "+30210xxxxxxx",
    "Europe/Berlin": "+4930xxxxxxxx",
    "Europe/London": "+442079xxxxxx",
    "Atlantic/Azores": "+351296xxxxxx",
    "America/Sao_Paulo": "+55113xxxxxxx",
    "America/Halifax": "+1902xxxxxxx",
    "America/New_York": "+1212xxxxxxx",
    "America/Chicago": "+1312xxxxxxx",
    "America/Denver": "+1303xxxxxxx",
    "America/Los_Angeles": "+1213xxxxxxx",
    "America/Anchorage": "+1907xxxxxxx",
    "Pacific/Honolulu": "+1808xxxxxxx",
}
"""Zones round the world, and the form of a number there."""
FIRST = (
    "Ada", "Ben", "Cara", "Dev", "Elif", "Finn", "Gwen", "Hugo", "Iris", "Jon", "Kira", "Luis", "Mona",
    "Nils", "Olga", "Pia", "Quinn", "Ravi", "Sara", "Tom",
)  # fmt: skip
LAST = (
    "Abel", "Brook", "Cole", "Diaz", "Evans", "Frost", "Gray", "Hale", "Ito", "Jones", "Kumar", "Lowe",
    "Marsh", "Novak", "Ortiz", "Park", "Reed", "Stone",
)  # fmt: skip
ENDINGS = {"0001": 6, "0002": 9, "0003": 3, "0005": 8, "": 74}
"""Who answers a number of a campaign, in per cent; the empty one is anybody."""
