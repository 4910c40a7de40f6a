"""A yes is a yes to one deed, once: whatever is changed, whoever comes second, whichever window it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from mcp import types

from mcp_server import forms
from topcalls_tools import Client, DeletePhoneNumber, PlaceCall, StartCampaign, TopCallsToolkit
from topcalls_tools.connect import Line
from topcalls_tools.errors import Declined, PaymentRequired, Refused, TopCallsError, Unanswered
from topcalls_tools.flow.steps import Answer, Ask
from topcalls_tools.settings import Settings

from .conftest import CALL, World, owner
from .test_flow import PLACE, Script, moving_line, sent, yes

NUMBERS = count()
HELD = {"id": "n", "number": "+14155550199", "status": "active"}
CHANGES: dict[str, Any] = {
    "phone_number": st.sampled_from(["+14155550124", "+493055501401"]),
    "task": st.text(min_size=10, max_size=40),
    "first_sentence": st.text(min_size=1, max_size=20).filter(str.strip),  # blanks are not spoken
    "from_number": st.sampled_from(["+14155550199"]),
    "mode": st.just("legacy"),
    "voice": st.sampled_from(["sage", "alloy", "sage "]),
    "model": st.text(min_size=1, max_size=9),
    "temperature": st.floats(0, 2),
    "max_duration": st.sampled_from([9, 10.5, 11, 60]),
    "background_audio": st.text(min_size=1, max_size=9),
    "background_audio_gain": st.just("low"),
    "knowledge_base_ids": st.lists(st.sampled_from(["a", "b"]), max_size=2),
    "request_data": st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=3), max_size=2),
    "webhook_url": st.just("https://example.com/x"),
    "webhook_events": st.just(["call.completed"]),
    "tools": st.just([{"name": "f", "description": "d", "parameters": {}}]),
}


def waits(ask: Ask) -> Any:
    """A person who is somewhere else: the question stays open."""
    raise Unanswered("A question is open.")


def asked(line: Line, request: Any, script: Script | None = None) -> str:
    """Ask and leave the question open. Gives its seal."""
    seals: list[str] = []

    def approve(ask: Ask) -> Any:
        seals.append(ask.seal)
        return waits(ask)

    with pytest.raises(Unanswered):
        sent("sync", line, script or Script(), request, approve=approve)
    return seals[0]


def agreed(line: Line, seal: str, by: str = "page") -> None:
    journal = line.desk().journal()
    assert journal.decide(seal.partition(".")[0], "yes", by, line.clock()).decision == "yes"


def test_every_argument_of_a_call_is_among_the_changes() -> None:
    assert CHANGES.keys() == PlaceCall.model_fields.keys() - {"instructions"}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_changed_field_ends_the_yes(live: Callable[..., Line], data: st.DataObject) -> None:
    line = live()
    task = f"Ask whether they are open on day {next(NUMBERS)}."
    first = PlaceCall(**{**CALL, "task": task}, max_duration=1)  # of all in five seconds the minutes are held
    name = data.draw(st.sampled_from(sorted(CHANGES)))
    try:
        other = PlaceCall(**{**first.model_dump(exclude_none=True), name: data.draw(CHANGES[name])})
    except ValueError:
        assume(False)
    assume(other != first)
    seal = asked(line, first)
    agreed(line, seal)
    nothing = Script()
    with pytest.raises(Refused, match="one-yes-one-deed"):
        sent("sync", line, nothing, other, Answer(True, seal))
    with pytest.raises(Declined, match="nobody can be asked"):
        sent("sync", line, nothing, other)
    assert not nothing.requests
    topcalls = Generous(500)
    Client(line=line, transport=httpx.MockTransport(topcalls)).send(first)
    assert topcalls.dials == 1  # the yes itself was alive
    journal = line.desk().journal()
    journal.close_dial(journal.dials("live")[0], 1, line.clock())  # the next example calls the same number


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 30), character=st.characters(codec="utf-8"))
def test_a_changed_character_ends_the_yes(live: Callable[..., Line], place: int, character: str) -> None:
    line, task = live(), f"Ask whether they are open on day {next(NUMBERS)}."
    assume(task[place] != character)
    seal = asked(line, PlaceCall(**{**CALL, "task": task}))
    agreed(line, seal)
    other = PlaceCall(**{**CALL, "task": task[:place] + character + task[place + 1 :]})
    for answer in ([], [Answer(True, seal)]):
        with pytest.raises((Refused, Declined)):
            sent("sync", line, Script(), other, *answer)


def test_a_seal_put_together_from_two_is_none(live: Callable[..., Line]) -> None:
    line, other = live(), PlaceCall(**{**CALL, "task": "Ask whether Tuesday is free."})
    first, second = asked(line, PLACE), asked(line, other)
    agreed(line, first)
    spliced = f"{first.partition('.')[0]}.{second.partition('.')[2]}"
    for request in (PLACE, other):
        with pytest.raises(Refused, match="one-yes-one-deed"):
            sent("sync", line, Script(), request, Answer(True, spliced))


@pytest.mark.parametrize(
    "change",
    [
        {"policy.toml": "minutes_per_day = 500\n"},
        {"policy.toml": 'numbers = ["+14155550123"]\n'},
        {"policy.toml": "price_per_minute = 1\n"},
        {"policy.toml": 'approval = "slips"\n'},
        {"contacts.toml": '[[contact]]\nname = "The clinic"\nnumber = "+14155550123"\n'},
        {"secret": "x" * 32},
    ],
    ids=lambda change: next(iter(change.values())).strip()[:24],
)
def test_a_changed_policy_contact_or_secret_ends_the_yes(
    home: Path, live: Callable[..., Line], change: dict[str, str]
) -> None:
    line = live()
    seal = asked(line, PLACE)
    agreed(line, seal)
    for name, text in change.items():
        (home / name).write_text(text)
    again = live() if "secret" in change else line
    for answer in ([], [Answer(True, seal)]):
        with pytest.raises((Refused, Declined)):
            sent("sync", again, Script(), PLACE, *answer)


@pytest.mark.parametrize(
    "given_", [{"account": "other"}, {"api_key": "tc_live_another99"}], ids=["name", "key"]
)
def test_a_yes_belongs_to_one_account(home: Path, live: Callable[..., Line], given_: dict[str, str]) -> None:
    line = live()
    seal = asked(line, PLACE)
    agreed(line, seal)
    facts = {"api_key": "tc_live_canary0123", "base_url": "https://topcalls.invalid", "home": home, **given_}
    other = Line(Settings(**facts))  # type: ignore[arg-type]
    for answer in ([], [Answer(True, seal)]):
        with pytest.raises((Refused, Declined)):
            sent("sync", other, Script(), PLACE, *answer)


def test_a_yes_to_a_delete_dies_with_the_name_of_what_it_deletes(live: Callable[..., Line]) -> None:
    line, request = live(), DeletePhoneNumber(phone_number_id="n1")
    before, after = ((200, {"id": "n1", "number": number}) for number in ("+14155550101", "+14155550102"))
    seal = asked(line, request, Script(before))
    agreed(line, seal)
    with pytest.raises(Declined, match="nobody can be asked"):
        sent("sync", line, Script(after), request)
    with pytest.raises(Refused, match="one-yes-one-deed"):
        sent("sync", line, Script(after), request, Answer(True, seal))


def test_a_yes_counts_for_ten_minutes(home: Path) -> None:
    from datetime import timedelta

    line, now = moving_line(home)
    seal = asked(line, PLACE)
    agreed(line, seal)
    now[0] += timedelta(minutes=10)
    for answer in ([], [Answer(True, seal)]):
        with pytest.raises((Refused, Declined)):
            sent("sync", line, Script(), PLACE, *answer)


def test_a_yes_from_before_a_stop_dials_nothing_and_one_from_after_does(home: Path) -> None:
    from datetime import timedelta

    line, now = moving_line(home)
    seal = asked(line, PLACE)
    agreed(line, seal)
    now[0] += timedelta(seconds=1)
    assert line.desk().stop(now[0])
    with pytest.raises(Refused, match=r"Everything was stopped.*\[rule: stop-all\]"):
        sent("sync", line, Script(), PLACE)
    now[0] += timedelta(seconds=1)
    assert sent("sync", line, Script(201), PLACE, approve=yes).call_id == "c1"


def test_a_stop_whose_file_names_no_zone_was_in_utc(home: Path) -> None:
    from datetime import timedelta

    line, now = moving_line(home)
    home.mkdir(exist_ok=True)
    stop = home / "stopped_at"
    stop.write_text((now[0] - timedelta(seconds=1)).replace(tzinfo=None).isoformat())
    seal = asked(line, PLACE)
    agreed(line, seal)
    stop.write_text((now[0] + timedelta(seconds=1)).replace(tzinfo=None).isoformat())
    with pytest.raises(Refused, match="stop-all"):
        sent("sync", line, Script(), PLACE)
    stop.write_text((now[0] - timedelta(seconds=1)).replace(tzinfo=None).isoformat())
    assert sent("sync", line, Script(201), PLACE, approve=yes).call_id == "c1"


def test_a_no_ends_a_yes_on_which_nothing_was_sent(live: Callable[..., Line]) -> None:
    """Yes on the page while nobody waited for it, and then no in the form of the same question."""
    line = live()
    seal = asked(line, PLACE)
    agreed(line, seal)
    with pytest.raises(Declined, match="The person in charge said no, and nothing was sent"):
        sent("sync", line, Script(), PLACE, Answer(False, seal, "form", 5))
    with pytest.raises(Declined, match="nobody can be asked"):
        sent("sync", line, Script(), PLACE)
    assert line.desk().journal().dials("live") == []


def test_a_yes_that_the_minutes_no_longer_cover_leaves_no_question_open(home: Path) -> None:
    """While a person thinks, another window uses what was left."""
    owner(home, "minutes_per_day = 15\n")
    line, _ = moving_line(home)
    other = PlaceCall(**{**CALL, "phone_number": "+14155550124"})

    def approve(ask: Ask) -> bool:
        sent("sync", line, Script(201), other, approve=yes)
        return True

    with pytest.raises(Refused, match="minutes-per-day"):
        sent("sync", line, Script(), PLACE, approve=approve)
    assert line.desk().journal().open_asks(line.clock()) == []


class Drafts:
    """A TopCalls with a campaign that may use whatever is free."""

    def __init__(self, free: float) -> None:
        self.free, self.started = free, 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/balance":
            return httpx.Response(200, json={"remaining": self.free, "reserved": 0})
        if request.url.path == "/v1/phone-numbers":
            return httpx.Response(200, json={"data": [HELD]})
        if request.method == "GET":
            campaign = {"id": "k1", "name": "Spring", "status": "draft", "timezone": "Europe/Berlin"}
            return httpx.Response(200, json=campaign)
        self.started += 1
        return httpx.Response(200, json={"ok": True})


def test_a_form_counts_for_the_minutes_that_it_named(live: Callable[..., Line]) -> None:
    """Minutes were bought, and another window has asked for all of them: the form of before starts nothing."""
    line, request, shown = live(), StartCampaign(campaign_id="k1"), list[Ask]()

    def approve(ask: Ask) -> Any:
        shown.append(ask)
        return waits(ask)

    for free in (100, 5000):
        with pytest.raises(Unanswered):
            Client(line=line, approve=approve, transport=httpx.MockTransport(Drafts(free))).send(request)
    assert [ask.minutes for ask in shown] == [100, 5000]
    assert shown[0].seal == shown[1].seal
    topcalls = Drafts(5000)
    client = Client(line=line, transport=httpx.MockTransport(topcalls))
    first, second = (Answer(True, ask.seal, "form", 20, ask.minutes) for ask in shown)
    with pytest.raises(Refused, match="one-yes-one-deed"):
        client.send(request, first)
    assert topcalls.started == 0
    assert client.send(request, second).ok


def test_the_minutes_of_a_form_travel_with_it(home: Path) -> None:
    from datetime import timedelta

    (line, now), shown = moving_line(home), list[Ask]()

    def approve(ask: Ask) -> Any:
        shown.append(ask)
        return waits(ask)

    with pytest.raises(Unanswered):
        sent("sync", line, Script(), PLACE, approve=approve)
    state = forms.asked(shown[0], line).request_state
    now[0] += timedelta(seconds=20)
    said = {forms.FIELD: types.ElicitResult(action="decline")}
    given = types.CallToolRequestParams(name="place_call", request_state=state, input_responses=said)
    answer, _ = forms.answered(given, line)
    assert answer
    assert (answer.yes, answer.seal, answer.minutes) == (False, shown[0].seal, 10)


@pytest.mark.parametrize("said", [None, "error"])
def test_a_window_that_nobody_answered_ends_no_call_of_another(live: Callable[..., Line], said: Any) -> None:
    """Two windows show one question. In one it is approved and dialled, in the other nobody is there."""
    line, placed = live(), []

    def approve(ask: Ask) -> Any:
        placed.append(sent("sync", line, Script(201), PLACE, Answer(True, ask.seal)).call_id)
        if said:
            raise Declined("Nobody can be asked here.")

    with pytest.raises(Declined):
        sent("sync", line, Script(), PLACE, approve=approve)
    again = sent("sync", line, Script(), PLACE)
    assert (again.call_id, again.replayed) == (placed[0], True)


SURFACES = ["client", "async", "langchain", "mcp"]


async def called(surface: str, line: Line) -> str | None:
    """Place the call over one surface, with nobody there to be asked. Gives its id, None where it was not."""
    match surface:
        case "client":
            import anyio

            return (await anyio.to_thread.run_sync(lambda: Client(line=line).send(PLACE))).call_id
        case "async":
            from topcalls_tools import AsyncClient

            return (await AsyncClient(line=line).send(PLACE)).call_id
        case "langchain":
            tools = TopCallsToolkit(client=Client(line=line)).get_tools()
            tool = next(tool for tool in tools if tool.name == "place_call")
            message = await tool.ainvoke({"type": "tool_call", "id": "1", "name": "place_call", "args": CALL})
            return message.artifact.call_id if message.artifact else None
        case _:
            from .test_mcp import connected

            async with connected(line, "auto") as mcp:
                told = (await mcp.call_tool("place_call", CALL)).structured_content
                return told["call_id"] if told else None


@pytest.mark.parametrize("second", SURFACES)
@pytest.mark.parametrize("first", SURFACES)
async def test_a_yes_works_once_on_whichever_surface_and_after_a_restart(
    world: World, home: Path, first: str, second: str
) -> None:
    """Asked for here, agreed to on the page, dialled by one surface, and then asked of another once more."""
    owner(home)
    rehearsed = world.settings(home, rehearse=True)
    asking, one, two = Line(rehearsed), Line(rehearsed), Line(rehearsed)
    with pytest.raises(Unanswered):
        import anyio

        await anyio.to_thread.run_sync(lambda: Client(line=asking, approve=waits).send(PLACE))
    (open_ask,) = asking.desk().journal().open_asks(asking.clock())
    agreed(asking, f"{open_ask.key}.{open_ask.digest}")
    asking.close()
    placed = await called(first, one)
    one.close()
    assert placed
    assert await called(second, two) == placed
    two.close()
    assert len(world.rings()) == 1


def shared(store: Path | str) -> dict[str, str]:
    """The setting that puts the journal there; a file lies in the home by itself."""
    return {"journal": store} if isinstance(store, str) else {}


def test_concurrent_yeses_to_one_question_ring_one_phone(world: World, home: Path, store: Path | str) -> None:
    owner(home)
    lines = [Line(world.settings(home, rehearse=True, **shared(store))) for _ in range(4)]
    seals: list[str] = []

    def approve(ask: Ask) -> Any:
        seals.append(ask.seal)
        return waits(ask)

    with pytest.raises(Unanswered):
        Client(line=lines[0], approve=approve).send(PLACE)

    def send(number: int) -> str:
        return Client(line=lines[number % 4]).send(PLACE, Answer(True, seals[0])).call_id

    with ThreadPoolExecutor(8) as pool:
        placed = set(pool.map(send, range(8)))
    assert len(placed) == 1
    assert len(world.rings()) == 1
    for line in lines:
        line.close()


async def test_a_yes_counts_on_another_machine_that_shares_journal_and_secret(
    world: World, tmp_path: Path, database: str
) -> None:
    """Two homes, one PostgreSQL: asked here, agreed to here, dialled there, and there is one ring."""
    import anyio

    def machine(name: str, secret: str) -> Line:
        owner(tmp_path / name, secret=secret)
        return Line(world.settings(tmp_path / name, rehearse=True, journal=database, secret=secret))

    here, there = (machine(name, secret="of both machines") for name in ("here", "there"))
    stranger = machine("stranger", secret="of another owner")
    with pytest.raises(Unanswered):
        await anyio.to_thread.run_sync(lambda: Client(line=here, approve=waits).send(PLACE))
    (open_ask,) = there.desk().journal().open_asks(there.clock())
    agreed(there, f"{open_ask.key}.{open_ask.digest}")
    with pytest.raises(Declined, match="nobody can be asked"):
        await anyio.to_thread.run_sync(lambda: Client(line=stranger).send(PLACE))
    placed = await called("client", there)
    assert placed == await called("mcp", here)
    assert len(world.rings()) == 1
    for line in (here, there, stranger):
        line.close()


def test_a_stop_on_one_machine_ends_the_yeses_of_the_other(
    world: World, tmp_path: Path, database: str
) -> None:
    def machine(name: str) -> Line:
        owner(tmp_path / name, secret="of both")
        return Line(world.settings(tmp_path / name, rehearse=True, journal=database, secret="of both"))

    here, there = machine("here"), machine("there")
    with pytest.raises(Unanswered):
        Client(line=here, approve=waits).send(PLACE)
    (open_ask,) = here.desk().journal().open_asks(here.clock())
    agreed(here, f"{open_ask.key}.{open_ask.digest}")
    there.desk().journal().stop_all("sandbox", there.clock())
    with pytest.raises(Refused, match="stop-all"):
        Client(line=here).send(PLACE)
    assert world.rings() == []
    for line in (here, there):
        line.close()


class Generous:
    """A TopCalls that takes every call and whose balance never changes: only we can keep to a limit."""

    def __init__(self, minutes: float) -> None:
        self.minutes, self.dials, self._lock = minutes, 0, threading.Lock()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/phone-numbers":
            return httpx.Response(200, json={"data": [HELD]})
        if request.method == "GET":
            return httpx.Response(200, json={"remaining": self.minutes, "reserved": 0})
        with self._lock:
            self.dials += 1
            return httpx.Response(201, json={"call_id": f"c{self.dials}", "status": "queued"})


def raced(
    lines: list[Line], topcalls: Generous, callers: int, minutes: float
) -> Iterator[TopCallsError | None]:
    """Many callers at once, each with a yes of its own. Gives what each was told."""
    ready = threading.Barrier(callers)

    def call(number: int) -> TopCallsError | None:
        def approve(ask: Ask) -> bool:
            ready.wait()  # everybody has seen the same minutes left before anybody dials
            return True

        client = Client(
            line=lines[number % len(lines)], approve=approve, transport=httpx.MockTransport(topcalls)
        )
        whom = {"phone_number": f"+1415555012{number}", "task": f"Ask about table {number}."}
        request = PlaceCall(**whom, max_duration=minutes)
        try:
            client.send(request)
        except TopCallsError as error:
            return error
        return None

    with ThreadPoolExecutor(callers) as pool:
        yield from pool.map(call, range(callers))


@pytest.mark.parametrize(
    ("limit", "rule"), [("balance", "minutes-left"), ("policy", "minutes-per-day")], ids=["balance", "policy"]
)
@pytest.mark.parametrize(("left", "each"), [(25, 10), (10, 10), (7.5, 2.5), (9.99, 10)])
def test_concurrent_callers_never_overspend_by_a_minute(
    home: Path,
    live: Callable[..., Line],
    store: Path | str,
    limit: str,
    rule: str,
    left: float,
    each: float,
) -> None:
    owner(home, f"minutes_per_day = {left}\n" if limit == "policy" else "")
    topcalls = Generous(left if limit == "balance" else 500)
    lines = [live(**shared(store)) for _ in range(3)]
    try:
        told = list(raced(lines, topcalls, 3, each))
    except threading.BrokenBarrierError:
        told = []
    if left < each:
        assert topcalls.dials == 0
        return
    assert topcalls.dials == left // each if left // each < 3 else topcalls.dials == 3
    refused = [error for error in told if error]
    assert all(isinstance(error, Refused) and rule in str(error) for error in refused)
    assert len(refused) == 3 - topcalls.dials
    for line in lines:
        line.close()


def test_a_limit_that_topcalls_knows_better_is_said_by_topcalls(live: Callable[..., Line]) -> None:
    with pytest.raises(PaymentRequired):
        sent("sync", live(), Script(402), PLACE, approve=yes)
