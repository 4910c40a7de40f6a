"""The OpenAPI document is true of the sandbox, and the page that shows it stays at home."""

from __future__ import annotations

import copy
import itertools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from jsonschema import Draft202012Validator

from topcalls_tools.api import CATALOG
from topcalls_tools.api.fields import Page
from topcalls_tools.endpoint import WITH_BODY
from topcalls_tools.sandbox import open_sandbox, serve_in_background
from topcalls_tools.sandbox.web import docs, openapi

ROOT = Path(__file__).parent.parent
LEAST_CASES = 2000
CALLS = ("+14155550001", "+14155550005", "+14155550008", "+14155550009", "+14155550123")
"""Numbers whose calls end busy, reach a voicemail, go on, stay queued, and are answered."""
CONFIG = """
base-url = "{url}"
hooks = "tests.wire_checks"
workers = 1
continue-on-failure = true
headers = {{ Authorization = "Bearer {key}" }}
generation = {{ deterministic = true, max-examples = 40 }}

[reports.json]
path = "{report}"

# Else ids are taken from replies, and the account's only caller id is deleted before calls are tried.
[phases]
examples.extra-data-sources.responses = false
coverage.extra-data-sources.responses = false

[checks]
# A known path answers 404 to another method (contract A44).
unsupported_method.enabled = false
# Our own check looks at why valid data is refused, not only whether.
positive_data_acceptance.enabled = false
# A deleted number can still be read (contract A43).
use_after_free.enabled = false
"""


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A sandbox whose clock goes on by a second whenever it is looked at, with calls in every state."""
    seconds = itertools.count()
    sandbox = open_sandbox(
        tmp_path_factory.mktemp("world") / "world.db",
        real=lambda: datetime(2026, 11, 23, 15, tzinfo=UTC) + timedelta(seconds=next(seconds)),
    )
    headers = {"Authorization": f"Bearer {sandbox.key()}"}
    with (
        serve_in_background(sandbox) as served,
        httpx.Client(base_url=served.url, headers=headers, trust_env=False, timeout=30) as http,
    ):
        for number in CALLS:
            placed = http.post("/v1/calls", json={"phone_number": number, "task": "Ask for a table for two."})
            placed.raise_for_status()
        http.post("/v1/webhooks", json={"event": KNOWN["event"], "url": KNOWN["url"]}).raise_for_status()
        yield http


def operation(endpoint: Any) -> dict[str, Any]:
    found: dict[str, Any] = openapi.document()["paths"][endpoint.path][endpoint.method.lower()]
    return found


def test_the_document_is_valid_openapi() -> None:
    schemathesis.openapi.from_dict(copy.deepcopy(openapi.document())).validate()
    for schema in openapi.document()["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_it_holds_the_catalogue_and_nothing_else() -> None:
    paths = openapi.document()["paths"]
    found = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert found == {(endpoint.method, endpoint.path) for endpoint in CATALOG}
    assert json.loads(openapi.reply().content) == openapi.document()


@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_an_endpoint_is_documented_with_scope_arguments_and_replies(endpoint: Any) -> None:
    said = operation(endpoint)
    assert said.get("x-scope") == endpoint.scope
    assert endpoint.scope is None or f"Needs the scope {endpoint.scope}." in said["description"]
    parameters = {one.get("name", one.get("$ref")): one for one in said["parameters"]}
    assert parameters.pop("#/components/parameters/Idempotency-Key", None) is not None or not endpoint.keyed
    content = said.get("requestBody", {"content": {"application/json": {"schema": {"properties": {}}}}})
    body = content["content"]["application/json"]["schema"]["properties"]
    assert parameters.keys() | body.keys() == endpoint.model_fields.keys()
    assert {name for name, one in parameters.items() if one["in"] == "path"} == set(endpoint.handles)
    assert not body or endpoint.method in WITH_BODY
    good = {status for status in said["responses"] if status.startswith("2")}
    assert str(endpoint.success) in good
    assert said["responses"].keys() - good >= {"400", "401", "429", "500"}


@pytest.mark.parametrize("endpoint", CATALOG, ids=lambda endpoint: endpoint.tool)
def test_a_reply_is_documented_as_it_is_sent(endpoint: Any) -> None:
    said = operation(endpoint)["responses"][str(endpoint.success)]
    if endpoint.success == 204:
        assert "content" not in said
        return
    name = said["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    shape = openapi.document()["components"]["schemas"][name]
    reply = endpoint.reply_type
    wire = {name for name in reply.model_fields if name not in reply.ours}
    if issubclass(reply, Page):
        wire = wire - {"data"} | {reply.listed_as}
    assert shape["properties"].keys() == wire
    assert shape.get("additionalProperties", True)


def test_the_examples_are_taken_as_they_are(http: httpx.Client) -> None:
    tried = 0
    for endpoint in CATALOG:
        content = operation(endpoint).get("requestBody", {}).get("content", {}).get("application/json", {})
        if "example" in content:
            reply = http.request(endpoint.method, endpoint.path, json=content["example"])
            assert reply.status_code == endpoint.success, reply.text
            tried += 1
    assert tried >= 4


def test_schemathesis_finds_nothing(http: httpx.Client, tmp_path: Path) -> None:
    """Two thousand requests, good and bad, against a server on loopback: each reply is as documented."""
    spec, config, report = tmp_path / "openapi.json", tmp_path / "schemathesis.toml", tmp_path / "report.json"
    spec.write_text(json.dumps(acquainted(http)))
    key = http.headers["Authorization"].removeprefix("Bearer ")
    config.write_text(CONFIG.format(url=str(http.base_url).rstrip("/"), key=key, report=report))
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", spec, "--no-color"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    assert found["complete"]
    assert found["operations"]["tested"] == len(CATALOG)
    assert found["test_cases"]["generated"] >= LEAST_CASES


KNOWN = {
    "from_number": "+18005551234",
    "voice": "sage",
    "model": "gpt-realtime-mini-2025-12-15",
    "background_audio": "office",
    "background_audio_gain": "low",
    "webhook_url": "https://hooks.example/calls",
    "url": "https://hooks.example/calls",
    "event": "call.completed",
    "list_id": "0d3f1b52-5c0f-4f0e-9f3a-6c1d5b8f7a21",
    "knowledge_base_ids": ["kb_1"],
}
"""Values that the sandbox takes where it does not take any."""


def acquainted(http: httpx.Client) -> dict[str, Any]:
    """The document with examples that are there, so that not every request ends in 404 or 400."""
    document = copy.deepcopy(openapi.document())
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            for parameter in said["parameters"]:
                if parameter.get("in") == "path":
                    there = http.get(path.partition("/{")[0]).raise_for_status().json()
                    first, *others = there.get("data", there.get("items"))
                    spared = [first] if method == "delete" else others[:8]
                    parameter["examples"] = {one["id"]: {"value": one["id"]} for one in spared}
            for content in said.get("requestBody", {}).get("content", {}).values():
                for name in KNOWN.keys() & content["schema"]["properties"].keys():
                    content["schema"]["properties"][name]["examples"] = [KNOWN[name]]
    return document


@pytest.fixture
def page() -> None:
    if find_spec("swagger_ui") is None:
        pytest.skip("the page needs the extra docs")


ADDRESS = re.compile(r"(?:https?:)?//[\w.-]+", re.IGNORECASE)


@pytest.mark.usefixtures("page")
def test_the_page_holds_no_address_outside_its_origin() -> None:
    shown = docs.reply("/docs")
    assert shown is not None
    text = shown.content.decode()
    linked = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert "/docs/swagger-ui-bundle.js" in linked
    for path in linked:
        file = docs.reply(path)
        assert file is not None, path
        assert file.status == 200
        assert file.content
    start = docs.reply("/docs/start.js")
    assert start is not None
    assert not ADDRESS.findall(text + start.content.decode())


@pytest.mark.usefixtures("page")
def test_the_page_runs_no_script_of_its_own_and_reaches_nobody_else() -> None:
    shown = docs.reply("/docs")
    assert shown is not None
    assert not re.search(r"<script[^>]*>[^<]|\son\w+=|<style|\sstyle=", shown.content.decode())
    policy = dict(part.split(" ", 1) for part in shown.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert all(set(sources.split()) <= {"'none'", "'self'", "data:"} for sources in policy.values())
    assert "data:" not in policy["script-src"]


@pytest.mark.usefixtures("page")
@pytest.mark.parametrize("path", ["/docs/", "/docs/../docs.py", "/docs/oauth2-redirect.html", "/docs/x", "/"])
def test_no_other_file_is_given(path: str) -> None:
    assert docs.reply(path) is None


def test_without_the_package_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "swagger_ui", None)
    assert docs.reply("/docs") is None
