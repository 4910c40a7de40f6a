"""What a call can be made with: models and voices."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from ..action import Effect, Record
from ..endpoint import Endpoint
from .fields import Page

Mode = Literal["realtime", "legacy"]
Word = Annotated[str, Field(min_length=1, max_length=50)]


class Model(Record):
    """A language model that can speak on calls."""

    id: str
    """What model takes in place_call."""
    name: str | None = None
    """Its name."""
    provider: str | None = None
    """Who makes it."""
    mode: Mode | str | None = None
    """Mode of calls that it serves."""
    supports_temperature: bool | None = None
    """Whether it takes a temperature."""
    is_default: bool | None = None
    """Whether the mode uses it when none is named."""


class Voice(Record):
    """A voice."""

    id: str
    """What voice takes in place_call."""
    name: str | None = None
    """Its name."""
    provider: str | None = None
    """Who makes it."""
    mode: Mode | str | None = None
    """Mode of calls that it serves."""
    gender: str | None = None
    """male, female or neutral."""
    language: str | None = None
    """Language it was made for, such as en-US."""
    is_custom: bool | None = None
    """True for the account's own and cloned voices."""
    preview_url: str | None = None
    """Where a sample is, if there is one."""


class ModelPage(Page[Model]):
    """All models."""


class VoicePage(Page[Voice]):
    """All voices."""


class ListModels(Endpoint[ModelPage], route="GET /v1/models", effect=Effect.READ):
    """List the language models that can speak on calls, with the mode each serves. For model in
    place_call."""

    mode: Mode | None = None
    """Only models of this mode."""


class ListBuiltinVoices(Endpoint[VoicePage], route="GET /v1/voices/builtin", effect=Effect.READ):
    """List TopCalls' own voices, filtered by what is given. list_voices adds the account's own and cloned
    ones."""

    mode: Mode | None = None
    """Only voices of this mode."""
    provider: Word | None = None
    """Only voices of this maker: openai or elevenlabs."""
    gender: Word | None = None
    """Only these: male, female or neutral."""
    language: Word | None = None
    """Only this language: en, or en-US."""


class ListVoices(Endpoint[VoicePage], route="GET /v1/voices", effect=Effect.READ):
    """List every voice that calls can use. TopCalls' own come first, then the account's custom and cloned
    ones; list_builtin_voices filters by mode, gender and language."""
