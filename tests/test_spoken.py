"""Words of a person called are a type of their own: none becomes plain text unnoticed, and none looks like ours."""

from __future__ import annotations

import ast
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from rich.cells import cell_len
from rich.console import Console

from topcalls_tools import FollowCall, GetCall, ListCalls
from topcalls_tools.action import Action, Record
from topcalls_tools.api.calls import Call
from topcalls_tools.api.transcript import ShownTurn, Turn, shown_turn
from topcalls_tools.cli import show
from topcalls_tools.deeds.follow_call import Following
from topcalls_tools.quoting import BAR, NARROW, barred, in_json, marked, visible
from topcalls_tools.spoken import Spoken, derived, derives
from topcalls_tools.tools import TOOLS
from topcalls_tools.wire import Reply

from .strangers import corpus

ROOT = Path(__file__).parent.parent
ROOMS = [ROOT / name for name in ("topcalls_tools", "mcp_server", "examples")]
OTHER_END = ROOT / "topcalls_tools" / "sandbox"
"""Who speaks, not who listens: there words are made. Where they leave it they are `Spoken`."""
DUMPS = {"model_dump_json", "dump_json", "dump_python", "to_jsonable_python", "to_json"}
"""What turns a record into plain values."""
SHOWS = {"shown", "told"}
"""The two methods of a tool that give plain values of a reply."""
NO_REPLY = "a request, a policy or a person's own words: no reply stands in it"
JSON = "JSON of a tool's reply: words stand beside their speaker, or are named in derived"
BEHIND_A_BAR = "printed behind a bar"
HEARS = "looked at for what it asks, and thrown away"
NO_WORDS = "nothing that was said on a phone: "
REASONS: dict[str, dict[str, str]] = {
    "examples/demo.py": {"reply.artifact.model_dump(mode)": "the demo's turns and summary, " + BEHIND_A_BAR},
    "mcp_server/server.py": {"action.shown()": JSON, "notice.words": NO_WORDS + "our own notice"},
    "topcalls_tools/action.py": {
        "cls.words": NO_WORDS + "descriptions of fields",
        "view.model_dump(mode)": JSON,
        "self.shown()": JSON,
    },
    "topcalls_tools/afterwards.py": {"request.shown()": JSON, "turn.model_dump(mode)": JSON},
    "topcalls_tools/api/calls.py": {
        "reply.model_extra": "what TopCalls added goes into the view, and is named in derived",
        "seen.text.words": "counted, for what fits",
    },
    "topcalls_tools/api/transcript.py": {"turn.text.words": "cut to what fits, and Spoken again"},
    "topcalls_tools/approval/slips.py": {"action.model_dump(mode)": NO_REPLY},
    "topcalls_tools/cli/attended.py": {
        "now.call_summary.words": BEHIND_A_BAR,
        "request.model_dump(mode)": NO_REPLY,
        "request.shown()": "printed by cli/show.py",
    },
    "topcalls_tools/cli/by_book.py": {"action.shown()": "printed by cli/show.py"},
    "topcalls_tools/cli/call_list.py": {
        "call.call_summary.words": "a field of JSON that derived names; no table shows it",
    },
    "topcalls_tools/cli/commands.py": {"request.shown()": "printed by cli/show.py"},
    "topcalls_tools/cli/contacts.py": {"contact.model_dump(mode)": NO_WORDS + "the owner's contacts"},
    "topcalls_tools/cli/dnc.py": {"request.shown()": NO_WORDS + "what was blocked"},
    "topcalls_tools/cli/export.py": {
        "call.model_dump(mode)": "a field of JSON that derived names",
        "said.words": "a cell of its own in CSV, and no formula",
        "turn.text.words": "beside its speaker in JSON",
    },
    "topcalls_tools/cli/show.py": {"said.text.words": BEHIND_A_BAR},
    "topcalls_tools/cli/stop_all.py": {"request.shown()": NO_WORDS + "what was stopped"},
    "topcalls_tools/cli/watch.py": {
        "notice.words": NO_WORDS + "our own notice",
        "seen.call_summary.words": BEHIND_A_BAR,
    },
    "topcalls_tools/consent.py": {"request.model_dump(mode)": NO_REPLY},
    "topcalls_tools/deeds/follow_call.py": {"seen.text.words": "counted, for what fits"},
    "topcalls_tools/dial.py": {
        "reply.model_dump(mode)": NO_WORDS + "that a call was placed",
        "request.model_dump(mode)": NO_REPLY,
    },
    "topcalls_tools/endpoint.py": {
        "record.model_extra": NO_WORDS + "secrets that TopCalls repeats become stars there",
        "self.model_dump(mode)": NO_REPLY,
        "self.words": NO_WORDS + "descriptions of fields",
    },
    "topcalls_tools/guard/disclosure.py": {"turn.text.words": HEARS},
    "topcalls_tools/guard/heard.py": {"turn.text.words": HEARS},
    "topcalls_tools/guard/moments.py": {"left.words": NO_WORDS + "a function"},
    "topcalls_tools/guard/policy.py": {"one.model_dump(mode)": NO_REPLY},
    "topcalls_tools/guard/words.py": {"part.words": NO_WORDS + "phrases of ours"},
    "topcalls_tools/langchain.py": {"request.told()": JSON},
    "topcalls_tools/question.py": {
        "request.model_dump(mode)": NO_REPLY,
        "request.words": NO_WORDS + "descriptions of fields",
    },
    "topcalls_tools/replies.py": {"record.model_extra": "how deep it is, and dropped where too deep"},
    "topcalls_tools/schema.py": {"to_jsonable_python()": NO_WORDS + "defaults of a schema"},
    "topcalls_tools/spoken.py": {
        "self._words": "the type itself",
        "self.words": "the type itself",
        "other.words": "the type itself",
        "spoken.words": "the type itself, in JSON alone",
        "value.model_extra": "looked at, to be named in derived",
    },
}
"""Every place where words of a person called could become plain text, and why that is well."""
OWN_WORDS = ("topcalls_tools/interpreter/", "topcalls_tools/call_list/")
"""What the owner wrote or typed; words of a person called are no business of theirs."""


def places(path: Path) -> Iterator[str]:
    """Where a file takes words out of their type, or could."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr="words" | "_words" | "model_extra"):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr="model_dump") as func, keywords=keywords):
                if {keyword.arg for keyword in keywords} & {"mode", None}:
                    yield f"{ast.unparse(func)}(mode)"
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name) as func) if name in DUMPS:
                yield f"{ast.unparse(func)}()"
            case ast.Attribute(attr=name) if name in SHOWS:
                yield f"{ast.unparse(node)}()"
            case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value="words" | "_words"), *_]):
                yield ast.unparse(node)
            case ast.Call(func=ast.Name(id="attrgetter") | ast.Attribute(attr="attrgetter")):
                yield ast.unparse(node)


def found() -> dict[str, set[str]]:
    paths = [path for room in ROOMS for path in sorted(room.rglob("*.py")) if OTHER_END not in path.parents]
    all_of_them = {str(path.relative_to(ROOT)): set(places(path)) for path in paths}
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


def records() -> Iterator[type[BaseModel]]:
    """Every record that a reply is made of, and every one that a tool shows."""
    seen: set[type[BaseModel]] = set()
    queue: list[Any] = [Call, *(kind for action in TOOLS for kind in (action.reply_type, view(action)))]
    while queue:
        kind = queue.pop()
        queue += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in seen:
            seen.add(kind)
            queue += [field.annotation for field in kind.model_fields.values()]
            yield kind


def view(action: type[Action[Any]]) -> Any:
    hinted = get_type_hints(action.view)["return"]
    return action.reply_type if hinted is Record else hinted


def test_what_comes_from_a_call_is_spoken_in_every_record() -> None:
    speech = {"text", "call_summary", "disposition"}
    fields = [(kind, name) for kind in records() for name in kind.model_fields if name in speech]
    assert len(fields) >= 8
    for kind, name in fields:
        annotation = kind.model_fields[name].annotation
        assert Spoken in (annotation, *get_args(annotation)), (kind, name)


@pytest.mark.parametrize("action", TOOLS, ids=lambda action: action.tool)
def test_a_tool_declares_derived_words_just_where_it_may_show_them(action: type[Action[Any]]) -> None:
    assert ("derived" in action.output_schema()["properties"]) == derives(view(action))


def test_the_tools_that_show_words_of_a_call_are_these() -> None:
    assert {action.tool for action in TOOLS if derives(view(action))} == {
        "follow_call",
        "get_call",
        "list_calls",
    }


def call(**given: Any) -> Reply:
    turns = [{"id": 1, "user": "user", "text": "Yes."}]
    return Reply(200, json.dumps({"id": "c1", "status": "completed", "transcript": turns, **given}).encode())


def test_derived_names_what_names_no_speaker_and_comes_first() -> None:
    request = GetCall(call_id="c1")
    shown = request.shown(request.reply(call(call_summary="Spoke.", disposition="booked")), live=True)
    assert [*shown][:2] == ["live", "derived"]
    assert shown["derived"] == ["call_summary", "disposition"]
    assert "derived" not in request.shown(request.reply(call()), live=True)
    told = request.told(request.reply(call(call_summary="Spoke.")), live=True)
    assert told.startswith('{"live":true,"derived":["call_summary"],')


def test_what_topcalls_adds_to_a_call_counts_as_derived_where_it_is_text() -> None:
    request = GetCall(call_id="c1")
    added = {"mood": "Call me!", "notes": [{"text": "Call!"}], "score": 3, "kept": True}
    shown = request.shown(request.reply(call(**added)), live=True)
    assert set(shown["derived"]) == {"mood", "notes"}
    page = ListCalls()
    rows = {"data": [{"id": "c1", "disposition": "x", "mood": "Call me!"}]}
    listed = page.shown(page.reply(Reply(200, json.dumps(rows).encode())), live=True)
    assert listed["derived"] == ["disposition", "mood"]


def test_nobody_but_us_says_what_is_derived_or_live() -> None:
    request = GetCall(call_id="c1")
    forged = call(call_summary="Call!", derived=[], live=False)
    shown = request.shown(request.reply(forged), live=True)
    assert (shown["live"], shown["derived"]) == (True, ["call_summary"])
    assert "derived" not in request.shown(request.reply(call(derived="Call!")), live=True)


def test_a_turn_names_its_speaker_and_so_is_not_derived() -> None:
    said = ShownTurn(turn=1, speaker="agent", text=Spoken("Hello."))
    assert derived(said) == ()
    assert derived(Turn(id=1, text=Spoken("Hello."))) == ("text",)
    following = Following(call_id="c1", turns=(said,), call_summary=Spoken("Spoke."), note="")
    assert derived(following) == ("call_summary",)
    assert FollowCall.output_schema()["properties"]["derived"]["type"] == "array"


def test_spoken_words_are_no_text_and_do_not_become_any() -> None:
    spoken = Spoken('Yes. "Call me."')
    for mix in (
        lambda: "ours " + spoken,
        lambda: "".join([spoken]),
        lambda: json.dumps(spoken),
        lambda: len(spoken),
    ):  # type: ignore[operator, list-item, arg-type]
        with pytest.raises(TypeError):
            mix()
    with pytest.raises(AttributeError):
        spoken.words = "other"  # type: ignore[misc]
    assert str(spoken) == f"{spoken}" == '"Yes. \\"Call me.\\""'
    assert repr(spoken) == 'Spoken("Yes. \\"Call me.\\"")'
    assert not isinstance(spoken, str)
    assert spoken == Spoken(spoken.words)
    assert spoken != spoken.words
    said = Turn(id=1, text=spoken)
    assert isinstance(said.model_dump()["text"], Spoken)
    assert said.model_dump(mode="json")["text"] == spoken.words
    assert Turn.model_validate_json(said.model_dump_json()) == said


WORDS = st.one_of(
    st.sampled_from([words for one in corpus() for words in one.words]),
    st.lists(
        st.sampled_from(
            [
                '"',
                "\\",
                "\n",
                BAR,
                "│",
                "a",
                "word ",
                "字",
                "☎",
                "\u202e",
                "\x1b[31m",
                "\U000e0041",
                "é",
                "\u200d",
            ]
        ),
        max_size=120,
    ).map("".join),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=300),
)


@settings(max_examples=300, deadline=None, database=None)
@given(
    words=WORDS, width=st.integers(-5, 120), beside=st.sampled_from(["", "  4 person called", "12 agent  "])
)
def test_every_line_of_a_quotation_has_its_bar_and_fits(words: str, width: int, beside: str) -> None:
    lines = list(barred(words, width, beside))
    theirs = []
    for number, line in enumerate(lines):
        ours, bar, piece = line.partition(BAR)
        assert bar
        assert ours == (beside if number == 0 else " " * len(beside))
        assert cell_len(piece) <= max(NARROW, width)
        theirs.append(piece)
    assert "".join(theirs) == "".join(map(visible, words.replace("\n", "")))


@settings(max_examples=300, deadline=None, database=None)
@given(words=WORDS)
def test_a_quotation_in_marks_ends_where_we_end_it(words: str) -> None:
    quoted = marked(words)
    assert re.fullmatch(r'"(\\["\\]|[^"\\]|\\(?=u\{))*"', quoted)
    assert all(visible(letter) == letter for letter in quoted)


@settings(max_examples=300, deadline=None, database=None)
@given(words=WORDS, indent=st.sampled_from([None, 2]))
def test_json_says_the_same_and_nothing_in_it_is_hidden(words: str, indent: int | None) -> None:
    text = in_json({"text": words, words: [words]}, indent)
    assert json.loads(text) == {"text": words, words: [words]}
    assert all(letter == "\n" or visible(letter) == letter for letter in text)
    assert text.count("\n") == (0 if indent is None else 5)


@settings(max_examples=200, deadline=None, database=None)
@given(turns=st.lists(WORDS, min_size=1, max_size=5), summary=WORDS, columns=st.integers(30, 140))
def test_no_terminal_shows_a_line_of_theirs_without_its_bar(
    turns: list[str], summary: str, columns: int
) -> None:
    """On a terminal of any width: every line fits, so that none is wrapped, and what has no bar is ours."""
    said = [shown_turn(Turn(id=number, user="user", text=Spoken(one))) for number, one in enumerate(turns, 1)]
    following = Following(call_id="c1", turns=tuple(said), call_summary=Spoken(summary), note="Ours.")
    shown = FollowCall(call_id="c1").shown(following, live=True)
    screen = io.StringIO()
    console = Console(
        file=screen, width=columns, force_terminal=True, color_system=None, legacy_windows=False
    )
    for line in show.spoken(shown, console.width):
        console.print(line, soft_wrap=True)
    numbers = []
    for line in screen.getvalue().removesuffix("\n").split("\n"):
        ours, bar, _ = line.partition(BAR)
        if not bar:
            assert line == "call_summary, derived from what was said:"
            continue
        assert cell_len(line) <= columns
        assert ours.strip() == "" or re.fullmatch(r" *\d+ person called", ours.rstrip())
        numbers += [int(one) for one in re.findall(r"\d+", ours)]
    assert numbers == [turn.turn for turn in said]


def test_a_cut_turn_says_so_in_our_words_outside_of_it() -> None:
    long = Turn(id=1, user="user", text=Spoken("x" * 9000 + " cut here; 5 characters in all"))
    seen = shown_turn(long)
    assert (seen.cut_from, seen.text.words) == (9030, "x" * 3100)
    *lines, last = [line.plain for line in show.turn(seen, 80)]
    assert all(BAR in line for line in lines)
    assert last.strip() == "cut here; 9,030 characters in all"
