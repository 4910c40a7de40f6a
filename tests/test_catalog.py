"""Every tool, on every surface, from one declaration."""

from __future__ import annotations

import pytest

from topcalls_tools.api import CATALOG
from topcalls_tools.cli.commands import command
from topcalls_tools.errors import Misconfigured
from topcalls_tools.sandbox.world import World
from topcalls_tools.tools import DEEDS, OFF_BY_DEFAULT, TOOLS, TOOLSETS, chosen

from .snapshots import documents
from .test_witness import WITNESSES

NAMES = [
    "list_calls",
    "get_call",
    "place_call",
    "stop_call",
    "cancel_call",
    "list_campaigns",
    "get_campaign",
    "start_campaign",
    "pause_campaign",
    "list_carriers",
    "list_phone_numbers",
    "get_phone_number",
    "add_carrier",
    "add_phone_number",
    "delete_carrier",
    "delete_phone_number",
    "list_models",
    "list_builtin_voices",
    "list_voices",
    "get_balance",
]
OUR_OWN = ["follow_call", "explain_call", "check_call", "find_contact", "block_number"]
BRAKES = ["stop_call", "cancel_call", "pause_campaign", "block_number"]
LEADS = ["list_leads", "get_lead", "create_lead", "import_leads", "update_lead", "delete_lead"]
FOR_CODE = ["create_webhook", "list_webhooks", "delete_webhook"]


def test_the_endpoints_have_their_final_names() -> None:
    assert [endpoint.tool for endpoint in CATALOG] == [*NAMES, *LEADS, *FOR_CODE]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_what_models_and_readers_see_is_as_it_was_reviewed(path) -> None:  # type: ignore[no-untyped-def]
    assert path.exists(), f"run `make snapshots` and review {path.name}"
    assert path.read_text() == documents()[path], f"run `make snapshots` and review {path.name}"


@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_an_endpoint_has_a_witness_and_an_answer_in_the_sandbox(endpoint) -> None:  # type: ignore[no-untyped-def]
    assert (WITNESSES / f"{endpoint.tool}.json").exists()
    fallback = vars(World)["answer"].dispatcher.dispatch(object)
    assert vars(World)["answer"].dispatcher.dispatch(endpoint) is not fallback


@pytest.mark.parametrize("action", TOOLS, ids=lambda action: action.tool)
def test_a_tool_has_a_command(action) -> None:  # type: ignore[no-untyped-def]
    assert command(action.tool.replace("_", "-")) is not None


def test_brakes_are_in_every_toolset() -> None:
    for toolset in TOOLSETS:
        assert {*BRAKES} <= {action.tool for action in chosen(toolset)}


def test_leads_are_served_where_they_are_named_and_not_by_default() -> None:
    assert [action.tool for action in chosen()] == [*NAMES, *OUR_OWN]
    assert {"leads"} == OFF_BY_DEFAULT <= {*TOOLSETS}
    assert chosen("all") == chosen("default, leads") == TOOLS
    assert {a.tool for a in chosen("leads")} == {*BRAKES, *LEADS}


@pytest.mark.parametrize("toolsets", ["webhooks", "default,lead", "Leads", "slips"])
def test_an_unknown_toolset_is_an_error_that_names_those_there_are(toolsets: str) -> None:
    with pytest.raises(Misconfigured, match=r"there are default, all, calls, .*, leads"):
        chosen(toolsets)


def test_what_could_carry_words_out_is_for_python_callers_alone() -> None:
    hidden = [endpoint for endpoint in CATALOG if endpoint.code_only]
    assert [endpoint.tool for endpoint in hidden] == FOR_CODE
    assert not {*hidden} & {*TOOLS}
    assert not any(deed.code_only for deed in DEEDS)
    assert [command(endpoint.tool.replace("_", "-")) for endpoint in hidden] == [None, None, None]


def test_confirm_action_is_served_only_where_slips_are_the_owners_choice() -> None:
    assert "confirm_action" not in {action.tool for action in chosen()}
    assert chosen(slips=True)[-1].tool == "confirm_action"
