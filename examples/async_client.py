"""Three calls at once, without threads: who has a table? Runs without a key; no phone rings."""

from __future__ import annotations

import asyncio

from practice import practice

from topcalls_tools import AsyncClient, FollowCall, PlaceCall
from topcalls_tools.deeds.follow_call import Following
from topcalls_tools.flow.steps import Ask

RESTAURANTS = {"Mill Street": "+14155550142", "Harbour": "+14155550001", "Old Town": "+14155550005"}
"""In the sandbox the last four digits decide: 0001 is busy, 0005 a mailbox, most others are answered."""


async def approve(ask: Ask) -> bool:
    """Ask whoever is in charge; may be asynchronous, such as a message to them and a wait for the reply."""
    print(f"May this ring {ask.target}, for at most {ask.minutes:g} minutes? -> approved by this example")
    return True


async def enquire(client: AsyncClient, name: str, number: str) -> Following:
    """Place one call and wait until it is over and summed up."""
    placed = await client.send(
        PlaceCall(
            phone_number=number,
            task="Ask whether they have a table for six tonight, and how late the kitchen is open.",
            max_duration=3,
        )
    )
    heard = await client.send(FollowCall(call_id=placed.call_id))
    while not heard.ended or heard.completed is False:
        heard = await client.send(FollowCall(call_id=placed.call_id, from_turn=heard.next_turn))
    print(f"{name:>12}: {heard.call_status}")
    return heard


async def main() -> None:
    with practice() as line:
        async with AsyncClient(line=line, approve=approve) as client:
            heard = await asyncio.gather(*(enquire(client, *place) for place in RESTAURANTS.items()))
    print()
    for name, result in zip(RESTAURANTS, heard, strict=True):
        print(f"{name:>12}: {result.call_summary or result.error_message}")


if __name__ == "__main__":
    asyncio.run(main())
