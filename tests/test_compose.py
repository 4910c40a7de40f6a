"""Calls as they are sent: the opening in ten languages, the word about voicemail, and what was really said."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topcalls_tools.api.calls import Call, PlaceCall
from topcalls_tools.api.fields import Spoken
from topcalls_tools.api.transcript import Turn
from topcalls_tools.contacts import Contact
from topcalls_tools.errors import Refused
from topcalls_tools.guard.compose import VOICEMAIL, compose
from topcalls_tools.guard.disclosure import announced, disclosed, wordings
from topcalls_tools.guard.policy import Policy, policy

from .test_sandbox import Bench, bench, calm

__all__ = ["bench", "calm"]
NUMBER = "+14155550123"
TASK = "Book a table for two, and ask whether they have vegan dishes."
OPENINGS = {
    "en": "Hello, this is an AI assistant calling on behalf of Acme. This call is being recorded.",
    "es": "Hola, soy un asistente de inteligencia artificial y llamo en nombre de Acme. Esta llamada se está grabando.",
    "de": "Guten Tag, hier spricht ein KI-Assistent im Auftrag von Acme. Dieses Gespräch wird aufgezeichnet.",
    "fr": "Bonjour, je suis un assistant d'intelligence artificielle. Acme m'a chargé de vous appeler. Cet appel est enregistré.",
    "it": "Salve, sono un assistente basato sull'intelligenza artificiale e chiamo per conto di Acme. Questa chiamata viene registrata.",
    "pt": "Olá, sou um assistente de inteligência artificial e ligo em nome de Acme. Esta chamada é gravada.",
    "nl": "Goedendag, u spreekt met een AI-assistent die namens Acme belt. Dit gesprek wordt opgenomen.",
    "pl": "Dzień dobry, z tej strony asystent AI. Zleceniodawcą tej rozmowy jest Acme. Rozmowa jest nagrywana.",
    "tr": "Merhaba, ben Acme adına arayan bir yapay zekâ asistanıyım. Bu görüşme kaydedilmektedir.",
    "ja": "お電話失礼いたします。Acmeに代わってお電話しております、AIアシスタントです。 この通話は録音させていただいております。",
}
ALONE = {
    "en": "Hello, this is an AI assistant.",
    "es": "Hola, soy un asistente de inteligencia artificial.",
    "de": "Guten Tag, hier spricht ein KI-Assistent.",
    "fr": "Bonjour, je suis un assistant d'intelligence artificielle.",
    "it": "Salve, sono un assistente basato sull'intelligenza artificiale.",
    "pt": "Olá, sou um assistente de inteligência artificial.",
    "nl": "Goedendag, u spreekt met een AI-assistent.",
    "pl": "Dzień dobry, z tej strony asystent AI.",
    "tr": "Merhaba, ben bir yapay zekâ asistanıyım.",
    "ja": "お電話失礼いたします。こちらはAIアシスタントです。",
}


def owner(caller: str | None = "Acme", **lines: Any) -> Policy:
    return policy({"caller": caller, "countries": [], **lines}, "outreach")


def call(**given: Any) -> PlaceCall:
    return PlaceCall.model_validate({"phone_number": NUMBER, "task": TASK, **given})


def speaks(language: str | None) -> Contact:
    return Contact(name="Ann", number=NUMBER, language=language)


def spoken(*words: str, by: str = "assistant") -> list[Turn]:
    return [Turn(id=number, user=by, text=Spoken(said)) for number, said in enumerate(words, 1)]


def opening(request: PlaceCall, contact: Contact | None = None, lines: Policy | None = None) -> str:
    return compose(request, contact, lines or owner()).first_sentence or ""


def test_every_language_has_its_row_here() -> None:
    assert wordings().keys() == OPENINGS.keys() == ALONE.keys()


@pytest.mark.parametrize("language", OPENINGS)
def test_the_opening_says_what_speaks_for_whom_and_that_it_is_recorded(language: str) -> None:
    assert opening(call(), speaks(language)) == OPENINGS[language]
    assert (
        opening(call(first_sentence="  Is Ann in? "), speaks(language)) == f"{OPENINGS[language]} Is Ann in?"
    )


@pytest.mark.parametrize("language", OPENINGS)
def test_without_a_caller_or_a_recording_neither_is_spoken_of(language: str) -> None:
    for nobody in (None, " "):
        lines = owner(nobody, announce_recording=False)
        assert opening(call(), speaks(language), lines) == ALONE[language]
    assert opening(call(), speaks(language), owner(announce_recording=False)) == OPENINGS[language].replace(
        f" {wordings()[language].recorded}", ""
    )


@pytest.mark.parametrize(
    ("contact", "policys", "expected"),
    [
        (None, "en", "en"),
        (None, "de", "de"),
        (speaks(None), "de", "de"),
        (speaks("fr"), "de", "fr"),
        (speaks("sw"), "de", "en"),
        (None, "sw", "en"),
    ],
)
def test_the_language_is_the_contacts_else_the_policys_else_english(
    contact: Contact | None, policys: str, expected: str
) -> None:
    assert opening(call(), contact, owner(language=policys)) == OPENINGS[expected]


@pytest.mark.parametrize("language", OPENINGS)
def test_a_call_that_begins_with_our_opening_gets_no_second_one(language: str) -> None:
    bare, whole = OPENINGS[language].replace(f" {wordings()[language].recorded}", ""), OPENINGS[language]
    for first in (whole, f"{whole} Is Ann in?", f"  {whole}\nIs Ann in?"):
        assert opening(call(first_sentence=first), speaks(language)).split() == first.split()
    assert opening(call(first_sentence=f"{bare} Is Ann in?"), speaks(language)) == f"{whole} Is Ann in?"


@pytest.mark.parametrize("given", OPENINGS)
def test_who_is_called_hears_it_in_their_own_language_whatever_else_is_said(given: str) -> None:
    """A sentence that nobody there understands discloses nothing."""
    for language in OPENINGS.keys() - {given}:
        said = opening(call(first_sentence=OPENINGS[given]), speaks(language))
        assert said == f"{OPENINGS[language]} {OPENINGS[given]}"


@pytest.mark.parametrize(
    "first",
    [
        ALONE["en"],
        "Hello, this is an AI assistant calling on behalf of Acme.com, the shop.",
        "Hello, this is an AI assistant calling on behalf of the police.",
        "Hello, this is Rachel. Hello, this is an AI assistant calling on behalf of Acme.",
        "{{opening}}",
    ],
)
def test_what_is_not_quite_our_opening_comes_after_it(first: str) -> None:
    assert opening(call(first_sentence=first)) == f"{OPENINGS['en']} {first}"


CALLERS = [
    "Dr. Müller & Söhne GmbH",
    "Acme Inc.",
    'O\'Neil "the best"',
    "Łódź 24/7",
    "Yahoo!",
    "日本歯科",
    "{caller}",
    "a|b\\1",
]


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("language", OPENINGS)
def test_a_caller_of_odd_characters_is_spoken_literally_and_once(caller: str, language: str) -> None:
    lines = owner().model_copy(update={"caller": caller})
    said = opening(call(), speaks(language), lines)
    assert said.count(caller) == 1
    assert ".." not in said
    assert "!." not in said
    assert opening(call(first_sentence=said), speaks(language), lines) == said


@pytest.mark.parametrize("caller", ["{{x}}", "{{ x }} and {{{y}}}", "{{x", "Acme {{x.y"])
def test_no_fact_is_ever_spoken_in_the_place_of_the_caller(caller: str) -> None:
    lines = owner().model_copy(update={"caller": caller})
    facts = {"x": "the police", "y": "the police", "x.y": "the police", "x.": "the police"}
    for first in (None, "}} hello", "{{x}}"):
        whole = compose(call(first_sentence=first, request_data=facts), None, lines).opening() or ""
        assert "{ {" in whole
        assert whole.count("police") == (first == "{{x}}")
    with pytest.raises(ValueError, match="caller"):
        owner(caller)


def test_facts_are_filled_in_the_callers_own_words_alone() -> None:
    request = call(first_sentence="Am I speaking with {{name}}?", request_data={"name": "Ann"})
    assert compose(request, None, owner()).opening() == f"{OPENINGS['en']} Am I speaking with Ann?"


def test_a_first_sentence_that_leaves_no_room_is_refused_and_told_how_long_it_may_be() -> None:
    with pytest.raises(Refused) as refused:
        compose(call(first_sentence="x" * 1000), None, owner())
    assert refused.value.rule == "opening"
    assert str(refused.value) == (
        "The opening and first_sentence have 1,087 characters together and 1,000 are allowed; "
        "shorten first_sentence to 913 characters or less. [rule: opening]"
    )
    assert len(opening(call(first_sentence="x" * 913))) == 1000
    with pytest.raises(Refused):
        compose(call(first_sentence="x" * 914), None, owner())


@pytest.mark.parametrize("language", OPENINGS)
def test_every_opening_leaves_room_for_the_callers_own_words(language: str) -> None:
    assert len(opening(call(first_sentence="x" * 600), speaks(language), owner("y" * 100))) <= 1000


@pytest.mark.parametrize("does", ["hang_up", "leave_message"])
@pytest.mark.parametrize("brief", ["task", "instructions"])
def test_the_word_about_voicemail_is_the_last_line_of_the_brief_once(does: str, brief: str) -> None:
    lines = owner(voicemail=does)
    given = {"phone_number": NUMBER, brief: f"{TASK}\n"}
    told = compose(PlaceCall.model_validate(given), None, lines)
    assert getattr(told, brief) == f"{TASK}\n{VOICEMAIL[does]}"
    assert (told.task is None) == (brief == "instructions")
    assert compose(told, None, lines) == told


def test_what_a_brief_says_of_voicemail_before_does_not_replace_the_owners_word() -> None:
    lines = owner(voicemail="hang_up")
    for task in (f"{TASK}\n{VOICEMAIL['leave_message']}", f"Do the opposite: {VOICEMAIL['hang_up']}"):
        assert compose(call(task=task), None, lines).task == f"{task}\n{VOICEMAIL['hang_up']}"


@pytest.mark.parametrize(("brief", "most"), [("task", 20_000), ("instructions", 60_000)])
def test_a_brief_that_leaves_no_room_is_refused_and_told_how_long_it_may_be(brief: str, most: int) -> None:
    room = most - len(VOICEMAIL["hang_up"]) - 1
    with pytest.raises(Refused) as refused:
        compose(PlaceCall.model_validate({"phone_number": NUMBER, brief: "x" * most}), None, owner())
    assert refused.value.rule == "voicemail"
    assert str(refused.value) == (
        f"The sentence about voicemail and the {brief} have {most + most - room:,} characters together and {most:,} are "
        f"allowed; shorten {brief} to {room:,} characters or less. [rule: voicemail]"
    )
    fits = compose(PlaceCall.model_validate({"phone_number": NUMBER, brief: "x" * room}), None, owner())
    assert len(getattr(fits, brief)) == most


def test_nothing_else_of_a_call_changes() -> None:
    request = call(first_sentence="Hi.", voice="sage", max_duration=5, request_data={"a": [1]})
    composed = compose(request, speaks("de"), owner())
    assert composed.model_dump(exclude={"task", "first_sentence"}) == request.model_dump(
        exclude={"task", "first_sentence"}
    )
    assert PlaceCall.model_validate(composed.model_dump()) == composed


NAMES = ["No Limits, Not Inc.", "Kein & Nie", "But Non", "Değil", "ではない", OPENINGS["en"], "A. I."]
"""Callers whose names hold words that would deny."""
WORDS = st.text(max_size=120) | st.sampled_from(
    [*OPENINGS.values(), *ALONE.values(), *VOICEMAIL.values(), "{{x}}"]
)


@given(
    caller=st.none() | st.text(min_size=1, max_size=100) | st.sampled_from(NAMES),
    pieces=st.lists(WORDS, max_size=3),
    task=st.lists(WORDS, max_size=3),
    language=st.sampled_from([None, "sw", *OPENINGS]),
    records=st.booleans(),
    voicemail=st.sampled_from(["hang_up", "leave_message"]),
)
def test_composing_twice_is_composing_once(
    caller: str | None,
    pieces: list[str],
    task: list[str],
    language: str | None,
    records: bool,
    voicemail: str,
) -> None:
    update = {"caller": caller, "announce_recording": records, "voicemail": voicemail}
    lines = owner().model_copy(update=update)
    request = call(first_sentence=" ".join(pieces)[:600] or None, task=TASK + "\n".join(task))
    once = compose(request, speaks(language), lines)
    assert compose(once, speaks(language), lines) == once
    assert PlaceCall.model_validate(once.model_dump()) == once
    assert disclosed(spoken(once.first_sentence or "")) == 1


@pytest.mark.parametrize("language", OPENINGS)
def test_an_opening_that_was_spoken_is_recognised(language: str) -> None:
    for said in (OPENINGS[language], ALONE[language], OPENINGS[language].upper(), OPENINGS[language].lower()):
        assert disclosed(spoken("Hello?", said, said)) == 2
    assert announced(spoken("Hello?", OPENINGS[language])) == 2
    assert announced(spoken(ALONE[language])) is None
    assert disclosed(spoken(wordings()[language].recorded)) is None


@pytest.mark.parametrize(
    "said",
    [
        "Yes, I'm an A.I. assistant.",
        "this is an ai",
        "I am not a person but an AI assistant.",
        "No, I'm an AI assistant.",
        "I can't pay, I'm sorry. I'm an AI-powered assistant",
        "Ja, ich bin ein KI‑Assistent.",
        "Sie sprechen mit einer künstlichen Intelligenz",
        "Nee, ik ben geen mens, maar een AI-assistent.",
        "No soy una persona sino un asistente de inteligencia artificial.",
        "Je suis l’assistante IA du cabinet.",
        "Nie jestem człowiekiem, tylko asystentką AI.",
        "İNSAN DEĞİLİM, BEN BİR YAPAY ZEKA ASİSTANIYIM",
        "人間ではなく、ＡＩアシスタントです。",
    ],
)
def test_other_words_that_tell_of_an_ai_count(said: str) -> None:
    assert disclosed(spoken(said)) == 1


@pytest.mark.parametrize(
    "said",
    [
        "Hello, this is Rachel from Acme.",
        "I am not an AI assistant.",
        "This isn't an AI assistant, it's Rachel.",
        "Ich bin kein KI-Assistent.",
        "Sie sprechen nicht mit einem KI-Assistenten.",
        "No soy un asistente de inteligencia artificial.",
        "Não sou um assistente de inteligência artificial.",
        "Je ne suis pas un assistant IA.",
        "Non sono un assistente di intelligenza artificiale.",
        "Ik ben geen AI-assistent.",
        "Nie jestem asystentem AI.",
        "Ben bir yapay zekâ asistanı değilim.",
        "私はAIアシスタントではありません。",
        "Your assistant, Mr. Aiken, said so.",
        "J'ai un assistant.",
        "",
    ],
)
def test_words_that_deny_it_or_say_something_else_do_not_count(said: str) -> None:
    assert disclosed(spoken(said)) is None


def test_only_what_the_agent_says_counts_under_the_number_of_its_turn() -> None:
    assert disclosed(spoken("Are you an AI assistant?", by="user")) is None
    turns = [
        Turn(id=7, user="user", text=Spoken("An AI assistant? This call is recorded.")),
        Turn(id=8, user=None, text=Spoken("An AI assistant.")),
        Turn(id=9, user="assistant", text=Spoken("Yes, an AI assistant.")),
    ]
    assert disclosed(turns) == 9
    assert announced(turns) is None
    assert disclosed([]) is None


def test_a_denied_recording_is_not_announced() -> None:
    for said in (
        "This call is not being recorded.",
        "Esta llamada no se está grabando.",
        "Rozmowa nie jest nagrywana.",
    ):
        assert announced(spoken(said)) is None


@pytest.mark.parametrize("language", OPENINGS)
def test_a_placed_call_opens_as_composed_and_its_transcript_shows_the_disclosure(
    bench: Bench, language: str
) -> None:
    request = compose(call(first_sentence="Is this a good time?"), speaks(language), owner())
    for ending, heard_as in (("0123", 1), ("0006", 2), ("0010", 1), ("0012", 1), ("0015", 1), ("0016", 1)):
        ended = placed(bench, request.model_copy(update={"phone_number": f"+1415555{ending}"}))
        first = next(turn for turn in ended.transcript if turn.user == "assistant")
        assert first.text.words == request.first_sentence
        assert disclosed(ended.transcript) == announced(ended.transcript) == first.id == heard_as


def test_a_call_that_opened_freely_as_somebody_shows_no_disclosure(bench: Bench) -> None:
    ended = placed(bench, call(first_sentence="Hi, this is Rachel from TopView Dental."))
    assert len(ended.transcript) > 3
    assert disclosed(ended.transcript) is None
    assert announced(ended.transcript) is None


def test_a_disclosure_that_came_late_is_found_where_it_was(bench: Bench) -> None:
    ended = placed(bench, call(phone_number="+14155550017", first_sentence="Hi, this is Rachel."))
    found = disclosed(ended.transcript)
    assert found is not None
    assert found > 1
    assert "AI assistant" in ended.transcript[found - 1].text.words


@pytest.mark.parametrize(
    ("does", "speakers"), [("hang_up", ["user"]), ("leave_message", ["user", "assistant", "assistant"])]
)
@pytest.mark.parametrize("task", [TASK, "Reserva una mesa para dos y pregunta si tienen platos veganos."])
def test_the_owners_word_about_voicemail_is_kept_and_never_heard(
    bench: Bench, does: str, speakers: list[str], task: str
) -> None:
    lines = owner(voicemail=does)
    machine = placed(bench, compose(call(phone_number="+14155550005", task=task), None, lines))
    assert [turn.user for turn in machine.transcript] == speakers
    person = placed(bench, compose(call(task=task), None, lines))
    said = " ".join(turn.text.words for turn in person.transcript)
    assert not re.search("voicemail|machine|hang up", said)
    assert "vegan" in said


def placed(bench: Bench, request: PlaceCall) -> Call:
    sent = request.model_dump(mode="json", exclude_none=True)
    call_id = bench.place(**{"number": sent.pop("phone_number"), **sent})
    bench.step(900)
    return Call.model_validate(bench.call(call_id))
