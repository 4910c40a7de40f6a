"""A call from Python: typed requests in, typed replies out. Runs without a key; no phone rings."""

from __future__ import annotations

from practice import practice

from topcalls_tools import Client, FollowCall, GetBalance, ListVoices, PlaceCall
from topcalls_tools.flow.steps import Ask


def approve(ask: Ask) -> bool:
    """Ask whoever is in charge. With a live key, put a real person here: True is a yes, False a no."""
    print(ask.question.text())
    print("-> approved by this example\n")
    return True


def main() -> None:
    with practice() as line, Client(line=line, approve=approve) as client:
        voices = client.send(ListVoices()).data
        print(f"{len(voices)} voices to choose from, such as {', '.join(voice.id for voice in voices[:4])}\n")

        placed = client.send(
            PlaceCall(
                phone_number="+14155550123",
                task="Book a table for four on Saturday at 8 pm under Rivera, and ask whether dogs may come.",
                voice="sage",
                max_duration=5,
            )
        )
        turn, over = 1, False
        while not over:
            heard = client.send(FollowCall(call_id=placed.call_id, from_turn=turn))
            for said in heard.turns:
                print(f"{said.speaker:>14}: {said.text}")
            turn, over = heard.next_turn, heard.ended and not heard.more and heard.completed is not False

        # Words from a phone are `Spoken`, not `str`: str() quotes them, .words is what was said.
        print(f"\n{heard.call_status} after {heard.duration} minutes: {heard.call_summary}")
        print(f"{client.send(GetBalance()).free:g} call minutes are left.")


if __name__ == "__main__":
    main()
