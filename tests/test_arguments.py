"""What happens to arguments that are wrong: one sentence that helps, no secret, nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from topcalls_tools.action import Arguments, Effect, Record, sentence
from topcalls_tools.api import CATALOG
from topcalls_tools.api.calls import GetCall, ListCalls, PlaceCall, StopCall
from topcalls_tools.api.fields import Secret
from topcalls_tools.api.leads import CreateLead, ImportLeads, ListLeads, UpdateLead
from topcalls_tools.api.phone_numbers import AddCarrier
from topcalls_tools.api.webhooks import CreateWebhook
from topcalls_tools.endpoint import Endpoint

ROOT = Path(__file__).parent.parent
CANARY = "canary sk-7f3c9e "
LONG = CANARY * 20
PASSWORD = "hunter2-canary-5e1f"

INSIDE: dict[str, dict[str, Any]] = {
    "sip_gateway": {"ipv4": "203.0.113.10"},
    "inbound_auth": {"username": "u", "password": PASSWORD},
    "registration": {"username": "u", "password": PASSWORD, "realm": "sip.example.com"},
}
"""What the objects among the arguments take."""

every_endpoint = pytest.mark.parametrize("cls", CATALOG, ids=lambda cls: cls.tool)


def right(cls: type[Endpoint[Any]]) -> dict[str, Any]:
    """Arguments that a model could send and that are taken."""
    witness = json.loads((Path(__file__).parent / "witness" / f"{cls.tool}.json").read_text("utf-8"))
    return {name: value for name, value in witness["arguments"].items() if name not in cls.for_code}


def refusal(cls: type[Endpoint[Any]], arguments: dict[str, Any]) -> str:
    """The sentence with which arguments are refused; every refusal has the same form."""
    with pytest.raises(ValidationError) as caught:
        cls.from_tool(arguments)
    said = sentence(caught.value, cls)
    assert said.isprintable(), said
    assert said.endswith(".")
    assert ".." not in said
    for text in (said, str(caught.value), repr(caught.value)):
        assert CANARY.strip() not in text
        assert PASSWORD not in text
    return said


def parts(
    schema: dict[str, Any], steps: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Each argument of a tool, those inside of objects too."""
    for name, part in schema.get("properties", {}).items():
        yield (*steps, name), part
        yield from parts(part, (*steps, name))


def with_one(cls: type[Endpoint[Any]], steps: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Right arguments but for one, which a path leads to."""
    arguments = right(cls)
    if len(steps) == 1:
        return {**arguments, steps[0]: value}
    outer, inner = steps
    return {**arguments, outer: {**INSIDE[outer], inner: value}}


def wrong(name: str, part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """What an argument must not be: wrong type, out of range, wrong form."""
    yield "object in a list", [{"x": LONG}] if part["type"] != "array" else {"x": LONG}
    if part["type"] != "object":
        yield "object", {LONG: LONG}
    match part["type"]:
        case "integer" | "number":
            yield from {"text": LONG, "digits": "10", "truth": True, "infinite": float("inf"), "nan": float("nan"),
                        "huge": 10**400, "minus huge": -(10**400)}.items()  # fmt: skip
            yield "below", part["minimum"] - 1
            yield "above", part["maximum"] + 1
            if part["type"] == "integer":
                yield "fraction", part["minimum"] + 0.5
        case "boolean":
            yield from {"word": "true", "one": 1, "zero": 0, "text": LONG}.items()
        case "array":
            yield from {
                "text": LONG,
                "number": 5,
                "numbers": [5],
                "texts": [LONG],
                "many": ["a"] * 51,
            }.items()
        case "object":
            yield from {"text": LONG, "number": 5, "list": [[LONG, 1]]}.items()
        case "string":
            yield from {"number": 5, "truth": True, "surrogate": "\ud800" * 20}.items()
            if "enum" in part:
                yield from {"other": LONG, "case": part["enum"][0].upper() + " "}.items()
            if most := part.get("maxLength"):
                yield "long", (CANARY * (most // len(CANARY) + 2))[: most + 1]
            if part.get("minLength"):
                yield "short", "x" * (part["minLength"] - 1)
            if "pattern" in part or "examples" in part or name.endswith("_id") or name == "voip_carrier_sid":
                yield from {"form": CANARY, "empty": ""}.items()
            if name == "cursor" and "minLength" not in part:  # else it is opaque
                yield from {"form": CANARY, "empty": "", "number": "7x"}.items()


WRONG = [
    pytest.param(cls, steps, value, id=f"{cls.tool}-{'.'.join(steps)}-{what}")
    for cls in CATALOG
    for steps, part in parts(cls.input_schema())
    for what, value in wrong(steps[-1], part)
]


@pytest.mark.parametrize(("cls", "steps", "value"), WRONG)
def test_a_wrong_value_is_refused_in_a_sentence_that_helps(
    cls: type[Endpoint[Any]], steps: tuple[str, ...], value: Any
) -> None:
    said = refusal(cls, with_one(cls, steps, value))
    assert ".".join(steps) in said
    assert any(remedy in said for remedy in ("; give ", ", such as ", "; write ", "; check ", "; take ", "which takes", "is no id; ", "is no JSON object; give")), said  # fmt: skip
    assert len(said) < 1000


@pytest.mark.parametrize(
    ("cls", "steps", "part"),
    [pytest.param(cls, steps, part, id=f"{cls.tool}-{'.'.join(steps)}") for cls in CATALOG
     for steps, part in parts(cls.input_schema())],
)  # fmt: skip
def test_the_sentence_says_what_type_and_range_would_do(
    cls: type[Endpoint[Any]], steps: tuple[str, ...], part: dict[str, Any]
) -> None:
    said = refusal(cls, with_one(cls, steps, {"x": []} if part["type"] != "object" else 7))
    words = {
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "array": "a list",
        "object": "an object",
        "string": "text",
    }
    assert words[part["type"]] in said or "enum" in part
    for choice in part.get("enum", ()):
        assert choice in said
    for bound in ("minimum", "maximum"):
        assert str(part.get(bound, "")) in said
    assert "; give " in said


@pytest.mark.parametrize(
    ("cls", "name"),
    [pytest.param(cls, name, id=f"{cls.tool}-{name}") for cls in CATALOG
     for name in cls.input_schema().get("required", ())],
)  # fmt: skip
@pytest.mark.parametrize("null", [True, False], ids=["null", "absent"])
def test_a_missing_argument_is_named(cls: type[Endpoint[Any]], name: str, null: bool) -> None:
    arguments = {key: value for key, value in right(cls).items() if key != name}
    said = refusal(cls, {**arguments, name: None} if null else arguments)
    assert said.startswith(f"{name} ")
    assert "; give " in said


@every_endpoint
def test_an_unknown_name_is_refused_with_the_names_that_are_taken(cls: type[Endpoint[Any]]) -> None:
    said = refusal(cls, {**right(cls), "colour": LONG})
    assert said.startswith(f"colour is no argument of {cls.tool}, which takes ")
    for name in cls.input_schema()["properties"]:
        assert name in said
    assert cls.for_code.isdisjoint(said.replace(".", " ").replace(",", " ").split())


@pytest.mark.parametrize("name", ["", "\n", "a\x1b[31m", "é", "\ud800", "x" * 5000, CANARY * 9, "a; give b"])
@every_endpoint
def test_an_unknown_name_cannot_break_the_sentence(cls: type[Endpoint[Any]], name: str) -> None:
    with pytest.raises(ValidationError) as caught:
        cls.from_tool({**right(cls), name: 1})
    said = sentence(caught.value, cls)
    assert said.isprintable()
    assert "; give b" not in said
    assert len(said) < 700


@pytest.mark.parametrize("inside", ["sip_gateway", "inbound_auth", "registration"])
def test_an_unknown_name_inside_an_object_is_refused_with_what_the_object_takes(inside: str) -> None:
    whole = INSIDE[inside]
    said = refusal(AddCarrier, {**right(AddCarrier), inside: {**whole, "colour": LONG}})
    assert said.startswith(f"{inside}.colour is no argument of add_carrier, which takes ")
    for name in whole:
        assert name in said


@pytest.mark.parametrize(
    ("cls", "name"),
    [pytest.param(cls, name, id=f"{cls.tool}-{name}") for cls in CATALOG for name in sorted(cls.for_code)],
)
@pytest.mark.parametrize("value", [None, LONG, [], "https://attacker.example/"], ids=repr)
def test_a_field_for_code_is_as_unknown_as_a_misspelt_one(
    cls: type[Endpoint[Any]], name: str, value: Any
) -> None:
    said = refusal(cls, {**right(cls), name: value})
    assert said.startswith(f"{name} is no argument of {cls.tool}, which takes ")
    assert "attacker" not in said


@pytest.mark.parametrize(
    ("cls", "change", "said"),
    [
        (PlaceCall, {"instructions": "You are the receptionist."}, "task or instructions"),
        (PlaceCall, {"task": None}, "task or instructions"),
        (PlaceCall, {"phone_number": "4155550123"}, "phone_number is no international number; write a plus sign"),
        (PlaceCall, {"phone_number": "+999123456789"}, "phone_number cannot be dialled"),
        (PlaceCall, {"phone_number": "+1415555"}, "phone_number is too short for country code +1"),
        (PlaceCall, {"phone_number": "+1415555012345"}, "phone_number is too long for country code +1"),
        (PlaceCall, {"phone_number": "+0415550123"}, "phone_number is no international number"),
        (PlaceCall, {"request_data": {"x": float("nan")}}, "request_data is no JSON object"),
        (PlaceCall, {"request_data": {"x": "\ud800"}}, "request_data is no JSON object"),
        (PlaceCall, {"knowledge_base_ids": ["kb_1", "../kb"]}, "knowledge_base_ids.1 is no id"),
        (AddCarrier, {"trunk_type": "auth"}, "inbound_auth is missing"),
        (AddCarrier, {"trunk_type": "reg"}, "registration is missing"),
        (AddCarrier, {"sip_gateway": {"ipv4": "sip.myprovider.com", "inbound": True}}, "sip_gateway with inbound needs"),
        (AddCarrier, {"sip_gateway": {"ipv4": "203.0.113.10", "outbound": False}}, "sip_gateway needs inbound or outbound"),
        (UpdateLead, {"notes": "Moved."}, "notes and notes_append exclude each other"),
        (UpdateLead, {"status": None, "notes_append": None}, "nothing to change is given; give at least one"),
        (UpdateLead, {"status": "new"}, "status is none of the values allowed; give one of New, Contacted"),
        (CreateLead, {"phone_number": "+6834002"}, "phone_number is too short for a lead; give"),
        (CreateLead, {"email": "nobody"}, "email has the wrong form"),
        (ListLeads, {"phone": "555"}, "phone is no international number"),
        (ImportLeads, {"leads": []}, "leads is too short"),
        (ImportLeads, {"leads": [{"name": "Ann"}]}, "leads.0.phone_number is missing"),
        (ImportLeads, {"leads": [{"name": "Ann", "phone_number": "911"}]}, "leads.0.phone_number is no international"),
        (ImportLeads, {"leads": [{"name": "A", "phone_number": "+14155550142"}] * 2001}, "leads is too long"),
        (CreateWebhook, {"event": "call.started"}, "event is no event; give call.completed"),
        (CreateWebhook, {"event": "call.completed.Booked"}, "event is no event"),
        (CreateWebhook, {"event": "call.completed\n"}, "event is no event"),
        (CreateWebhook, {"url": "http://hooks.example"}, "url must be an https address"),
        (ListCalls, {"cursor": "page 2"}, "cursor is no cursor; take next_cursor"),
        (ListCalls, {"status": "in_progress"}, "status is none of the values allowed; give one of completed"),
    ],
)  # fmt: skip
def test_a_rule_of_the_documentation_is_said_in_words(
    cls: type[Endpoint[Any]], change: dict[str, Any], said: str
) -> None:
    assert refusal(cls, {**right(cls), **change}).startswith(said)


@pytest.mark.parametrize(
    "change", [{"notes": ""}, {"notes_append": "x"}, {"tags": []}, {"metadata": {}}], ids=str
)
def test_one_field_is_a_change(change: dict[str, Any]) -> None:
    request = UpdateLead.from_tool({"lead_id": "a", **change}).request()
    assert (request.method, request.body) == ("PATCH", change)


@pytest.mark.parametrize(
    "event",
    ["call.completed", "call.completed.booked_callback", "lead.status_changed", "campaign.activated", "campaign.paused"],
)  # fmt: skip
def test_every_documented_event_can_be_subscribed_to(event: str) -> None:
    assert CreateWebhook(event=event, url="https://hooks.example/topcalls").event == event


def test_two_thousand_leads_are_taken_at_once() -> None:
    people = [{"name": "A", "phone_number": f"+1415555{last:04}"} for last in range(2000)]
    assert len(ImportLeads.from_tool({"list_id": "a", "leads": people}).leads) == 2000


def test_the_cursor_of_leads_is_any_text() -> None:
    assert ListLeads(cursor="eyJpZCI6 42}/=").request().query == {"cursor": "eyJpZCI6 42}/="}


def test_many_faults_make_one_sentence() -> None:
    said = refusal(PlaceCall, {name: {"x": LONG} for name in PlaceCall.input_schema()["properties"]})
    assert said.startswith("phone_number ")
    assert len(said) < 1000


@pytest.mark.parametrize(
    ("cls", "name"),
    [pytest.param(cls, name, id=f"{cls.tool}-{name}") for cls in CATALOG for name in cls.input_schema()["properties"]
     if name not in cls.input_schema().get("required", ()) and (cls, name) != (PlaceCall, "task")],
)  # fmt: skip
def test_null_means_that_an_optional_argument_is_absent(cls: type[Endpoint[Any]], name: str) -> None:
    without = {key: value for key, value in right(cls).items() if key != name}
    assert cls.from_tool({**without, name: None}) == cls.from_tool(without)
    assert cls.model_validate({**without, name: None}) == cls.model_validate(without)


def test_null_inside_an_object_means_absent_too() -> None:
    gateway = {"ipv4": "203.0.113.10", "port": None, "inbound": None, "outbound": None}
    value = AddCarrier.from_tool({"carrier_name": "Mine", "sip_gateway": gateway})
    assert value == AddCarrier.from_tool({"carrier_name": "Mine", "sip_gateway": {"ipv4": "203.0.113.10"}})


@pytest.mark.parametrize(
    ("name", "given_as", "taken"), [("limit", 10.0, 10), ("limit", None, 10), ("limit", 200, 200)]
)
def test_a_whole_number_may_be_written_with_a_point(name: str, given_as: Any, taken: int) -> None:
    value = getattr(ListCalls.from_tool({name: given_as}), name)
    assert (value, type(value)) == (taken, int)


def test_only_tool_surfaces_have_the_tool_default() -> None:
    assert ListCalls.from_tool({}).limit == 10
    assert ListCalls().limit is None


# Ids stand in the path

IDS = [
    pytest.param(cls, name, id=f"{cls.tool}-{name}")
    for cls in CATALOG
    for name in cls.input_schema()["properties"]
    if name.endswith("_id") or name == "voip_carrier_sid"
]


@pytest.mark.parametrize(
    "hostile",
    ["/", "..", ".", "a/b", "../calls", "a%2Fb", "%2e%2e", "a?limit=1", "a#b", "a b", "", " ", "a\n", "\x00", "a\\b", "x" * 129],
)  # fmt: skip
@pytest.mark.parametrize(("cls", "name"), IDS)
def test_an_id_that_could_change_the_path_is_refused(
    cls: type[Endpoint[Any]], name: str, hostile: str
) -> None:
    said = refusal(cls, {**right(cls), name: hostile})
    assert said.startswith(f"{name} is no id; ")


def test_every_handle_in_a_path_is_an_id() -> None:
    assert {name for cls in CATALOG for name in cls.handles} == {
        "call_id", "campaign_id", "phone_number_id", "carrier_id", "lead_id", "webhook_id",
    }  # fmt: skip


# Secrets

CREDENTIALS = [
    (trunk, name, INSIDE[name]) for trunk, name in (("auth", "inbound_auth"), ("reg", "registration"))
]


@pytest.mark.parametrize(("trunk", "name", "credentials"), CREDENTIALS)
def test_a_password_is_seen_on_the_wire_alone(trunk: str, name: str, credentials: dict[str, str]) -> None:
    value = AddCarrier.from_tool({**right(AddCarrier), "trunk_type": trunk, name: credentials})
    request = value.request()
    texts = [
        repr(value), str(value), repr(getattr(value, name)), str(getattr(value, name)), repr(request), str(request),
        json.dumps(value.model_dump(mode="json")), value.model_dump_json(), repr(value.model_dump()),
        repr(value.model_dump(mode="json", context={"live": True})), f"{value!r:>5} {value}",
    ]  # fmt: skip
    assert not [text for text in texts if PASSWORD in text]
    assert request.body is not None
    assert request.body[name] == credentials
    assert AddCarrier.read({}, {}, request.body) == value


@pytest.mark.parametrize(
    "password",
    [[PASSWORD], {"is": PASSWORD}, PASSWORD * 10, {PASSWORD: 1}, "\ud800"],
    ids=["list", "object", "long", "name", "surrogate"],
)
@pytest.mark.parametrize(("trunk", "name", "credentials"), CREDENTIALS)
def test_a_refused_password_is_not_repeated(
    trunk: str, name: str, credentials: dict[str, str], password: Any
) -> None:
    wrong_one = {**credentials, "password": password}
    said = refusal(AddCarrier, {**right(AddCarrier), "trunk_type": trunk, name: wrong_one})
    assert said.startswith(f"{name}.password ")
    assert "; give " in said


@pytest.mark.parametrize(
    "change",
    [
        {"trunk_type": "reg"},
        {"carrier_name": ""},
        {"sip_gateway": {"ipv4": "sip.example.com", "inbound": True}},
        {"inbound_auth": {"username": "", "password": PASSWORD}},
        {"inbound_auth": {"user": "u", "password": PASSWORD}},
    ],
    ids=json.dumps,
)
def test_a_password_beside_a_fault_is_not_repeated(change: dict[str, Any]) -> None:
    auth = {"username": "u", "password": PASSWORD}
    refusal(AddCarrier, {**right(AddCarrier), "trunk_type": "auth", "inbound_auth": auth, **change})


# Anything at all

texts = st.text(st.characters(), max_size=30)  # lone surrogates too: JSON can hold them
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 10.0, -0.0])
anything = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
likely = st.sampled_from(
    ["+14155550123", "+442079460958", "call_abc123", "Book a table for two.", "2025-12-22T10:29:00Z", "realtime",
     "legacy", "completed", "active", "auth", "reg", {"ipv4": "203.0.113.10"}, {"ipv4": "a.example", "port": 5061.0},
     {"username": "u", "password": "p"}, {"username": "u", "password": "p", "realm": "r"}, ["kb_1"], {"name": "Ann"}]
)  # fmt: skip


@every_endpoint
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(data=st.data())
def test_anything_at_all_is_refused_or_can_be_sent(cls: type[Endpoint[Any]], data: st.DataObject) -> None:
    names = st.sampled_from(sorted(cls.input_schema()["properties"]) or ["none"])
    # Mostly what the tool takes, so that some get through; now and then what it does not.
    known = data.draw(st.dictionaries(names, likely | anything, max_size=5))
    unknown = data.draw(st.just({}) | st.just({}) | st.dictionaries(texts, anything, max_size=2))
    hold(cls, {**data.draw(st.sampled_from([right(cls), {}])), **known, **unknown})


@every_endpoint
@settings(max_examples=30, deadline=None)
@given(arguments=st.dictionaries(texts, anything, max_size=5))
@example(arguments={})
@example(arguments={"\ud800": "\ud800"})
@example(arguments={"": None})
def test_any_object_is_refused_or_can_be_sent(cls: type[Endpoint[Any]], arguments: dict[str, Any]) -> None:
    hold(cls, arguments)


def hold(cls: type[Endpoint[Any]], arguments: dict[str, Any]) -> None:
    try:
        value = cls.from_tool(arguments)
    except ValidationError as error:
        said = sentence(error, cls)
        assert said.isprintable()
        assert said.endswith(".")
        return
    request = value.request()
    json.dumps(request.body, allow_nan=False, ensure_ascii=False).encode()
    assert request.path.isascii()
    assert request.path.startswith("/v1/")
    assert request.path.count("/") == cls.path.count("/")
    assert all(isinstance(text, str) and text.encode() for text in request.query.values())
    assert cls.from_tool(arguments) == value
    assert repr(value)


def deep(levels: int, kind: type) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"x": value} if kind is dict else [value]
    return value


@pytest.mark.parametrize("kind", [dict, list])
@pytest.mark.parametrize("levels", [50, 98, 99, 100, 101, 300, 5000, 50_000])
def test_however_deep_an_object_is_it_is_refused_or_can_be_sent(levels: int, kind: type) -> None:
    hold(PlaceCall, {**right(PlaceCall), "request_data": {"x": deep(levels, kind)}})


@pytest.mark.parametrize("steps", [steps for steps, _ in parts(PlaceCall.input_schema())], ids=".".join)
def test_a_deep_value_anywhere_is_refused_in_a_sentence(steps: tuple[str, ...]) -> None:
    assert refusal(PlaceCall, with_one(PlaceCall, steps, [deep(5000, list)])).startswith(steps[0])


def test_an_object_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["x"] = loop
    assert refusal(PlaceCall, {**right(PlaceCall), "request_data": loop}).startswith("request_data ")


# How a class is made


@pytest.mark.parametrize("flag", ["-O", "-OO"])
def test_descriptions_survive_an_optimising_python(flag: str) -> None:
    code = "import json; from topcalls_tools.api import CATALOG; print(json.dumps([c.listing() for c in CATALOG]))"
    done = subprocess.run(
        [sys.executable, flag, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert json.loads(done.stdout) == [cls.listing() for cls in CATALOG]


class Tea(Record):
    """A cup of tea."""

    warm: bool | None = None
    """Whether it is warm."""


def test_a_tool_is_read_off_its_class() -> None:
    class MakeFreshTea(Endpoint[Tea], route="POST /v1/tea/{tea_id}", effect=Effect.WRITE, toolset="kitchen"):
        """Make tea.

        Nothing is bought.
        """

        tea_id: str
        """Handle of the tea."""

    listing = MakeFreshTea.listing()
    assert (listing["name"], listing["title"]) == ("make_fresh_tea", "Make fresh tea")
    assert listing["description"] == "Make tea. Nothing is bought."
    assert listing["inputSchema"]["properties"] == {
        "tea_id": {"type": "string", "description": "Handle of the tea."}
    }
    assert (MakeFreshTea.method, MakeFreshTea.path, MakeFreshTea.toolset) == (
        "POST",
        "/v1/tea/{tea_id}",
        "kitchen",
    )
    assert MakeFreshTea.reply_type is Tea


def without_docstring() -> None:
    class MakeSilentTea(Endpoint[Tea], route="POST /v1/tea", effect=Effect.WRITE):
        cups: int = 1
        """How many."""


def without_field_docstring() -> None:
    class MakeWordlessTea(Endpoint[Tea], route="POST /v1/tea", effect=Effect.WRITE):
        """Make tea."""

        cups: int = 1


def without_field_docstring_in_a_record() -> None:
    class WordlessCup(Record):
        """A cup."""

        size: str | None = None


def without_field_docstring_in_arguments() -> None:
    class WordlessPot(Arguments):
        """A pot."""

        size: Annotated[Secret, "no docstring"]


def without_effect() -> None:
    class MakeAimlessTea(Endpoint[Tea], route="POST /v1/tea"):
        """Make tea."""


def without_reply_type() -> None:
    class MakeSpeechlessTea(Endpoint, route="POST /v1/tea", effect=Effect.WRITE):  # type: ignore[type-arg]
        """Make tea."""


def without_field_for_the_route() -> None:
    class MakeLostTea(Endpoint[Tea], route="POST /v1/tea/{tea_id}", effect=Effect.WRITE):
        """Make tea."""


def with_a_reserved_name() -> None:
    class MakeReservedTea(Endpoint[Tea], route="POST /v1/tea", effect=Effect.WRITE):
        """Make tea."""

        scope: str
        """What for."""


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (without_docstring, "MakeSilentTea needs a docstring"),
        (without_field_docstring, "MakeWordlessTea needs a docstring under cups"),
        (without_field_docstring_in_a_record, "WordlessCup needs a docstring under size"),
        (without_field_docstring_in_arguments, "WordlessPot needs a docstring under size"),
        (without_effect, "MakeAimlessTea needs"),
        (without_reply_type, "MakeSpeechlessTea needs a reply type"),
        (without_field_for_the_route, "MakeLostTea has no field for tea_id"),
        (with_a_reserved_name, "MakeReservedTea may not name a field scope"),
    ],
    ids=lambda case: case.__name__ if callable(case) else "",
)
def test_a_class_that_leaves_something_unsaid_fails_when_it_is_made(make: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        make()


def test_a_value_is_frozen_and_equal_by_what_it_says() -> None:
    value = StopCall(call_id="call_abc123")
    with pytest.raises(ValidationError):
        value.call_id = "other"  # type: ignore[misc]
    assert value == StopCall(call_id="call_abc123") != StopCall(call_id="call_abc124")
    assert value != GetCall(call_id="call_abc123")
