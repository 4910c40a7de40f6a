"""A recording to listen to: one tone for each speaker, silence between."""

from __future__ import annotations

import io
import math
import wave

from .script import Seen, spoken_ms

RATE = 8000
LONGEST = 180
"""Seconds after which a recording is cut."""
_PERIODS = {"assistant": 20, "user": 32}
"""Samples of one swing: 400 and 250 hertz."""


def recording(call: Seen) -> bytes:
    """WAV, 8 kHz, mono, 8 bit, as long as the call but at most a few minutes."""
    start, end = call.started_at or 0, call.ended_at or 0
    samples = bytearray(b"\x80" * min(LONGEST * RATE, _sample(end - start)))
    for turn in call.turns:
        first = _sample(turn.at - start)
        last = min(len(samples), _sample(turn.at - start + spoken_ms(turn.words)))
        if first < last:
            swing = _swing(_PERIODS[turn.speaker])
            samples[first:last] = (swing * ((last - first) // len(swing) + 1))[: last - first]
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(RATE)
        sound.writeframes(bytes(samples))
    return written.getvalue()


def _sample(ms: int) -> int:
    return ms * RATE // 1000


def _swing(period: int) -> bytes:
    return bytes(round(128 + 40 * math.sin(2 * math.pi * step / period)) for step in range(period))
