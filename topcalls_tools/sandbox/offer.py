"""The models and voices that a call can be made with."""

from __future__ import annotations

import re

from ..api.calls import PlaceCall
from ..api.configuration import ListBuiltinVoices, ListModels, Model, ModelPage, Voice, VoicePage
from .problem import Wrong, invalid

_MODELS = (
    ("gpt-realtime-mini-2025-12-15", "GPT Realtime Mini", "realtime", True, True),
    ("gpt-4o", "GPT-4o", "legacy", True, True),
    ("gpt-5", "GPT-5", "legacy", False, False),
)
MODELS = tuple(
    Model(id=id, name=name, provider="openai", mode=mode, supports_temperature=warm, is_default=default)
    for id, name, mode, warm, default in _MODELS
)
_GENDERS = {
    "realtime": "alloy:neutral echo:male shimmer:female ash:male ballad:male coral:female sage:female"
    " verse:male",
    "legacy": "rachel:female domi:female bella:female antoni:male elli:female josh:male arnold:male sam:male"
    " adam:male nicole:female matilda:female",
}
VOICES = tuple(
    Voice(
        id=id,
        name=id.capitalize(),
        provider="openai" if mode == "realtime" else "elevenlabs",
        mode=mode,
        gender=gender,
        language="en-US",
        is_custom=False,
        preview_url=None,
    )
    for mode, said in _GENDERS.items()
    for id, _, gender in (voice.partition(":") for voice in said.split())
)
_MODES = {
    "voice": {one.id: one.mode for one in VOICES},
    "model": {one.id: one.mode for one in MODELS},
}
_DEFAULT_VOICE = {"realtime": "alloy", "legacy": "rachel"}
_AMBIENCE = ("none", "office", "cafe", "street")
_GAIN = ("low", "medium", "high")


def models(request: ListModels) -> ModelPage:
    return ModelPage(data=tuple(one for one in MODELS if request.mode in (None, one.mode)))


def builtin_voices(request: ListBuiltinVoices) -> VoicePage:
    """Voices that fit every filter; `en` also finds `en-US` (contract A95)."""

    def fits(voice: Voice) -> bool:
        wanted = (request.mode, request.provider, request.gender)
        has = (voice.mode, voice.provider, voice.gender)
        spoken, language = (voice.language or "").lower(), (request.language or "").lower()
        return all(not want or want.lower() == have for want, have in zip(wanted, has, strict=True)) and (
            not language or language in (spoken, spoken.partition("-")[0])
        )

    return VoicePage(data=tuple(filter(fits, VOICES)))


def completed(request: PlaceCall) -> PlaceCall:
    """The request with voice, model and ambience filled in; raises where they do not fit (contract A59)."""
    voice = request.voice or _DEFAULT_VOICE[request.mode]
    model = request.model or next(one.id for one in MODELS if one.mode == request.mode and one.is_default)
    audio, gain = request.background_audio or "none", request.background_audio_gain or "medium"
    wrong = [
        *_misfits("voice", voice, request.mode),
        *_misfits("model", model, request.mode),
        *_unknown("background_audio", audio, _AMBIENCE),
        *_unknown("background_audio_gain", gain, _GAIN),
    ]
    if wrong:
        raise invalid(*wrong)
    filled = {"voice": voice, "model": model, "background_audio": audio, "background_audio_gain": gain}
    return request.model_copy(update=filled)


def _misfits(path: str, id: str, mode: str) -> list[Wrong]:
    if path == "voice" and mode == "legacy" and re.fullmatch(r"[A-Za-z0-9]{20}", id):
        return []  # an ElevenLabs voice id
    if id not in _MODES[path]:
        return [Wrong(path, f"is no {path} that is offered", "unknown")]
    return [] if _MODES[path][id] == mode else [Wrong(path, f"does not fit the mode {mode}", "mode_mismatch")]


def _unknown(path: str, value: str, known: tuple[str, ...]) -> list[Wrong]:
    return [] if value in known else [Wrong(path, f"must be one of {', '.join(known)}", "unknown")]
