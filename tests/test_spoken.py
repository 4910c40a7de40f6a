"""Words of a person called are a type of their own, marked on every surface, and none looks like ours."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
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
    if beside and width < NARROW:
        assert lines.pop(0) == beside.rstrip()
        beside, width = "", width + len(beside)
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
@given(words=WORDS, columns=st.integers(21, 40), before=st.sampled_from(["", "[1] "]))
def test_on_a_narrow_terminal_a_turn_fits_and_who_speaks_stands_above_its_words(
    words: str, columns: int, before: str
) -> None:
    seen = shown_turn(Turn(id=1, user="user", text=Spoken(words)))
    lines = [line.plain for line in show.turn(seen, columns, before)]
    assert all(cell_len(line) <= columns for line in lines)
    barless = [line for line in lines if BAR not in line]
    assert barless in ([], [f"{before}  1 person called"])


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
