"""Every path on which words of a person called could become plain text, and why none of them does."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = [ROOT / name for name in ("topcalls_tools", "mcp_server", "examples")]
OTHER_END = ROOT / "topcalls_tools" / "sandbox"
"""Who speaks, not who listens: there words are made. Where they leave it they are `Spoken`."""
DUMPS = {"model_dump_json", "dump_json", "dump_python", "to_jsonable_python", "to_json"}
"""What turns a record into plain values."""
OLD_DUMPS = {"json", "dict"}
"""The same by names that pydantic still answers to, where they are a record's methods."""
INSIDE = {"words", "_words"}
"""Where a `Spoken` keeps what was said."""
SHOWS = {"shown", "told"}
"""The two methods of a tool that give plain values of a reply."""
NO_REPLY = "a request, a policy or a person's own words: no reply stands in it"
JSON = "JSON of a tool's reply: words stand beside their speaker, or are named in derived"
BEHIND_A_BAR = "printed behind a bar"
HEARS = "looked at for what it asks, and thrown away"
NO_WORDS = "nothing that was said on a phone: "
REASONS: dict[str, dict[str, str]] = {
    "topcalls_tools/action.py": {
        "__get_pydantic_json_schema__: cls.words": NO_WORDS + "descriptions of fields",
        "__pydantic_init_subclass__: cls.words x3": NO_WORDS + "descriptions of fields",
        "shown: view.model_dump(mode)": JSON,
        "told: self.shown()": JSON,
    },
    "topcalls_tools/webhooks/afterwards.py": {
        "facts: request.shown()": JSON,
        "facts: turn.model_dump(mode)": JSON,
    },
    "topcalls_tools/api/calls.py": {
        "view: reply.model_extra": "what TopCalls added goes into the view, and is named in derived",
        "view: seen.text.words": "counted, for what fits",
    },
    "topcalls_tools/api/transcript.py": {
        "shown_turn: turn.text.words": "cut to what fits, and Spoken again",
    },
    "topcalls_tools/approval/slips.py": {
        "issue: action.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/cli/attended.py": {
        "_shown: request.shown()": "printed by cli/show.py",
        "_tell: now.call_summary.words": BEHIND_A_BAR,
        "plan: request.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/cli/by_book.py": {
        "_do: action.shown()": "printed by cli/show.py",
    },
    "topcalls_tools/cli/call_list.py": {
        "_row: call.call_summary.words": "a field of JSON that derived names; no table shows it",
    },
    "topcalls_tools/cli/commands.py": {
        "show: request.shown()": "printed by cli/show.py",
    },
    "topcalls_tools/cli/contacts.py": {
        "add: contact.model_dump(mode)": NO_WORDS + "the owner's contacts",
        "listing: contact.model_dump(mode)": NO_WORDS + "the owner's contacts",
    },
    "topcalls_tools/cli/dnc.py": {
        "add: request.shown()": NO_WORDS + "what was blocked",
    },
    "topcalls_tools/cli/export.py": {
        "_json: call.model_dump(mode)": "a field of JSON that derived names",
        "_row: said.words": "a cell of its own in CSV, and no formula",
        "_turns: turn.text.words": "beside its speaker in JSON",
    },
    "topcalls_tools/cli/show.py": {
        "turn: said.text.words": BEHIND_A_BAR,
    },
    "topcalls_tools/cli/stop_all.py": {
        "stop_all: request.shown()": NO_WORDS + "what was stopped",
    },
    "topcalls_tools/cli/watch.py": {
        "take: seen.call_summary.words": BEHIND_A_BAR,
        "told: notice.words": NO_WORDS + "our own notice",
    },
    "topcalls_tools/flow/consent.py": {
        "_digest: request.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/deeds/follow_call.py": {
        "_told: seen.text.words": "counted, for what fits",
    },
    "topcalls_tools/flow/dial.py": {
        "declared: reply.model_dump(mode)": NO_WORDS + "that a call was placed",
        "dial: request.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/endpoint.py": {
        "_remedy: self.words": NO_WORDS + "descriptions of fields",
        "reply: record.model_extra x3": NO_WORDS + "secrets that TopCalls repeats become stars there",
        "request: self.model_dump(mode)": NO_REPLY,
        "secrets: self.model_dump(mode) x2": NO_REPLY,
    },
    "topcalls_tools/guard/disclosure.py": {
        "_first: turn.text.words": HEARS,
    },
    "topcalls_tools/guard/heard.py": {
        "_each: turn.text.words x2": HEARS,
    },
    "topcalls_tools/guard/moments.py": {
        "_read: left.words x4": NO_WORDS + "a function",
    },
    "topcalls_tools/guard/policy.py": {
        "written: one.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/guard/words.py": {
        "_vocabulary: part.words": NO_WORDS + "phrases of ours",
        "has: part.words x4": NO_WORDS + "phrases of ours",
    },
    "topcalls_tools/langchain.py": {
        "_told: request.told()": JSON,
    },
    "topcalls_tools/flow/question.py": {
        "_left_out: request.words": NO_WORDS + "descriptions of fields",
        "question: request.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/replies.py": {
        "_bounded: record.model_extra x3": "how deep it is, and dropped where too deep",
    },
    "topcalls_tools/schema.py": {
        "encode_default: to_jsonable_python()": NO_WORDS + "defaults of a schema",
    },
    "topcalls_tools/spoken.py": {
        "__eq__: other.words": "the type itself",
        "__eq__: self.words": "the type itself",
        "__get_pydantic_core_schema__: spoken.words": "the type itself, in JSON alone",
        "__hash__: self.words": "the type itself",
        "__init__: self._words": "the type itself",
        "__str__: self.words": "the type itself",
        "_derived: value.model_extra": "looked at, to be named in derived",
        "words: self._words": "the type itself",
    },
    "mcp_server/server.py": {
        "call_tool: action.shown()": JSON,
        "tell: notice.words": NO_WORDS + "our own notice",
    },
    "examples/practice.py": {
        "fast: sandbox.get('/sandbox/clock').raise_for_status().json()": NO_WORDS + "the sandbox's clock",
    },
    "examples/demo.py": {
        "as_langchain_tools: reply.artifact.model_dump(mode)": "the demo's turns and summary, "
        + BEHIND_A_BAR,
    },
}
"""Every place where words of a person called could become plain text, and why that is well."""
OWN_WORDS = ("topcalls_tools/interpreter/", "topcalls_tools/call_list/")
"""What the owner wrote or typed; words of a person called are no business of theirs."""


def places(tree: ast.AST, function: str = "") -> Iterator[str]:
    """Where a file takes words out of their type, or could: in which function, and how."""
    for node in ast.iter_child_nodes(tree):
        named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        yield from places(node, node.name if named else function)  # type: ignore[attr-defined]
        yield from (f"{function}: {how}" for how in ways(node))


def ways(node: ast.AST) -> Iterator[str]:
    """How one node of a program takes words out of their type, or could."""
    match node:
        case ast.Attribute(attr="words" | "_words" | "model_extra"):
            yield ast.unparse(node)
        case ast.Call(func=ast.Attribute(attr="model_dump") as func, keywords=keywords):
            if {keyword.arg for keyword in keywords} & {"mode", None}:
                yield f"{ast.unparse(func)}(mode)"
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name) as func) if name in DUMPS:
            yield f"{ast.unparse(func)}()"
        case ast.Call(func=ast.Attribute(attr=name) as func) if name in OLD_DUMPS:
            yield f"{ast.unparse(func)}()"
        case ast.Attribute(attr=name) if name in SHOWS:
            yield f"{ast.unparse(node)}()"
        case ast.MatchClass(kwd_attrs=names) if INSIDE & {*names}:
            yield ast.unparse(node)
        case ast.Call(args=[*_, ast.Constant(value="words" | "_words")]) if _looks_up(node.func):
            yield ast.unparse(node)
        case ast.Call(args=[_, ast.Constant(value="words" | "_words"), _]) if _looks_up(node.func):
            yield ast.unparse(node)
        case ast.Call(func=ast.Name(id="attrgetter") | ast.Attribute(attr="attrgetter")):
            yield ast.unparse(node)


def _looks_up(called: ast.expr) -> bool:
    """Whether a function gives an attribute by its name."""
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in {"getattr", "__getattribute__", "__getattr__", "getattr_static"}


def counted(there: Iterator[str]) -> set[str]:
    """Each place; one that comes several times in a function says how often, so that no second passes unseen."""
    return {place if many == 1 else f"{place} x{many}" for place, many in Counter(there).items()}


def found() -> dict[str, set[str]]:
    paths = [path for room in ROOMS for path in sorted(room.rglob("*.py")) if OTHER_END not in path.parents]
    all_of_them = {
        str(path.relative_to(ROOT)): counted(places(ast.parse(path.read_text()))) for path in paths
    }
    return {name: there for name, there in all_of_them.items() if there}


def test_every_path_from_speech_to_plain_text_is_known_and_has_its_reason() -> None:
    listed = {name: there for name, there in found().items() if not name.startswith(OWN_WORDS)}
    fresh = {name: there - REASONS.get(name, {}).keys() for name, there in listed.items()}
    assert not {name: there for name, there in fresh.items() if there}, "say in REASONS why that is well"
    gone = {name: set(reasons) - listed.get(name, set()) for name, reasons in REASONS.items()}
    assert not {name: left for name, left in gone.items() if left}, "no longer there: take the rows out"


def test_who_reads_what_the_owner_wrote_never_sees_a_call() -> None:
    for name, there in found().items():
        if name.startswith(OWN_WORDS):
            assert "Spoken" not in (ROOT / name).read_text()
            assert not [one for one in there if re.search(r"(text|summary|disposition)\.words$", one)], name


def test_the_other_end_hands_out_nothing_but_spoken_words() -> None:
    naming = [path.name for path in OTHER_END.rglob("*.py") if "Spoken" in path.read_text()]
    assert naming == ["telling.py"]


@pytest.mark.parametrize(
    "program",
    [
        "c.call_summary.words",
        "c.json()",
        "c.copy().dict()",
        "c.model_dump(mode='json')",
        "c.__getattribute__('words')",
        "object.__getattribute__(c, '_words')",
        "getattr(c, 'words', None)",
        "match c:\n  case Spoken(words=said): print(said)",
        "match c:\n  case Call(call_summary=Spoken(words=said)): print(said)",
    ],
)
def test_no_way_to_the_words_is_overlooked_nor_a_second_one_beside_a_known(program: str) -> None:
    (once,) = counted(places(ast.parse(program)))
    assert counted(places(ast.parse(f"{program}\n{program}"))) == {f"{once} x2"}
