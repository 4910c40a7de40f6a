"""What the owner has set: the only reader of the environment and of `policy.toml`."""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, PrivateAttr, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from . import stored_key
from .address import same
from .errors import Misconfigured

Approval = Literal["person", "slips", "none"]


class _Where(BaseSettings):
    """Where the owner's files are; read before anything else."""

    model_config = SettingsConfigDict(env_prefix="TOPCALLS_", extra="ignore")

    home: Path = Path("~/.topcalls")


class Settings(BaseSettings):
    """Settings from the environment (`TOPCALLS_...`), then from `policy.toml` in TOPCALLS_HOME.

    What is given by hand goes before both. `Settings.load()` says in words what cannot be read.
    """

    model_config = SettingsConfigDict(
        env_prefix="TOPCALLS_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    api_key: SecretStr | None = None
    base_url: str | None = None
    home: Path = Path("~/.topcalls")
    account: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    approval: Approval | None = None
    rehearse: bool = False
    toolsets: str = "default"
    secret: SecretStr | None = None
    journal: SecretStr | None = None
    """Address of a PostgreSQL database that several machines share; journal.db where it is left out."""
    webhook_secret: SecretStr | None = None
    """What TopCalls signs webhooks with, for who receives them."""
    webhook_url: str | None = Field(default=None, max_length=2000)
    """The public address of the owner's receiver: where the events of calls that are placed are sent."""
    browser: str | None = Field(default=None, max_length=500)
    """The command of a graphical browser, or none; the system's own where it is left out."""
    region: str | None = Field(default=None, pattern=r"^[A-Za-z]{2}$")
    """The country of numbers that are written without one, two letters such as DE."""
    model: str | None = Field(default=None, max_length=200)
    """The chat model that `topcalls ask` and `topcalls chat` use; a phrase book where it is left out."""
    model_url: str | None = Field(default=None, max_length=2000)
    """The address of an OpenAI-compatible server that has the model."""
    model_key: SecretStr | None = None
    """The model's key; the provider's own variable where it is left out."""
    lines: dict[str, Any] = Field(default_factory=dict)
    """The lines of policy.toml that say what is allowed; `guard/policy.py` reads them."""
    system: Path = Field(default_factory=lambda: _system())
    """A policy.toml for all users of this machine, which the owner's own can only tighten."""
    keep_days: int = Field(default=90, ge=1, le=36_500)
    """How long what is personal stays in the journal."""
    evidence_head: str | None = Field(default=None, max_length=500)
    """A file, or syslog: where the last hash of the evidence is written each time."""
    trouble: str | None = Field(default=None, exclude=True)

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)
    _file: tuple[int, ...] | None = PrivateAttr(default=None)
    _stored: bool = PrivateAttr(default=False)

    def __init__(self, **given: Any) -> None:
        home = Path(given.get("home") or _Where().home).expanduser()
        before = stamp(home / "policy.toml")  # what is written while it is read is read at the next look
        super().__init__(**given)
        self._given, self._file = given, before

    @field_validator("secret", "journal", "webhook_secret", "model_key", mode="after")
    @classmethod
    def _present(cls, value: SecretStr | None) -> SecretStr | None:
        return value if value and value.get_secret_value() else None

    @field_validator("home", mode="after")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return value.expanduser()

    @classmethod
    def load(cls, **given: Any) -> Settings:
        """Read everything that the owner has set; what is given here and not None goes before it. Where no
        key is set, it is the one that `topcalls login` keeps.

        A policy that cannot be read, and a stored key that others can, become `trouble`: nothing that needs a
        yes is done, and the rest goes on. Raises Misconfigured when key, address, account or home cannot be
        used.
        """
        settings = cls.besides_key(**given)
        kept = stored_key.read(settings.home) if settings.api_key is None else None
        if kept is None:
            return settings
        if settings.base_url and not same(settings.base_url, kept.address):
            raise Misconfigured(
                "TOPCALLS_BASE_URL is another address than the one that the stored key belongs to, so it was "
                "not sent there; unset it, or run topcalls login for that address."
            )
        settings = cls.besides_key(**{**given, "api_key": kept.key, "base_url": kept.address})
        settings._stored = True
        trouble = settings.trouble or kept.trouble
        return settings.model_copy(update={"trouble": trouble}) if trouble else settings

    @classmethod
    def besides_key(cls, **given: Any) -> Settings:
        """The same, and a key that `topcalls login` keeps is not looked for."""
        given = {name: value for name, value in given.items() if value is not None}
        try:
            settings = cls(**given)
            if settings.policy_rehearses() and not settings.rehearse:
                settings = cls(**{**given, "rehearse": True})
            return settings
        except (ValidationError, OSError, ValueError, RuntimeError) as error:
            trouble = said(error)
        try:
            return _Bare(**given, trouble=trouble)
        except (ValidationError, ValueError, RuntimeError) as error:
            raise Misconfigured(said(error)) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings().get("home")
        home = Path(given) if given else _Where().home
        named = {name: value for name, value in env_settings().items() if name not in _FILE_ALONE}
        policy = _Policy(settings_cls, home.expanduser() / "policy.toml")
        return init_settings, InitSettingsSource(settings_cls, named), policy

    def fresh(self) -> Settings:
        """These settings, read again where the owner has changed `policy.toml` meanwhile."""
        if stamp(self.home / "policy.toml") == self._file:
            return self
        given = {name: value for name, value in self._given.items() if name != "trouble"}
        settings = Settings.besides_key(**given)  # whom we speak to was settled when this program began
        settings._stored = self._stored
        return settings

    @property
    def stored(self) -> bool:
        """Whether the key is the one that `topcalls login` keeps."""
        return self._stored

    def asked(self, strict: bool) -> Approval:
        """How a person is asked: as the owner says, and else by slips in practice."""
        return self.approval or ("person" if strict else "slips")

    @property
    def graphical(self) -> bool:
        """Whether a window can be opened where this program runs."""
        return sys.platform in ("darwin", "win32") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))

    def policy_rehearses(self) -> bool:
        """Whether policy.toml asks for rehearsal: the environment can only add to that."""
        return _Policy(type(self), self.home / "policy.toml")().get("rehearse") not in (None, False)

    def directory(self) -> Path:
        """TOPCALLS_HOME, made with owner-only rights where it is missing."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(
                f"TOPCALLS_HOME {self.home} cannot be made ({error.strerror}); name a writable directory."
            ) from None
        return self.home

    def secret_bytes(self) -> bytes:
        """32 bytes that only this owner has: TOPCALLS_SECRET, or the file `secret`, made on first use."""
        if self.secret:
            return hashlib.sha256(self.secret.get_secret_value().encode()).digest()
        path = self.directory() / "secret"
        try:
            return _made_once(path)
        except OSError as error:
            raise Misconfigured(
                f"The file {path} cannot be read ({error.strerror}); mend its rights."
            ) from None


class _Bare(Settings):
    """The settings without policy: who we are and where we speak to."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *others: Any,
        **named: Any,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        environment: PydanticBaseSettingsSource = named["env_settings"]
        known = {name: value for name, value in environment().items() if name in _OURSELVES}
        return init_settings, InitSettingsSource(settings_cls, known)


_OURSELVES = frozenset(
    {"api_key", "base_url", "home", "account", "secret", "toolsets", "journal", "webhook_secret"}
    | {"region", "model", "model_url", "model_key"}
)
_FILE_ALONE = frozenset({"lines", "system", "keep_days", "evidence_head", "webhook_url"})
"""What the environment does not say: who may set a program's environment sets no limits, and sends no words
elsewhere."""


def environment_without_secrets() -> dict[str, str]:
    """The environment for a program that reads what strangers said."""
    fields = Settings.model_fields.items()
    ours = {f"TOPCALLS_{name}".upper() for name, one in fields if SecretStr in get_args(one.annotation)}
    return {name: value for name, value in os.environ.items() if name.upper() not in ours}


def _system() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("PROGRAMDATA", r"C:\ProgramData"), "topcalls", "policy.toml")
    return Path("/etc/topcalls/policy.toml")


def owners_home() -> Path:
    """TOPCALLS_HOME, for whoever must not read what lies there. Raises Misconfigured where it is none."""
    try:
        return _Where().home.expanduser()
    except (ValidationError, RuntimeError) as error:
        raise Misconfigured(said(error)) from None


def stamp(path: Path) -> tuple[int, ...] | None:
    """What tells one state of a file from the next; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def said(error: Exception) -> str:
    """What is wrong with the settings, in words, without a value."""
    if isinstance(error, ValidationError):
        parts = [
            f"{item['loc'][0] if item['loc'] else 'a setting'}: {item['msg']}" for item in error.errors()
        ]
        return f"A setting cannot be used ({'; '.join(parts)}); correct TOPCALLS_* or policy.toml."
    reason = getattr(error, "strerror", None) or str(error)
    return f"policy.toml or a setting cannot be read ({reason}); correct it in TOPCALLS_HOME."


class _Policy(TomlConfigSettingsSource):
    """`policy.toml`: settings, and the lines of the policy. Keys and addresses have no place in it."""

    def __call__(self) -> dict[str, Any]:
        found = super().__call__()
        settings = {name: value for name, value in found.items() if name in IN_POLICY}
        return {**settings, "lines": {name: value for name, value in found.items() if name not in IN_POLICY}}


IN_POLICY = frozenset({"approval", "rehearse", "browser", "keep_days", "evidence_head", "webhook_url"})
"""Lines of policy.toml that are settings; all others say what is allowed."""


def _made_once(path: Path) -> bytes:
    """The 32 bytes in a file; of two processes that make it at once, one wins and both read the same."""
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            os.fsync(descriptor)
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    found = path.read_bytes()
    if len(found) != 32:
        raise Misconfigured(f"The file {path} does not hold 32 bytes; delete it, and open questions with it.")
    return found
