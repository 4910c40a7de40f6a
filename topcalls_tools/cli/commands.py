"""A tool as a command: its arguments are options, its reply is printed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from ..action import Action, sentence
from ..tools import TOOLS
from .refresh import HELP, watched

_SIMPLE: dict[str, click.ParamType[Any]] = {
    "integer": click.INT,
    "number": click.FLOAT,
    "boolean": click.BOOL,
}


def command(name: str) -> click.Command | None:
    """The command of a tool, by its name with dashes."""
    action = next((tool for tool in TOOLS if tool.tool.replace("_", "-") == name), None)
    if action is None:
        return None
    summary = action.description.partition(". ")[0].rstrip(".") + "."

    def run(as_json: bool, watch: bool = False, **given: Any) -> None:
        told = {argument: value for argument, value in given.items() if value is not None and value != ()}
        _run(action, told, as_json, watch)

    return _Tool(action, name, callback=run, help=action.description, short_help=summary)


class _Tool(click.Command):
    """A tool's command. Its options are made once they are asked for: a list of commands needs none."""

    def __init__(self, action: type[Action[Any]], name: str, **given: Any) -> None:
        super().__init__(name, **given)
        self._action = action

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        self.params = self.params or _options(self._action)
        return super().get_params(ctx)


def _options(action: type[Action[Any]]) -> list[click.Parameter]:
    schema = action.input_schema()
    required = schema.get("required", ())
    options: list[click.Parameter] = [
        _option(argument, part, argument in required) for argument, part in schema["properties"].items()
    ]
    options.append(click.Option(["--json", "as_json"], is_flag=True, help="Print the reply as JSON."))
    if action.tool.startswith("list_"):
        options.append(click.Option(["--watch"], is_flag=True, help=HELP))
    return options


def _option(argument: str, part: dict[str, Any], required: bool) -> click.Option:
    name, said, kind = "--" + argument.replace("_", "-"), part["description"], part.get("type")
    if kind == "object" or part.get("items", {}).get("type") == "object":
        said += " As JSON in @FILE, or - for standard input; in place only where it holds no password."
        return click.Option([name], help=said, required=required, type=_Json(part))
    if kind == "array":
        return click.Option([name], help=f"{said} May be repeated.", required=required, multiple=True)
    if "enum" in part:
        return click.Option([name], help=said, required=required, type=click.Choice(part["enum"]))
    return click.Option([name], help=said, required=required, type=_SIMPLE.get(str(kind), click.STRING))


class _Json(click.ParamType[Any]):
    """A JSON object, or a list of them, in a file, on standard input, or in place."""

    name = "json"

    def __init__(self, part: dict[str, Any]) -> None:
        self._secret = "password" in part.get("properties", {})
        self._form = '[{"name": "value"}]' if part["type"] == "array" else '{"name": "value"}'

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, dict | list):
            return value
        try:
            if value == "-":
                return json.load(sys.stdin)
            if value.startswith("@"):
                return json.loads(Path(value[1:]).read_text())
            if self._secret:
                self.fail(
                    "holds a password, which other programs could see here; give @FILE, or - for "
                    "standard input"
                )
            return json.loads(value)
        except (ValueError, RecursionError):
            self.fail(f"is no JSON; write it as in {self._form}", param, ctx)
        except OSError as error:
            self.fail(f"cannot be read ({error.strerror}); name a file that can", param, ctx)


def _run(action: type[Action[Any]], arguments: dict[str, Any], as_json: bool, watch: bool) -> None:
    from ..approval import terminal
    from ..client import Client
    from ..endpoint import Endpoint
    from ..flow.steps import glance
    from .show import reply

    try:
        request = action.from_tool(arguments)
    except ValidationError as wrong:
        raise click.UsageError(sentence(wrong, action)) from None
    with Client(approve=terminal.approve if terminal.possible() else None) as client:

        def show(seen: Any) -> None:
            reply(request.shown(seen, client.line.live), as_json)

        if watch and isinstance(request, Endpoint):
            listed = request
            watched(lambda: show(client.run(glance(listed, client.line.desk()))))
        else:
            show(client.send(request))
