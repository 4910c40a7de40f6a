"""What the owner sets, and that a key never goes where it does not belong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from topcalls_tools import (
    AddPhoneNumber,
    Client,
    DeletePhoneNumber,
    GetBalance,
    ListCalls,
    PlaceCall,
    StartCampaign,
    StopCall,
)
from topcalls_tools.connect import Line
from topcalls_tools.errors import Declined, Misconfigured, Refused, TopCallsError, Unauthorized
from topcalls_tools.settings import IN_POLICY, Settings, _Policy

from .conftest import CALL, World, owner
from .test_flow import DRIVERS, PLACE, Script, sent


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
    owner(home, 'approval = "person"\nrehearse = true\n', accepted='approval = "slips"')
    assert (Settings.load().approval, Settings.load().rehearse) == ("person", True)
    monkeypatch.setenv("TOPCALLS_APPROVAL", "slips")
    assert Settings.load().approval == "slips"
    assert Line(Settings.load()).approval == "slips", "as with a live key"
    assert Line(Settings.load()).strict


def test_an_approval_that_nobody_accepted_does_not_come_from_the_environment_either(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner(home, f"rehearse = true\n{LIMITS}")
    for approval in ("slips", "none"):
        monkeypatch.setenv("TOPCALLS_APPROVAL", approval)
        line = Line(Settings.load())
        assert (line.approval, line.trouble) == ("person", None)
        assert line.standing().waiting == ("approval",)


@pytest.mark.parametrize(
    "text",
    ["approval = maybe", 'approval = "maybe"', 'aproval = "person"', "\x00", 'api_key = "tc_live_12345678"'],
)
def test_a_policy_that_cannot_be_read_is_an_error_in_words(home: Path, text: str) -> None:
    home.mkdir()
    (home / "policy.toml").write_text(text)
    settings = Settings.load(base_url="http://127.0.0.1:1", api_key="tc_test_12345678")
    line = Line(settings)
    assert "policy.toml" in (line.trouble or "")
    assert line.approval == "person"

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"ok": True, "remaining": 1})

    client = Client(line=line, transport=httpx.MockTransport(answer), approve=lambda ask: True)
    assert client.send(StopCall(call_id="c1")).ok, "a brake needs no policy"
    assert client.send(GetBalance()).remaining == 1
    with pytest.raises(Misconfigured, match=r"policy\.toml"):
        client.send(PlaceCall(**CALL))


LIMITS = f'numbers = ["{CALL["phone_number"]}"]\nminutes_per_day = 15\n'
NONE = 'approval = "none"\n'


def written(home: Path, text: str | None) -> None:
    """Make `policy.toml` say this, or be gone."""
    home.mkdir(exist_ok=True)
    if text is None:
        (home / "policy.toml").unlink()
    else:
        (home / "policy.toml").write_text(text)


@pytest.mark.parametrize("outside", [{"api_key": "tc_live_12345678"}, {"rehearse": True}])
@pytest.mark.parametrize(
    ("text", "enough"),
    [
        (NONE, False),
        (NONE + LIMITS.splitlines()[0], True),
        (NONE + LIMITS.splitlines()[1], False),
        (NONE + LIMITS, True),
    ],
    ids=["neither", "numbers, and the pack's minutes", "minutes", "both"],
)
def test_nobody_is_asked_only_where_numbers_and_minutes_are_named(
    home: Path, outside: dict[str, Any], text: str, enough: bool
) -> None:
    owner(home, text)
    assert Line(Settings.load()).approval == "none", "the sandbox needs neither"
    line = Line(Settings.load(**outside))
    assert line.approval == ("none" if enough else "person")
    assert (line.trouble is None) is enough
    if not enough:
        assert "needs numbers and minutes_per_day in policy.toml" in (line.trouble or "")


@pytest.mark.parametrize("driver", DRIVERS)
def test_without_numbers_and_minutes_none_does_nothing(
    home: Path, live: Callable[..., Line], driver: str
) -> None:
    line, script = live(), Script(201)
    owner(home, NONE + "minutes_per_day = 15\n")
    for approve in (None, lambda ask: True):
        with pytest.raises(Misconfigured, match="needs numbers and minutes_per_day"):
            sent(driver, line, script, PLACE, approve=approve)
    assert not script.requests


@pytest.mark.parametrize("driver", DRIVERS)
def test_none_covers_calls_to_the_named_numbers_within_the_minutes_and_nothing_else(
    home: Path, live: Callable[..., Line], driver: str
) -> None:
    line = live()
    owner(home, f'{NONE}numbers = ["{CALL["phone_number"]}", "+14155550188"]\nminutes_per_day = 15\n')
    assert sent(driver, line, Script(201), PLACE).call_id == "c1"
    (row,) = line.desk().journal().dials("live")
    ask = line.desk().journal().asked(row.key)
    assert ask is not None
    assert (ask.decision, ask.by) == ("yes", "none")

    again = PlaceCall(phone_number="+14155550188", task="Ask when they close on Friday.")
    elsewhere = PlaceCall(**{**CALL, "phone_number": "+14155550199"})
    campaign = (200, {"id": "k", "name": "Spring"})
    number = (200, {"id": "n1", "number": CALL["phone_number"]})
    for request, steps, words in (
        (again, [], "minutes-per-day"),
        (elsewhere, [], "only-these"),
        (StartCampaign(campaign_id="k"), [campaign], "only-these"),
        (AddPhoneNumber(number=CALL["phone_number"]), [], "nobody can be asked"),
        (DeletePhoneNumber(phone_number_id="n1"), [number], "nobody can be asked"),
    ):
        script = Script(*steps)
        with pytest.raises((Refused, Declined), match=words):
            sent(driver, line, script, request)
        assert all(one.method == "GET" for one in script.requests), request.tool


@pytest.mark.parametrize("driver", DRIVERS)
def test_named_numbers_alone_are_no_yes(home: Path, live: Callable[..., Line], driver: str) -> None:
    line, script = live(), Script(201)
    owner(home, LIMITS)
    with pytest.raises(Declined, match="nobody can be asked"):
        sent(driver, line, script, PLACE)
    assert not script.requests


def test_in_the_sandbox_none_needs_no_limits(world: World, home: Path) -> None:
    owner(home, NONE)
    with Client(line=Line(world.settings(home))) as client:
        assert client.send(PLACE).note == "With a live key a person would be asked first."
    assert len(world.rings()) == 1


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ('approval = "slips"', "approval", "slips"),
        ("rehearse = true", "rehearse", True),
        ('browser = "firefox --new-window"', "browser", "firefox --new-window"),
        ('numbers = ["+14155550123"]', "numbers", frozenset({"+14155550123"})),
        ("numbers = []", "numbers", frozenset()),
        ("minutes_per_day = 0", "minutes_per_day", 0),
        ("minutes_per_day = 12.5", "minutes_per_day", 12.5),
        ("price_per_minute = 0.14", "price_per_minute", 0.14),
        ('currency = "EUR"', "currency", "EUR"),
        ("keep_days = 30", "keep_days", 30),
        ('evidence_head = "syslog"', "evidence_head", "syslog"),
    ],
)
def test_what_policy_toml_takes(home: Path, text: str, name: str, value: Any) -> None:
    written(home, text)
    line = Line(Settings.load())
    settings, plain = line.settings, Settings(home=home / "elsewhere")
    assert line.trouble is None
    if name in IN_POLICY:
        assert getattr(settings, name) == value
        assert settings.lines == {}
    else:
        assert getattr(line.standing().counts, name) == value
        assert settings.lines.keys() == {name}
    for other in IN_POLICY - {name}:
        assert getattr(settings, other) == getattr(plain, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('approval = "always"', "approval: Input should be 'person', 'slips' or 'none'"),
        ('rehearse = "perhaps"', "rehearse: Input should be a valid boolean"),
        ("browser = 5", "browser: Input should be a valid string"),
        ('numbers = "+14155550123"', "numbers: Input should be a valid"),
        ('numbers = ["415 555 0123"]', "numbers: String should match"),
        ('numbers = ["+1 415 555 0123"]', "numbers: String should match"),
        ("minutes_per_day = -1", "minutes_per_day: Input should be greater than or equal to 0"),
        ("minutes_per_day = nan", "minutes_per_day: "),
        ('minutes_per_day = "many"', "minutes_per_day: Input should be a valid number"),
        ("price_per_minute = -0.1", "price_per_minute: Input should be greater than or equal to 0"),
        ('currency = "euros"', "currency: String should match"),
        ("keep_days = 0", "keep_days: Input should be greater than or equal to 1"),
        ("keep_days = 1.5", "keep_days: Input should be a valid integer"),
        ("evidence_head = true", "evidence_head: Input should be a valid string"),
        (
            'journal = "postgresql://owner:canary-word@host/calls"',
            "policy.toml does not know journal; correct it: it takes",
        ),
        ('secret = "canary-word"', "policy.toml does not know secret; correct it: it takes"),
        ('api_key = "tc_live_canary-word"', "policy.toml does not know api_key; correct it: it takes"),
        ("number = []", "policy.toml does not know number; correct it: it takes"),
        ("[limits]\nminutes_per_day = 5", "policy.toml does not know limits; correct it: it takes"),
    ],
)
def test_what_policy_toml_does_not_take_stops_what_needs_a_yes(
    home: Path, live: Callable[..., Line], text: str, words: str
) -> None:
    written(home, text)
    trouble = Line(Settings.load(api_key="tc_live_12345678")).trouble or ""
    assert words in trouble
    assert "; correct" in trouble
    assert "canary-word" not in trouble
    script = Script(201)
    with pytest.raises(Misconfigured) as got:
        sent("sync", Line(Settings.load(api_key="tc_live_12345678")), script, PLACE, approve=lambda ask: True)
    assert str(got.value) == trouble
    assert not script.requests


def test_who_sets_the_environment_sets_no_limits(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(home, NONE + LIMITS)
    before, stood = Settings.load(), Line(Settings.load()).standing()
    for name, value in {
        "NUMBERS": '["+14155550199"]',
        "MINUTES_PER_DAY": "100000",
        "PRICE_PER_MINUTE": "0.01",
        "CURRENCY": "EUR",
        "KEEP_DAYS": "1",
        "EVIDENCE_HEAD": "/dev/null",
    }.items():
        monkeypatch.setenv(f"TOPCALLS_{name}", value)
        monkeypatch.setenv(f"topcalls_{name}".lower(), value)
    assert Settings.load() == before
    assert Line(Settings.load()).standing() == stood
    written(home, None)
    line = Line(Settings.load())
    bare, settings = line.standing().counts, line.settings
    assert (bare.numbers, bare.minutes_per_day, bare.price_per_minute) == (None, None, None)
    assert (bare.currency, settings.keep_days, settings.evidence_head) == ("USD", 90, None)


def test_limits_that_the_environment_names_do_not_make_up_for_a_person(
    home: Path, live: Callable[..., Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPCALLS_APPROVAL", "none")
    monkeypatch.setenv("TOPCALLS_NUMBERS", f'["{CALL["phone_number"]}"]')
    monkeypatch.setenv("TOPCALLS_MINUTES_PER_DAY", "100")
    script = Script(201)
    with pytest.raises(Misconfigured, match="needs numbers and minutes_per_day"):
        sent("sync", live(), script, PLACE)
    assert not script.requests


STEPS: list[tuple[str | None, dict[str, Any]]] = [
    ("", {}),
    ("minutes_per_day = 5\n", {"minutes_per_day": 5}),
    ("minutes_per_day = 25\n", {"minutes_per_day": 25}),
    ('numbers = ["+14155550199"]\n', {"numbers": frozenset({"+14155550199"})}),
    ("price_per_minute = 0.5\n", {"price_per_minute": 0.5}),
    (None, {"minutes_per_day": 60}),
    (NONE + LIMITS, {"numbers": frozenset({CALL["phone_number"]}), "minutes_per_day": 15}),
    ("", {}),
]
"""What policy.toml says, and what counts of it; without a file that is the pack "personal"."""


def test_a_policy_that_is_made_edited_and_deleted_counts_at_the_next_call(
    home: Path, live: Callable[..., Line]
) -> None:
    line = live()
    versions = [line.desk().policy().version]
    plain = {"numbers": None, "minutes_per_day": 100_000, "price_per_minute": None}
    for text, says in STEPS:
        if text is None:
            written(home, None)
        else:
            owner(home, text)
        policy = line.desk().policy()
        assert {name: getattr(policy, name) for name in plain} == {**plain, **says}
        assert line.trouble is None
        versions.append(policy.version)
    assert versions[0] == versions[1] == versions[-1], "one policy, one version"
    assert len(set(versions)) == 7


def test_how_a_person_is_asked_follows_the_policy(home: Path, live: Callable[..., Line]) -> None:
    line = live()
    for text, approval, trouble in (
        ('approval = "slips"\n', "slips", False),
        ("approval = maybe\n", "person", True),
        (None, "person", False),
        (NONE, "person", True),
        (NONE + LIMITS, "none", False),
        ('approval = "person"\n', "person", False),
    ):
        if text is None or "maybe" in text:
            written(home, text)
        else:
            owner(home, text)
        assert line.approval == approval
        assert (line.trouble is not None) is trouble
        assert line.desk().strict


def test_a_rehearsal_follows_the_policy(home: Path) -> None:
    line = Line(Settings.load())
    assert (line.desk().strict, line.approval) == (False, "slips")
    written(home, "rehearse = true\n")
    assert (line.desk().strict, line.approval) == (True, "person")
    written(home, None)
    assert (line.desk().strict, line.approval) == (False, "slips")


@pytest.mark.parametrize("where", ["code", "environment"])
def test_a_rehearsal_that_was_asked_for_outlives_every_policy(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "environment":
        monkeypatch.setenv("TOPCALLS_REHEARSE", "1")
    line = Line(Settings.load(**({"rehearse": True} if where == "code" else {})))
    for text in ("rehearse = false\n", 'approval = "person"\n', None, "", "rehearse = true\n", None):
        written(home, text)
        assert line.desk().strict
        assert line.settings.rehearse


@pytest.mark.parametrize("driver", DRIVERS)
@pytest.mark.parametrize(
    "text",
    ["minutes_per_day = 500\n", "price_per_minute = 1\n", 'approval = "slips"\n', LIMITS],
)
def test_a_yes_that_was_thought_over_under_another_policy_is_dead(
    home: Path, live: Callable[..., Line], driver: str, text: str
) -> None:
    line, script = live(), Script(201)

    def approve(ask: Any) -> bool:
        owner(home, text)
        return True

    with pytest.raises(Refused, match="has changed meanwhile; call again to be asked anew"):
        sent(driver, line, script, PLACE, approve=approve)
    assert not script.requests
    owner(home)
    assert sent(driver, line, script, PLACE, approve=lambda ask: True).call_id == "c1"


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_policy_that_cannot_be_read_when_the_yes_comes_sends_nothing(
    home: Path, live: Callable[..., Line], driver: str
) -> None:
    line, script = live(), Script(201)

    def approve(ask: Any) -> bool:
        written(home, "numbers = maybe")
        return True

    with pytest.raises(Misconfigured, match=r"policy\.toml"):
        sent(driver, line, script, PLACE, approve=approve)
    assert not script.requests


def test_a_limit_that_is_set_while_a_program_runs_holds_its_next_call(
    home: Path, live: Callable[..., Line]
) -> None:
    line = live()
    assert sent("sync", line, Script(201), PLACE, approve=lambda ask: True).call_id == "c1"
    owner(home, "minutes_per_day = 15\n")
    again = PlaceCall(phone_number="+14155550188", task="Ask when they close on Friday.")
    with pytest.raises(Refused, match="minutes-per-day"):
        sent("sync", line, Script(), again, approve=lambda ask: pytest.fail("was asked"))


def test_a_policy_that_is_written_while_it_is_read_counts_at_the_next_call(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(home, "minutes_per_day = 500\n")
    line = Line(Settings.load())
    read = _Policy.__call__

    def slowly(self: _Policy) -> dict[str, Any]:
        found = read(self)
        written(home, "minutes_per_day = 5\n")
        return found

    written(home, "minutes_per_day = 50\n")
    with monkeypatch.context() as patched:
        patched.setattr(_Policy, "__call__", slowly)
        assert line.settings.lines == {"minutes_per_day": 50}
    assert line.settings.lines == {"minutes_per_day": 5}


JOURNAL = "postgresql://owner:canary-word@127.0.0.1:1/calls"


@pytest.mark.parametrize("address", [JOURNAL, f"{JOURNAL}?user=owner&password=canary-word"])
def test_the_journals_address_is_a_secret(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    """It holds a password: no text that this program makes has it."""
    owner(home)
    monkeypatch.setenv("TOPCALLS_JOURNAL", address)
    caplog.set_level(logging.DEBUG)
    settings = Settings.load(api_key="tc_live_12345678")
    assert settings.journal is not None
    assert settings.journal.get_secret_value() == address
    line, script = Line(settings), Script(201)
    with pytest.raises(Refused, match=r"The journal .* cannot be used .* \[rule: journal\]") as got:
        sent("sync", line, script, PLACE, approve=lambda ask: True)
    assert not script.requests
    told = [repr(settings), str(settings), settings.model_dump_json(), repr(line), repr(line.desk())]
    told += [str(got.value), repr(got.value), caplog.text]
    assert not [text for text in told if "canary-word" in text]


@pytest.mark.parametrize(
    "address", ["canary-word", "mysql://owner:canary-word@host/calls", "postgresql://host:canary-word/calls"]
)
def test_an_address_that_is_no_database_is_said_without_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    owner(home)
    monkeypatch.setenv("TOPCALLS_JOURNAL", address)
    with pytest.raises(Misconfigured, match="TOPCALLS_JOURNAL is no address") as got:
        sent("sync", Line(Settings.load(api_key="tc_live_12345678")), Script(), PLACE)
    assert "canary-word" not in str(got.value)


def test_a_policy_that_cannot_be_read_leaves_the_journal_where_it_is(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOPCALLS_JOURNAL", JOURNAL)
    written(home, "approval = maybe")
    journal = Settings.load().journal
    assert journal is not None
    assert journal.get_secret_value() == JOURNAL


def test_an_empty_address_is_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOPCALLS_JOURNAL", "")
    line = Line(Settings.load())
    line.desk().journal()
    line.close()
    assert (home / "journal.db").exists()


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
    with Client() as one, Client() as two:
        placed = one.send(PlaceCall(**CALL))
        assert two.send(ListCalls(limit=1)).data[0].id == placed.call_id


def test_a_refused_key_is_an_error_and_never_a_reason_to_practise(home: Path) -> None:
    line = Line(Settings(api_key="tc_live_12345678", base_url="https://topcalls.invalid", home=home))
    client = Client(
        line=line, transport=httpx.MockTransport(lambda request: httpx.Response(401, json={"status": 401}))
    )
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
