"""What the owner sets, and that a key never goes where it does not belong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import Client, GetBalance, PlaceCall, StopCall
from topcalls_tools.connect import Line
from topcalls_tools.errors import Misconfigured, TopCallsError
from topcalls_tools.settings import Settings

from .conftest import CALL


@pytest.mark.parametrize(
    ("key", "url", "live"),
    [
        ("tc_live_12345678", None, True),
        ("tc_live_12345678", "https://proxy.example/base/", True),
        ("another-key-altogether", None, True),
        ("tc_test_12345678", "http://127.0.0.1:8414", False),
        ("tc_test_12345678", "https://sandbox.example", False),
        (None, None, False),
    ],
)
def test_a_key_fits_its_address(home: Path, key: Any, url: Any, live: bool) -> None:
    line = Line(Settings(api_key=key, base_url=url, home=home))
    assert (line.live, line.account, line.approval) == (
        (True, "live", "person") if live else (False, "sandbox", "slips")
    )
    assert not home.exists()


@pytest.mark.parametrize(
    ("key", "url"),
    [
        ("tc_live_12345678", "http://api.topcalls.ai"),
        ("tc_live_12345678", "https://127.0.0.1"),
        ("tc_live_12345678", "https://localhost:9000"),
        ("tc_live_12345678", "http://[::1]:9000"),
        ("tc_live_12345678", "https://127.1"),
        ("tc_live_12345678", "https://0x7f000001"),
        ("tc_live_12345678", "https://0.0.0.0"),
        ("tc_live_12345678", "https://localhost."),
        ("tc_live_12345678", "https://[::1"),
        ("tc_live_12345678", "https://host:abc"),
        ("tc_test_12345678", "https://api.topcalls.ai."),
        ("", None),
        ("another-key-altogether", "http://127.0.0.1:8414"),
        ("tc_test_12345678", None),
        ("tc_test_12345678", "https://api.topcalls.ai"),
        ("tc_test_12345678", "https://API.topcalls.ai/"),
        ("tc_test_12345678", "http://sandbox.example"),
        ("tc_live_1234 5678", None),
        ("tc_live_12345678\n", None),
        ("short", None),
        ("tc_live_12345678", "ftp://x.example"),
        ("tc_live_12345678", "https://user:pw@x.example"),
        ("tc_live_12345678", "nonsense"),
        (None, "https://x.example"),
    ],
)
def test_a_key_that_does_not_fit_is_an_error_before_any_connection(home: Path, key: Any, url: Any) -> None:
    with pytest.raises(Misconfigured) as got:
        Line(Settings(api_key=key, base_url=url, home=home))
    assert "; " in str(got.value) or "correct" in str(got.value)
    assert not key or key not in str(got.value)


def test_the_environment_goes_before_the_policy(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "policy.toml").write_text('approval = "person"\nrehearse = true\n')
    assert (Settings.load().approval, Settings.load().rehearse) == ("person", True)
    monkeypatch.setenv("TOPCALLS_APPROVAL", "slips")
    assert Settings.load().approval == "slips"
    assert Line(Settings.load()).approval == "person", "rehearsal can only tighten"


@pytest.mark.parametrize(
    "text",
    ["approval = maybe", 'approval = "maybe"', 'aproval = "person"', "\x00", 'api_key = "tc_live_12345678"'],
)
def test_a_policy_that_cannot_be_read_is_an_error_in_words(home: Path, text: str) -> None:
    home.mkdir()
    (home / "policy.toml").write_text(text)
    settings = Settings.load(base_url="http://127.0.0.1:1", api_key="tc_test_12345678")
    assert "policy.toml" in (settings.trouble or "")
    line = Line(settings)
    assert line.approval == "person"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, "remaining": 1})

    client = Client(line=line, transport=httpx.MockTransport(answer), approve=lambda ask: True)
    assert client.send(StopCall(call_id="c1")).ok, "a brake needs no policy"
    assert client.send(GetBalance()).remaining == 1
    with pytest.raises(Misconfigured, match=r"policy\.toml"):
        client.send(PlaceCall(**CALL))


def test_none_is_for_the_sandbox_alone(home: Path) -> None:
    assert Line(Settings(approval="none", home=home)).approval == "none"
    for given in ({"api_key": "tc_live_12345678"}, {"rehearse": True}):
        line = Line(Settings(approval="none", home=home, **given))  # type: ignore[arg-type]
        assert "for the sandbox alone" in (line.trouble or "")
        assert line.approval == "person"


def test_the_home_and_its_files_are_the_owners_alone(home: Path) -> None:
    with Client() as client:
        assert client.send(GetBalance()).remaining == 1500
        client.line.desk().secret()
        client.line.desk().journal()
    assert home.stat().st_mode & 0o777 == 0o700
    assert {
        path.name: path.stat().st_mode & 0o777
        for path in home.iterdir()
        if path.suffix in ("", ".db", ".key")
    } == {
        "journal.db": 0o600,
        "sandbox.db": 0o600,
        "sandbox.db.key": 0o600,
        "secret": 0o600,
    }


def test_two_clients_without_a_key_share_one_world(home: Path) -> None:
    from topcalls_tools import ListCalls, PlaceCall

    from .conftest import CALL

    with Client() as one, Client() as two:
        placed = one.send(PlaceCall(**CALL))
        assert two.send(ListCalls(limit=1)).data[0].id == placed.call_id


def test_a_refused_key_is_an_error_and_never_a_reason_to_practise(home: Path) -> None:
    line = Line(Settings(api_key="tc_live_12345678", base_url="https://topcalls.invalid", home=home))
    client = Client(
        line=line, transport=httpx.MockTransport(lambda request: httpx.Response(401, json={"status": 401}))
    )
    from topcalls_tools.errors import Unauthorized

    with pytest.raises(Unauthorized, match="TOPCALLS_API_KEY"):
        client.send(GetBalance())
    assert not (home / "sandbox.db").exists()


def test_the_toolsets_that_nobody_chose_are_the_default(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings.load().toolsets == Settings(home=home).toolsets == "default"
    monkeypatch.setenv("TOPCALLS_TOOLSETS", "calls,leads")
    assert Settings.load().toolsets == "calls,leads"


def test_an_owners_secret_is_made_once(home: Path) -> None:
    settings = Settings(home=home)
    assert settings.secret_bytes() == Settings(home=home).secret_bytes()
    (home / "secret").write_bytes(b"short")
    with pytest.raises(Misconfigured, match="32 bytes"):
        settings.secret_bytes()
    assert len(Settings(home=home, secret="a shared one").secret_bytes()) == 32  # type: ignore[arg-type]


def test_the_environment_cannot_undo_a_rehearsal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    (home / "policy.toml").write_text("rehearse = true\n")
    monkeypatch.setenv("TOPCALLS_REHEARSE", "0")
    assert Settings.load().rehearse is True


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("HTTPS_PROXY", "foo://x"),
        ("TOPCALLS_BASE_URL", "https://xn--/"),
    ],
)
def test_a_connection_that_cannot_be_set_up_is_said_in_words(
    home: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("TOPCALLS_API_KEY", "tc_live_12345678")
    monkeypatch.setenv("TOPCALLS_BASE_URL", "https://topcalls.invalid")
    monkeypatch.setenv(name, value)
    with pytest.raises(TopCallsError, match="; "):
        Client().send(GetBalance())
