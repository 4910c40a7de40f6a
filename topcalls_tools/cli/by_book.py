"""What is said at the terminal, carried out by the phrase book: without a language model."""

from __future__ import annotations

from ..action import Effect
from ..deeds.follow_call import FollowCall
from ..deeds.stop_all import AllStopped
from ..interpreter import ABOUT, Doubt, Reading, Scene, understood
from .attended import Attended, notice
from .show import reply
from .stop_all import NOT_ALL

NOT_UNDERSTOOD = 2
"""The exit code of a sentence that is not understood."""
CONNECT = "--model openai:gpt-5-mini connects one; docs/cli.md says how."


class ByBook:
    """Reads sentences against what was spoken of before, and does what they mean or says what is unclear."""

    def __init__(self, person: Attended, region: str | None) -> None:
        self._person, self._region = person, region
        self._doubt: Doubt | None = None
        self._told = False

    @property
    def about(self) -> str:
        """What reads here, and how a model is connected; told once."""
        self._told = True
        return f"{ABOUT} {CONNECT}"

    def said(self, sentence: str) -> int:
        """Carry a sentence out, and give the exit code. Raises a TopCallsError where it could not be done."""
        person = self._person
        person.begin()
        read: Reading | Doubt | None = self._chosen(sentence)
        if read is None:
            line = person.line
            scene = Scene(
                now=line.clock(),
                region=self._region,
                last_call=person.call_id,
                last_campaign=person.campaign_id,
            )
            read = person.run(understood(sentence, line.desk(), scene))
        if isinstance(read, Doubt):
            self._doubt = read
            notice(str(read))
            if not self._told:
                notice(self.about)
            return NOT_UNDERSTOOD
        self._doubt = None
        notice(f"By the phrase book: {read}")
        return self._do(read)

    def _chosen(self, sentence: str) -> Reading | None:
        """The reading that a number chooses, where the last sentence had several."""
        readings = self._doubt.readings if self._doubt else ()
        number = int(sentence) if sentence.isascii() and sentence.isdigit() and len(sentence) < 3 else 0
        return readings[number - 1] if 1 <= number <= len(readings) else None

    def _do(self, read: Reading) -> int:
        person, action = self._person, read.action
        if isinstance(action, FollowCall):
            person.follow(action.call_id)
            return 0
        seen = person.send(action)
        if action.effect is Effect.READ:
            reply(action.shown(seen, person.line.live), as_json=False)
        return NOT_ALL if isinstance(seen, AllStopped) and not seen.ok else 0
